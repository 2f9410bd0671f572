"""Text as a terminal shows it: how wide a character is, and what stands for one that must not be sent."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

TAB = 4
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
JOINERS = "\u200c\u200d"  # wanted by some scripts, and harmless

STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """The text with every control and invisible character written out, as `<U+001B>`."""
    return "".join(_glyph(char)[0] for char in text)


def harmless(text: str) -> str:
    """Text for standard output: nothing in it steers a terminal or turns the order of what is read.

    Such characters are written out; in JSON as it escapes them, so that its values stay; in markup they are replaced.
    """
    written = {"{": "\\u{:04x}", "[": "\\u{:04x}", "<": "\ufffd"}.get(text[:1], "<U+{:04X}>")
    return STEERING.sub(lambda match: written.format(ord(match[0])), text)


def unsteered(text: str) -> str:
    """A text with what steers a terminal or turns the order of letters written out, as `<U+001B>`."""
    return STEERING.sub(lambda match: f"<U+{ord(match[0]):04X}>", text)


def width_of(text: str) -> int:
    """Columns that `visible(text)` takes."""
    return sum(_glyph(char)[1] for char in text)


def cells(line: str) -> list[tuple[str, int]]:
    """What is shown for each character of a source line, and its width; tabs reach to the next multiple of four."""
    shown: list[tuple[str, int]] = []
    column = 0
    for char in line:
        glyph, width = (" " * (TAB - column % TAB), TAB - column % TAB) if char == "\t" else _glyph(char)
        shown.append((glyph, width))
        column += width
    return shown


@lru_cache(maxsize=4096)
def _glyph(char: str) -> tuple[str, int]:
    if " " <= char <= "~":
        return char, 1
    category = unicodedata.category(char)
    if char in JOINERS or category in ("Mn", "Me"):
        return char, 0
    if category in HIDDEN:
        written = f"<U+{ord(char):04X}>"
        return written, len(written)
    return char, 2 if unicodedata.east_asian_width(char) in "WF" else 1
