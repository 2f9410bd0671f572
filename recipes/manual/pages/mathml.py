"""Equations as MathML, written when the manual is built: browsers draw it without a script or a font of ours."""

from __future__ import annotations

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

LOGARITHM = "<mi>ln</mi>"
SPACED = '<mo lspace="0.17em" rspace="0.17em">ln</mo>'  # an identifier would stand close to what it is applied to


def drawn(equation: str, display: str = "inline") -> str:
    """An equation in LaTeX as a `math` element."""
    return convert(equation, display=display).replace(LOGARITHM, SPACED)


def inline(self: HTML5Translator, node: nodes.math) -> None:
    """An equation in a line of text."""
    self.body.append(drawn(node.astext()))
    raise nodes.SkipNode


def block(self: HTML5Translator, node: nodes.math_block) -> None:
    """An equation on lines of its own; a wide one scrolls in its box."""
    self.body.append(f'<div class="equation">{drawn(node.astext(), "block")}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer; `html_math_renderer = "mathml"` chooses it."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
