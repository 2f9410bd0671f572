"""`mixc export`: a manifest as what another program reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixc.compiler.cli.session import Diagnostics, Force, report, show, wrong

Manifest = Annotated[str | None, typer.Argument(metavar="MANIFEST", help="A manifest, also REVISION:PATH.")]
To = Annotated[str | None, typer.Option("--to", metavar="PROGRAM", help="What to write for; `--list` tells.")]
Output = Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="The folder to write.")]
Root = Annotated[
    str | None,
    typer.Option("--dataset-root", metavar="DIR", help="Benchmark items as files in this folder, not from the hub."),
]
List = Annotated[bool, typer.Option("--list", help="What there are exporters for.")]


def export_manifest(
    manifest: Manifest = None,
    to: To = None,
    output: Output = None,
    dataset_root: Root = None,
    listing: List = False,
    force: Force = False,
    diagnostics: Diagnostics = "full",
) -> int:
    """Write what a program reads of a manifest: `lm-eval` for the tasks that judge the trained model."""
    from mixc.compiler.export import Settings, export, targets
    from mixc.compiler.review.reading import read_manifest
    from mixc.compiler.review.words import count

    if listing:
        show("".join(f"{name}\n" for name in targets()))
        return 0
    for given, what in ((manifest, "a manifest"), (to, "`--to`"), (output, "`-o`")):
        if given is None:
            wrong(f"{what} is missing: `mixc export NAME.manifest.json --to lm-eval -o DIR`")
    assert manifest is not None
    assert to is not None
    assert output is not None
    read, found = read_manifest(manifest, force=force)
    if read is None:
        return report(found, diagnostics)
    names, more = export(read, to, output, Settings(dataset_root))
    code = report([*found, *more], diagnostics)
    if names is not None:
        show(f"{count(len(names), 'file')} for {to}; wrote {output}\n")
    return code
