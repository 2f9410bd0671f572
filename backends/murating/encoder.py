"""Encoders: what turns pieces of a text into vectors. A plain description of one, and what a loaded one does.

An encoder is a model of transformers (a folder, or a name on the hub) or comes whole in a package. Its description says
everything that vectors depend on; it crosses processes, and each process loads the encoder once.

A text is cut into consecutive pieces of at most `chunk` tokens, and each piece is encoded alone, so that a vector
depends on its own piece only. The score of a text is the mean over its pieces weighted by their tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vectors: TypeAlias = NDArray[np.float32]
Form: TypeAlias = Literal["package", "transformers"]
Pooling: TypeAlias = Literal["mean", "cls", "max", "lasttoken"]

PRECISIONS = {"cpu": "float32", "cuda": "bfloat16"}


@dataclass(frozen=True, slots=True)
class EncoderSpec:
    """What vectors depend on, and where the encoder lies here (`place`, which they do not depend on).

    `content` is the hash of weights, tokenizer and configuration. `prefix` stands before every piece. `chunk` is the
    most tokens of a piece, `tokens` how many first tokens of a text are read, all where None.
    """

    name: str
    place: str
    form: Form
    content: str
    width: int
    pooling: Pooling
    prefix: str
    normalise: bool
    chunk: int
    tokens: int | None
    device: str = "cpu"

    @property
    def precision(self) -> str:
        """The type of the encoder's numbers."""
        return PRECISIONS[self.device] if self.form == "transformers" else "float32"

    def identity(self) -> tuple[object, ...]:
        """All that vectors depend on."""
        made = (self.form, self.content, self.pooling, self.prefix, self.normalise)
        return (*made, self.chunk, self.tokens, self.precision)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text as its encoder takes it, and how many tokens it has, special ones and prefix not counted."""

    content: Any
    tokens: int


class Encoder(Protocol):
    """A loaded encoder."""

    def pieces(self, texts: Sequence[str]) -> list[list[Piece]]:
        """The pieces of every text, in order; none of a text without tokens."""
        ...

    def vectors(self, pieces: Sequence[Piece]) -> Vectors:
        """One vector for each piece, [n, width]; the same whatever stands beside it, in whatever order."""
        ...

    def unknown(self, texts: Sequence[str]) -> float | None:
        """The share of tokens that stand for what the encoder has no token for; None where it cannot say."""
        ...
