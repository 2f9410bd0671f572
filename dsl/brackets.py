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
    """An open bracket. `height` bounds the depth of the expression being read in it, `deepest` that of those read."""

    char: str
    start: int
    height: int = 0
    deepest: int = 0


class Brackets:
    """The open brackets of a text as it is read from left to right; each method returns what went wrong."""

    def __init__(self, source: SourceText) -> None:
        self._source = source
        self._stack = [_Open("", 0)]
        self._refused = False

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
        return self._limit(len(self._stack) - 1, start, "close some brackets")

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

    def operate(self, start: int) -> list[Fault]:
        """An arithmetic operator: the expression gets one deeper."""
        top = self._stack[-1]
        top.height += 1
        return self._limit(top.height, start, "name the parts in a `group`, or split the expression")

    def separate(self) -> None:
        """A comma or newline: the next expression starts flat."""
        top = self._stack[-1]
        top.deepest = max(top.deepest, top.height)
        top.height = 0

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
        return [] if self._refused else [self._unclosed(b, len(self._source.text)) for b in reversed(self._stack[1:])]

    def _pop(self) -> None:
        closed = self._stack.pop()
        top = self._stack[-1]
        top.height = max(top.height, closed.height + 1, closed.deepest + 1)

    def _limit(self, depth: int, start: int, help: str) -> list[Fault]:
        if depth <= MAX_DEPTH or self._refused:
            return []
        self._refused = True
        span = Span(self._source, start, start + 1)
        message = f"nested more than {MAX_DEPTH} levels deep"
        return [Fault(errors.too_deep(message, span, "too deep from here on", help=help))]

    def _span(self, start: int) -> Span:
        return Span(self._source, start, start + 1)

    def _unclosed(self, bracket: _Open, start: int) -> Fault:
        closer = CLOSER[bracket.char]
        at_end = not self._source.text[start:].strip()
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
