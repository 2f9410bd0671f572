"""How documents become levels: what is read of every source, and how scores are merged into one quality.

A plan is made from a recipe once the columns of the data are known, is written into the manifest, and is all that
`mixc run` needs to read documents the same way again. It is plain data, and crosses processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mixc.compiler.documents.data import Wanted

WHOLE = 1 << 16  # weights of a domain sum to this

Normaliser = Literal["rank", "zscore", "minmax"]


@dataclass(frozen=True, slots=True)
class Counting:
    """How tokens are counted: from a column, by a tokenizer, or as UTF-8 bytes times a rate per script."""

    way: Literal["column", "tokenizer", "bytes"]
    name: str = ""
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """How one source is read. `language` and `domain` are what all of it has, None where a column says.

    `paths` are as the recipe states them, seen from its folder. `wanted` names the columns that are read; `text` is the
    column of the texts where there is one, read or not.
    """

    name: str
    paths: tuple[str, ...]
    wanted: Wanted
    counting: Counting
    language: str | None
    domain: str | None
    aliases: tuple[tuple[str, str], ...] = ()
    eos: bool = True
    ids: Literal["unique", "per-file", "shared"] = "unique"
    bad_lines: Literal["error", "skip"] = "error"
    format: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class RaterPlan:
    """A rater as scan uses it; `range` is for the `minmax` normaliser and for counting what lies outside."""

    name: str
    column: str
    better: Literal["higher", "lower"]
    range: tuple[float, float] | None
    missing: Literal["exclude", "worst", "renormalise"]
    scope: Literal["language", "global"]


@dataclass(frozen=True, slots=True)
class Plan:
    """All sources of documents, all raters that a domain weighs, and every rated domain's whole weights."""

    sources: tuple[SourcePlan, ...]
    raters: tuple[RaterPlan, ...]
    weights: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    normalize: Normaliser

    def source(self, name: str) -> SourcePlan:
        """The source of that name."""
        return next(source for source in self.sources if source.name == name)

    def weights_of(self, domain: str) -> tuple[tuple[str, int], ...]:
        """(rater, weight) of a domain; empty for one without raters."""
        return dict(self.weights).get(domain, ())


def whole_weights(weights: Mapping[str, float]) -> tuple[tuple[str, int], ...]:
    """Weights as integers that sum to 65,536 by largest remainder, ties by name; raters of weight zero fall away."""
    positive = {name: weight for name, weight in weights.items() if weight > 0}
    total = sum(positive.values())
    exact = {name: weight / total * WHOLE for name, weight in positive.items()}
    floors = {name: int(value) for name, value in exact.items()}
    left = WHOLE - sum(floors.values())
    for name in sorted(exact, key=lambda name: (floors[name] - exact[name], name))[:left]:
        floors[name] += 1
    return tuple(sorted(floors.items()))
