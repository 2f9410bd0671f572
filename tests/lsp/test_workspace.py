"""A recipe that is being edited: after any change what is known is what checking it from scratch finds."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from mixc.backends.lsp import renaming
from mixc.backends.lsp.workspace import Workspace
from mixc.compiler.front.passes import load_recipe
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.parser import parse
from mixc.dsl.pieces import Edited, pieces
from mixc.dsl.render import as_data
from mixc.dsl.text import SourceText

RECIPES = Path(__file__).parents[2] / "recipes"
SEEDS = ("polyglot17.mix", "pretrain-anneal.mix", "english-quality.mix", "docs.mix")
LETTERS = '{}[]()=<>+-*/,:."\n #abeknx0159%KMB'
WORDS = ("override ", "require ", "recipe ", "import ", "weight 3", "\n\n", '"', "within 1 .. 2", " = ", "share(en)")


def changed(text: str, draw: random.Random) -> str:
    """The text after one slip of somebody's hands."""
    at = draw.randrange(len(text) + 1)
    match draw.randrange(5):
        case 0 | 1:
            return text[:at] + draw.choice(LETTERS) + text[at:]
        case 2:
            return text[:at] + text[at + draw.randint(1, 3) :]
        case 3:
            begin = draw.randrange(len(text) + 1)
            return text[:at] + text[begin : begin + draw.randint(1, 40)] + text[at:]
        case _:
            return text[:at] + draw.choice(WORDS) + text[at:]


def without_offsets(value: Any) -> Any:
    """Data without offsets, which in an edited text count from the beginning of a piece."""
    if isinstance(value, dict):
        return {key: without_offsets(one) for key, one in value.items() if key != "offset"}
    return [without_offsets(one) for one in value] if isinstance(value, list) else value


def data(found: list[Diagnostic]) -> list[Any]:
    return [without_offsets(as_data(one)) for one in found]


@pytest.mark.parametrize("name", SEEDS)
def test_an_edited_text_reads_as_a_new_one(name: str) -> None:
    draw = random.Random(name)
    broken = 0
    for _ in range(12):
        text, edited = (RECIPES / name).read_text(encoding="utf-8"), Edited("x.mix")
        for _ in range(10):
            text = changed(text, draw)
            tree, found = parse(SourceText("x.mix", text))
            read = edited.read(text)
            assert read.tree == tree
            assert data(read.found) == data(found)
            assert "".join(pieces(text)) == text
            broken += tree is None
    assert broken > 30  # or nothing was tried


@pytest.mark.parametrize("name", SEEDS)
def test_what_is_known_is_what_a_check_finds(name: str, tmp_path: Path) -> None:
    """Slips and their repair, rule by rule: what is kept of earlier readings never shows."""
    draw = random.Random(name)
    path = RECIPES / name
    good = path.read_text(encoding="utf-8")
    workspace, text, checked = Workspace(), good, 0
    for number in range(60):
        text = good if number % 4 == 3 else changed(text, draw)
        workspace.put(path, text)
        analysis = workspace.known(path)
        scratch = Workspace()
        scratch.put(path, text)
        fresh = scratch.known(path)
        assert data(analysis.found) == data(fresh.found)
        assert analysis.recipe == fresh.recipe
        checked += analysis.recipe is not None
    assert checked > 10


def test_it_is_what_load_recipe_finds() -> None:
    for name in SEEDS:
        path = RECIPES / name
        recipe, found = load_recipe(path)
        analysis = Workspace().known(path)
        assert analysis.recipe == recipe
        assert data(analysis.found) == data(found)


def test_a_change_below_moves_what_is_above_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "x.mix"
    text = "recipe x\nbudget { model = 1B params, tokens = 2B tokens }\nsource a { supply = { en: 9B tokens } }\n"
    workspace = Workspace()
    workspace.put(path, text)
    (before,) = workspace.known(path).found
    workspace.put(path, text.replace("recipe x\n", "recipe x\n# one\n# two\n"))
    (after,) = workspace.known(path).found
    assert (before.code, after.code) == ("M229", "M229")
    assert after.labels[0].span.place == f"{path}:5:1"


def test_files_that_extend_each_other_are_told(tmp_path: Path) -> None:
    for one, other in (("a", "b"), ("b", "a")):
        (tmp_path / f"{one}.mix").write_text(f'recipe {one} extends "{other}.mix"\n')
    workspace = Workspace()
    workspace.folders = [tmp_path]
    found = workspace.known(tmp_path / "a.mix").found
    assert [one.code for one in found] == ["M114"]
    assert set(workspace.related(tmp_path / "a.mix")) == {tmp_path / "a.mix", tmp_path / "b.mix"}


def test_one_file_in_two_programs(tmp_path: Path) -> None:
    """What a recipe extends may be what it imports too: each sees its own params."""
    (tmp_path / "base.mix").write_text("recipe base\nparam part = 10%\nsource s { supply = { en: 9B tokens } }\n")
    text = (
        'recipe top extends "base.mix"\nimport other = "base.mix"\noverride param part = 20%\n'
        "budget { model = 1B params, tokens = 2B tokens }\nrequire share(en) >= other.part\n"
    )
    path = tmp_path / "top.mix"
    path.write_text(text)
    workspace = Workspace()
    for more in ("", "# more\n"):
        path.write_text(text + more)
        workspace.put(path, text + more)
        recipe, _ = load_recipe(path)
        assert recipe is not None
        assert workspace.known(path).recipe == recipe
        assert {(one.symbol.name, one.role) for one in workspace.names(path) if one.symbol.kind == "param"} == {
            ("part", "declaration"), ("part", "override"), ("part", "use"),
        }  # fmt: skip


def test_more_recipes_than_can_be_looked_at_are_no_silent_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        (tmp_path / f"r{number}.mix").write_text(f"recipe r{number}\nsource web {{ supply = {{ en: 9T tokens }} }}\n")
    workspace, path = Workspace(), tmp_path / "r0.mix"
    workspace.folders = [tmp_path]
    offset = path.read_text().index("web")
    assert len(renaming.renamed(workspace, path, offset, "crawl")) == 1
    monkeypatch.setattr("mixc.backends.lsp.workspace.MOST_FILES", 5)
    with pytest.raises(renaming.Refused, match=r"more than 5 recipes .*: open the folder of these recipes alone"):
        renaming.renamed(workspace, path, offset, "crawl")
