"""Diagnostics to text: for people (full), for `grep` (concise), for programs (json), for pull requests (github)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

from mixc.dsl.diagnostics import Diagnostic, Label, Severity
from mixc.dsl.display import visible
from mixc.dsl.snippet import Row, marks_of, rows
from mixc.dsl.text import SourceText, Span

Format: TypeAlias = Literal["full", "concise", "json", "github"]

RESET, BOLD, RED, YELLOW, BLUE, CYAN = "\x1b[0m", "\x1b[1m", "\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m", "\x1b[1;36m"


def render(diagnostics: Iterable[Diagnostic], format: Format, *, color: bool = False, width: int = 100) -> str:
    """All diagnostics in their order, ready to print: nothing, or text that ends in a newline.

    No control character of a recipe or a file name reaches the result. `color` and `width` (columns of the terminal)
    matter to `full` only. `json` is an array even when there is nothing to say.
    """
    found = list(diagnostics)
    match format:
        case "full":
            return "\n".join(_full(d, _Paint(color), width) for d in found)
        case "concise":
            return "".join(f"{_concise(d)}\n" for d in found)
        case "json":
            return json.dumps([as_data(d) for d in found], indent=2, ensure_ascii=True) + "\n"
        case "github":
            return "".join(f"{_github(d)}\n" for d in found)


class _Paint:
    """Puts colours around text, or leaves it as it is."""

    def __init__(self, color: bool) -> None:
        self._color = color

    def __call__(self, style: str, text: str) -> str:
        return f"{style}{text}{RESET}" if self._color and text else text


def _full(diagnostic: Diagnostic, paint: _Paint, width: int) -> str:
    files = _files(diagnostic.labels)
    last = max(
        (s.position(lb.span.start)[0] for s in files for lb in diagnostic.labels if lb.span.source is s), default=0
    )
    gutter = len(str(last))
    style = RED if diagnostic.severity is Severity.ERROR else YELLOW
    title = paint(style, f"{diagnostic.severity}[{diagnostic.code}]")
    lines = [f"{title}{paint(BOLD, f': {visible(diagnostic.message)}')}"]
    bar = " " * gutter + paint(BLUE, " |")
    if not files and diagnostic.subject:
        lines.append(f"{' ' * gutter}{paint(BLUE, '-->')} {visible(diagnostic.subject)}")
    for number, source in enumerate(files):
        first = next(label for label in diagnostic.labels if label.span.source is source)
        lines += [bar] * (number > 0)
        lines.append(f"{' ' * gutter}{paint(BLUE, ':::' if number else '-->')} {visible(first.span.place)}")
        lines.append(bar)
        room = max(width - gutter - 3, 40)
        lines += [_row(row, gutter, paint, style) for row in rows(marks_of(diagnostic.labels, source), source, room)]
    remarks = _remarks(diagnostic)
    lines += [bar] * bool(files and remarks)
    lines += [f"{' ' * gutter} {paint(BLUE, '=')} {paint(BOLD, f'{kind}:')} {visible(text)}" for kind, text in remarks]
    return "\n".join(lines) + "\n"


def _remarks(diagnostic: Diagnostic) -> list[tuple[str, str]]:
    """Notes, then helps; but a bare suggestion comes before the list of what else would do."""
    helps = [("help", help) for help in diagnostic.helps]
    bare = [remark for remark in helps if remark[1].startswith("did you mean ") and remark[1].endswith("?")]
    return [*bare, *(("note", note) for note in diagnostic.notes), *(help for help in helps if help not in bare)]


def _files(labels: tuple[Label, ...]) -> list[SourceText]:
    """The texts that labels point into, that of the primary one first."""
    files: list[SourceText] = []
    for label in labels:
        if not any(source is label.span.source for source in files):
            files.append(label.span.source)
    return files


def _row(row: Row, gutter: int, paint: _Paint, style: str) -> str:
    if row.number is not None:
        return f"{paint(BLUE, f'{row.number:>{gutter}} |')} {row.text}".rstrip()
    if not row.marks:
        return paint(BLUE, row.text)
    space = " " * (len(row.marks) - len(row.marks.lstrip()))
    marked = paint(style if row.primary else CYAN, f"{row.marks.lstrip()} {row.text}".rstrip())
    return f"{' ' * gutter}{paint(BLUE, ' |')} {space}{marked}"


def _concise(diagnostic: Diagnostic) -> str:
    place = f"{visible(diagnostic.place)}: " if diagnostic.place else ""
    warning = "warning: " if diagnostic.severity is Severity.WARNING else ""
    return f"{place}{diagnostic.code} {warning}{visible(diagnostic.message)}"


def as_data(diagnostic: Diagnostic) -> dict[str, Any]:
    """A diagnostic as JSON data. `file`, `start` and `end` are those of the primary label, null when there is none.

    Lines and columns count from 1, offsets from 0, all in code points; ends are exclusive.
    """
    primary = diagnostic.labels[0].span if diagnostic.labels else None
    return {
        "code": diagnostic.code,
        "severity": str(diagnostic.severity),
        "message": diagnostic.message,
        **(_range(primary) if primary else {"file": diagnostic.subject, "start": None, "end": None}),
        "labels": [{**_range(label.span), "text": label.text} for label in diagnostic.labels],
        "notes": list(diagnostic.notes),
        "helps": list(diagnostic.helps),
    }


def _range(span: Span) -> dict[str, Any]:
    return {"file": span.source.name, "start": _position(span, span.start), "end": _position(span, span.end)}


def _position(span: Span, offset: int) -> dict[str, int]:
    line, column = span.source.position(offset)
    return {"line": line, "column": column, "offset": offset}


def _github(diagnostic: Diagnostic) -> str:
    """A workflow command; GitHub shows it at the line in the pull request."""
    properties: dict[str, object] = {}
    if diagnostic.labels:
        span = diagnostic.labels[0].span
        line, column = span.source.position(span.start)
        end_line, end_column = span.source.position(max(span.end, span.start + 1))
        properties = {"file": span.source.name, "line": line, "col": column, "endLine": end_line}
        if end_line == line:
            properties["endColumn"] = end_column
    elif diagnostic.subject:
        properties = {"file": diagnostic.subject}
    properties["title"] = diagnostic.code
    written = ",".join(f"{key}={_escaped(str(value), ':,')}" for key, value in properties.items())
    text = [diagnostic.message, *(f"note: {n}" for n in diagnostic.notes), *(f"help: {h}" for h in diagnostic.helps)]
    return f"::{diagnostic.severity} {written}::" + "%0A".join(_escaped(line) for line in text)


def _escaped(text: str, more: str = "") -> str:
    """Text as workflow commands want it; control characters are written out first, so none is left to escape."""
    made = visible(text).replace("%", "%25")
    for char in more:
        made = made.replace(char, f"%{ord(char):02X}")
    return made
