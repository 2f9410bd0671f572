"""Selections for one target or several, as a fraction of the tokens of all documents.

Several targets share the budget by their weights, and may want the same documents:

    keep    each target takes its share of the budget, a document that several take counts for each (the paper)
    drop    the same, a document is taken once, so that less than the budget is used (the authors' `--deduplicate`)
    refill  every target goes deeper into its own ranking, all by the same factor, until what any of them takes fills
            the budget

With `refill` document x stands at  min_m T_m(x) / w_m,  T_m the tokens of documents that target m likes at least as
much. None of it depends on the order of targets or documents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias

import numpy as np

from mixc.backends.nag.cut import Cut, Ranked, added, budget_of, find_cut, histogram, kept, written
from mixc.backends.nag.features import Counts
from mixc.backends.nag.messages import bad_weights, nothing_fits
from mixc.backends.nag.scored import Scored
from mixc.compiler.documents.data import Unreadable
from mixc.dsl.diagnostics import Diagnostic

Overlap: TypeAlias = Literal["keep", "drop", "refill"]
Pass: TypeAlias = Callable[[], Iterable[Scored]]


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """A decision for every document: `taken` of it alone says whether it is in, for which targets.

    `places` are the positions [highest score + 1] of a target's scores in the common ranking, of `refill` only.
    """

    overlap: Overlap
    budget: int
    cuts: tuple[Cut, ...]
    places: tuple[Counts, ...] = ()

    def copies(self, documents: Scored) -> Counts:
        """How often each document is taken, int64 [n]: 0 or 1, with `keep` up to the number of targets."""
        if self.places:
            return kept(self.cuts[0], _common(documents, self.places)).astype(np.int64)
        taken = np.zeros(len(documents.ids), dtype=np.int64)
        for m, cut in enumerate(self.cuts):
            taken += kept(cut, _single(documents, m))
        return np.minimum(taken, 1) if self.overlap == "drop" else taken


def select(
    documents: Pass, fraction: float, weights: Sequence[float] = (1.0,), overlap: Overlap = "refill"
) -> tuple[Selection, list[Diagnostic]]:
    """The selection of a fraction of all tokens for targets with these weights, of any sum.

    Passes over the scores: one, and one more for every level that is cut; with `refill` three. Raises `Unreadable` for
    a fraction or weights that cannot be.
    """
    if not all(0 < weight < np.inf for weight in weights):
        raise Unreadable(bad_weights([f"target {m + 1}" for m in range(len(weights))], weights))
    tokens, found = 0, [np.zeros(1, dtype=np.int64) for _ in weights]
    for part in documents():
        tokens += int(part.tokens.sum())
        found = [added(one, part.scores[:, m], part.tokens) for m, one in enumerate(found)]
    whole = budget_of(tokens, fraction)
    if overlap == "refill" and len(weights) > 1:
        places = _places(found, weights)
        common = histogram(_common(part, places) for part in documents())
        cut = find_cut(common, whole, lambda: (_common(part, places) for part in documents()))
        return Selection(overlap, whole, (cut,), places), _told((cut,), (common,), (whole,))
    total = sum(map(written, weights))
    budgets = [budget_of(tokens, fraction, written(weight) / total) for weight in weights]
    cuts = tuple(
        find_cut(one, budget, partial(_singles, documents, m))
        for m, (one, budget) in enumerate(zip(found, budgets, strict=True))
    )
    return Selection(overlap, whole, cuts), _told(cuts, found, budgets)


def _singles(documents: Pass, target: int) -> Iterator[Ranked]:
    return (_single(part, target) for part in documents())


def _single(documents: Scored, target: int) -> Ranked:
    return Ranked(documents.ids, documents.scores[:, target], documents.tokens)


def _common(documents: Scored, places: Sequence[Counts]) -> Ranked:
    level = np.max([of[documents.scores[:, m]] for m, of in enumerate(places)], axis=0)
    return Ranked(documents.ids, level, documents.tokens)


def _places(found: Sequence[Counts], weights: Sequence[float]) -> tuple[Counts, ...]:
    """Positions by score, the higher the better, on one scale of T_m / w_m for all targets."""
    depths = []
    for tokens, weight in zip(found, weights, strict=True):
        filled = tokens[::-1][tokens[::-1] > 0]
        depths.append(np.append(0, np.cumsum(filled)) / weight)
    scale = np.unique(np.concatenate(depths))
    places = []
    for tokens, depth in zip(found, depths, strict=True):
        steps = np.cumsum(tokens[::-1] > 0)[::-1]  # scores with tokens, from the best to this one
        places.append((len(scale) - 1 - np.searchsorted(scale, depth))[steps])
    return tuple(places)


def _told(cuts: Sequence[Cut], found: Sequence[Counts], budgets: Sequence[int]) -> list[Diagnostic]:
    return [
        nothing_fits(budget)
        for cut, tokens, budget in zip(cuts, found, budgets, strict=True)
        if cut.level >= 0 and cut.id is None and not tokens[cut.level + 1 :].any()
    ]
