"""Every statistic of one dataset, for the sample and for all of its bootstrap replicates at once.

A statistic is a function of how often each item counts, so the sample (every item once, row 0) and the replicates are
rows of one product with whole numbers, exact in float32. C2 of the method:

    null(d,l) = sum_c P(pred = c) P(gold = c)        within items of equally many options, as chance is elsewhere
    h(d,l)    = max(0, (acc - null) / (1 - null))    0 where null is 1
    TL(l|en)  = P(right in l | right in en) / acc_l  undefined where either is never right
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixc.backends.mubench.agreement import corrected, one_hot, strata
from mixc.backends.mubench.aligned import Aligned
from mixc.backends.mubench.bootstrap import REPLICATES, Counts, Real, counts
from mixc.backends.mubench.tasks import PIVOT, Metric


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Statistics of a dataset: `[R, L]` per language, row 0 the sample, NaN where undefined.

    `mlc`, `kappa`, `both_right`, `same_wrong` are means over all other languages, and averaged over languages they are
    means over pairs. `with_pivot`, `kappa_pivot`, `lift` compare with English; NaN where it was not evaluated.
    `excess` is (acc - null) / (1 - null), of which headroom is the positive part.
    """

    dataset: str
    metric: Metric
    items: int
    languages: tuple[str, ...]
    accuracy: Real
    null: Real
    excess: Real
    mlc: Real
    chance: Real
    kappa: Real
    both_right: Real
    same_wrong: Real
    with_pivot: Real
    kappa_pivot: Real
    lift: Real

    @property
    def headroom(self) -> Real:
        """h(d,l) [R, L]."""
        return np.maximum(self.excess, 0.0)

    def overall(self, name: str) -> Real:
        """The mean over pairs of `mlc`, `both_right` or `same_wrong`, and kappa of the means [R]."""
        if len(self.languages) < 2:
            return np.full(len(self.accuracy), np.nan)
        if name == "kappa":
            return corrected(self.mlc.mean(axis=1), self.chance.mean(axis=1))
        return np.asarray(getattr(self, name).mean(axis=1))


def measure(aligned: Aligned, metric: Metric, replicates: int = REPLICATES) -> Measured:
    """All statistics of a dataset under one metric."""
    weight = counts(aligned.dataset, aligned.size, replicates)
    size, others = aligned.size, len(aligned.languages) - 1
    right = aligned.right(metric)
    alike, alike_right = _company(aligned, metric, right)
    hits = _sums(weight, right)
    null, chance, pivot_chance = _by_chance(aligned, metric, weight)
    accuracy = hits / size
    mlc, both = (
        _sums(weight, values) / (size * others) if others else np.full_like(accuracy, np.nan)
        for values in (alike, alike_right)
    )
    with_pivot, lift = _pivot(aligned, metric, weight, hits)
    return Measured(
        aligned.dataset, metric, size, aligned.languages, accuracy, null, corrected(accuracy, null), mlc, chance,
        corrected(mlc, chance), both, mlc - both, with_pivot, corrected(with_pivot, pivot_chance), lift,
    )  # fmt: skip


def _company(
    aligned: Aligned, metric: Metric, right: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Per language and item how many others chose the same option, and of these how many rightly [L, n]."""
    chosen = aligned.predicted[metric]
    alike = np.zeros(chosen.shape, dtype=np.float32)
    for option in range(int(aligned.options.max())):
        here = chosen == option
        alike += here * (here.sum(axis=0) - 1)
    return alike, right * (right.sum(axis=0) - 1).astype(np.float32)


def _by_chance(aligned: Aligned, metric: Metric, weight: Counts) -> tuple[Real, Real, Real]:
    """null, chance agreement with the mean of the others, and with English [R, L]."""
    rows, languages = len(weight), len(aligned.languages)
    null, chance, pivot = (np.zeros((rows, languages)) for _ in range(3))
    at = aligned.languages.index(PIVOT) if PIVOT in aligned.languages else None
    for items, options in strata(aligned.options):
        part = weight[:, items]
        chosen = one_hot(aligned.predicted[metric][:, items], options).reshape(languages * options, -1)
        shares = (part @ chosen.T).astype(np.float64).reshape(rows, languages, options)
        gold = _sums(part, aligned.gold[items] == np.arange(options, dtype=np.int8)[:, None])
        size = part.sum(axis=1, dtype=np.float64)[:, None]
        scale = np.where(size > 0, 1 / np.maximum(size, 1), 0.0) / aligned.size
        null += np.einsum("rlc,rc->rl", shares, gold) * scale
        if languages > 1:
            rest = shares.sum(axis=1, keepdims=True) - shares
            chance += np.einsum("rlc,rlc->rl", shares, rest) * scale / (languages - 1)
        if at is not None:
            pivot += np.einsum("rlc,rc->rl", shares, shares[:, at]) * scale
    return null, chance if languages > 1 else np.full_like(chance, np.nan), pivot


def _pivot(aligned: Aligned, metric: Metric, weight: Counts, hits: Real) -> tuple[Real, Real]:
    """Agreement with English, and transfer lift [R, L]."""
    if PIVOT not in aligned.languages:
        return np.full_like(hits, np.nan), np.full_like(hits, np.nan)
    at = aligned.languages.index(PIVOT)
    chosen, right = aligned.predicted[metric], aligned.right(metric)
    same = _sums(weight, chosen == chosen[at]) / aligned.size
    both = _sums(weight, right & right[at])
    product = hits * hits[:, [at]]
    defined = product > 0
    return same, np.where(defined, both * aligned.size / np.where(defined, product, 1.0), np.nan)


def _sums(weight: Counts, values: NDArray[np.bool_] | NDArray[np.float32]) -> Real:
    """Weighted sums of values [L, n] over items: [R, L]."""
    return (weight @ values.astype(np.float32).T).astype(np.float64)
