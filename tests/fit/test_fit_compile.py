"""What `mixc fit` writes, `mixc compile` uses: by path, and with a word about how far it is extrapolated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pytest import approx

from mixc.compiler.cli.guard import guarded
from tests.examples import shown
from tests.fit.fit_tables import base, base_transfer, write

RECIPE = """\
recipe ours
source web {{ supply = {{ en: 400B tokens, de: 100B tokens, zh: 200B tokens }}, epochs <= 4 }}
budget {{ model = {model}, tokens = {tokens} }}
law infolaw {{ calibration = "ours.json" }}
law transfer {{ calibration = "between.json", signal = tokens }}
"""


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fitted")
    write(folder / "runs.csv", base())
    write(folder / "languages.csv", base_transfer(24))
    assert guarded(["fit", "infolaw", str(folder / "runs.csv"), "-o", str(folder / "ours.json")]) == 0
    assert guarded(["fit", "transfer", str(folder / "languages.csv"), "-o", str(folder / "between.json")]) == 0
    return folder


def compiled(folder: Path, model: str, tokens: str) -> dict:  # type: ignore[type-arg]
    recipe = folder / "ours.mix"
    recipe.write_text(RECIPE.format(model=model, tokens=tokens), encoding="utf-8")
    assert guarded(["compile", str(recipe)]) == 0
    return json.loads((folder / "ours.manifest.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def test_a_recipe_names_the_calibrations_by_path(fitted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = compiled(fitted, "1.2B params", "80B tokens")
    assert "M730" not in capsys.readouterr().err
    ours = json.loads((fitted / "ours.json").read_text(encoding="utf-8"))
    assert manifest["law"]["theta"] == approx(ours["parameters"]["theta"])
    said = [line for line in manifest["assumptions"] if line.startswith("calibration ours: fitted on 27 runs")]
    assert len(said) == 1
    assert "extrapolation" not in said[0]


def test_far_outside_is_said_with_the_distance(fitted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = compiled(fitted, "7B params", "425B tokens")
    assert "M730" not in capsys.readouterr().err
    assert any("7B parameters are an extrapolation, 5.83 times the largest" in one for one in manifest["assumptions"])
    compiled(fitted, "70B params", "425B tokens")
    said = capsys.readouterr().err
    assert "M730" in said
    assert "58.3 times the largest" in said
    shown("M730", said, files=[fitted / "ours.mix"], command="mixc compile ours.mix", at=fitted, numbers=False)


def test_json_is_the_file(fitted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = fitted / "again.json"
    assert guarded(["fit", "infolaw", str(fitted / "runs.csv"), "-o", str(out), "--format", "json"]) == 0
    assert capsys.readouterr().out == out.read_text(encoding="utf-8")


def test_nothing_is_written_where_runs_are_refused(fitted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(fitted / "few.csv", base()[:3])
    assert guarded(["fit", "infolaw", str(fitted / "few.csv"), "-o", str(fitted / "few.json")]) == 1
    assert "M718" in capsys.readouterr().err
    assert not (fitted / "few.json").exists()


def test_runs_are_never_written_over(fitted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = fitted / "runs.csv"
    before = runs.read_bytes()
    assert guarded(["fit", "infolaw", str(runs), "-o", str(runs)]) == 1
    assert "M444" in capsys.readouterr().err
    assert runs.read_bytes() == before


@pytest.mark.parametrize(
    "options",
    [
        ["--unit", "tokens"], ["--unit", "tokens=x"], ["--unit", "nothing=2"], ["--unit", "tokens=0"],
        ["--column", "loss"], ["--column", "loss=a", "--column", "loss=b"], ["--edges", "a"], ["--edges", "0.5,0.2,1"],
    ],
)  # fmt: skip
def test_options_that_say_nothing(fitted: Path, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(["fit", "infolaw", str(fitted / "runs.csv"), "-o", str(fitted / "x.json"), *options]) == 1
    assert options[0] in capsys.readouterr().err
    assert not (fitted / "x.json").exists()
