"""What mixc remarks on without refusing, and what `explain` and `--check` answer when there is nothing to show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bad_input import COMPILE, Case, catalog, edited

from mixc.compiler.cli.guard import guarded

PRICES = "language,tokens\nen,900000000000\nde,60000000000\n"
SIZES = catalog(PRICES)
ALIASED = str(SIZES.recipe).replace("domain = web", "aliases = { xyz: de }, domain = web")
GENEROUS = (
    edited("no: 2B tokens", "nl: 9B tokens, no: 2B tokens").replace("[en, de, no]", "[en, de, nl, no]")
    + "law transfer { calibration = family(90%) }\n"
)
REMARKS = {
    "M429": Case(ALIASED, SIZES.files),
    "M437": Case(GENEROUS),
    "M471": Case(
        edited(
            "model = 1.2B params, tokens = 100B tokens",
            "compute = 7e20 FLOPs, ratio within 90 tokens/param .. 100 tokens/param",
        )
    ),
}


@pytest.mark.parametrize("code", REMARKS)
def test_a_remark(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    REMARKS[code].lay(tmp_path)
    assert guarded([*COMPILE, "--diagnostics", "json"]) == 0
    found = json.loads(capsys.readouterr().err)
    assert [(d["code"], d["severity"]) for d in found if d["code"] == code] == [(code, "warning")]
    assert (tmp_path / "recipe.manifest.json").exists()


@pytest.mark.parametrize(
    ("code", "arguments", "exit_code"), [("M466", ["explain", "M9"], 1), ("M463", [*COMPILE, "--check"], 2)]
)
def test_an_answer(
    code: str,
    arguments: list[str],
    exit_code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Case().lay(tmp_path)
    assert guarded(arguments) == exit_code
    assert code in capsys.readouterr().err
