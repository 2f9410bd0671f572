"""Adding up what has equal keys by sorting: memory goes with the rows at hand, not with the keys that there may be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

ROWS = 1 << 20  # rows that wait before they are sorted
PLACE_BITS = 22  # of a row among those sorted at once
KEY_BITS = 63 - PLACE_BITS


def starts_of(ordered: NDArray[Any]) -> Ints:
    """Where each run of equal values begins."""
    new = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    return np.flatnonzero(new)


def lengths_of(starts: Ints, rows: int) -> Ints:
    """How long runs are that begin at `starts`; the last ends at `rows`."""
    return np.diff(starts, append=rows)


def in_order(keys: Ints) -> tuple[Ints, Ints]:
    """(keys sorted, the row of each), for keys [n] of 0 <= key < 2^41.

    Few enough rows are packed into one word with their keys: sorting words is several times as fast as `argsort`.
    """
    if len(keys) >> PLACE_BITS or (len(keys) and int(keys.max()) >> KEY_BITS):
        rows = np.argsort(keys, kind="stable")
        return keys[rows], rows
    packed = keys << PLACE_BITS
    packed |= np.arange(len(keys))
    packed.sort()
    return packed >> PLACE_BITS, packed & ((1 << PLACE_BITS) - 1)


def counted(keys: NDArray[Any]) -> tuple[Ints, Ints]:
    """(distinct keys, ascending, how often each occurs)."""
    ordered = np.sort(keys)
    starts = starts_of(ordered)
    return ordered[starts].astype(np.int64), lengths_of(starts, len(ordered))


def merged(parts: Sequence[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
    """(distinct keys, ascending, sum of amounts) of several such pairs."""
    if len(parts) == 1:
        return parts[0]
    keys, rows = in_order(np.concatenate([part[0] for part in parts]))
    starts = starts_of(keys)
    amounts = np.concatenate([part[1] for part in parts]).take(rows)
    return keys[starts], np.add.reduceat(amounts, starts) if len(starts) else amounts
