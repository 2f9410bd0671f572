"""What a recipe may ask of a rater: which column it reads, and that languages are ranked together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mixc.backends.murating.rater import ABOUT
from mixc.compiler.pipeline import COMPILE, Artefacts, run_passes
from tests.examples import shown
from tests.murating.test_murating_scoring import mu as mu
from tests.murating.test_murating_scoring import pool, rows, scored

RATER = 'rater mu { kind = murating, model = "raters/mu"'


@pytest.fixture
def recipe(tmp_path: Path, mu: Path, small: Path) -> Path:
    """A recipe whose documents a rater scores."""
    return pool(tmp_path, mu, rows(24), small)


def stating(recipe: Path, extra: str) -> Path:
    """The same recipe, with more said of the rater."""
    recipe.write_text(recipe.read_text().replace(RATER, RATER + extra))
    return recipe


def offsets(recipe: Path, word: str) -> None:
    """Let the rater say whether languages were compared with each other."""
    path = recipe.parent / "raters" / "mu" / ABOUT
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"offsets": word}))


def compiling(recipe: Path) -> list[tuple[str, bool]]:
    """Codes that compiling gives, and whether they show a place."""
    _, found = run_passes(COMPILE, Artefacts(recipe))
    return [(one.code, bool(one.labels)) for one in found]


def test_a_rater_reads_the_texts_of_its_source(recipe: Path) -> None:
    made, found = scored(stating(recipe, ', text = "text"'))
    assert made is not None, found
    assert made.names == ("mu",)


def test_a_rater_of_another_column_is_refused(recipe: Path) -> None:
    stating(recipe, ', text = "language"')
    made, found = scored(recipe)
    assert made is None
    assert [one.code for one in found] == ["M624"]
    shown("M624", found, files=[recipe], command=f"mixc score {recipe.name}", at=recipe.parent)
    assert "reads `language`, and the texts of `crawl` are in `text`" in found[0].message


def test_languages_are_ranked_together_where_pairs_cross_them(recipe: Path) -> None:
    offsets(recipe, "identified")
    made, found = scored(stating(recipe, ", scope = global"))
    assert made is not None, found


def test_languages_that_no_pair_connects_are_not_ranked_together(recipe: Path) -> None:
    offsets(recipe, "free")
    stating(recipe, ", scope = global")
    made, found = scored(recipe)
    assert made is None
    assert [one.code for one in found] == ["M629"]
    about = "The rater was trained on pairs within languages only."
    shown("M629", found, about=about, files=[recipe], command=f"mixc score {recipe.name}", at=recipe.parent)
    assert compiling(recipe) == [("M629", True), ("M620", True)]


def test_a_rater_that_is_not_there_is_told_at_its_place(recipe: Path) -> None:
    recipe.write_text(recipe.read_text().replace("raters/mu", "raters/none"))
    ((code, placed),) = compiling(recipe)
    assert placed
    assert scored(recipe)[1][0].code == code
