"""Paired bootstrap over items: how often each item is drawn, the same for every language.

Draws come from a counter and a mixing function (SplitMix64, Steele et al. 2014), not from a library's generator: they
are the same on every machine and with every version.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import xxhash
from numpy.typing import NDArray

Real = NDArray[np.float64]
Counts = NDArray[np.float32]

REPLICATES: Final = 1000
SEED: Final = 2506
LEVEL: Final = 0.95
_GOLDEN, _FIRST, _SECOND = (np.uint64(x) for x in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_ROWS: Final = 128  # replicates at once


def counts(name: str, items: int, replicates: int = REPLICATES, seed: int = SEED) -> Counts:
    """How often each item is drawn [replicates + 1, items]; row 0 is every item once, the sample itself.

    Whole numbers in float32, exact up to 2^24 for any sum of a few thousand items.
    """
    table = np.ones((replicates + 1, items), dtype=np.float32)
    key = np.uint64(xxhash.xxh64_intdigest(name.encode(), seed))
    for start in range(0, replicates, _ROWS):
        rows = min(_ROWS, replicates - start)
        counter = np.arange(start * items + 1, (start + rows) * items + 1, dtype=np.uint64)
        drawn = ((_mixed(key + counter * _GOLDEN) >> np.uint64(32)) * np.uint64(items)) >> np.uint64(32)
        places = drawn.astype(np.int64).reshape(rows, items) + np.arange(rows)[:, None] * items
        table[1 + start : 1 + start + rows] = np.bincount(places.ravel(), minlength=rows * items).reshape(rows, items)
    return table


def interval(values: Real) -> tuple[float, float] | None:
    """The middle 95 % of the replicates of a statistic [replicates + 1], whose row 0 is no replicate.

    None where it is undefined in more than one of twenty replicates.
    """
    defined = values[1:][~np.isnan(values[1:])]
    if len(values) < 2 or len(defined) < LEVEL * (len(values) - 1):
        return None
    low, high = np.quantile(defined, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return float(low), float(high)


def deviation(values: Real) -> float:
    """The standard error of a statistic: the standard deviation of its replicates, [replicates + 1] as above."""
    defined = values[1:][~np.isnan(values[1:])]
    return float(defined.std(ddof=1)) if len(defined) > 1 else float("nan")


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    words ^= words >> np.uint64(30)
    words *= _FIRST
    words ^= words >> np.uint64(27)
    words *= _SECOND
    words ^= words >> np.uint64(31)
    return words
