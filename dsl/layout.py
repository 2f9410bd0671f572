"""What the formatter moves around: statements and items with their comments, read from tokens.

Tokens, not the tree, because a formatter keeps what a tree forgets: comments, brackets that are not needed, and whether
a block stood on one line. The text is known to parse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from mixc.dsl.lexer import Lexed, Token

SEPARATORS = frozenset({"_NEWLINE", "COMMA"})
SPELLING = {"<": "<=", ">": ">="}


@dataclass(slots=True)
class Word:
    """One token. `unary` marks a sign in front of its operand."""

    type: str
    text: str
    unary: bool = False


@dataclass(slots=True)
class Remark:
    """A comment. `blank` tells whether an empty line stands above it."""

    text: str
    blank: bool = False


@dataclass(slots=True)
class Group:
    """`{ … }` or `[ … ]` with its items; `tail` are the comments after the last of them.

    `broken` groups take several lines: those that did (a block; a list or map whose first item stood on a new line),
    and those that hold a comment or a broken group.
    """

    kind: Literal["block", "map", "list"]
    items: list[Item] = field(default_factory=list)
    tail: list[Remark] = field(default_factory=list)
    broken: bool = False


@dataclass(slots=True)
class Item:
    """A statement, a pair of a map or an item of a list, with the comments above and behind it."""

    parts: list[Word | Group | Remark] = field(default_factory=list)
    above: list[Remark] = field(default_factory=list)
    behind: str = ""
    blank: bool = False

    @property
    def groups(self) -> list[Group]:
        """The brackets of this item, not those inside them."""
        return [part for part in self.parts if isinstance(part, Group)]


def read_layout(lexed: Lexed) -> Group:
    """The statements of a file, as the items of one broken block."""
    comments = [Token("COMMENT", start, end) for start, end in lexed.comments]
    events = sorted([*lexed.tokens, *comments], key=lambda token: (token.start, token.end))
    return _Reader(lexed.source.text, events).group("block", "$END", 0)


class _Reader:
    def __init__(self, text: str, events: list[Token]) -> None:
        self.text = text
        self.events = events
        self.at = 0

    def group(self, kind: Literal["block", "map", "list"], closer: str, start: int) -> Group:
        """Items up to `closer`, which is taken. `start` is the end of the opening bracket."""
        group, above, last, moved = Group(kind), list[Remark](), start, False
        while (event := self.events[self.at]).type != closer:
            lines = self.text.count("\n", last, event.start)
            if event.type in SEPARATORS:
                self.at += 1
                continue
            if event.type == "COMMENT":
                self.at += 1
                if lines == 0 and group.items and not above and not group.items[-1].behind:
                    group.items[-1].behind = self._written(event)
                else:
                    above.append(Remark(self._written(event), lines > 1 or moved))
                    # A comment behind the bracket moves below it, where it must not become part of a description.
                    moved = lines == 0 and kind == "block" and start > 0
                last = event.end
                continue
            item = self.item()
            item.above, item.blank, above, moved = above, lines > 1 or moved, [], False
            group.items.append(item)
            last = self._end
        group.tail = above
        self.at += 1
        group.broken = self._is_broken(group, start, event)
        return group

    def item(self) -> Item:
        """One item, up to the separator or bracket that ends it; a comment behind it included."""
        item, depth = Item(), 0
        while True:
            event = self.events[self.at]
            if depth == 0 and event.type in ("_NEWLINE", "COMMA", "RBRACE", "RSQB", "$END"):
                return item
            if event.type == "COMMENT" and depth == 0 and self._next_token() in SEPARATORS | {"$END"}:
                item.behind = self._written(event)
                self._take(event)
                return item
            self._take(event)
            if event.type in ("LBRACE", "LSQB"):
                item.parts.append(self._inner(event, item.parts))
                continue
            depth += (event.type == "LPAR") - (event.type == "RPAR")
            self._add(event, item.parts)

    def _take(self, event: Token) -> None:
        self.at += 1
        self._end = event.end

    def _inner(self, event: Token, before: list[Word | Group | Remark]) -> Group:
        if event.type == "LSQB":
            inner = self.group("list", "RSQB", event.end)
        else:
            last = before[-1] if before else None
            is_block = isinstance(last, Group) or (isinstance(last, Word) and last.type not in VALUE_SIGNS)
            inner = self.group("block" if is_block else "map", "RBRACE", event.end)
        self._end = self.events[self.at - 1].end
        return inner

    def _add(self, event: Token, parts: list[Word | Group | Remark]) -> None:
        text = self._written(event)
        last = next((part for part in reversed(parts) if not isinstance(part, Remark)), None)
        kind = last.type if isinstance(last, Word) else ""
        if event.type == "COMMENT":
            parts.append(Remark(text))
        elif event.type == "COMMA" and kind in ("COMMA", "LPAR"):
            return
        else:
            if event.type == "RPAR" and kind == "COMMA":
                del parts[next(i for i, part in enumerate(parts) if part is last)]
            unary = event.type == "MINUS" and (last is None or (isinstance(last, Word) and kind not in VALUE_ENDS))
            parts.append(Word(event.type, SPELLING.get(text, text), unary))

    def _next_token(self) -> str:
        later: Iterator[Token] = (self.events[i] for i in range(self.at, len(self.events)))
        return next(token.type for token in later if token.type != "COMMENT")

    def _written(self, event: Token) -> str:
        return self.text[event.start : event.end].rstrip()

    def _is_broken(self, group: Group, start: int, closer: Token) -> bool:
        if not group.items:
            return bool(group.tail)
        if group.tail or any(item.above or item.behind for item in group.items):
            return True
        if any(isinstance(p, Remark) or (isinstance(p, Group) and p.broken) for i in group.items for p in i.parts):
            return True
        inside = self.text[start : closer.start]
        if group.kind == "block":
            return "\n" in inside
        return "\n" in inside[: len(inside) - len(inside.lstrip())]


VALUE_SIGNS = frozenset(
    {"EQUAL", "COLON", "LPAR", "COMMA", "RELATION", "RANGE", "PLUS", "MINUS", "TIMES", "OVER", "WITHIN"}
)
VALUE_ENDS = frozenset({"NAME", "NUMBER", "UNIT", "STRING", "RPAR", "TRUE", "FALSE"})
