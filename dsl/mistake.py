"""A mistake of syntax as it is met: which statement, which token, and the words around it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mixc.dsl.driver import Recogniser
from mixc.dsl.lexer import Lexed
from mixc.dsl.slips import short
from mixc.dsl.text import Span


@dataclass(frozen=True, slots=True)
class Mistake:
    """A statement that begins at token `start` and stops making sense at token `at`, where `automaton` refused it."""

    lexed: Lexed
    start: int
    at: int
    automaton: Recogniser

    @property
    def kind(self) -> str:
        """The type of the token that does not fit."""
        return self.lexed.tokens[self.at].type

    @property
    def found(self) -> Span:
        """The token that does not fit; at the end of a line, the place behind the token before."""
        return self.behind if self.kind in ("_NEWLINE", "$END") else self.span(self.at)

    @property
    def behind(self) -> Span:
        """The place right behind the token before, where something is missing."""
        end = self.lexed.tokens[self.at - 1].end
        return Span(self.lexed.source, end, end)

    @property
    def bracket(self) -> str:
        """The innermost bracket that the statement has open, or an empty string."""
        open_ones: list[str] = []
        for index in range(self.start, self.at):
            text = self.lexed.text(index)
            if text in ("(", "[", "{"):
                open_ones.append(text)
            elif text in (")", "]", "}") and open_ones:
                open_ones.pop()
        return open_ones[-1] if open_ones else ""

    @property
    def in_block(self) -> bool:
        """Whether the statement stands inside a block."""
        before = [token.type for token in self.lexed.tokens[: self.start]]
        return before.count("LBRACE") > before.count("RBRACE")

    def kinds(self, count: int) -> list[str]:
        """The types of the first `count` tokens of the statement."""
        return [token.type for token in self.lexed.tokens[self.start : self.start + count]]

    def span(self, index: int) -> Span:
        """The range of token `index`."""
        token = self.lexed.tokens[index]
        return Span(self.lexed.source, token.start, token.end)

    def text(self, index: int) -> str:
        """The text of token `index`, in words where it has none."""
        if self.lexed.tokens[index].type == "_NEWLINE":
            return "the end of the line"
        return short(self.lexed.text(index)) or "the end of the file"

    def whole(self, index: int) -> str:
        """The text of token `index`, a number together with its unit."""
        tokens = self.lexed.tokens
        has_unit = index + 1 < len(tokens) and tokens[index + 1].type == "UNIT"
        return f"{self.text(index)} {self.text(index + 1)}" if has_unit else self.text(index)

    @property
    def line(self) -> str:
        """The statement up to the token that does not fit, on one line, shortened in the middle when long."""
        tokens = self.lexed.tokens
        if self.at == self.start:
            return ""
        text = " ".join(self.lexed.source.text[tokens[self.start].start : tokens[self.at - 1].end].split())
        return short(text)

    def fill(self, sentence: str) -> str:
        """A sentence with `@found`, `@before`, `@word` and `@line` put in."""
        words = {"@found": self.whole(self.at), "@before": self.text(self.at - 1), "@word": self.text(self.start)}
        words["@line"] = self.line
        return re.sub("@(?:found|before|word|line)", lambda match: words[match[0]], sentence)
