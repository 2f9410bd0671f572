"""From levels to ranks: a document's quality is its token percentile by merged level within its (language, domain).

Ranks are whole tokens: level l takes the places [start, end) of `total`, best first. Where a bucket's edge falls inside
a level, documents of the level are divided by their own hash, so that buckets hold their percentages whatever ties
there are (selection.md 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mixc.compiler.problem import InfoLaw
from mixc.compiler.scan.catalog import Catalog
from mixc.compiler.scan.counts import LevelCounts
from mixc.compiler.scan.labels import Key

FEW = 10_000  # documents; a group of fewer takes the ranks of its whole language
HASHES = 1 << 60

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Where every level stands, best first: `levels` descend, level l takes places [ends[l-1], ends[l]) of tokens."""

    levels: Ints
    ends: Ints

    @property
    def total(self) -> int:
        """All tokens that are ranked."""
        return int(self.ends[-1])

    @property
    def starts(self) -> Ints:
        """The first place of every level."""
        return np.concatenate([[0], self.ends[:-1]])

    def places(self, levels: Ints) -> Ints:
        """The index of every given level; each is in the ranking."""
        return np.searchsorted(-self.levels, -levels)


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Levels cut at the buckets' edges: segment s is part [low, high) of 2^60 of the hashes of level index `place`.

    `begin` and `end` are its places in tokens. Sorted by place, then by bucket.
    """

    place: Ints
    bucket: Ints
    begin: Ints
    end: Ints
    low: NDArray[np.uint64]
    high: NDArray[np.uint64]


def rankings(catalog: Catalog) -> dict[Key, Ranking]:
    """The ranking of every rated (language, domain), over all sources."""
    rated = dict(catalog.plan.weights)
    pooled: dict[Key, LevelCounts] = {}
    for (_, language, domain), counts in sorted(catalog.groups.items()):
        if domain in rated:
            key = (language, domain)
            pooled[key] = pooled[key] + counts if key in pooled else counts
    spoken: dict[str, LevelCounts] = {}
    for (language, _), counts in pooled.items():
        spoken[language] = spoken[language] + counts if language in spoken else counts
    whole = {language: ranking(counts) for language, counts in spoken.items()}
    return {key: ranking(counts) if counts.documents.sum() >= FEW else whole[key[0]] for key, counts in pooled.items()}


def ranking(counts: LevelCounts) -> Ranking:
    """Levels in order of quality."""
    return Ranking(counts.levels[::-1].copy(), np.cumsum(counts.tokens[::-1]))


@lru_cache(maxsize=4)  # small groups of one language share a ranking
def segments(found: Ranking, edges: tuple[float, ...]) -> Segments:
    """All levels of a ranking, cut where an edge falls inside one. `edges` are upper ranks, the last is 1."""
    cuts = np.array([int(edge * found.total) for edge in _exact(edges[:-1])], dtype=np.int64)
    starts, ends = found.starts, found.ends
    first = np.searchsorted(cuts, starts, side="right")
    last = np.searchsorted(cuts, ends, side="left")
    count = last - first + 1
    place = np.repeat(np.arange(len(ends)), count)
    bucket = first[place] + np.arange(len(place)) - np.repeat(np.cumsum(count) - count, count)
    low_cut = np.concatenate([[0], cuts])[bucket]
    high_cut = np.concatenate([cuts, [found.total]])[bucket]
    begin, end = np.maximum(starts[place], low_cut), np.minimum(ends[place], high_cut)
    low, high = np.zeros(len(place), dtype=np.uint64), np.full(len(place), HASHES, dtype=np.uint64)
    for s in np.flatnonzero(count[place] > 1).tolist():
        start, width = int(starts[place[s]]), int(ends[place[s]] - starts[place[s]])
        low[s] = HASHES * (int(begin[s]) - start) // width
        high[s] = HASHES * (int(end[s]) - start) // width
    return Segments(place, bucket, begin, end, low, high)


@lru_cache(maxsize=4)
def _exact(edges: tuple[float, ...]) -> tuple[Fraction, ...]:
    """Edges as they are written."""
    return tuple(Fraction(repr(edge)) for edge in edges)


def shares(found: Ranking, cut: Segments, counts: LevelCounts) -> Ints:
    """Tokens [segments] of one source's group: a level's tokens by the parts of its places, exact in sum."""
    held = np.zeros(len(found.levels), dtype=np.int64)
    held[found.places(counts.levels)] = counts.tokens
    tokens = held[cut.place]
    for s in np.flatnonzero((cut.low > 0) | (cut.high < HASHES)).tolist():
        start = int(found.starts[cut.place[s]])
        width = int(found.ends[cut.place[s]]) - start
        mine = int(held[cut.place[s]])
        tokens[s] = mine * (int(cut.end[s]) - start) // width - mine * (int(cut.begin[s]) - start) // width
    return tokens


def densities(found: Ranking, law: InfoLaw) -> NDArray[np.float64]:
    """InfoLaw's density of every level: the mean of its step function over the ranks that the level covers."""
    edges = np.array((0.0, *law.edges))
    steps = np.exp(-law.theta * np.arange(len(law.edges)))
    integral = np.concatenate([[0.0], np.cumsum(np.diff(edges) * steps)])
    ranks = np.concatenate([[0], found.ends]) / found.total
    return np.asarray(np.diff(np.interp(ranks, edges, integral)) / np.diff(ranks))


def coarse(found: Ranking, edges: tuple[float, ...]) -> float:
    """The largest share of the narrowest bucket it touches that one level fills: above 1/2 a rater is too coarse."""
    cut = segments(found, edges)
    widths = np.diff(np.concatenate([[0.0], edges]))
    weight = np.diff(np.concatenate([[0], found.ends]))[cut.place] / found.total
    return float((weight / widths[cut.bucket]).max())


def per_bucket(tokens: Ints, cut: Segments, buckets: int) -> Ints:
    """Sums [buckets] of the tokens of every segment."""
    sums = np.zeros(buckets, dtype=np.int64)
    np.add.at(sums, cut.bucket, tokens)
    return sums


def by_source(catalog: Catalog, key: Key) -> Mapping[str, LevelCounts]:
    """The counts of a (language, domain) in every source that holds any."""
    return {source: counts for (source, *rest), counts in catalog.groups.items() if tuple(rest) == key}
