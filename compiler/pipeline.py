"""The compiler as a tuple of passes, from a recipe file to a manifest and a lock.

A pass takes what was made so far and returns it with one thing more, and diagnostics; errors stop before the next one.
Each pass imports what it needs when it runs, so that `mixc check` loads neither numpy nor a solver.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from mixc.dsl.diagnostics import Diagnostic, Severity, has_errors, page

if TYPE_CHECKING:
    from mixc.compiler.problem import Decision, Problem
    from mixc.compiler.recipe import Budget, Recipe
    from mixc.compiler.review.after import Earlier
    from mixc.compiler.review.evaluation import Planned
    from mixc.compiler.review.lock import Lock
    from mixc.compiler.review.schema import Manifest
    from mixc.compiler.review.tables import RunTables
    from mixc.compiler.scan.catalog import Catalog
    from mixc.compiler.supply.supply import Supply


@dataclass(frozen=True, slots=True)
class Artefacts:
    """What the passes have made so far; None is not made yet. The first four fields are what to compile, and how."""

    path: Path
    params: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    allow_outside: bool = False
    after: Path | None = None
    recipe: Recipe | None = None
    earlier: Earlier | None = None
    catalog: Catalog | None = None
    supply: Supply | None = None
    problem: Problem | None = None
    decision: Decision | None = None
    evaluation: Planned | None = None
    tables: RunTables | None = None
    manifest: Manifest | None = None
    lock: Lock | None = None


T = TypeVar("T")
Pass: TypeAlias = Callable[[Artefacts], tuple[Artefacts, list[Diagnostic]]]


def run_passes(passes: tuple[Pass, ...], made: Artefacts) -> tuple[Artefacts, list[Diagnostic]]:
    """Run passes until one reports an error."""
    found: list[Diagnostic] = []
    for one in passes:
        made, more = one(made)
        found += more
        if has_errors(more):
            break
    return made, found


def load(made: Artefacts) -> tuple[Artefacts, list[Diagnostic]]:
    """The checked recipe."""
    from mixc.compiler.front.passes import load_recipe

    recipe, found = load_recipe(made.path, params=made.params, allow_outside=made.allow_outside)
    return replace(made, recipe=recipe), found


def look_back(made: Artefacts) -> tuple[Artefacts, list[Diagnostic]]:
    """The mixture that this one continues, if it does."""
    if made.after is None:
        return made, []
    from mixc.compiler.review.after import read_earlier
    from mixc.compiler.supply.reading import shown_path

    earlier, found = read_earlier(made.after, shown_path(str(made.after), _made(made.recipe)))
    return replace(made, earlier=earlier), found


def read_documents(made: Artefacts) -> tuple[Artefacts, list[Diagnostic]]:
    """The catalog of the recipe's documents, if it has any: as it was scanned, and what little is new."""
    recipe = _made(made.recipe)
    if not any(source.paths for source in recipe.sources):
        return made, []
    from mixc.compiler.executor import run_on
    from mixc.compiler.scan.scan import scan

    catalog, found = run_on("local", 1, lambda executor: scan(recipe, executor, small=True))
    return replace(made, catalog=catalog), found


def find_supply(made: Artefacts) -> tuple[Artefacts, list[Diagnostic]]:
    """How many tokens of what there are."""
    from mixc.compiler.supply.pools import build_supply

    supply, found = build_supply(_made(made.recipe), made.catalog)
    return replace(made, supply=supply), found


def settle(made: Artefacts) -> tuple[Artefacts, list[Diagnostic]]:
    """The size of the model, where the budget states compute alone: the one of least predicted loss in its bounds."""
    recipe = _made(made.recipe)
    if recipe.budget.params is not None and recipe.budget.tokens is not None:
        return made, []
    from mixc.compiler.size import best_size, size_range, sized
    from mixc.compiler.solve.strategies import predicted_loss

    low, high = size_range(recipe.budget)
    if low > high:
        return made, [no_size(made.path.name, low, high)]
    found = best_size(recipe.budget, lambda budget: _problem(made, replace(recipe, budget=budget))[0], predicted_loss)
    params = low if found is None else found
    settled = sized(recipe.budget, params)
    return replace(made, recipe=replace(recipe, budget=settled)), [size_chosen(made.path.name, params, settled)]


def state_problem(made: Artefacts) -> tuple[Artefacts, list[Diagnostic]]:
    """The problem that decides the mixture."""
    problem, found = _problem(made, _made(made.recipe))
    return replace(made, problem=problem), found


def _problem(made: Artefacts, recipe: Recipe) -> tuple[Problem | None, list[Diagnostic]]:
    from mixc.compiler.build_problem import build_problem

    supply, earlier = _made(made.supply), made.earlier
    if earlier is None:
        return build_problem(recipe, supply)
    from mixc.compiler.review.after import continued

    problem, found = build_problem(recipe, supply, earlier.tokens)
    if problem is None:
        return None, found
    problem, more = continued(problem, supply.documents, recipe.budget.seed, earlier)
    return problem, found + more


def evaluate(made: Artefacts) -> tuple[Artefacts, list[Diagnostic]]:
    """How the trained model is evaluated."""
    recipe = _made(made.recipe)
    from mixc.compiler.review.evaluation import evaluation_rows

    problem = _made(made.problem)
    languages = tuple(one.code for one in problem.languages)
    evaluation, found = evaluation_rows(recipe.evaluations, languages, _made(recipe.budget.params))
    return replace(made, evaluation=evaluation), found


def solve(made: Artefacts) -> tuple[Artefacts, list[Diagnostic]]:
    """The certified mixture."""
    from mixc.compiler.solve.decide import decide

    decision, found = decide(_made(made.problem))
    return replace(made, decision=decision), found


def record(made: Artefacts) -> tuple[Artefacts, list[Diagnostic]]:
    """Manifest and lock."""
    from mixc.compiler.review.inputs import provenance_of
    from mixc.compiler.review.lock import build_lock
    from mixc.compiler.review.manifest import build_manifest
    from mixc.compiler.review.tables import run_tables

    supply = _made(made.supply)
    tables = None if supply.documents is None else run_tables(_made(made.decision), supply.documents)
    provenance = provenance_of(_made(made.recipe), supply, tables, made.earlier, _made(made.evaluation))
    manifest = build_manifest(_made(made.decision), provenance)
    return replace(made, tables=tables, manifest=manifest, lock=build_lock(provenance)), []


def pin(made: Artefacts) -> tuple[Artefacts, list[Diagnostic]]:
    """The lock alone, before anything is decided: what `--locked` compares."""
    from mixc.compiler.review.inputs import provenance_of
    from mixc.compiler.review.lock import build_lock

    return replace(
        made, lock=build_lock(provenance_of(_made(made.recipe), _made(made.supply), earlier=made.earlier))
    ), []


CHECK: tuple[Pass, ...] = (load,)
PIN: tuple[Pass, ...] = (load, look_back, read_documents, find_supply, pin)
PROBLEM: tuple[Pass, ...] = (load, look_back, read_documents, find_supply, settle, state_problem)
DECIDE: tuple[Pass, ...] = (settle, state_problem, evaluate, solve, record)
COMPILE: tuple[Pass, ...] = (
    load,
    look_back,
    read_documents,
    find_supply,
    settle,
    state_problem,
    evaluate,
    solve,
    record,
)


@page("M470")
def no_size(name: str, low: float, high: float) -> Diagnostic:
    """no model size satisfies the budget's bounds

    A budget of compute alone leaves the size of the model open; it is searched for within the bounds on `model`,
    `tokens` and `ratio`. These bounds leave nothing: the smallest size that one allows is above the largest of another.

    Example: `budget { compute = 3e21 FLOPs, ratio >= 20 tokens/param, model >= 20B params }`

    What to do: loosen a bound, or raise the compute.
    """
    return Diagnostic(
        "M470",
        "no model size satisfies the bounds of the budget",
        subject=name,
        notes=(f"the bounds ask for at least {low:.3g} and at most {high:.3g} parameters",),
        helps=("loosen a bound, or raise `compute`",),
    )


@page("M471")
def size_chosen(name: str, params: float, budget: Budget) -> Diagnostic:
    """the size of the model was chosen by InfoLaw

    The budget states compute alone, so the size of least predicted loss within its bounds was taken. InfoLaw was
    fitted at one ratio of tokens to parameters (3.6 times the compute-optimal one); its scale alpha changes with that
    ratio, its shape does not. So the mixture at this size stands, and the size itself is a suggestion: it tends to the
    bound that allows the most tokens per parameter.

    What to do: state `model` once you have decided it; until then, bound `ratio` to what you would train at.
    """
    from mixc.compiler.front.units import PARAMS, show

    ratio = (budget.tokens or 0) / params
    return Diagnostic(
        "M471",
        f"the size was chosen by InfoLaw: {show(params, PARAMS)}, {ratio:.3g} tokens each",
        subject=name,
        notes=("its constants were fitted at one ratio of tokens to parameters; the size is a suggestion",),
        helps=(f"state `model = {show(params, PARAMS)}` to fix it",),
        severity=Severity.WARNING,
    )


def _made(value: T | None) -> T:
    if value is None:
        raise ValueError("a pass ran before what it needs was made")
    return value
