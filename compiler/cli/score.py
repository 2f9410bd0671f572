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
    wrong,
)

Device = Annotated[Literal["cpu", "cuda"], typer.Option("--device", help="Where models run; bfloat16 on `cuda`.")]
Gpus = Annotated[
    float | None,
    typer.Option("--gpus", metavar="NUMBER", help="GPUs of each worker on `cuda`: 1 by default, 0.5 for two on each."),
]


def score_recipe(
    recipe: Recipe,
    engine: Engine = "local",
    workers: Workers = None,
    device: Device = "cpu",
    gpus: Gpus = None,
    params: Params = None,
    allow_outside: AllowOutside = False,
    diagnostics: Diagnostics = "full",
) -> int:
    """Score documents by the targets and models that the recipe weighs; what was scored before is not scored again."""
    from mixc.compiler.cli.passed import passed_table
    from mixc.compiler.cli.progress import watched
    from mixc.compiler.executor import run_on
    from mixc.compiler.review.words import count
    from mixc.compiler.scan.scored import scorers
    from mixc.compiler.score import score

    each = _gpus_each(device, gpus)
    read, found = checked(recipe, params, allow_outside)
    if read is None:
        return report(found, diagnostics)
    if not any(source.paths for source in read.sources) or not scorers(read):
        show(f"{recipe.name} weighs no target and no model: nothing to score\n")
        return report(found, diagnostics)
    scored, problems = run_on(engine, workers, lambda executor: score(read, executor, watched(), device), each)
    code = report([*found, *problems], diagnostics)
    if scored is not None:
        for model, tally in scored.read.items():
            empty = f", {tally.empty:,} of them without text" if tally.empty else ""
            show(f"{model} read {count(tally.documents, 'document')}{empty}\n")
        show(f"{count(scored.files, 'file')} scored by {', '.join(scored.names)}\n")
        if scored.gate is not None:
            show(passed_table(scored.gate))
    return code


def _gpus_each(device: str, gpus: float | None) -> float | None:
    """What each worker gets of the GPUs; None where it gets none."""
    if device == "cpu":
        if gpus is not None:
            wrong("`--gpus` is of use with `--device cuda` only")
        return None
    each = 1.0 if gpus is None else gpus
    if not 0 < each < float("inf"):
        wrong(f"`--gpus {each:g}` gives a worker nothing: write `--gpus 1`, or `--gpus 0.5` for half of one")
    if each > 1 and each != int(each):
        wrong(f"`--gpus {each:g}` cuts a GPU that another worker would have to use: write `--gpus {int(each)}`")
    return each
