"""Calibration files: the shipped one is whole, each bad one is explained."""

import json
import os
from pathlib import Path

import jsonschema
import pytest

from mixc.compiler.laws.calibration import calibration_schema, load_infolaw, load_transfer, shipped, to_info_law
from mixc.dsl.diagnostics import Diagnostic

CASES = Path(__file__).parent.parent / "cases" / "calibrations"
BAD = sorted(path.stem for path in CASES.glob("*.json"))


def load(case: str) -> tuple[object, list[Diagnostic]]:
    return (load_transfer if case.startswith("transfer-") else load_infolaw)(f"{case}.json", CASES, None)


@pytest.mark.parametrize("case", BAD)
def test_bad_calibrations_are_explained(case: str) -> None:
    loaded, found = load(case)
    assert loaded is None
    text = "".join(f"{d.severity}[{d.code}]: {d.message}\n" for d in found)
    text += "".join(f"  = note: {note}\n" for d in found for note in d.notes)
    text += "".join(f"  = help: {line}\n" for d in found for line in d.helps)
    golden = CASES / f"{case}.txt"
    if os.environ.get("MIXC_UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_names_that_are_not_there(tmp_path: Path) -> None:
    for name, code, words in (
        ("infolaw-2605.02365", "M430", 'did you mean "infolaw-2605.02364"?'),
        ("chinchilla", "M430", "a file is named by its path"),
        ("fits/none.json", "M431", "relative to the recipe"),
        ("nul\0.json", "M431", "relative to the recipe"),
        (".json", "M431", "relative to the recipe"),
    ):
        loaded, found = load_infolaw(name, tmp_path, None)
        assert loaded is None
        assert [d.code for d in found] == [code]
        assert words in found[0].helps[0]


def test_brackets_without_end(tmp_path: Path) -> None:
    (tmp_path / "deep.json").write_text("[" * 100_000, encoding="utf-8")
    loaded, found = load_infolaw("deep.json", tmp_path, None)
    assert loaded is None
    assert [d.code for d in found] == ["M432"]
    assert found[0].notes == ("reading stopped: it is nested too deeply",)


def test_every_shipped_calibration_loads_and_matches_the_schema() -> None:
    assert "infolaw-2605.02364" in shipped()
    for name in shipped():
        loaded, found = load_infolaw(name, Path(), None)
        assert not found
        assert loaded is not None
        calibration, file = loaded
        assert calibration.name == name == file.name
        assert calibration.assumed
        assert {"params", "tokens", "info", "loss"} <= set(calibration.units)
        assert to_info_law(calibration).edges[-1] == 1


def test_files_are_read_relative_to_the_recipe(tmp_path: Path) -> None:
    body = {
        "schema": "mixc.calibration.transfer/1",
        "name": "run7",
        "source": "a test",
        "form": "logc",
        "tokens": 1e10,
        "transfer_exponent": 0.4,
        "transfer": {"no": {"de": 0.3}},
        "languages": {"no": {"floor": 0.5, "scale": 2.0, "exponent": 0.3}},
    }
    (tmp_path / "fits").mkdir()
    (tmp_path / "fits" / "run7.json").write_text(json.dumps(body), encoding="utf-8")
    jsonschema.validate(body, calibration_schema("transfer"))
    loaded, found = load_transfer("fits/run7.json", tmp_path, None)
    assert not found
    assert loaded is not None
    assert loaded[0].transfer == {"no": {"de": 0.3}}
    assert loaded[1].name == "fits/run7.json"


def test_the_schema_refuses_what_loading_refuses() -> None:
    for case in ("infolaw-missing-constant", "infolaw-negative", "infolaw-misspelt", "infolaw-text", "transfer-form"):
        kind = "transfer" if case.startswith("transfer") else "infolaw"
        data = json.loads((CASES / f"{case}.json").read_text(encoding="utf-8"))
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(data, calibration_schema(kind))
