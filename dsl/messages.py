"""What to say about a token that does not fit."""

from __future__ import annotations

from typing import NamedTuple

from mixc.dsl import errors
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.driver import Recogniser
from mixc.dsl.lexer import Lexed
from mixc.dsl.text import Span


class Mistake(NamedTuple):
    """A statement that begins at token `start` and stops making sense at token `index`."""

    lexed: Lexed
    start: int
    at: int
    automaton: Recogniser


def explain(mistake: Mistake) -> Diagnostic:
    """The diagnostic of a mistake."""
    token = mistake.lexed.tokens[mistake.at]
    fitting = ", ".join(mistake.automaton.fitting())
    return errors.unexpected(f"expected {fitting}", Span(mistake.lexed.source, token.start, token.end), "not here")
