"""`mixc report`: a manifest as a page with plots, a comment for a pull request, or a single plot."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from mixc.compiler.cli.session import Diagnostics, Force, here, report, show, wrong

Manifest = Annotated[str, typer.Argument(metavar="MANIFEST", help="A manifest, also REVISION:PATH.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o", "--output", metavar="FILE", callback=here, help="`.html`, `.md`, `.svg` or `.png`; else stdout."
    ),
]
Form: TypeAlias = Literal["html", "markdown", "svg", "png"]
Format = Annotated[Form | None, typer.Option("--format", help="What is written; as the name of the output ends.")]
Plot = Annotated[str | None, typer.Option("--plot", metavar="NAME", help="One plot alone, as SVG or PNG.")]
Against = Annotated[
    str | None, typer.Option("--against", metavar="OLD", help="An earlier manifest, also REVISION:PATH.")
]
Run = Annotated[Path | None, typer.Option("--run", metavar="DIR", help="What `mixc run` made of this manifest.")]
ENDINGS: dict[str, Form] = {".html": "html", ".htm": "html", ".md": "markdown", ".svg": "svg", ".png": "png"}
PICTURES = ("svg", "png")


def report_manifest(
    manifest: Manifest,
    output: Output = None,
    form: Format = None,
    plot: Plot = None,
    against: Against = None,
    run: Run = None,
    force: Force = False,
    diagnostics: Diagnostics = "full",
) -> int:
    """Show a manifest to people: one page that opens offline, Markdown for a pull request, or a plot."""
    from mixc.compiler import registry
    from mixc.compiler.review.output import misplaced, write_atomically
    from mixc.compiler.review.reading import read_manifest
    from mixc.compiler.solve.decide import decide, loss_of
    from mixc.dsl.diagnostics import has_errors

    chosen = _form(output, form, plot)
    read, found = read_manifest(manifest, force=force)
    before = None
    if against is not None:
        before, more = read_manifest(against, force=force)
        found += more
    inputs = [Path(name) for name in (manifest, against) if name is not None]
    if output is not None:
        found += misplaced({"report": output}, inputs)
    if read is None or has_errors(found):
        return report(found, diagnostics)
    selected = None
    if run is not None:
        selected, more = registry.load("selection").selected(run, read.integrity)
        if selected is None:
            return report([*found, *more], diagnostics)
    unexplained = partial(decide, explained=False)
    made, more = registry.load("report").make(read, before, selected, unexplained, loss_of, chosen, plot)
    found += more
    if made is not None and output is not None:
        found += write_atomically(output, made)
    code = report(found, diagnostics)
    if made is None or code:
        return code
    show(f"wrote {output}\n" if output is not None else made.decode())
    return code


def _form(output: Path | None, form: Form | None, plot: str | None) -> Form:
    """What is to be written; refuses what does not go together."""
    ending = ENDINGS.get(output.suffix.lower()) if output is not None else None
    if output is not None and form is None and ending is None:
        wrong(f"`{output}` ends as nothing that a report can be: {', '.join(ENDINGS)}; or say `--format`")
    chosen = form or ending or ("svg" if plot else "markdown")
    if plot and chosen not in PICTURES:
        wrong("`--plot` writes a picture: add `-o NAME.svg` or `-o NAME.png`")
    if not plot and chosen in PICTURES:
        wrong(f"a report is a page or Markdown; for {chosen.upper()} say which plot: `--plot languages`")
    if chosen == "png" and output is None:
        wrong("a PNG is no text for stdout: add `-o NAME.png`")
    return chosen
