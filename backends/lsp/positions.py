"""Places of an editor, in lines and code units from 0, to and from offsets in code points.

An editor may name places that a text does not have; they are taken for the nearest one that it has.
"""

from __future__ import annotations

from lsprotocol import types

from mixc.dsl.text import SourceText, Span

UTF8, UTF16 = types.PositionEncodingKind.Utf8, types.PositionEncodingKind.Utf16


class Places:
    """The lines of one text, in the code units that server and editor agreed on."""

    def __init__(self, source: SourceText, units: types.PositionEncodingKind | str = UTF16) -> None:
        self.source, self.units = source, units

    def offset(self, place: types.Position) -> int:
        """The offset of a place, within the text and before the end of its line."""
        starts = self.source.line_starts
        if place.line >= len(starts):
            return len(self.source.text)
        line = self.source.line(place.line + 1)
        return starts[place.line] + self._characters(line, max(0, place.character))

    def position(self, offset: int) -> types.Position:
        """The place of an offset."""
        line, column = self.source.position(max(0, min(offset, len(self.source.text))))
        before = self.source.line(line)[: column - 1]
        return types.Position(line - 1, self._units(before))

    def range(self, start: int, end: int) -> types.Range:
        """The range between two offsets."""
        return types.Range(self.position(start), self.position(end))

    def of(self, span: Span) -> types.Range:
        """The range of a span of this file, whichever piece of it the span counts from."""
        return self.range(span.offset, span.offset + span.end - span.start)

    def whole(self) -> types.Range:
        """All of the text."""
        return self.range(0, len(self.source.text))

    def _units(self, text: str) -> int:
        if text.isascii():
            return len(text)
        if self.units == UTF8:
            return len(text.encode("utf-8", "surrogatepass"))
        if self.units == UTF16:
            return len(text.encode("utf-16-le", "surrogatepass")) // 2
        return len(text)

    def _characters(self, line: str, units: int) -> int:
        if line.isascii():
            return min(units, len(line))
        count = 0
        for index, character in enumerate(line):
            if count >= units:
                return index
            count += self._units(character)
        return len(line)
