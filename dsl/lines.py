"""Items to lines of text: what stays on one line, what is broken, and where."""

from __future__ import annotations

from collections.abc import Iterable

from mixc.dsl.columns import Pad, pads
from mixc.dsl.layout import Group, Item, Remark, Word

WIDTH = 100
STEP, CONTINUED = 2, 4
BREAKS = frozenset({"PLUS", "MINUS", "TIMES", "OVER", "RELATION", "RANGE", "COMMA"})
TIGHT_AFTER = frozenset({"LPAR", "DOT"})
TIGHT_BEFORE = frozenset({"RPAR", "COMMA", "COLON", "DOT"})
BRACKETS = {"block": ("{", "}"), "map": ("{", "}"), "list": ("[", "]")}


def group_lines(group: Group, indent: int) -> list[str]:
    """The lines of a broken group's items and comments, without its brackets."""
    lines: list[str] = []
    remarks: list[tuple[int, str]] = []  # the line behind which each comment stands
    widths = [_flat_width(item, indent) for item in group.items]
    padding = pads(group.items, [width is not None for width in widths], [width or 0 for width in widths], WIDTH)
    for item, pad in zip(group.items, padding, strict=True):
        for remark in item.above:
            _put(lines, [" " * indent + remark.text], remark.blank)
        _put(lines, item_lines(item, indent, pad), item.blank)
        if item.behind:
            remarks.append((len(lines) - 1, item.behind))
    _append_remarks(lines, remarks)
    for remark in group.tail:
        _put(lines, [" " * indent + remark.text], remark.blank)
    return lines


def item_lines(item: Item, indent: int, pad: Pad | None = None) -> list[str]:
    """The lines of one item, without the comments above and behind it. Brackets are broken only where they must be."""
    forced = [group for group in item.groups if group.broken]
    loose = [group for group in item.groups if not group.broken and group.items]
    for attempt in ([], loose[-1:], loose[:1]):
        lines, own = _written(item, indent, pad, [*forced, *attempt])
        if all(len(lines[number]) <= WIDTH for number in own):
            return lines
    return _written(item, indent, pad, [*forced, *loose])[0]


def _flat_width(item: Item, indent: int) -> int | None:
    """The width of an item on one line, or None when it takes several."""
    if any(isinstance(part, Remark) or (isinstance(part, Group) and part.broken) for part in item.parts):
        return None
    width = indent + len(flat(item.parts))
    return width if width <= WIDTH else None


def flat(parts: Iterable[Word | Group | Remark], pad: Pad | None = None) -> str:
    """An item on one line."""
    text, last = "", None
    for number, part in enumerate(parts):
        text += _space(last, part) + _flat_part(part)
        last = part
        if pad and number == pad.after:
            text += " " * pad.width
    return text


def _flat_part(part: Word | Group | Remark) -> str:
    if not isinstance(part, Group):
        return part.text
    inner = ", ".join(flat(item.parts) for item in part.items)
    before, after = BRACKETS[part.kind]
    return f"{before}{inner}{after}" if part.kind == "list" or not inner else f"{before} {inner} {after}"


def _space(last: Word | Group | Remark | None, part: Word | Group | Remark) -> str:
    """What stands between two parts of a line."""
    if last is None:
        return ""
    if isinstance(last, Word) and (last.unary or last.type in TIGHT_AFTER):
        return ""
    if isinstance(part, Word) and part.type in TIGHT_BEFORE:
        return ""
    if isinstance(part, Word) and part.type == "LPAR" and isinstance(last, Word) and last.type == "NAME":
        return ""
    return " "


def _written(item: Item, indent: int, pad: Pad | None, broken: list[Group]) -> tuple[list[str], list[int]]:
    """The lines of an item with these groups broken, and which of them are the item's own, not a group's."""
    pen, last, depth = _Pen(indent), None, 0
    for number, part in enumerate(item.parts):
        if isinstance(part, Remark):
            pen.remark(part.text)
        elif isinstance(part, Group) and any(part is group for group in broken):
            before, after = BRACKETS[part.kind]
            pen.write(_space(last, part) + before)
            pen.insert(group_lines(part, indent + STEP), after)
        else:
            pen.write(_space(last, part) + _flat_part(part))
        if isinstance(part, Word):
            depth += (part.type == "LPAR") - (part.type == "RPAR")
            if part.type in BREAKS and not part.unary:
                pen.commit()
        last = part
        if pad and number == pad.after:
            pen.write(" " * pad.width)
    return pen.finish()


class _Pen:
    """Fills lines: a segment goes to the next line when it does not fit on this one."""

    def __init__(self, indent: int) -> None:
        self._indent = indent
        self._lines: list[str] = []
        self._own: list[int] = []
        self._line = " " * indent
        self._segment = ""

    def write(self, text: str) -> None:
        """More of the current segment."""
        self._segment += text

    def commit(self) -> None:
        """The segment is complete: a line may end behind it."""
        if self._line.strip() and len(self._line) + len(self._segment) > WIDTH:
            self._flush(" " * (self._indent + CONTINUED))
        self._line += self._segment if self._line.strip() else self._segment.lstrip()
        self._segment = ""

    def remark(self, text: str) -> None:
        """A comment, which ends the line."""
        self.commit()
        self._line += f"  {text}" if self._line.strip() else text
        self._flush(" " * (self._indent + CONTINUED))

    def insert(self, lines: list[str], closer: str) -> None:
        """The lines of a group, and its closing bracket on a line that goes on."""
        self.commit()
        self._flush(" " * self._indent + closer)
        self._lines[len(self._lines) :] = lines

    def finish(self) -> tuple[list[str], list[int]]:
        """All lines, and the numbers of those that are not a group's."""
        self.commit()
        self._flush("")
        return self._lines, self._own

    def _flush(self, following: str) -> None:
        self._own.append(len(self._lines))
        self._lines.append(self._line.rstrip())
        self._line = following


def _put(lines: list[str], more: list[str], blank: bool) -> None:
    """Append lines, behind an empty one when `blank` and these are not the first."""
    if blank and lines:
        lines.append("")
    lines.extend(more)


def _append_remarks(lines: list[str], remarks: list[tuple[int, str]]) -> None:
    """Put comments behind their lines, aligned over neighbouring lines that all have one."""
    start = 0
    for number in range(len(remarks)):
        if number + 1 == len(remarks) or remarks[number + 1][0] != remarks[number][0] + 1:
            run = remarks[start : number + 1]
            column = max(len(lines[place]) for place, _ in run) + 2
            for place, text in run:
                lines[place] = f"{lines[place]:<{column}}{text}"
            start = number + 1
