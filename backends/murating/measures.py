"""How well a rater orders pairs that it has not seen, and how far its certainty can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixc.backends.murating.loss import Reals, sigma
from mixc.backends.murating.pair_files import PairTable
from mixc.backends.murating.pairs import KINDS

BINS = 10


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Of `pairs` pairs that votes decide, the share that the rater orders as they do; a tie of scores is half right."""

    pairs: int
    right: float


@dataclass(frozen=True, slots=True)
class Measures:
    """Accuracy by kind, and by language over pairs within it; calibration; mean score of better less worse texts."""

    kinds: dict[str, Accuracy]
    languages: dict[str, Accuracy]
    calibration: float
    separation: float


def measure(scores: Reals, table: PairTable, rows: NDArray[np.intp]) -> Measures:
    """All of it over some pairs, of scores [m] of texts."""
    rows = rows[table.p[rows] != 0.5]
    d = scores[table.a[rows]] - scores[table.b[rows]]
    p, kinds = table.p[rows], table.kind[rows]
    languages = table.languages[table.a[rows]]
    within = kinds == KINDS.index("mono")
    towards = d * np.sign(p - 0.5)
    chosen = towards[within] if within.any() else towards
    return Measures(
        {kind: accuracy(d[mine], p[mine]) for i, kind in enumerate(KINDS) if (mine := kinds == i).any()},
        {
            language: accuracy(d[mine], p[mine])
            for language in sorted(set(languages[within].tolist()))
            for mine in [within & (languages == language)]
        },
        calibration_error(d, p),
        float(chosen.mean()) if len(chosen) else 0.0,
    )


def accuracy(d: Reals, p: Reals) -> Accuracy:
    """Of pairs with differences d [n] and targets p [n], none of them 1/2."""
    right = np.where(d == 0, 0.5, (d > 0) == (p > 0.5))
    return Accuracy(len(d), float(right.mean()) if len(d) else 0.0)


def calibration_error(d: Reals, p: Reals) -> float:
    """Expected calibration error: over ten bins of sigma(|d|), the mean of |certainty - share of votes|, by size.

    The share of votes is that for the text with the higher score; swapping the texts of a pair changes nothing.
    """
    if not len(d):
        return 0.0
    certain = sigma(np.abs(d))
    votes = np.where(d == 0, 0.5, np.where(d > 0, p, 1 - p))
    bins = np.minimum(((certain - 0.5) * 2 * BINS).astype(np.intp), BINS - 1)
    total = 0.0
    for number in range(BINS):
        mine = bins == number
        if mine.any():
            total += float(mine.sum()) * abs(float(certain[mine].mean()) - float(votes[mine].mean()))
    return total / len(d)
