"""Quality scores that follow from the text alone, by rules known from web corpora. Each lies in 0 .. 1.

- `compression`: compressed bytes per byte (zlib, level 9). Repetitive text, lists and menus compress best: higher is
  better. It falls with length and differs between scripts, so it is only good for ranking within a language.
- `punctuation`: the part of the characters that stand in lines ending as a sentence does (C4's rule, per character):
  higher is better. Scripts written without a full stop, such as Thai, score 0 throughout.
- `repeated`: the part of the characters in sentences that occur more than once among the given texts (as Gopher's
  duplicate lines, over a corpus): lower is better.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Sequence
from typing import Final

SENTENCE_END: Final = re.compile(r"[.!?…。！？।॥؟۔։។။፡።][\"'”’»«“)\]）」』]*$")
BETWEEN_SENTENCES: Final = re.compile(r"\n|(?<=[.!?…।॥؟۔։])\s+|(?<=[。！？។။።])\s*")
DIGITS: Final = 6  # of a score as it is written


def compression(text: str) -> float:
    """Compressed bytes per byte, at most 1; 1 for no text."""
    raw = text.encode()
    return round(min(1.0, len(zlib.compress(raw, 9)) / len(raw)), DIGITS) if raw else 1.0


def punctuation(text: str) -> float:
    """The part of the characters in lines that end as a sentence does; 0 for no text."""
    lines = [line.strip() for line in text.splitlines()]
    ending = sum(len(line) for line in lines if SENTENCE_END.search(line))
    return round(ending / max(1, sum(map(len, lines))), DIGITS)


def repeated(texts: Sequence[str]) -> list[float]:
    """Per text, the part of its characters in sentences that occur more than once in all of them."""
    split = [sentences(text) for text in texts]
    seen = Counter(sentence for of in split for sentence in of)
    return [round(sum(len(one) for one in of if seen[one] > 1) / max(1, sum(map(len, of))), DIGITS) for of in split]


def sentences(text: str) -> list[str]:
    """The sentences and lines of a text, without regard to case and spacing."""
    parts = (" ".join(part.split()).casefold() for part in BETWEEN_SENTENCES.split(text))
    return [part for part in parts if part]
