"""A report as one page of HTML that opens offline: no script, nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mixc import __version__
from mixc.backends.report.content import Plot, Report
from mixc.backends.report.draw import inline_svg
from mixc.backends.report.palette import variables
from mixc.dsl.display import harmless

HERE = Path(__file__).parent
STYLE, TEMPLATE = "page.css", "page.html"


def as_page(report: Report) -> str:
    """The whole text."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.get_template(TEMPLATE).render(
        report=report,
        drawn=_drawn,
        style=Markup((HERE / STYLE).read_text(encoding="utf-8")),  # our own file
        light=variables(dark=False),
        dark=variables(dark=True),
        version=__version__,
    )
    return harmless(page)


def _drawn(plot: Plot) -> Markup:
    return Markup(inline_svg(plot))  # its texts were escaped by the library
