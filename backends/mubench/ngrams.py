"""Runs of words of a text as 64-bit hashes, all of a batch at once.

A text is normalised (NFKC, case folded) and cut into tokens: words are runs of letters, digits and marks; in scripts
that write no spaces (Han, kana, Thai, Lao, Khmer, Burmese) every character is a token. Thirteen words in a row are
the usual sign that a benchmark was read (Brown et al. 2020, appendix C: 13-grams, for short items down to 8). A word of
Chinese has about two characters, so of characters it is 26, down to 16.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import xxhash
from numpy.typing import NDArray

Words = NDArray[np.uint64]

WORDS, FEWEST_WORDS = 13, 8
CHARACTERS, FEWEST_CHARACTERS = 26, 16
UNSPACED: Final = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x19E0, 0x19FF), (0x3005, 0x3007), (0x3040, 0x30FF),
    (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F), (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)  # fmt: skip
_BASE: Final = 0x9E3779B97F4A7C15  # odd, so that its powers have inverses
_MOST: Final = 1 << 20  # words remembered


class _Letters(dict[int, str]):
    """What becomes of a character: itself, itself as a token of its own, or a space."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        kept = unicodedata.category(char)[0] in "LNM"
        self[code] = found = (f" {char} " if is_unspaced(code) else char) if kept else " "
        return found


class _Hashes(dict[str, int]):
    """XXH64 of words, remembered."""

    def __missing__(self, word: str) -> int:
        if len(self) >= _MOST:
            self.clear()
        self[word] = found = xxhash.xxh64_intdigest(word.encode("utf-8", "surrogatepass"))
        return found


_LETTERS, _HASHES = _Letters(), _Hashes()


def is_unspaced(code: int) -> bool:
    """Whether a code point belongs to a script that writes no spaces."""
    return any(low <= code <= high for low, high in UNSPACED)


def tokens(text: str) -> list[str]:
    """The tokens of a text."""
    return unicodedata.normalize("NFKC", text).casefold().translate(_LETTERS).split()


def gram_length(found: Sequence[str]) -> int | None:
    """How many tokens in a row betray an item of these tokens; None where it is too short to be known by them."""
    characters = sum(len(token) == 1 and is_unspaced(ord(token)) for token in found)
    most, fewest = (CHARACTERS, FEWEST_CHARACTERS) if 2 * characters > len(found) else (WORDS, FEWEST_WORDS)
    return None if len(found) < fewest else min(most, len(found))


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Tokens of many texts one after the other: sums of hashes [t + 1], where each begins, and which text each is of.

    With h the hash of a token and P an odd number, sums[j] = sum over i < j of h_i P^i modulo 2^64, so that any run
    has its polynomial hash by one subtraction.
    """

    sums: Words
    text: NDArray[np.int64]
    end: NDArray[np.int64]
    inverse: Words

    def grams(self, length: int) -> tuple[Words, NDArray[np.int64]]:
        """(hash, number of the text) of every run of `length` tokens within one text."""
        count = len(self.text) - length + 1
        if count <= 0:
            return np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.int64)
        starts = np.flatnonzero(self.end[:count] >= np.arange(length, count + length))
        hashes = (self.sums[starts + length] - self.sums[starts]) * self.inverse[starts]
        return hashes, self.text[starts]


def hashed(texts: Iterable[str]) -> Texts:
    """Texts as sums of hashes of their tokens."""
    words: list[str] = []
    ends: list[int] = []
    for text in texts:
        words += tokens(text)
        ends.append(len(words))
    values = np.fromiter(map(_HASHES.__getitem__, words), dtype=np.uint64, count=len(words))
    edges: NDArray[np.int64] = np.array([0, *ends], dtype=np.int64)
    lengths = edges[1:] - edges[:-1]
    sums = np.zeros(len(words) + 1, dtype=np.uint64)
    np.cumsum(values * _powers(_BASE, len(words)), out=sums[1:])
    return Texts(
        sums,
        np.repeat(np.arange(len(ends), dtype=np.int64), lengths),
        np.repeat(edges[1:], lengths),
        _powers(pow(_BASE, -1, 1 << 64), len(words)),
    )


def _powers(base: int, count: int) -> Words:
    """1, base, base^2, … modulo 2^64."""
    factors = np.full(count, base, dtype=np.uint64)
    factors[:1] = 1
    return np.cumprod(factors, dtype=np.uint64)
