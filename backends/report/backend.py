"""What `mixc report` asks for: a report on a manifest in one of the forms."""

from __future__ import annotations

from typing import Literal, TypeAlias

from mixc.backends.report.compose import Rows, Sections
from mixc.backends.report.markdown import as_markdown
from mixc.backends.report.messages import no_report_packages, unknown_plot
from mixc.compiler.predict.assumptions import Evaluate
from mixc.compiler.review.effect import Decide
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic

Form: TypeAlias = Literal["html", "markdown", "svg", "png"]
PACKAGES = {"altair", "jinja2", "markupsafe", "vl_convert"}


def make(
    manifest: Manifest,
    before: Manifest | None,
    run: Rows | None,
    decide: Decide,
    losses: Evaluate,
    form: Form,
    plot: str | None,
) -> tuple[bytes | None, list[Diagnostic]]:
    """The bytes of a report, or of its `plot`; None with the reasons against it."""
    sections = Sections(manifest, before, run, decide, losses)
    try:
        if plot is not None:
            return _picture(sections, form, plot)
        if form == "markdown":
            return as_markdown(sections.report()).encode(), []
        from mixc.backends.report.page import as_page

        return as_page(sections.report()).encode(), []
    except ModuleNotFoundError as error:
        if error.name not in PACKAGES:
            raise
        return None, [no_report_packages(error.name)]


def _picture(sections: Sections, form: Form, plot: str) -> tuple[bytes | None, list[Diagnostic]]:
    from mixc.backends.report import draw

    found = sections.plot(plot)
    if found is None:
        return None, [unknown_plot(plot, tuple(sections.plots()))]
    return (draw.png(found) if form == "png" else draw.svg(found).encode()), []
