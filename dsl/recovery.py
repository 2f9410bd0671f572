"""Reading on after a mistake, so that one run reports all of them."""

from __future__ import annotations

from typing import NamedTuple

from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.driver import Recogniser
from mixc.dsl.header import read_header
from mixc.dsl.lexer import Lexed
from mixc.dsl.mistake import Mistake

SEPARATORS = frozenset({"_NEWLINE", "COMMA"})
MANY = 100  # mistakes after which the rest is left unread
GO_ON = frozenset({"PLUS", "MINUS", "TIMES", "OVER", "RELATION", "RANGE", "WITHIN", "LBRACE"})
OPENERS = frozenset({"LPAR", "LSQB", "LBRACE"})
CLOSERS = frozenset({"RPAR", "RSQB", "RBRACE"})


class _Place(NamedTuple):
    """Where a statement begins: the index of its first token, and the automaton as it was there."""

    at: int
    automaton: Recogniser


def find_mistakes(lexed: Lexed) -> tuple[list[Diagnostic], list[Mistake]]:
    """What is wrong with the header, and one mistake for each statement that has any.

    A statement that holds a token with a diagnostic of its own is passed over.
    """
    tokens, found = lexed.tokens, list[Mistake]()
    faults, index, automaton = read_header(lexed)
    # For each open bracket, and the file: where its current statement begins, or None when it holds no statements.
    places: list[_Place | None] = [_Place(index, automaton.copy())]
    while index < len(tokens) and len(found) < MANY:
        if not automaton.feed(tokens[index].type):
            while places[-1] is None:
                places.pop()
            start = places[-1]
            end = _end_of_statement(lexed, start.at, index)
            if lexed.bad.isdisjoint(range(start.at, end + 1)):
                found.append(Mistake(lexed, start.at, index, automaton))
            index, automaton = end, start.automaton.copy()
            if not automaton.feed(tokens[index].type):
                break  # the end of the file inside a block, which the brackets have reported
        kind = tokens[index].type
        index += 1
        if kind in OPENERS:
            places.append(_Place(index, automaton.copy()) if automaton.expects_statement else None)
        elif kind in CLOSERS:
            places.pop()
        elif kind in SEPARATORS and places[-1] is not None:
            places[-1] = _Place(index, automaton.copy())
    if faults and found and any(label.span.start == tokens[found[0].start].start for label in faults[0].labels):
        del found[0]  # what stands where the header should is no statement either
    return faults, found


def _end_of_statement(lexed: Lexed, start: int, failed: int) -> int:
    """The index of the token that ends the statement begun at `start`, at or after the one that failed.

    That is a separator outside the statement's own brackets, or the bracket that closes the block around it.
    """
    depth = 0
    for index in range(start, len(lexed.tokens)):
        kind = lexed.tokens[index].type
        if kind in OPENERS:
            depth += 1
        elif kind in CLOSERS:
            depth -= 1
            if depth < 0:
                return index
        elif depth == 0 and index >= failed and kind in SEPARATORS and not _goes_on(lexed, index, failed):
            return index
    return len(lexed.tokens) - 1


def _goes_on(lexed: Lexed, index: int, failed: int) -> bool:
    """Whether the newline that was refused is followed by the rest of its statement: an operator, or its block."""
    return index == failed and lexed.tokens[index].type == "_NEWLINE" and lexed.tokens[index + 1].type in GO_ON
