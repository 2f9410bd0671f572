"""Small recipes for the supply stage, built without the front."""

from pathlib import Path

from mixc.compiler.build_problem import build_problem
from mixc.compiler.problem import Problem
from mixc.compiler.recipe import Budget, Language, Recipe, Source, SupplyEntry
from mixc.compiler.supply.pools import build_supply
from mixc.compiler.supply.supply import Supply
from mixc.dsl.diagnostics import Diagnostic


def inline(**amounts: float) -> tuple[SupplyEntry, ...]:
    return tuple(SupplyEntry(code, amount, "tokens") for code, amount in amounts.items())


def source(name: str = "web", **details: object) -> Source:
    return Source(name, str(details.pop("domain", "web")), **details)  # type: ignore[arg-type]


def recipe(folder: Path, *sources: Source, languages: str = "", **details: object) -> Recipe:
    declared = tuple(Language(code) for code in languages.split())
    budget = Budget(1e9, 10**10, 6e19)
    defaults = {"name": "test", "path": str(folder / "test.mix"), "description": "", "files": (), "params": ()}
    return Recipe(**{**defaults, "budget": budget, "sources": sources, "languages": declared, **details})  # type: ignore[arg-type]


def supply_of(made: Recipe) -> Supply:
    """The supply of a recipe that has nothing wrong with it."""
    supply, found = build_supply(made)
    assert not found, [d.message for d in found]
    assert supply is not None
    return supply


def problem_of(made: Recipe) -> Problem:
    """The problem of a recipe that has nothing wrong with it."""
    problem, found = build_problem(made, supply_of(made))
    assert not found, [d.message for d in found]
    assert problem is not None
    return problem


def complaints(made: Recipe) -> list[tuple[str, str]]:
    """(code, message) of both stages."""
    supply, found = build_supply(made)
    if supply is not None:
        found = found + build_problem(made, supply)[1]
    return [(d.code, d.message) for d in found]


def only(found: list[Diagnostic]) -> Diagnostic:
    assert len(found) == 1, [d.message for d in found]
    return found[0]
