"""Text to tokens.

What depends on context is decided here: newlines that mean nothing, units after numbers, brackets that pair. A piece
of text that is no token becomes a diagnostic; where it plainly stands for a string or a number, a token of that type
takes its place, so that the rest of the line is still read. The last token is always `$END`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from mixc.dsl import slips
from mixc.dsl.brackets import Brackets, Fault
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.table import load_table
from mixc.dsl.text import SourceText

MANY = 1000  # mistakes after which the rest of a text is left unread

# A line goes on after these.
CONTINUES = frozenset({"PLUS", "MINUS", "TIMES", "OVER", "RELATION", "RANGE"})
ARITHMETIC = frozenset({"PLUS", "MINUS", "TIMES", "OVER"})
ENDS_VALUE = frozenset({"NAME", "NUMBER", "UNIT", "STRING", "TRUE", "FALSE", "RPAR", "RSQB", "RBRACE"})


class Token(NamedTuple):
    """A terminal of the grammar (or `ERROR`, or `$END`) and the range of the text that it covers."""

    type: str
    start: int
    end: int


@dataclass(slots=True)
class Lexed:
    """The tokens of a text, its comments (start, end), and what was wrong with its characters.

    `joined` holds the indices of tokens before which a newline was dropped, `bad` those of tokens with a diagnostic.
    """

    source: SourceText
    tokens: list[Token] = field(default_factory=list)
    comments: list[tuple[int, int]] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    joined: set[int] = field(default_factory=set)
    bad: set[int] = field(default_factory=set)

    def text(self, index: int) -> str:
        """The text of token `index`."""
        return self.source.text[self.tokens[index].start : self.tokens[index].end]


@cache
def _scanner() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str], dict[str, str]]:
    """The patterns of any token, of a whole number and of a unit, and the type of every fixed text."""
    table = load_table()
    patterns, symbols = table.patterns, sorted((t for t in table.literals if not t[0].isalpha()), key=len, reverse=True)
    parts = (
        f"(?P<BLANK>{patterns['BLANK']})",
        f"(?P<NAME>{patterns['NAME']})",
        f"(?P<NEWLINE>{patterns['_NEWLINE']})",
        f"(?P<COMMENT>{patterns['COMMENT']})",
        f"(?P<STRING>{patterns['STRING']})",
        r"(?P<NUMBER>\.?[0-9])",  # only where one begins
        f"(?P<SIGN>{'|'.join(map(re.escape, slips.SIGNS))})",
        f"(?P<RELATION>{patterns['RELATION']})",
        f"(?P<SYMBOL>{'|'.join(map(re.escape, symbols))})",
        f'(?P<QUOTE>["{"".join(slips.QUOTES)}])',
        r"(?P<OTHER>[\s\S])",
    )
    unit = re.compile(rf"[ \t]+(?P<UNIT>{patterns['UNIT']})(?![A-Za-z0-9_])")
    return re.compile("|".join(parts)), re.compile(patterns["NUMBER"]), unit, table.literals


def lex(source: SourceText) -> Lexed:
    """All tokens of a text. Never fails, and ends after one pass whatever the text holds."""
    return _Lexer(source).run()


class _Lexer:
    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.text = source.text
        self.out = Lexed(source)
        self.brackets = Brackets(source)
        self.token, self.number, self.unit, self.literals = _scanner()

    def run(self) -> Lexed:
        text, match, literals, tokens = self.text, self.token.match, self.literals, self.out.tokens
        position, length = 0, len(text)
        while position < length and len(self.out.diagnostics) < MANY and not self.brackets.refused:
            found = match(text, position)
            assert found is not None  # the last alternative matches anything
            kind, end = found.lastgroup, found.end()
            if kind == "NAME":
                tokens.append(Token(literals.get(found.group(), "NAME"), position, end))
            elif kind == "NEWLINE":
                self._newline(position, end)
            elif kind == "SYMBOL":
                self._symbol(literals[found.group()], position, end)
            elif kind == "RELATION":
                self.brackets.separate()
                tokens.append(Token("RELATION", position, end))
            elif kind == "COMMENT":
                self.out.comments.append((position, end))
            elif kind == "STRING":
                self._string(position, end)
            elif kind == "NUMBER":
                end = self._number(position)
            elif kind != "BLANK":
                end = self._slip(
                    (slips.bad_string if kind == "QUOTE" else slips.bad_sign)(self.source, position), position
                )
            position = end
        self._report(self.brackets.finish(), length)
        tokens.append(Token("$END", length, length))
        return self.out

    def _newline(self, start: int, end: int) -> None:
        tokens = self.out.tokens
        if self.brackets.in_parentheses or (tokens and self.brackets.top == "["):
            self._report(self.brackets.forgotten_before(end), start)
        if self.brackets.in_parentheses or (tokens and tokens[-1].type in CONTINUES):
            self.out.joined.add(len(tokens))
        elif tokens and tokens[-1].type != "_NEWLINE":
            self.brackets.separate()
            tokens.append(Token("_NEWLINE", start, end))

    def _symbol(self, type: str, start: int, end: int) -> None:
        if type in ("LPAR", "LSQB", "LBRACE"):
            self._report(self.brackets.open(self.text[start], start), start)
        elif type in ("RPAR", "RSQB", "RBRACE"):
            faults, stands = self.brackets.close(self.text[start], start)
            self._report(faults, start)
            if not stands:
                return
        elif type in ARITHMETIC:
            unary = type == "MINUS" and not (self.out.tokens and self.out.tokens[-1].type in ENDS_VALUE)
            self._report(self.brackets.operate(self.text[start], start, unary=unary), start)
        elif type in ("COMMA", "RANGE"):
            self.brackets.separate()
        self.out.tokens.append(Token(type, start, end))

    def _string(self, start: int, end: int) -> None:
        if "\\" in self.text[start:end] and (fault := slips.bad_escape(self.source, start, end)):
            self.out.diagnostics.append(fault)
            self.out.bad.add(len(self.out.tokens))
        self.out.tokens.append(Token("STRING", start, end))

    def _number(self, start: int) -> int:
        if self.text[start] == "." and start and (self.text[start - 1].isalnum() or self.text[start - 1] in '_)]"'):
            self.out.tokens.append(Token("DOT", start, start + 1))
            return start + 1
        good = self.number.match(self.text, start)
        end = good.end() if good else start
        if slip := slips.bad_number(self.source, start, end):
            end = self._slip(slip, start)
        else:
            self.out.tokens.append(Token("NUMBER", start, end))
        if unit := self.unit.match(self.text, end):
            self.out.tokens.append(Token("UNIT", *unit.span("UNIT")))
            end = unit.end()
        return end

    def _slip(self, slip: slips.Slip, start: int) -> int:
        self.out.diagnostics.append(slip.diagnostic)
        self.out.bad.add(len(self.out.tokens))
        self.out.tokens.append(Token(slip.type, start, slip.end))
        return slip.end

    def _report(self, faults: list[Fault], place: int) -> None:
        """Note what is wrong with brackets, and close those that were forgotten."""
        for diagnostic, closer in faults:
            self.out.diagnostics.append(diagnostic)
            self.out.bad.add(len(self.out.tokens))
            if closer:
                self.out.tokens.append(Token(self.literals[closer], place, place))
