"""`mixc contamination`: whether benchmark items stand in the documents of a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from mixc.compiler.cli.run import Form, Manifest, Params, opened
from mixc.compiler.cli.session import Diagnostics, Engine, Workers, given_params, here, report, show

Root = Annotated[
    Path, typer.Option("--dataset-root", metavar="DIR", help="The folder of the items: `CONFIG/test.jsonl` each.")
]
PanelOption = Annotated[
    Literal["early", "full"] | None, typer.Option("--panel", help="Whose items; the manifest's panel by default.")
]
Listed = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", callback=here, help="List items and documents: .parquet or .jsonl."),
]


def contamination(
    manifest: Manifest,
    root: Root,
    panel: PanelOption = None,
    output: Listed = None,
    engine: Engine = "local",
    workers: Workers = None,
    params: Params = None,
    form: Form = "text",
    diagnostics: Diagnostics = "full",
) -> int:
    """Look for benchmark items in the pool, by 13 words in a row; exit code 1 if there are any."""
    from mixc.compiler import registry
    from mixc.compiler.cli.progress import watched
    from mixc.compiler.executor import run_on

    backend = registry.load("mubench")
    unlisted = backend.bad_list(output)
    job, found = opened(manifest, given_params(params))
    if job is None or unlisted:
        return report([*unlisted, *found], diagnostics)
    plan, problems = backend.plan_of(job.manifest, panel)
    found += problems
    done, problems = run_on(engine, workers, lambda executor: backend.examine(job, root, plan, executor, watched()))
    found += problems
    if done is not None and output is not None:
        found += backend.write_list(done, output)
    code = report(found, diagnostics)
    if done is not None:
        show(backend.told(done, form))
    return code
