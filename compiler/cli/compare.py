"""`mixc compare`: strategies and baselines side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from mixc.compiler.cli.session import (
    AllowOutside,
    Diagnostics,
    Params,
    Recipe,
    given_params,
    one_of,
    report,
    show,
    wrong,
)

if TYPE_CHECKING:
    from mixc.compiler.recipe import StrategyName

STRATEGIES = ("direct", "two_step", "unimax", "temperature", "natural", "uniform")
ALL = ",".join(STRATEGIES)

Strategies = Annotated[
    str, typer.Option("--strategies", metavar="A,B,…", help=f"Which of {', '.join(STRATEGIES)}; all by default.")
]
Format = Annotated[Literal["text", "json"], typer.Option("--format", help="Tables, or JSON for a program.")]


def compare(
    recipe: Recipe,
    strategies: Strategies = ALL,
    params: Params = None,
    allow_outside: AllowOutside = False,
    form: Format = "text",
    diagnostics: Diagnostics = "full",
) -> int:
    """Decide a recipe by several strategies, side by side. All follow the same rules; nothing is written."""
    names = list(dict.fromkeys(name.strip() for name in strategies.split(",") if name.strip()))
    if not names:
        wrong(f"`--strategies` names none: choose from {', '.join(STRATEGIES)}")
    for name in names:
        one_of(name, STRATEGIES, "strategy")
    from mixc.compiler.pipeline import PROBLEM, Artefacts, run_passes

    made, found = run_passes(PROBLEM, Artefacts(recipe, given_params(params), allow_outside))
    if made.problem is None:
        return report(found, diagnostics)
    from mixc.compiler.review.compare import compare as side_by_side
    from mixc.compiler.review.compare import compare_json, compare_text
    from mixc.compiler.solve.decide import decide

    columns = side_by_side(made.problem, [cast("StrategyName", name) for name in names], decide)
    failures = [] if any(column.decision for column in columns) else list(columns[0].found)
    code = report([*found, *failures], diagnostics)
    show(compare_json(columns) if form == "json" else compare_text(columns))
    return code
