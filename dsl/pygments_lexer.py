"""Recipes in colour wherever Pygments colours: documentation, notebooks, the terminal.

The tokens are mixc's own (`lexer.py`); what a name stands for is told by its neighbours, so unknown kinds and keys are
coloured like known ones. Broken text is coloured as far as it can be read. Pygments is imported here and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar, Final

from pygments.lexer import Lexer
from pygments.token import (
    Comment,
    Error,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Whitespace,
    _TokenType,
)

from mixc.dsl.lexer import ENDS_VALUE, Lexed, Token, lex
from mixc.dsl.slips import ESCAPES
from mixc.dsl.text import SourceText

_VERBS: Final = frozenset({"REQUIRE", "PREFER", "MINIMIZE", "MAXIMIZE"})
_BEFORE_ITEM: Final = frozenset({"_NEWLINE", "COMMA", "LBRACE", "OVERRIDE"})
_NAMES_TOO: Final = frozenset({"WEIGHT", "EXTENDS"})
_SETS: Final = frozenset({"EQUAL", "RELATION", "WITHIN", "COLON"})
_FIXED: Final = {
    **dict.fromkeys(("PLUS", "MINUS", "TIMES", "OVER", "RELATION", "RANGE", "EQUAL"), Operator),
    **dict.fromkeys(("LPAR", "RPAR", "LSQB", "RSQB", "LBRACE", "RBRACE", "COMMA", "COLON", "DOT"), Punctuation),
    "NUMBER": Number,
    "UNIT": Keyword.Type,
    "ERROR": Error,
    "_NEWLINE": Whitespace,
}
_STRING: Final = re.compile(
    rf'(?P<escape>\\[{re.escape("".join(ESCAPES))}])|(?P<param>\$\{{[^}}"\\]*\}})|[^\\$]+|[\s\S]'
)
_GAP: Final = re.compile(r"\s+|\S+")


class MixLexer(Lexer):
    """For the `.mix` recipes of mixc. Every character of a text comes back, whatever the text holds."""

    name = "mix"
    aliases: ClassVar = ["mix", "mixc"]
    filenames: ClassVar = ["*.mix"]
    mimetypes: ClassVar = ["text/x-mix"]

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, _TokenType, str]]:
        """(offset, type, characters) of every piece of a text, in order and without gaps."""
        lexed = lex(SourceText("", text))
        pieces = [(start, end, Comment.Single) for start, end in lexed.comments]
        pieces += [(token.start, token.end, _type(lexed, index)) for index, token in enumerate(lexed.tokens)]
        place = 0
        for start, end, type_ in sorted(pieces, key=lambda piece: piece[:2]):
            if start < place or end == start:  # a bracket that was forgotten has no characters
                continue
            yield from _gap(text, place, start)
            yield from _string(text, start, end) if type_ is String.Double else ((start, type_, text[start:end]),)
            place = end
        yield from _gap(text, place, len(text))


def _gap(text: str, start: int, end: int) -> Iterator[tuple[int, _TokenType, str]]:
    """What stands between tokens: blanks, brackets that close nothing, and what mixc left unread."""
    for match in _GAP.finditer(text, start, end):
        yield match.start(), Whitespace if match[0].isspace() else Error, match[0]


def _string(text: str, start: int, end: int) -> Iterator[tuple[int, _TokenType, str]]:
    for match in _STRING.finditer(text, start, end):
        kind = {"escape": String.Escape, "param": String.Interpol}.get(match.lastgroup or "", String.Double)
        yield match.start(), kind, match[0]


def _type(lexed: Lexed, index: int) -> _TokenType:
    """What token `index` is to a reader. A keyword is a name where the language wants a name."""
    token = lexed.tokens[index]
    if token.type in _FIXED:
        return _FIXED[token.type]
    if token.type == "STRING":
        return String.Double
    before, after = _at(lexed, index - 1), _at(lexed, index + 1)
    if before == "DOT" or after == "DOT":
        return Name.Function if after == "LPAR" else Name
    if token.type == "WITHIN" and (before in ENDS_VALUE or before in _NAMES_TOO):
        return Operator.Word
    if index == 0 or before in _BEFORE_ITEM:
        return _first(token, after)
    return _later(lexed, index, before, after)


def _first(token: Token, after: str) -> _TokenType:
    """A word that begins an item of a block: a key, a verb, or the kind of a declaration."""
    if after in _SETS:
        return Name.Attribute
    if token.type == "OVERRIDE" or token.type in _VERBS:
        return Keyword
    if token.type in ("RECIPE", "IMPORT") and _is_word(after):
        return Keyword.Namespace
    if after in ("LBRACE", "LSQB", "STRING") or _is_word(after):
        return Keyword.Declaration
    return _value(token, after)


def _later(lexed: Lexed, index: int, before: str, after: str) -> _TokenType:
    """A word within an item."""
    token, first = lexed.tokens[index], _at(lexed, index - 2)
    opens = index == 1 or first in _BEFORE_ITEM
    if before in ("RECIPE", "IMPORT") and opens:
        return Name.Namespace
    if token.type == "EXTENDS" and first == "RECIPE":
        return Keyword.Namespace
    if _is_word(before) and opens and after in ("LBRACE", "EQUAL"):
        return Name.Class
    if token.type == "WEIGHT" and before in ENDS_VALUE:
        return Keyword
    return _value(token, after)


def _value(token: Token, after: str) -> _TokenType:
    if token.type in ("TRUE", "FALSE"):
        return Keyword.Constant
    return Name.Function if after == "LPAR" else Name


def _at(lexed: Lexed, index: int) -> str:
    return lexed.tokens[index].type if 0 <= index < len(lexed.tokens) else ""


def _is_word(type_: str) -> bool:
    return type_.isalpha() and type_ not in _FIXED and type_ != "STRING"
