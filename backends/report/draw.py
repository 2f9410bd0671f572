"""Plots as pictures: SVG for the page, whose colours follow its theme; SVG and PNG that stand alone."""

from __future__ import annotations

import json
import re
from typing import Any

import vl_convert

from mixc.backends.report.charts import FONT, chart
from mixc.backends.report.content import Plot
from mixc.backends.report.palette import NAMES

SCALE = 2.0  # pixels of a PNG for each of the plot
STACK = "system-ui, sans-serif"
TAG = re.compile(r"<[^<>]*>")
IDENTIFIER = re.compile(r'(\bid="|url\(#|href="#)')
NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # the library would abort the process
LONG = re.compile(r"-?\d+\.\d{3,}")


def svg(plot: Plot) -> str:
    """A picture that stands alone. The same bytes everywhere: texts are measured with the library's own font."""
    return str(vl_convert.vegalite_to_svg(_written(plot), allowed_base_urls=[]))


def inline_svg(plot: Plot) -> str:
    """A picture within the page: colours by variables, identifiers that no other picture has, short numbers."""

    def fitted(tag: re.Match[str]) -> str:
        text = IDENTIFIER.sub(lambda found: f"{found[0]}{plot.name}-", tag[0])
        for colour, name in NAMES.items():
            text = text.replace(f'"{colour}"', f'"var({name})"')
        return LONG.sub(lambda found: f"{float(found[0]):.2f}", text).replace(FONT, STACK)

    return TAG.sub(fitted, svg(plot)).replace("<svg ", '<svg aria-hidden="true" ', 1)


def png(plot: Plot) -> bytes:
    """A picture of pixels, on the light paper; how letters are smoothed depends on the fonts of the machine."""
    return bytes(vl_convert.vegalite_to_png(_written(plot), scale=SCALE, allowed_base_urls=[]))


def _written(plot: Plot) -> str:
    """The chart for the library, with nothing in its texts that no SVG can hold."""
    return json.dumps(_clean(chart(plot)))


def _clean(value: Any) -> Any:
    match value:
        case str():
            return NO_XML.sub("\ufffd", value)
        case dict():
            return {_clean(key): _clean(one) for key, one in value.items()}
        case list():
            return [_clean(one) for one in value]
    return value
