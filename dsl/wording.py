"""Pieces of diagnostics about data: labels where there is a place, lists cut short, text fit to print."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.dsl.diagnostics import Label
from mixc.dsl.text import Span


def at(span: Span | None, text: str = "") -> tuple[Label, ...]:
    """A label, where there is a place."""
    return (Label(span, text),) if span else ()


def listed(names: Sequence[object], most: int = 8) -> str:
    """`a, b, c and 12 more`."""
    shown = ", ".join(plain(str(name)) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def plain(text: str, most: int = 40) -> str:
    """What a file says, fit for one line of a terminal: unprintable characters replaced, long text cut."""
    shown = "".join(char if char.isprintable() else "�" for char in text)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def named(path: str) -> str:
    """A path, fit for one line: whole, as people look for files by it."""
    return plain(path, 1000)
