"""`mixc mubench`: what lm-evaluation-harness found against a manifest, and priorities proposed from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from mixc.compiler.cli.session import Diagnostics, Force, here, report, show

Results = Annotated[Path, typer.Argument(metavar="RESULTS_DIR", help="The folder given to `lm_eval --output_path`.")]
ManifestOption = Annotated[str, typer.Option("--manifest", metavar="MANIFEST", help="The manifest that was trained.")]
PanelOption = Annotated[
    Literal["early", "full", "guard"] | None,
    typer.Option("--panel", help="The panel that was run; the manifest's by default."),
]
HalfOption = Annotated[
    Literal["report", "weights", "all"],
    typer.Option("--half", help="Items to report on. Proposals come from the half `weights` whatever is said here."),
]
Form = Annotated[Literal["text", "json"], typer.Option("--format", help="Tables, or one JSON object.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="PATCH", callback=here, help="Write the proposal, a recipe that extends yours."
    ),
]


def mubench(
    results: Results,
    manifest: ManifestOption,
    panel: PanelOption = None,
    half: HalfOption = "report",
    form: Form = "text",
    output: Output = None,
    force: Force = False,
    diagnostics: Diagnostics = "full",
) -> int:
    """Accuracy, gaps and agreement between languages from logged samples, and proposed priorities to be reviewed."""
    from mixc.compiler import registry
    from mixc.compiler.review.reading import read_manifest

    read, found = read_manifest(manifest, force=force)
    if read is None:
        return report(found, diagnostics)
    backend = registry.load("mubench")
    judged, problems = backend.judge(results, read, panel, half)
    found += problems
    told = ""
    if judged is not None:
        told = judged.json() if form == "json" else judged.text()
        lines = judged.patch(backend.base_of(manifest, read, output))
        if output is not None and lines is not None:
            failed = backend.write(output, lines)
            found += failed
            if not failed and form == "text":
                told += f"\nwrote {output}\n"
    code = report(found, diagnostics)
    show(told)
    return code
