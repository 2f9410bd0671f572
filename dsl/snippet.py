"""Source lines with marks under them.

    18 |   columms = { text: "content" }
       |   ^^^^^^^ not a key of `source`

The primary place is marked with `^`, every other with `-`. A place of several lines is marked on its first. Lines in
between are shown when it is a single one, else `...` stands for them.
"""

from __future__ import annotations

from dataclasses import dataclass

from mixc.dsl.diagnostics import Label
from mixc.dsl.display import cells, visible
from mixc.dsl.text import SourceText

CUT = "..."
MARGIN = 12  # columns kept before a place that a long line is cut around


@dataclass(frozen=True, slots=True)
class Mark:
    """A label on its line: character columns [start, end), from 0, both within the line or just behind it."""

    line: int
    start: int
    end: int
    text: str
    primary: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a snippet: a source line (`number`), marks under it, or the sign for lines left out."""

    number: int | None
    text: str
    marks: str = ""
    primary: bool = False


def marks_of(labels: tuple[Label, ...], source: SourceText) -> list[Mark]:
    """The marks of a diagnostic's labels in one file; the first label of all is the primary one."""
    marks: list[Mark] = []
    for number, label in enumerate(labels):
        if label.span.source is source:
            line, column = source.position(label.span.start)
            length = len(source.line(line))
            start = min(column - 1, length)
            end = max(min(start + label.span.end - label.span.start, length), start + 1)
            marks.append(Mark(line, start, end, label.text, number == 0))
    return sorted(marks, key=lambda m: (m.line, m.start, m.end))


def rows(marks: list[Mark], source: SourceText, width: int) -> list[Row]:
    """The rows that show all marks of one file, source lines at most `width` columns wide."""
    made: list[Row] = []
    lines = sorted({mark.line for mark in marks})
    for previous, line in zip([lines[0], *lines], lines, strict=False):
        if line - previous == 2:
            made.append(Row(line - 1, _window(source.line(line - 1), [], width)[0]))
        elif line - previous > 2:
            made.append(Row(None, CUT))
        here = [mark for mark in marks if mark.line == line]
        text, places = _window(source.line(line), here, width)
        made.append(Row(line, text))
        made.extend(
            Row(None, visible(mark.text), " " * start + ("^" if mark.primary else "-") * length, mark.primary)
            for mark, (start, length) in zip(here, places, strict=True)
        )
    return made


def _window(line: str, marks: list[Mark], width: int) -> tuple[str, list[tuple[int, int]]]:
    """A line as shown, cut to `width` around its first primary (else first) mark, and (column, length) of each mark."""
    shown = cells(line)
    columns = [0]
    for _, size in shown:
        columns.append(columns[-1] + size)
    places = [(columns[m.start], max(columns[min(m.end, len(shown))] - columns[m.start], 1)) for m in marks]
    if columns[-1] <= width:
        return "".join(glyph for glyph, _ in shown).rstrip(), places
    focus = next((p for m, p in zip(marks, places, strict=True) if m.primary), places[0] if places else (0, 1))
    room = max(width - 2 * len(CUT), 20)
    first = max(min(focus[0] - max(MARGIN, (room - focus[1]) // 3), columns[-1] - room), 0)
    kept = [i for i in range(len(shown)) if first <= columns[i] and columns[i + 1] <= first + room]
    start, end = columns[kept[0]], columns[kept[-1] + 1]
    before, after = (CUT if start else ""), (CUT if end < columns[-1] else "")
    text = before + "".join(shown[i][0] for i in kept) + after
    return text, [_clip(place, start, end, len(before)) for place in places]


def _clip(place: tuple[int, int], start: int, end: int, shift: int) -> tuple[int, int]:
    """A mark's (column, length) inside the window [start, end) that is shown from column `shift` on."""
    left = min(max(place[0], start), end)
    right = min(max(place[0] + place[1], left + 1), max(end, left + 1))
    return left - start + shift, right - left
