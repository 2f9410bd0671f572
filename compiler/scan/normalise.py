"""Normaliser tables: from a rater's level to one of 65,536 steps, 65,535 = best. Fitted once, from merged histograms.

Fitting uses integers, or sums in one fixed order, so that the same documents give the same tables on any machine. Once
fitted they are frozen: documents that come later are measured by the same tables, until `mixc scan --refit`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixc.compiler.scan.ordered import middles
from mixc.compiler.scan.plan import Normaliser, Plan, RaterPlan
from mixc.compiler.scan.profile import NOTHING, Profile, Sparse
from mixc.compiler.scan.runs import merged

STEPS = 1 << 16
TOP = STEPS - 1
FAR = 8.0  # standard deviations at which z-scores are clipped
TAIL = 1000  # one in so many documents lies outside the range that minmax finds for itself, at either end
TELLING = 1000  # documents
EVERY = "*"  # the language of a table that holds for all

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Steps by level, as a stair: from `levels[i]` on, up to the next, the step is `steps[i]`; below the first, too.

    `documents` are those that it was fitted on, by level.
    """

    levels: Ints
    steps: Ints
    documents: Ints

    def dense(self, low: int, high: int) -> NDArray[np.uint16]:
        """The step of every level from `low`, its first or lower, to `high`, its last or higher."""
        widths = np.diff(np.concatenate([[low], self.levels[1:], [high + 1]]))
        return np.asarray(np.repeat(self.steps.astype(np.uint16), widths))


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """Every rater's tables by (rater, language), under `*` for raters of global scope."""

    normaliser: Normaliser
    tables: Mapping[tuple[str, str], Table]

    def of(self, rater: str, language: str) -> Table | None:
        """The table for a rater's scores in a language; None where the rater has none there."""
        return self.tables.get((rater, language)) or self.tables.get((rater, EVERY))

    @property
    def hash(self) -> str:
        """SHA-256 of the content, whatever file it lies in."""
        return self.hash_for(None)

    def hash_for(self, languages: Set[str] | None) -> str:
        """The same of the tables that measure some languages alone; of all for None."""
        digest = hashlib.sha256(self.normaliser.encode())
        for (rater, language), table in sorted(self.tables.items()):
            if languages is not None and language != EVERY and language not in languages:
                continue
            digest.update(f"\n{rater}\t{language}\t{len(table.levels)}\n".encode())
            digest.update(table.levels.astype("<i8").tobytes() + table.steps.astype("<i8").tobytes())
        return digest.hexdigest()


def fit(plan: Plan, profile: Profile) -> Tables:
    """Tables of all raters from the profile of all documents."""
    tables: dict[tuple[str, str], Table] = {}
    for rater in plan.raters:
        by_language = {language: sparse for (name, language), sparse in profile.scores.items() if name == rater.name}
        scopes = by_language if rater.scope == "language" else {EVERY: _sum(by_language.values())}
        for language, sparse in scopes.items():
            if len(sparse[0]):
                tables[rater.name, language] = fitted(plan.normalize, rater, sparse)
    return Tables(plan.normalize, tables)


def fitted(normaliser: Normaliser, rater: RaterPlan, sparse: Sparse) -> Table:
    """The table of one histogram."""
    levels, counts = sparse
    match normaliser:
        case "rank":
            steps = _ranks(counts)
        case "minmax":
            steps = _between(middles(levels.astype(np.uint32)), rater.range or _quantiles(levels, counts))
        case "zscore":
            steps = _scores(middles(levels.astype(np.uint32)), counts)
    return Table(levels, TOP - steps if rater.better == "lower" else steps, counts)


def _ranks(counts: Ints) -> Ints:
    """(average tie rank - 1) / n as a step: a level's documents share the middle of the places they take."""
    before = np.cumsum(counts) - counts
    total = int(counts.sum())
    return np.asarray((2 * before + counts - 1) * STEPS // (2 * total), dtype=np.int64)


def _between(values: NDArray[np.float64], ends: tuple[float, float]) -> Ints:
    low, high = ends
    inside = np.clip((values - low) / (high - low), 0.0, 1.0) if high > low else np.full(len(values), 0.5)
    return np.asarray(np.rint(inside * TOP), dtype=np.int64)


def _quantiles(levels: Ints, counts: Ints) -> tuple[float, float]:
    """The scores between which all but a thousandth of the documents lie, at either end."""
    ends = np.cumsum(counts)
    total = int(ends[-1])
    low = levels[np.searchsorted(ends, total // TAIL, side="right")]
    high = levels[np.searchsorted(ends, total - 1 - total // TAIL, side="right")]
    pair = middles(np.array([low, high], dtype=np.uint32))
    return float(pair[0]), float(pair[1])


def _scores(values: NDArray[np.float64], counts: Ints) -> Ints:
    total = int(counts.sum())
    mean = math.fsum((values * counts).tolist()) / total
    spread = math.sqrt(math.fsum(((values - mean) ** 2 * counts).tolist()) / total)
    z = np.clip((values - mean) / spread, -FAR, FAR) if spread > 0 else np.zeros(len(values))
    return np.asarray(np.rint((z + FAR) / (2 * FAR) * TOP), dtype=np.int64)


def _sum(histograms: Iterable[Sparse]) -> Sparse:
    return merged([NOTHING, *histograms])


def stability(whole: Sparse, table: Table) -> float:
    """Population stability index of the documents that came after a table was fitted, against those it was fitted on.

    sum (p - q) ln(p / q) over the deciles of the latter; above 0.1 a drift that is worth a refit. 0 where too few came
    to tell: of n that did not drift, the index is 9 / n on average.
    """
    places = np.searchsorted(table.levels, whole[0], side="right") - 1
    fresh = whole[1].copy()
    known = (places >= 0) & (table.levels[np.maximum(places, 0)] == whole[0])
    fresh[known] = np.maximum(fresh[known] - table.documents[places[known]], 0)
    if fresh.sum() < TELLING:
        return 0.0
    before = np.cumsum(table.documents) - table.documents
    decile = before * 10 // int(table.documents.sum())
    was = np.bincount(decile, weights=table.documents, minlength=10) / table.documents.sum()
    now = np.bincount(decile[np.maximum(places, 0)], weights=fresh, minlength=10) / fresh.sum()
    p, q = np.maximum(now, 1e-4), np.maximum(was, 1e-4)
    return float(((p - q) * np.log(p / q)).sum())
