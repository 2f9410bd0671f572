"""`mixc run` and `mixc verify`: a manifest on real documents, and whether what came out is what it says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mixc.compiler.cli.session import Diagnostics, Engine, Workers, given_params, here, report, show, wrong

if TYPE_CHECKING:
    from mixc.dsl.diagnostics import Diagnostic

Manifest = Annotated[Path, typer.Argument(metavar="MANIFEST", help="A compiled recipe, `NAME.manifest.json`.")]
Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", callback=here, help="The folder of the selection.")
]
Folder = Annotated[Path, typer.Argument(metavar="DIR", callback=here, help="The folder that it was run into.")]
Exact = Annotated[bool, typer.Option("--exact", help="Reach every cell's tokens by less than one document.")]
Materialize = Annotated[bool, typer.Option("--materialize", help="Also write the texts, partitioned for trainers.")]
Repeat = Annotated[
    bool, typer.Option("--repeat", help="Write a document of several copies so many times, without `copies`.")
]
Recompute = Annotated[
    str, typer.Option("--recompute", metavar="SHARE", help="How many of the shards are drawn again: `5%`, `100%`.")
]
Params = Annotated[
    list[str] | None, typer.Option("--param", metavar="NAME=VALUE", help="Say where files lie: `root=/mnt/data`.")
]
Form = Annotated[Literal["text", "json"], typer.Option("--format", help="A table, or one JSON object.")]

NO_PARAMS: Mapping[str, str] = MappingProxyType({})


def run_manifest(
    manifest: Manifest,
    output: Output,
    engine: Engine = "local",
    workers: Workers = None,
    exact: Exact = False,
    materialize: Materialize = False,
    repeat: Repeat = False,
    params: Params = None,
    form: Form = "text",
    diagnostics: Diagnostics = "full",
) -> int:
    """Select documents as a manifest says; the same command goes on where it was stopped."""
    from mixc.compiler import registry
    from mixc.compiler.cli.progress import watched
    from mixc.compiler.executor import run_on

    if repeat and not materialize:
        wrong("`--repeat` is about texts: write `--materialize --repeat`")
    job, found = opened(manifest, given_params(params))
    if job is None:
        return report(found, diagnostics)
    backend = registry.load("selection")
    texts = backend.Form(repeat) if materialize else None
    done, problems = run_on(
        engine, workers, lambda executor: backend.perform(job, output, executor, watched(), exact=exact, form=texts)
    )
    code = report([*found, *problems], diagnostics)
    if done is not None:
        show(backend.told(job, done[0], str(output), form, done[1]))
    return code


def verify_selection(
    manifest: Manifest,
    folder: Folder,
    recompute: Recompute = "5%",
    engine: Engine = "local",
    workers: Workers = None,
    params: Params = None,
    form: Form = "text",
    diagnostics: Diagnostics = "full",
) -> int:
    """Check a selection against its manifest: sums, hashes, shards drawn again, expected against realised tokens."""
    from mixc.compiler import registry
    from mixc.compiler.cli.progress import watched
    from mixc.compiler.executor import run_on

    share = share_of(recompute)
    job, found = opened(manifest, given_params(params))
    if job is None:
        return report(found, diagnostics)
    backend = registry.load("selection")
    checked, problems = run_on(
        engine, workers, lambda executor: backend.verify(job, folder, share, executor, watched())
    )
    code = report([*found, *problems], diagnostics)
    if checked is not None:
        show(backend.reported(checked, form))
    return code


def opened(manifest: Path, given: Mapping[str, str] = NO_PARAMS) -> tuple[Any, list[Diagnostic]]:
    """A manifest with its tables, ready to run where `given` says that files lie; None with the reason against it."""
    from mixc.compiler import registry
    from mixc.compiler.review.beside import tables_beside
    from mixc.compiler.review.reading import read_manifest
    from mixc.compiler.review.tables import read_tables
    from mixc.dsl.diagnostics import has_errors

    backend = registry.load("selection")
    found_manifest, found = read_manifest(str(manifest))
    if found_manifest is None:
        return None, found
    if not found_manifest.runnable:
        return None, [*found, backend.not_runnable(str(manifest), found_manifest.reason or "it selects nothing")]
    path = tables_beside(manifest)
    tables, problems = read_tables(str(path), found_manifest.selection.tables)
    if tables is None:
        return None, [*found, *problems]
    job = backend.Run(manifest, path, found_manifest, tables, manifest.parent.absolute(), given)
    found += backend.misgiven(job)
    return None if has_errors(found) else job, found


def share_of(text: str) -> float:
    """`5%` or `0.05` as a share."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise typer.BadParameter(f"`--recompute {text}` is no share: write `5%` or `100%`")
    return value
