"""Every diagnostic of the front, as users see it: a recipe in, the rendered report out.

A case is `NAME.mix` beside `NAME.txt`, or a folder with `recipe.mix` and `expected.txt`. A first line `#! --param a=b
--allow-outside` gives the command line. MIXC_UPDATE_GOLDEN=1 rewrites what is expected.
"""

import os
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

import mixc.compiler.front  # noqa: F401 - registers the pages
from mixc.compiler.front import load_recipe
from mixc.dsl.diagnostics import PAGES, Diagnostic
from mixc.dsl.render import render

FOLDER = Path(__file__).parents[1] / "cases" / "front"
CASES = sorted([*FOLDER.glob("*.mix"), *FOLDER.glob("*/recipe.mix")])


def name_of(path: Path) -> str:
    return path.parent.name if path.name == "recipe.mix" else path.stem


def check(path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Diagnostic]:
    """Check a case from its own folder, so that no path of this machine is in the output."""
    monkeypatch.chdir(path.parent)
    first = path.read_text().splitlines()[0]
    words = shlex.split(first[2:]) if first.startswith("#!") else []
    params = dict(word.split("=", 1) for before, word in pairwise(words) if before == "--param")
    recipe, found = load_recipe(Path(path.name), params=params, allow_outside="--allow-outside" in words)
    errors = any(diagnostic.severity == "error" for diagnostic in found)
    assert (recipe is None) == errors
    return found


@pytest.mark.parametrize("path", CASES, ids=name_of)
def test_report(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = render(check(path, monkeypatch), "full")
    golden = path.parent / "expected.txt" if path.name == "recipe.mix" else path.with_suffix(".txt")
    if os.environ.get("MIXC_UPDATE_GOLDEN"):
        golden.write_text(report)
    assert report == golden.read_text()
    assert report, "a case shows a diagnostic"


def test_every_page_has_a_case(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = {diagnostic.code for path in CASES for diagnostic in check(path, monkeypatch)}
    assert {code for code in PAGES if code[:2] in ("M1", "M2")} <= shown


@pytest.mark.parametrize("code", sorted(code for code in PAGES if code[:2] in ("M1", "M2")))
def test_page_explains(code: str) -> None:
    page = PAGES[code]
    assert page.title and not page.title.endswith(".")
    assert page.text.count("\n\n") >= 2, "a page says what it means, shows an example and says what to do"
