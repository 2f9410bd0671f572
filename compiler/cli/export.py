"""`mixc export`: a manifest as what another program reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mixc.compiler.cli.session import Diagnostics, Force, here, report, show, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mixc.compiler.export import Settings
    from mixc.compiler.review.schema import Manifest as Recorded
    from mixc.dsl.diagnostics import Diagnostic

Manifest = Annotated[str | None, typer.Argument(metavar="MANIFEST", help="A manifest, also REVISION:PATH.")]
To = Annotated[str | None, typer.Option("--to", metavar="PROGRAM", help="What to write for; `--list` tells.")]
Output = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="DIR", callback=here, help="The folder to write.")
]
Data = Annotated[
    str | None,
    typer.Option("--data", metavar="PATTERN", help="Where the data lie: `s3://corpus/{source}/{language}`."),
]
Run = Annotated[
    Path | None, typer.Option("--run", metavar="DIR", help="Texts to train on: what `mixc run --materialize` wrote.")
]
Counts = Annotated[
    Path | None, typer.Option("--counts", metavar="FILE", help="Documents and tokens of every place, as JSON.")
]
Length = Annotated[
    int | None, typer.Option("--sequence-length", metavar="TOKENS", min=1, help="Tokens of a training sequence.")
]
Batch = Annotated[int | None, typer.Option("--batch", metavar="N", min=1, help="Sequences of a training step.")]
Tokenizer = Annotated[
    str | None,
    typer.Option("--tokenizer", metavar="NAME", help="The trainer's tokenizer: a name on the hub, a folder."),
]
Root = Annotated[
    str | None,
    typer.Option("--dataset-root", metavar="DIR", help="Benchmark items as files in this folder, not from the hub."),
]
List = Annotated[bool, typer.Option("--list", help="What there are exporters for, and what each can be told.")]


def export_manifest(
    manifest: Manifest = None,
    to: To = None,
    output: Output = None,
    data: Data = None,
    run: Run = None,
    counts: Counts = None,
    sequence_length: Length = None,
    batch: Batch = None,
    tokenizer: Tokenizer = None,
    dataset_root: Root = None,
    listing: List = False,
    force: Force = False,
    diagnostics: Diagnostics = "full",
) -> int:
    """Write what a program reads of a manifest: a trainer's data mixture, documentation, the tasks of an evaluation.

    Trainers need to know where the data lie: texts of a run (`--run`), or data of yours (`--data`).
    """
    from mixc.compiler.export import Settings, export
    from mixc.compiler.review.reading import read_manifest
    from mixc.compiler.review.words import count

    if listing:
        show(_listed())
        return 0
    for given, what in ((manifest, "a manifest"), (to, "`--to`"), (output, "`-o`")):
        if given is None:
            wrong(f"{what} is missing: `mixc export NAME.manifest.json --to PROGRAM -o DIR`")
    assert manifest is not None
    assert to is not None
    assert output is not None
    texts = {"--data": data, "--tokenizer": tokenizer, "--dataset-root": dataset_root, "-o": str(output)}
    _refuse(to, texts, {"--run": run, "--counts": counts, "--sequence-length": sequence_length, "--batch": batch})
    read, found = read_manifest(manifest, force=force)
    if read is None:
        return report(found, diagnostics)
    stated = Settings(dataset_root, data, sequence=sequence_length, batch=batch, tokenizer=tokenizer)
    settings, more = _given(read, stated, run, counts, to)
    if settings is None:
        return report([*found, *more], diagnostics)
    names, problems = export(read, to, output, settings)
    code = report([*found, *more, *problems], diagnostics)
    if names is not None:
        show(f"{count(len(names), 'file')} for {to}; wrote {output}\n")
    return code


def _refuse(to: str, texts: Mapping[str, str | None], others: Mapping[str, object]) -> None:
    """Stop at texts that no file should hold, and at options that have no effect on what is asked for."""
    from mixc.compiler.export import capabilities

    for option, text in texts.items():
        if text is not None and not (text.strip() and text.isprintable()):
            wrong(f"`{option}` is empty" if not text.strip() else f"`{option}` holds characters that cannot be printed")
    if "://" in (texts["--dataset-root"] or ""):
        wrong("`--dataset-root` is a folder of this machine")
    known = capabilities()
    given = [option for option, value in (*texts.items(), *others.items()) if value is not None and option != "-o"]
    allowed = {"lm-eval": {"--dataset-root"}}.get(to, set()) if to in known and known[to].unit == "none" else None
    for option in given:
        if to in known and (option not in allowed if allowed is not None else option == "--dataset-root"):
            wrong(f"`{option}` has no effect on what is written for {to}")


def _given(
    manifest: Recorded, settings: Settings, run: Path | None, counts: Path | None, target: str
) -> tuple[Settings | None, list[Diagnostic]]:
    """The settings with what a run wrote, and with what was counted."""
    from dataclasses import replace

    from mixc.compiler import registry
    from mixc.compiler.export import read_counts

    found: list[Diagnostic] = []
    if run is not None:
        texts, found = registry.load("selection").texts_of(run, manifest)
        if texts is None:
            return None, found
        settings = replace(settings, texts=texts)
    if counts is not None:
        counted, more = read_counts(counts, target, settings)
        found += more
        if counted is None:
            return None, found
        settings = replace(settings, counts=counted)
    return settings, found


def _listed() -> str:
    from mixc.compiler.export import capabilities
    from mixc.compiler.review.words import table

    rows = [(name, one.reads, one.needs.replace("`", ""), one.unit, one.exact) for name, one in capabilities().items()]
    return table(("program", "reads", "needs", "number", "how near"), rows, left=range(5))
