"""What `mixc report` asks for: a report on a manifest in one of the forms."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

from mixc.backends.report.compose import compose
from mixc.backends.report.content import Report
from mixc.backends.report.markdown import as_markdown
from mixc.backends.report.messages import foreign_run, no_report_packages, unknown_plot, unreadable_run
from mixc.compiler.predict.assumptions import Evaluate
from mixc.compiler.review.effect import Decide
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic

Form: TypeAlias = Literal["html", "markdown", "svg", "png"]
RUN = "run.json"


def make(
    manifest: Manifest,
    before: Manifest | None,
    run: Path | None,
    decide: Decide,
    evaluate: Evaluate,
    form: Form,
    plot: str | None,
) -> tuple[bytes | None, list[Diagnostic]]:
    """The bytes of a report, or of its `plot`; None with the reasons against it."""
    selected, found = _selected(manifest, run) if run else (None, [])
    if found:
        return None, found
    report = compose(manifest, before, selected, decide, evaluate)
    if form == "markdown":
        return as_markdown(report).encode(), []
    try:
        return _drawn(report, form, plot)
    except ModuleNotFoundError as error:
        return None, [no_report_packages(error.name or "altair")]


def _drawn(report: Report, form: Form, plot: str | None) -> tuple[bytes | None, list[Diagnostic]]:
    from mixc.backends.report import draw
    from mixc.backends.report.page import as_page

    if plot is None:
        return as_page(report).encode(), []
    plots = report.plots()
    if plot not in plots:
        return None, [unknown_plot(plot, tuple(plots))]
    return (draw.png(plots[plot]) if form == "png" else draw.svg(plots[plot]).encode()), []


def _selected(manifest: Manifest, folder: Path) -> tuple[Mapping[str, Any] | None, list[Diagnostic]]:
    """`run.json` of a folder, if it is of this manifest."""
    try:
        run = json.loads((folder / RUN).read_bytes())
        owner, rows = str(run["manifest"]), run["selection"]
        sums = [(str(row["phase"]), str(row["source"]), int(row["tokens"]), int(row["copies"])) for row in rows]
    except OSError as error:
        return None, [unreadable_run(str(folder), (error.strerror or str(error)).lower())]
    except (ValueError, KeyError, TypeError):
        return None, [unreadable_run(str(folder), f"its `{RUN}` is not what `mixc run` writes")]
    if owner != manifest.integrity:
        return None, [foreign_run(str(folder), str(run.get("recipe", "")))]
    names = ("phase", "source", "tokens", "copies")
    return {"selection": [dict(zip(names, one, strict=True)) for one in sums]}, []
