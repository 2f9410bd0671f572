"""Published sizes of corpora that a recipe without data is planned from; `published.json` restates the catalogs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from mixc.compiler.supply.languages import rates, script


@dataclass(frozen=True, slots=True)
class Corpus:
    """One corpus: what it is `about`, its domain and licence, and by language how many `unit` it has."""

    name: str
    unit: Literal["tokens", "bytes"]
    domain: str
    license: str | None
    about: str
    sizes: Mapping[str, int]

    def tokens(self, code: str) -> float:
        """Tokens of a language, by the rate of its script where bytes are published."""
        size = self.sizes[code]
        return size if self.unit == "tokens" else size * rates(script(code) or "").tokens_per_byte


@cache
def published() -> tuple[Corpus, ...]:
    """What ships; no language is in two of them."""
    text = files("mixc.compiler.starter").joinpath("published.json").read_text(encoding="utf-8")
    return tuple(Corpus(**entry) for entry in json.loads(text))


def known() -> frozenset[str]:
    """Languages that a size is known of."""
    return frozenset(code for corpus in published() for code in corpus.sizes)


def supply(codes: Sequence[str]) -> float:
    """Tokens published of these languages, all of which are known."""
    return sum(corpus.tokens(code) for corpus in published() for code in codes if code in corpus.sizes)
