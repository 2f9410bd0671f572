"""The shape of a hand-written message: a sentence, and malformed examples that it speaks of.

Where the automaton stops on an example (its state, the token, the bracket around it) is the key under which the message
is found: an example speaks for every text that goes wrong in the same way. A test asserts that no two sentences claim
one key, and that every example is a mistake.

In a sentence `@found` is the token that does not fit, `@before` the one before it, `@word` the first word of the
statement and `@line` the statement so far. An example stands below a good header, and once more inside a block; with
`~` at its end it is tried before a new line, a comma, a `}` and the end of the file. Examples are separated by `;`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is said about its examples. `behind` points behind the token before, where something is missing."""

    message: str
    label: str
    help: str
    examples: str
    behind: bool = False
