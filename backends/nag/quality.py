"""A target's distance and a score of quality in one ranking: both scaled to 0 .. 1 over the documents, and added.

    combined = (d - min d) / (max d - min d) + quality,    quality q' = (q - min q) / (max q - min q) where lower is
                                                           better, 1 - q' where higher is

Lower is better. What is the same for all documents says nothing and is 0 (quality that is: 1 where higher is better).
Documents without a score of quality are no candidates, nor do their tokens count (the authors' `rank_with_quality`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mixc.backends.nag.cut import Cut, Mask, Ranked, budget_of, find_cut, histogram, kept
from mixc.backends.nag.messages import nothing_fits
from mixc.backends.nag.scored import Scored
from mixc.dsl.diagnostics import Diagnostic

Floats: TypeAlias = NDArray[np.float64]
Judged: TypeAlias = tuple[Scored, Floats]
"""Documents, and their scores of quality [n]; NaN where there is none."""
Pass: TypeAlias = Callable[[], Iterable[Judged]]
Better: TypeAlias = Literal["higher", "lower"]

LEVELS = 1 << 16  # per unit of the combined score; inside a level the score itself decides, so it changes nothing


@dataclass(frozen=True, slots=True)
class Combined:
    """How documents are ranked: the ends of both scales, for the target of number `target`."""

    target: int
    better: Better
    scores: tuple[int, int]
    quality: tuple[float, float]

    def of(self, documents: Judged) -> Floats:
        """The combined score [n], 0 to 2, lower = better; NaN where there is no score of quality."""
        scored, quality = documents
        (worst, best), (low, high) = self.scores, self.quality
        distance = (best - scored.scores[:, self.target]) / (best - worst or 1)
        scaled = (quality - low) / (high - low or 1.0)
        return distance + (1.0 - scaled if self.better == "higher" else scaled)

    def ranked(self, documents: Judged) -> Ranked:
        """Where the documents stand."""
        combined = self.of(documents)
        known = np.isfinite(combined)
        level = np.where(known, np.floor((2.0 - np.where(known, combined, 2.0)) * LEVELS), -1).astype(np.int64)
        return Ranked(documents[0].ids, level, documents[0].tokens, combined)


@dataclass(frozen=True, slots=True)
class QualitySelection:
    """A decision for every document."""

    combined: Combined
    budget: int
    cut: Cut

    def taken(self, documents: Judged) -> Mask:
        """Which documents are taken, [n]."""
        return kept(self.cut, self.combined.ranked(documents))


def select_with_quality(
    documents: Pass, fraction: float, better: Better, target: int = 0
) -> tuple[QualitySelection, list[Diagnostic]]:
    """The selection of a fraction of the tokens of all documents with a score of quality, in three passes.

    Raises `Unreadable` for a fraction that cannot be.
    """
    tokens, ends = 0, []
    for scored, quality in documents():
        known = np.isfinite(quality)
        tokens += int(scored.tokens[known].sum())
        if known.any():
            mine, q = scored.scores[known, target], quality[known]
            ends.append((int(mine.min()), int(mine.max()), float(q.min()), float(q.max())))
    budget = budget_of(tokens, fraction)
    worst, best, low, high = zip(*ends, strict=True)
    combined = Combined(target, better, (min(worst), max(best)), (min(low), max(high)))
    found = histogram(combined.ranked(part) for part in documents())
    cut = find_cut(found, budget, lambda: (combined.ranked(part) for part in documents()))
    fits = cut.level < 0 or cut.id is not None or found[cut.level + 1 :].any()
    return QualitySelection(combined, budget, cut), [] if fits else [nothing_fits(budget)]
