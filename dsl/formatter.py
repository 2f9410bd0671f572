"""The one formatting of recipes: two spaces, aligned signs, one statement a line, every comment kept.

Formatting changes no meaning (`<` is written `<=`, which it means), and formatting twice changes nothing more: what is
on one line depends on the tokens and on which brackets were broken over lines, and both survive.
"""

from __future__ import annotations

from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.layout import read_layout
from mixc.dsl.lexer import lex
from mixc.dsl.lines import group_lines
from mixc.dsl.parser import parse
from mixc.dsl.printer import format_comparison, format_expression, format_relation, format_rule, format_statement
from mixc.dsl.text import SourceText

__all__ = [
    "format_comparison",
    "format_expression",
    "format_relation",
    "format_rule",
    "format_source",
    "format_statement",
]


def format_source(source: SourceText) -> tuple[str | None, list[Diagnostic]]:
    """The text of a recipe in the one formatting, or None and the mistakes that keep it from being read."""
    tree, diagnostics = parse(source)
    if tree is None:
        return None, diagnostics
    lines = group_lines(read_layout(lex(source)), 0)
    return "".join(f"{line}\n" for line in lines), diagnostics
