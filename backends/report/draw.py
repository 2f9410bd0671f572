"""Plots as pictures: SVG for the page, whose colours follow its theme; SVG and PNG that stand alone."""

from __future__ import annotations

import json
import re

import vl_convert

from mixc.backends.report.charts import FONT, chart
from mixc.backends.report.content import Plot
from mixc.backends.report.palette import NAMES

SCALE = 2.0  # pixels of a PNG for each of the plot
STACK = "system-ui, sans-serif"
IDENTIFIER = re.compile(r'(\bid="|url\(#|href="#)')
ATTRIBUTE = re.compile(r'\b(?:d|transform|x|y|x2|y2|width|height)="[^"]*"')
LONG = re.compile(r"-?\d+\.\d{3,}")


def svg(plot: Plot) -> str:
    """A picture that stands alone."""
    return _drawn(plot)


def inline_svg(plot: Plot) -> str:
    """A picture within the page: colours by variables, identifiers that no other picture has."""
    text = IDENTIFIER.sub(lambda found: f"{found[0]}{plot.name}-", _drawn(plot))
    for colour, name in NAMES.items():
        text = text.replace(f'"{colour}"', f'"var({name})"')
    text = ATTRIBUTE.sub(_shortened, text).replace(FONT, STACK)
    return text.replace("<svg ", '<svg aria-hidden="true" ', 1)


def png(plot: Plot) -> bytes:
    """A picture of pixels, on the light paper."""
    return bytes(vl_convert.vegalite_to_png(json.dumps(chart(plot)), scale=SCALE, allowed_base_urls=[]))


def _drawn(plot: Plot) -> str:
    return str(vl_convert.vegalite_to_svg(json.dumps(chart(plot)), allowed_base_urls=[]))


def _shortened(attribute: re.Match[str]) -> str:
    return LONG.sub(lambda found: f"{float(found[0]):.2f}", attribute[0])
