"""The shipped recipes become problems without a word of complaint."""

from pathlib import Path

import pytest
from test_supply_languages import MUBENCH

from mixc.compiler.build_problem import build_problem
from mixc.compiler.front.passes import load_recipe
from mixc.compiler.problem import Problem
from mixc.compiler.supply.pools import build_supply
from mixc.dsl.formatter import format_source
from mixc.dsl.text import SourceText

RECIPES = Path(__file__).parent.parent.parent / "recipes"
DOCUMENTS = ["docs"]  # tests/integration/test_documents.py
NAMES = sorted(path.stem for path in RECIPES.glob("*.mix") if path.stem not in DOCUMENTS)


def problem(name: str, **params: str) -> Problem:
    recipe, found = load_recipe(RECIPES / f"{name}.mix", params=params)
    assert not found, [d.message for d in found]
    assert recipe is not None
    supply, found = build_supply(recipe)
    assert not found, [d.message for d in found]
    assert supply is not None
    built, found = build_problem(recipe, supply)
    assert not found, [d.message for d in found]
    assert built is not None
    return built


def test_the_five_recipes_are_there() -> None:
    assert NAMES == ["english-quality", "hello", "polyglot17", "polyglot61", "pretrain-anneal"]


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_says_whose_problem_it_solves_and_becomes_a_problem(name: str) -> None:
    assert (RECIPES / f"{name}.mix").read_text(encoding="utf-8").startswith("# ")
    built = problem(name)
    assert sum(phase.tokens for phase in built.phases) == built.tokens
    assert {pool.language for pool in built.pools} == {language.code for language in built.languages}


@pytest.mark.parametrize("path", sorted(RECIPES.rglob("*.mix")), ids=lambda path: path.stem)
def test_recipes_are_in_the_one_formatting(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert format_source(SourceText(path.name, text)) == (text, [])


def test_polyglot61_holds_every_mubench_language() -> None:
    assert [language.code for language in problem("polyglot61").languages] == sorted(MUBENCH)


def test_english_quality_is_infolaws_case() -> None:
    built = problem("english-quality")
    assert (built.params, built.tokens, built.order) == (7e9, 300_000_000_000, "free")
    assert [bucket.tokens for bucket in built.pools[0].buckets] == [round(3.2e11 * b) for b in (0.05, 0.15, *[0.2] * 4)]
    other = problem("english-quality", total="1000B tokens", ranking="shares")
    assert (other.tokens, other.order) == (10**12, "shares")


def test_pretrain_anneal_inherits_and_adds() -> None:
    base, built = problem("polyglot17"), problem("pretrain-anneal")
    assert [(phase.name, phase.tokens) for phase in built.phases] == [
        ("pretrain", 1_350_000_000_000),
        ("anneal", 150_000_000_000),
    ]
    assert {pool.source for pool in built.pools} - {pool.source for pool in base.pools} == {"finemath"}
    assert {source.name: source.phases for source in built.sources}["finemath"] == ("anneal",)
    assert {rule.text for rule in base.rules} < {rule.text for rule in built.rules}
