"""Bad input, from the command line: a diagnostic with its place and the way out, exit code 1, nothing written.

MIXC_UPDATE_GOLDEN=1 rewrites the reports in `tests/cases/compile`.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import pytest
from bad_input import CASES, COMPILE, RECIPE, Case

from mixc.compiler.cli.guard import guarded

GOLDEN = Path(__file__).parents[1] / "cases" / "compile"
LONG = 200


def files(folder: Path) -> dict[str, str]:
    """Every file below the folder above a recipe's, by name, with a digest of its bytes."""
    return {
        path.relative_to(folder.parent).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.parent.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    inside = tmp_path / "recipes"
    inside.mkdir()
    monkeypatch.chdir(inside)
    monkeypatch.delenv("COLUMNS", raising=False)
    return inside


def prepare(case: Case, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case.lay(folder)
    if case.compiled:
        assert guarded(list(COMPILE)) == 0
    if case.setup is not None:
        case.setup(folder)
    capsys.readouterr()


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_and_nothing_is_written(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = CASES[name]
    prepare(case, folder, capsys)
    before = files(folder)
    code = guarded(list(case.arguments))
    said = capsys.readouterr()
    assert (code, said.out) == (1, "")
    assert files(folder) == before
    assert str(folder.parent) not in said.err
    assert max(map(len, said.err.splitlines())) < LONG
    assert said.err.startswith("error[M")
    assert re.search("= help:|= note:|more than 0|not a number", said.err), "a diagnostic says what to do"
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("MIXC_UPDATE_GOLDEN"):
        golden.write_text(said.err)
    assert said.err == golden.read_text()


def test_every_report_has_a_case() -> None:
    assert sorted(path.stem for path in GOLDEN.glob("*.txt")) == sorted(CASES)


def test_the_good_recipe_is_good(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Case().lay(folder)
    assert guarded(list(COMPILE)) == 0
    assert capsys.readouterr().err == ""
    assert sorted(path.name for path in folder.iterdir()) == ["recipe.lock", "recipe.manifest.json", "recipe.mix"]


def mixture(folder: Path) -> str:
    """A manifest without what names the bytes of the recipe."""
    text = (folder / "recipe.manifest.json").read_text()
    return re.sub(r'"sha256": "\w+"|"integrity": "\w+"', "", text)


@pytest.mark.parametrize("change", [lambda data: data.replace(b"\n", b"\r\n"), lambda data: data.rstrip(b"\n")])
def test_other_ends_of_lines_change_nothing(folder: Path, change, capsys: pytest.CaptureFixture[str]) -> None:
    Case().lay(folder)
    assert guarded(list(COMPILE)) == 0
    before = mixture(folder)
    Case(change(RECIPE.encode())).lay(folder)
    assert guarded(list(COMPILE)) == 0
    assert mixture(folder) == before


@pytest.mark.parametrize("name", ["import-outside", "import-through-a-link", "import-through-a-linked-folder"])
def test_what_is_outside_is_read_when_allowed(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepare(CASES[name], folder, capsys)
    assert guarded([*COMPILE, "--allow-outside"]) == 0, capsys.readouterr().err
