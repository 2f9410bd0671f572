"""Scores as ordered integers: the top 20 bits of a float32, arranged so that integers compare as the floats do.

Every octave has 2,048 levels, so a lognormal score keeps tens of thousands of them whatever outliers there are, where a
linear grid over the found range would keep a handful (selection.md 1).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BITS = 20
LEVELS = 1 << BITS
SHIFT = 32 - BITS
SIGN = np.uint32(1 << 31)

Levels = NDArray[np.uint32]


def levels(scores: NDArray[np.float32]) -> Levels:
    """The level [n] of every score; -0 and 0 are one level, infinities the outermost. NaN has no meaning here."""
    bits = (scores + np.float32(0.0)).view(np.int32)
    ordered = bits.view(np.uint32) ^ ((bits >> np.int32(31)).view(np.uint32) | SIGN)  # all bits turn where it is set
    return np.asarray(ordered >> np.uint32(SHIFT), dtype=np.uint32)


def middles(which: Levels) -> NDArray[np.float64]:
    """The score in the middle of each level [n]; the outermost finite value for infinities."""
    ordered = (which.astype(np.uint32) << np.uint32(SHIFT)) | np.uint32(1 << (SHIFT - 1))
    bits = np.where(ordered & SIGN, ordered ^ SIGN, ~ordered).astype(np.uint32)
    with np.errstate(invalid="ignore"):
        value = bits.view(np.float32).astype(np.float64)
    most = float(np.finfo(np.float32).max)
    return np.where(np.isnan(value), np.where(ordered & SIGN, most, -most), np.clip(value, -most, most))
