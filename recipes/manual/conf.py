"""How Sphinx builds the manual: no network when it is built, none when it is read."""

import sys
from pathlib import Path
from typing import Any

from pygments.lexers import get_lexer_by_name
from pygments.lexers.special import TextLexer
from pygments.util import ClassNotFound
from sphinx.application import Sphinx

from mixc import __version__

sys.path.insert(0, str(Path(__file__).parent))

project = "mixc"
version = release = __version__
copyright = "the authors of mixc, Apache-2.0"
extensions = ["myst_parser", "pages.mathml"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nitpicky = True
# Diagnostics show recipes that are wrong on purpose: what cannot be highlighted is shown plainly.
suppress_warnings = ["misc.highlighting_failure"]
highlight_language = "text"

html_theme = "furo"
html_title = "mixc"
html_static_path = ["static"]
html_css_files = ["manual.css"]
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
html_math_renderer = "mathml"

LISTS: dict[str, str] = {}


def setup(app: Sphinx) -> None:
    """Show recipes as plain text where nothing knows how to highlight them."""
    app.connect("html-page-context", one_list_of_pages, priority=100)
    try:
        get_lexer_by_name("mix")
    except ClassNotFound:
        app.add_lexer("mix", TextLexer)


def one_list_of_pages(app: Sphinx, name: str, template: str, context: dict[str, Any], tree: object) -> None:
    """Pages of diagnostics lie in one folder and are not in the list at the side: it is the same on all of them."""
    made = context.get("toctree")
    if name.startswith("diagnostics/M") and made is not None:

        def kept(**how: object) -> str:
            if repr(how) not in LISTS:
                LISTS[repr(how)] = made(**how)
            return LISTS[repr(how)]

        context["toctree"] = kept
