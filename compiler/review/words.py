"""Figures in words: tokens, shares, epochs, losses, and how they moved; plain tables of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from mixc.dsl.display import unsteered

SCALES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))
MINUS = "-"
LINE_START = re.compile(r"\n[ \t]*\d*(?=[#+=~|.)-])")  # of a further line, which would be a heading, a rule or a list
MARKUP = re.compile(r"<(?=[A-Za-z/!?])|&(?=[#\w])|\](?=[(\[:])|\\(?=[!-/:-@\[-`{-~])")  # tags, entities, links, escapes


def tokens(value: float) -> str:
    """`417B`, `2.31T`: three digits."""
    for scale, letter in SCALES:
        if abs(value) >= scale * 0.9995:
            return f"{value / scale:.3g}{letter}"
    return f"{value:.3g}"


def share(value: float) -> str:
    """`30.00%`; below 0.005 % with enough digits to see it is not nothing."""
    percent = 100 * value
    return f"{percent:.2f}%" if percent == 0 or abs(percent) >= 0.005 else f"{percent:.1g}%"


def points(value: float) -> str:
    """A difference of shares in percentage points: `+1.25`."""
    return f"{100 * value:+.2f}"


def epochs(value: float | None) -> str:
    """Mean passes: `2.31`; nothing where there is no supply."""
    return "" if value is None else f"{value:.2f}"


def loss(value: float | None) -> str:
    """Nats per token, four decimals; `unknown` where no law gives one."""
    return "unknown" if value is None or value != value else f"{value:.4f}"


def change(value: float) -> str:
    """A difference of losses: `+0.00125`, `no change` below what the certificate can tell."""
    return "no change" if abs(value) < 5e-7 else f"{value:+.2g}" if abs(value) < 1e-4 else f"{value:+.5f}"


def percent(value: float) -> str:
    """A fraction as a recipe writes it: `5%`, `0.25%`."""
    return f"{100 * value:.6g}%"


def factor(value: float) -> str:
    """`×1.2`."""
    return f"×{value:.4g}"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`1 language`, `12 languages`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(names: Sequence[str], most: int = 6) -> str:
    """`a, b, c and 12 more`."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def table(header: Sequence[str], lines: Iterable[Sequence[str]], *, left: Iterable[int] = (0,)) -> str:
    """An aligned table without rules: columns in `left` flush left, others flush right; no trailing spaces."""
    grid = [tuple(header), *(tuple(line) for line in lines)]
    flush, widths = set(left), [max(len(row[i]) for row in grid) for i in range(len(header))]
    lines_of_cells = (
        [row[i].ljust(width) if i in flush else row[i].rjust(width) for i, width in enumerate(widths)] for row in grid
    )
    return "".join("  ".join(cells).rstrip() + "\n" for cells in lines_of_cells)


def markdown_table(header: Sequence[str], lines: Iterable[Sequence[str]], *, left: Iterable[int] = (0,)) -> str:
    """The same as a Markdown table; bars in cells are escaped."""
    flush = set(left)
    rules = [":--" if i in flush else "--:" for i in range(len(header))]
    return "".join(f"| {' | '.join(map(_cell, row))} |\n" for row in (header, rules, *lines))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def escape(text: str) -> str:
    """A text that means nothing to Markdown or HTML, nor to a terminal."""
    text = unsteered(text)
    for sign, instead in (("\\", "\\\\"), ("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, instead)
    for sign in "*_`[]":
        text = text.replace(sign, "\\" + sign)
    return LINE_START.sub(r"\g<0>\\", text)


def prose(text: str) -> str:
    """A sentence of ours with names of others' in backquotes: what they hold means nothing to Markdown or HTML.

    Backquotes stay where each stands alone and they pair; else they are escaped like everything outside of them.
    """
    text = unsteered(" ".join(text.split()))
    pieces = text.split("`")
    if "``" in text or len(pieces) % 2 == 0:
        return escape(text)
    return "`".join(piece if i % 2 else MARKUP.sub(r"\\\g<0>", piece) for i, piece in enumerate(pieces))
