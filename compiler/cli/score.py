"""`mixc score`: scores of documents by models, before they are scanned."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from mixc.compiler.cli.session import (
    AllowOutside,
    Diagnostics,
    Engine,
    Params,
    Recipe,
    Workers,
    checked,
    report,
    show,
)

Device = Annotated[Literal["cpu", "cuda"], typer.Option("--device", help="Where models run; bfloat16 on `cuda`.")]


def score_recipe(
    recipe: Recipe,
    engine: Engine = "local",
    workers: Workers = None,
    device: Device = "cpu",
    params: Params = None,
    allow_outside: AllowOutside = False,
    diagnostics: Diagnostics = "full",
) -> int:
    """Score documents by the targets and models that the recipe weighs; what was scored before is not scored again."""
    from mixc.compiler.cli.progress import watched
    from mixc.compiler.executor import run_on
    from mixc.compiler.review.words import count
    from mixc.compiler.scan.scored import scorers
    from mixc.compiler.score import score

    read, found = checked(recipe, params, allow_outside)
    if read is None:
        return report(found, diagnostics)
    if not any(source.paths for source in read.sources) or not scorers(read):
        show(f"{recipe.name} weighs no target and no model: nothing to score\n")
        return report(found, diagnostics)
    scored, problems = run_on(engine, workers, lambda executor: score(read, executor, watched(), device))
    code = report([*found, *problems], diagnostics)
    if scored is not None:
        for model, tally in scored.read.items():
            empty = f", {tally.empty:,} of them without text" if tally.empty else ""
            show(f"{model} read {count(tally.documents, 'document')}{empty}\n")
        show(f"{count(scored.files, 'file')} scored by {', '.join(scored.names)}\n")
    return code
