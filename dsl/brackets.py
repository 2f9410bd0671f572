"""Brackets while reading: which are open, which were forgotten, and how deep the tree becomes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from mixc.dsl import errors
from mixc.dsl.diagnostics import Diagnostic, Label
from mixc.dsl.text import SourceText, Span

MAX_DEPTH = 100
CLOSER = {"(": ")", "[": "]", "{": "}"}
OPENER = {closer: opener for opener, closer in CLOSER.items()}

# How a line begins when the bracket above it was forgotten: no list and no expression holds these.
NEW_STATEMENT = re.compile(
    r"(?:require|prefer|minimize|maximize|import|override)[ \t]+\w"
    r"|[A-Za-z_][\w-]*[ \t]*(?:=(?!=)|[<>])"
    r'|[A-Za-z_][\w-]*[ \t]+(?:"[^"\n]*"|[\w-]+)[ \t]*[={]'
)


class Fault(NamedTuple):
    """What is wrong with a bracket, and the closing bracket that is read as if it were there."""

    diagnostic: Diagnostic
    closer: str = ""


@dataclass(slots=True)
class _Open:
    """An open bracket, and the heights of the trees that are being read in it.

    `operand` is the height of the last operand, `product` and `sum` those of what stands to its left (0 when nothing
    does), `deepest` that of the items already read. Exact, so a long sum of products counts its sums only.
    """

    char: str
    start: int
    operand: int = 1
    product: int = 0
    sum: int = 0
    deepest: int = 0

    @property
    def height(self) -> int:
        """The height of the expression that ends here."""
        return _joined(self.sum, _joined(self.product, self.operand))

    def operate(self, sign: str, unary: bool) -> None:
        """An operator behind the last operand, or a sign before the next one."""
        if unary:
            self.operand += 1
            return
        if sign in "*/":
            self.product = _joined(self.product, self.operand)
        else:
            self.product, self.sum = 0, self.height
        self.operand = 1

    def separate(self) -> None:
        """The end of an item."""
        self.deepest = max(self.deepest, self.height)
        self.operand, self.product, self.sum = 1, 0, 0


def _joined(left: int, right: int) -> int:
    """The height of `left op right`; 0 stands for no left side."""
    return max(left, right) + 1 if left else right


class Brackets:
    """The open brackets of a text as it is read from left to right; each method returns what went wrong."""

    def __init__(self, source: SourceText) -> None:
        self._source = source
        self._stack = [_Open("", 0)]
        self.refused = False

    @property
    def top(self) -> str:
        """The innermost open bracket, or an empty string."""
        return self._stack[-1].char

    @property
    def in_parentheses(self) -> bool:
        """Whether a newline means nothing here."""
        return self._stack[-1].char == "("

    def open(self, char: str, start: int) -> list[Fault]:
        """An opening bracket."""
        self._stack.append(_Open(char, start))
        return self._limit(len(self._stack) - 1, start, "brackets inside each other", "close some brackets")

    def close(self, char: str, start: int) -> tuple[list[Fault], bool]:
        """A closing bracket, and whether it still stands for one."""
        wanted = OPENER[char]
        if self.top == wanted:
            self._pop()
            return [], True
        depth = next((i for i in range(len(self._stack) - 1, 0, -1) if self._stack[i].char == wanted), 0)
        crosses_block = any(b.char == "{" for b in self._stack[depth + 1 :])
        if depth and not (crosses_block and char != "}"):
            faults = [self._unclosed(b, start) for b in reversed(self._stack[depth + 1 :])]
            del self._stack[depth + 1 :]
            self._pop()
            return faults, True
        if self.top and self.top != "{" and char != "}":
            inner = self._stack[-1]
            self._pop()
            return [Fault(self._mismatched(inner, char, start), CLOSER[inner.char])], False
        return [Fault(self._stray(char, start))], False

    def operate(self, sign: str, start: int, *, unary: bool) -> list[Fault]:
        """An arithmetic operator."""
        top = self._stack[-1]
        top.operate(sign, unary)
        return self._limit(top.height, start, "operators in one expression", "name the parts in a `group`")

    def separate(self) -> None:
        """A comma, a newline or a comparison: the next expression starts flat."""
        self._stack[-1].separate()

    def forgotten_before(self, line: int) -> list[Fault]:
        """The `(` and `[` that must have been forgotten, given that a new line begins at `line`."""
        if not NEW_STATEMENT.match(self._source.text, line):
            return []
        depth = len(self._stack)
        while depth > 1 and self._stack[depth - 1].char in "([":
            depth -= 1
        faults = [self._unclosed(b, line) for b in reversed(self._stack[depth:])]
        del self._stack[depth:]
        return faults

    def finish(self) -> list[Fault]:
        """The brackets that are open at the end of the text."""
        return [] if self.refused else [self._unclosed(b, len(self._source.text)) for b in reversed(self._stack[1:])]

    def _pop(self) -> None:
        closed = self._stack.pop()
        top = self._stack[-1]
        closed.separate()
        top.operand += closed.deepest  # a sign may stand before the bracket

    def _limit(self, depth: int, start: int, what: str, help: str) -> list[Fault]:
        if depth <= MAX_DEPTH or self.refused:
            return []
        self.refused = True
        span = Span(self._source, start, start + 1)
        message = f"there are more than {MAX_DEPTH} {what}"
        return [Fault(errors.too_deep(message, span, "one too many", help=help))]

    def _span(self, start: int) -> Span:
        return Span(self._source, start, start + 1)

    def _unclosed(self, bracket: _Open, start: int) -> Fault:
        closer = CLOSER[bracket.char]
        at_end = start >= len(self._source.text)
        made = errors.unpaired(
            f"this `{bracket.char}` is not closed",
            self._span(bracket.start),
            "opened here",
            also=() if at_end else (Label(self._span(start), f"`{closer}` is missing before this"),),
            notes=("the file ends before it is closed",) if at_end else (),
            help=f"close it with `{closer}`",
        )
        return Fault(made, closer)

    def _mismatched(self, bracket: _Open, char: str, start: int) -> Diagnostic:
        return errors.unpaired(
            f"`{bracket.char}` is closed by `{char}`",
            self._span(start),
            f"expected `{CLOSER[bracket.char]}`",
            also=(Label(self._span(bracket.start), "opened here"),),
            help=f"write `{CLOSER[bracket.char]}`",
        )

    def _stray(self, char: str, start: int) -> Diagnostic:
        return errors.unpaired(
            f"`{char}` closes nothing",
            self._span(start),
            f"no `{OPENER[char]}` is open here",
            help=f"remove it, or open a `{OPENER[char]}` before it",
        )
