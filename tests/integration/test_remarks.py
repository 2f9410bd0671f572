"""What mixc remarks on without refusing, and what `explain` and `--check` answer when there is nothing to show."""

from __future__ import annotations

from pathlib import Path

import pytest
from bad_input import COMPILE, Case, catalog, edited

from mixc.compiler.cli.guard import guarded
from tests.examples import shown

PRICES = "language,tokens\nen,900000000000\nde,60000000000\n"
SIZES = catalog(PRICES)
ALIASED = str(SIZES.recipe).replace("domain = web", "aliases = { xyz: de }, domain = web")
GENEROUS = (
    edited("no: 2B tokens", "nl: 9B tokens, no: 2B tokens").replace("[en, de, no]", "[en, de, nl, no]")
    + "law transfer { calibration = family(90%) }\n"
)
TWIN = 'source again { supply = { de: 9B tokens, en: 90B tokens }, origin = "Common Crawl", epochs <= 4 }'
REMARKS = {
    "M427": Case(SIZES.recipe, {"sizes.csv": f"{PRICES}en-simple,900000000\n"}),
    "M428": Case(f"{SIZES.recipe}{TWIN}\n", {"sizes.csv": f"# origin: Common Crawl\n{PRICES}"}),
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
    assert guarded([*COMPILE]) == 0
    said = capsys.readouterr().err
    assert said.count(f"warning[{code}]: ") == 1
    assert (tmp_path / "recipe.manifest.json").exists()
    files = [tmp_path / name for name in ("recipe.mix", *REMARKS[code].files)]
    solved = code == "M471"  # its digits are those of a solver
    shown(code, said, files=files, command="mixc compile recipe.mix", at=tmp_path, numbers=not solved)


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
    about = {"M466": "", "M463": "The recipe was never compiled."}[code]
    shown(code, capsys.readouterr().err, about=about, command=" ".join(("mixc", *arguments)))
