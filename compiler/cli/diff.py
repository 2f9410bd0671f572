"""`mixc diff`: the semantic difference of two manifests."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from mixc.compiler.cli.guard import CHANGES
from mixc.compiler.cli.session import Diagnostics, Force, report, show

Old = Annotated[str, typer.Argument(metavar="OLD", help="A manifest: a path, or `HEAD~1:path/x.manifest.json` in git.")]
New = Annotated[str, typer.Argument(metavar="NEW", help="The manifest to compare with it.")]
Format = Annotated[
    Literal["text", "markdown", "json"], typer.Option("--format", help="`markdown` for a pull-request comment.")
]
Full = Annotated[bool, typer.Option("--full", help="Show rows that did not move, too.")]
ExitCode = Annotated[bool, typer.Option("--exit-code", help="Exit 2 if the manifests differ.")]


def diff(
    old: Old,
    new: New,
    form: Format = "text",
    full: Full = False,
    exit_code: ExitCode = False,
    force: Force = False,
    diagnostics: Diagnostics = "full",
) -> int:
    """Compare two manifests: what changed, why, at what cost.

    In git: `git config difftool.mixc.cmd 'mixc diff "$LOCAL" "$REMOTE"'`, then `git difftool -t mixc`.
    """
    from mixc.compiler.review.reading import read_manifest

    before, found = read_manifest(old, force=force)
    after, more = read_manifest(new, force=force)
    code = report([*found, *more], diagnostics)
    if before is None or after is None:
        return code
    from mixc.compiler.review.diff_report import report as written
    from mixc.compiler.review.difference import as_json, difference
    from mixc.compiler.solve.decide import decide

    difference_found = difference((old, before), (new, after), decide)
    show(as_json(difference_found) if form == "json" else written(difference_found, form, full=full))
    return CHANGES if exit_code and not difference_found.identical else code
