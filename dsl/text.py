"""Source text and places in it.

Offsets count Unicode code points; lines and columns are 1-based, as editors show them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property

NEWLINE = re.compile("\n")


@dataclass(frozen=True, eq=False)
class SourceText:
    """One file's text, with the name under which diagnostics show it."""

    name: str
    text: str

    @property
    def begin(self) -> int:
        """The offset at which this text begins in its file."""
        return 0

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """Offset of the first character of every line."""
        return (0, *(found.end() for found in NEWLINE.finditer(self.text)))

    def position(self, offset: int) -> tuple[int, int]:
        """The (line, column) of an offset, both from 1."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of line `number` (from 1) without its line ending."""
        start = self.line_starts[number - 1]
        end = self.line_starts[number] if number < len(self.line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")


@dataclass(slots=True)
class Above:
    """How much of a file stands above one of its pieces."""

    lines: int = 0
    characters: int = 0


@dataclass(frozen=True, eq=False)
class Piece(SourceText):
    """A part of a file from the start of a line on, which keeps its tree when the text above it changes.

    Offsets count from its own beginning; positions are those in the file, wherever it stands by now.
    """

    above: Above = field(default_factory=Above)

    @property
    def begin(self) -> int:
        """The offset at which this text begins in its file."""
        return self.above.characters

    def position(self, offset: int) -> tuple[int, int]:
        """The (line, column) of an offset, both from 1, the line in the file."""
        line, column = super().position(offset)
        return line + self.above.lines, column

    def line(self, number: int) -> str:
        """The text of line `number` of the file (from 1) without its line ending."""
        return super().line(number - self.above.lines)


@dataclass(frozen=True, slots=True)
class Span:
    """The half-open range [start, end) of one source text."""

    source: SourceText = field(repr=False)
    start: int
    end: int

    @property
    def offset(self) -> int:
        """Where it begins in the file."""
        return self.source.begin + self.start

    @property
    def text(self) -> str:
        """The characters that the span covers."""
        return self.source.text[self.start : self.end]

    @property
    def place(self) -> str:
        """`file:line:column` of the first character."""
        line, column = self.source.position(self.start)
        return f"{self.source.name}:{line}:{column}"

    def to(self, other: Span) -> Span:
        """The smallest span of this text that covers both."""
        return Span(self.source, min(self.start, other.start), max(self.end, other.end))
