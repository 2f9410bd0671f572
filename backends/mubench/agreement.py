"""Agreement between languages: MLC, what chance makes of it, and what of it is right (B2 of the method).

For languages a, b on items I with predicted options y:

    MLC(a,b) = mean of [y_a = y_b]      E(a,b) = sum_c q_a(c) q_b(c)      kappa = (MLC - E) / (1 - E)
    CC(a,b)  = P(both right)            SW(a,b) = P(both wrong, same option)          MLC = CC + SW

E is taken within items of equally many options and averaged over them: an item of two options is guessed alike more
often than one of ten. Where both always choose one and the same option, E = 1 and kappa is 0: chance explains it all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixc.backends.mubench.aligned import Aligned
from mixc.backends.mubench.bootstrap import Real
from mixc.backends.mubench.samples import Small
from mixc.backends.mubench.tasks import Metric


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Every pair of L languages, each [L, L] and symmetric; the diagonal is a language with itself."""

    dataset: str
    languages: tuple[str, ...]
    mlc: Real
    chance: Real
    kappa: Real
    both_right: Real
    same_wrong: Real


def pairs(aligned: Aligned, metric: Metric) -> Pairs:
    """Agreement of every pair of languages on the items of a dataset."""
    size = aligned.size
    right = aligned.right(metric).astype(np.float32)
    same = np.zeros((len(aligned.languages),) * 2)
    chance = np.zeros_like(same)
    for rows, options in strata(aligned.options):
        chosen = one_hot(aligned.predicted[metric][:, rows], options)  # [L, options, rows]
        for option in range(options):
            same += chosen[:, option] @ chosen[:, option].T
        shares = chosen.sum(axis=2, dtype=np.float64)
        chance += shares @ shares.T / (len(rows) * size)
    both = (right @ right.T).astype(np.float64)
    mlc = same / size
    return Pairs(
        aligned.dataset, aligned.languages, mlc, chance, corrected(mlc, chance), both / size, (same - both) / size
    )


def corrected(agreement: Real, chance: Real) -> Real:
    """kappa = (MLC - E) / (1 - E); 0 where E is 1."""
    room = 1 - chance
    certain = room <= 1e-12
    return np.asarray(np.where(certain, 0.0, (agreement - chance) / np.where(certain, 1.0, room)))


def relative(mlc: float | None, accuracies: Real) -> float | None:
    """Rel-MLC = MLC / mean accuracy. 1 for guessing and for perfection alike: never a ground for decisions."""
    mean = float(accuracies.mean()) if len(accuracies) else 0.0
    return mlc / mean if mlc is not None and mean > 0 else None


def strata(options: Small) -> Iterator[tuple[NDArray[np.int64], int]]:
    """(rows, number of options) of the items that have equally many."""
    for count in np.unique(options).tolist():
        yield np.flatnonzero(options == count), int(count)


def one_hot(chosen: Small, options: int) -> NDArray[np.float32]:
    """Predictions [L, n] as indicators [L, options, n]."""
    return np.asarray(chosen[:, None, :] == np.arange(options, dtype=np.int8)[None, :, None], dtype=np.float32)
