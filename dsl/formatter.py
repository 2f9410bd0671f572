"""The one formatting of recipes."""

from __future__ import annotations

from mixc.dsl.printer import (
    format_comparison,
    format_expression,
    format_relation,
    format_rule,
    format_statement,
)

__all__ = ["format_comparison", "format_expression", "format_relation", "format_rule", "format_statement"]
