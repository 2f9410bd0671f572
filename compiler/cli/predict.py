"""`mixc predict`: the optimum along a sweep of params, or what a mixture rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mixc.compiler.cli.session import AllowOutside, Diagnostics, Params, Recipe, given_params, report, show, wrong

if TYPE_CHECKING:
    from mixc.compiler.pipeline import Artefacts, Pass
    from mixc.compiler.predict.axes import Axis
    from mixc.compiler.predict.sweep import Point
    from mixc.compiler.problem import Problem
    from mixc.compiler.recipe import Budget
    from mixc.dsl.diagnostics import Diagnostic

Sweeps = Annotated[
    list[str] | None,
    typer.Option("--sweep", metavar="NAME=A..B", help="Move a param: `tokens=100B..2T`, `size=1B,3B,7B`. Repeatable."),
]
Format = Annotated[Literal["text", "json"], typer.Option("--format", help="Tables, or JSON for a program.")]
OWN = ("model", "tokens")  # of a budget that states both, without a param of that name


def predict(
    recipe: Recipe,
    sweeps: Sweeps = None,
    params: Params = None,
    allow_outside: AllowOutside = False,
    form: Format = "text",
    diagnostics: Diagnostics = "full",
) -> int:
    """Predict losses before anything is spent; nothing is written.

    With `--sweep`, the best mixture at every point, and where supply runs out between two. Without, what the recipe's
    mixture rests on: how it moves where an assumption is 20 % off, which language to crawl more of, what repetition
    buys.
    """
    given = given_params(params)
    return _sweep(recipe, sweeps, given, allow_outside, form, diagnostics) if sweeps else _whatif(
        recipe, given, allow_outside, form, diagnostics
    )  # fmt: skip


def _sweep(
    recipe: Path, sweeps: list[str], given: Mapping[str, str], allow_outside: bool, form: str, diagnostics: Diagnostics
) -> int:
    from mixc.compiler.pipeline import CHECK, Artefacts, run_passes
    from mixc.compiler.predict.axes import read_axes
    from mixc.compiler.predict.sweep import runs_out, sweep
    from mixc.compiler.predict.tables import sweep_json, sweep_text
    from mixc.compiler.solve.decide import decide

    axes, found = read_axes(sweeps)
    for axis in axes:
        if axis.name in given:
            wrong(f"`{axis.name}` is set by `--param` and by `--sweep`")
    if found:
        return report(found, diagnostics)
    made, found = run_passes(CHECK, Artefacts(recipe, given, allow_outside))
    if made.recipe is None:
        return report(found, diagnostics)
    if found := _unknown(axes, made):
        return report(found, diagnostics)
    points = sweep(axes, lambda values: _problem(Artefacts(recipe, given, allow_outside), values), decide)
    events = runs_out(points) if len(axes) == 1 else ()
    told = _told(points)
    code = report(told, diagnostics)
    if any(point.decision for point in points):
        show(sweep_json(axes, points, events) if form == "json" else sweep_text(axes, points, events))
    return code


def _whatif(recipe: Path, given: Mapping[str, str], allow_outside: bool, form: str, diagnostics: Diagnostics) -> int:
    from mixc.compiler.pipeline import PROBLEM, Artefacts, run_passes
    from mixc.compiler.predict.assumptions import OFF, assumptions
    from mixc.compiler.predict.supply import crawls, repetition
    from mixc.compiler.predict.tables import whatif_json, whatif_text
    from mixc.compiler.solve.decide import decide, loss_of

    made, found = run_passes(PROBLEM, Artefacts(recipe, dict(given), allow_outside))
    decision = None
    if made.problem is not None:
        decision, more = decide(made.problem)
        found += more
    code = report(found, diagnostics)
    if decision is None:
        return code
    rests, larger, tried = (
        assumptions(decision, decide, loss_of),
        crawls(decision, decide),
        repetition(decision, decide),
    )
    show(whatif_json(decision, rests, larger, tried) if form == "json" else whatif_text(rests, larger, tried, OFF))
    return code


def _unknown(axes: tuple[Axis, ...], made: Artefacts) -> list[Diagnostic]:
    """Axes that are neither a param nor a figure of the budget."""
    from mixc.compiler.predict.messages import unknown_axis

    assert made.recipe is not None
    budget = made.recipe.budget
    known = list(made.recipe.declared)
    if budget.params is not None and budget.tokens is not None:
        known += [name for name in OWN if name not in known]
    return [unknown_axis(axis.name, sorted(known)) for axis in axes if axis.name not in known]


def _problem(start: Artefacts, values: Mapping[str, str]) -> tuple[Problem | None, list[Diagnostic]]:
    """The problem with these values: of params where the recipe has them, else of its budget."""
    from mixc.compiler.pipeline import CHECK, PROBLEM, run_passes

    made, _ = run_passes(CHECK, start)
    assert made.recipe is not None
    names = set(made.recipe.declared)
    own = {name: value for name, value in values.items() if name not in names}
    params = {**start.params, **{name: value for name, value in values.items() if name in names}}

    def spend(made: Artefacts) -> tuple[Artefacts, list[Diagnostic]]:
        assert made.recipe is not None
        return replace(made, recipe=replace(made.recipe, budget=_budget(made.recipe.budget, own))), []

    first, *rest = PROBLEM
    passes: tuple[Pass, ...] = (first, spend, *rest)
    made, found = run_passes(passes, replace(start, params=params))
    return made.problem, found


def _budget(budget: Budget, own: Mapping[str, str]) -> Budget:
    from mixc.compiler.predict.axes import amount

    if "tokens" in own:
        budget = replace(budget, tokens=round(amount(own["tokens"]) or 0))
    if "model" in own:
        budget = replace(budget, params=amount(own["model"]))
    if own and budget.params is not None and budget.tokens is not None:
        budget = replace(budget, flops=budget.flops_per_param_token * budget.params * budget.tokens)
    return budget


def _told(points: tuple[Point, ...]) -> list[Diagnostic]:
    """What all points say alike, once; and which of them have no mixture."""
    from mixc.compiler.predict.messages import lost_points, no_point
    from mixc.dsl.diagnostics import has_errors

    lost = [next(one for one in point.found if has_errors([one])) for point in points if point.decision is None]
    if len(lost) == len(points):
        return [no_point(lost[0].code, lost[0].message)]
    every = [set(point.found) for point in points if point.decision is not None]
    shared = [one for one in points[0].found if all(one in mine for mine in every)]
    return [*shared, lost_points(len(lost), len(points), [one.code for one in lost])] if lost else shared
