"""What every shard says of its cells, as whole numbers: what was seen, what was expected, what was taken.

Expected tokens and their variance are of the draw itself, over uniform hashes: sums over slots of closed forms.
Sums of shards are the sums of the whole, so verification needs no statistics to see that nothing is lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixc.backends.selection.kernel import Seen
from mixc.backends.selection.slots import FIXED, Slots

Ints = NDArray[np.int64]

HASH_BITS = 60
LIMB, LIMBS = 21, (1 << 21) - 1
SHARE = 32  # binary places of the part of a slot's hashes that a segment takes


@dataclass(frozen=True, slots=True)
class CellSums:
    """One cell in one phase: tokens `expected` in units of 2^-32, their `variance` in units of 2^-64 tokens squared,
    the `largest` number of tokens that one document may give, and `documents` and `tokens` that were taken.
    """

    expected: int = 0
    variance: int = 0
    largest: int = 0
    documents: int = 0
    tokens: int = 0

    def __add__(self, other: CellSums) -> CellSums:
        return CellSums(
            self.expected + other.expected,
            self.variance + other.variance,
            max(self.largest, other.largest),
            self.documents + other.documents,
            self.tokens + other.tokens,
        )

    def row(self) -> list[int]:
        """As a marker holds it."""
        return [self.expected, self.variance, self.largest, self.documents, self.tokens]


Sums = dict[tuple[int, int], CellSums]  # by phase and cell


def expectations(slots: Slots, seen: Seen) -> Sums:
    """What the documents seen are expected to give, by phase and cell."""
    found: Sums = {}
    used = seen.documents > 0
    alone = np.diff(slots.first) == 1
    alone[list(seen.huge)] = False
    for phase in range(len(slots.phases)):
        found |= _of_whole_levels(slots, seen, phase, slots.first[:-1][used & alone])
    for slot in np.flatnonzero(used & ~alone).tolist():
        squares = (int(seen.high[slot]) << 32) + int(seen.low[slot]) + seen.huge.get(slot, 0)
        tokens, largest = int(seen.tokens[slot]), int(seen.largest[slot])
        for s in range(int(slots.first[slot]), int(slots.first[slot + 1])):
            part = (int(slots.high[s]) - int(slots.low[s])) >> (HASH_BITS - SHARE)
            copies = [int(c) for c in slots.copies[s]]
            for phase in range(len(slots.phases)):
                if copies[phase + 1] == copies[phase]:
                    continue
                mean, second, most = moments(copies[phase], copies[phase + 1])
                expected = tokens * mean * part >> SHARE
                variance = squares * (second * part - ((mean * part) ** 2 >> 2 * SHARE))
                key = (phase, int(slots.cell[s]))
                found[key] = found.get(key, CellSums()) + CellSums(expected, variance, largest * most)
    return found


def _of_whole_levels(slots: Slots, seen: Seen, phase: int, rows: Ints) -> Sums:
    """The same of segments [rows] that take all hashes of a slot, in arrays: the variance is then p (1 - p).

    p is the probability of the copy that not all documents have: the difference of C before and after, less the whole.
    """
    copies = slots.copies[rows, phase : phase + 2]
    rows, copies = rows[copies[:, 0] != copies[:, 1]], copies[copies[:, 0] != copies[:, 1]]
    whole, part = np.diff(copies >> FIXED)[:, 0], np.diff(copies & ((1 << FIXED) - 1))[:, 0]
    varied = np.abs(part) * ((1 << FIXED) - np.abs(part))
    cell, slot, count = slots.cell[rows].astype(np.int64), slots.slot[rows], len(slots.cells)
    expected = exact_products(cell, count, seen.tokens[slot], np.diff(copies)[:, 0])
    low, high = (exact_products(cell, count, word[slot], varied) for word in (seen.low, seen.high))
    most = np.zeros(count, dtype=np.int64)
    np.maximum.at(most, cell, seen.largest[slot] * (whole + (part > 0)))
    there = np.flatnonzero(np.bincount(cell, minlength=count)).tolist()
    return {(phase, c): CellSums(expected[c], low[c] + (high[c] << 32), int(most[c])) for c in there}


def exact_products(where: Ints, count: int, one: Ints, other: Ints) -> list[int]:
    """Sums [count] of one * other, whole numbers from 0 to 2^63, by place: limbs of 21 bits, so that no sum overflows.

    A place may have up to 2^21 rows.
    """
    found = [0] * count
    limbs = [-(-int(numbers.max(initial=0)).bit_length() // LIMB) for numbers in (one, other)]
    for i in range(limbs[0]):
        for j in range(limbs[1]):
            sums = np.zeros(count, dtype=np.int64)
            np.add.at(sums, where, (one >> LIMB * i & LIMBS) * (other >> LIMB * j & LIMBS))
            found = [whole + (part << LIMB * (i + j)) for whole, part in zip(found, sums.tolist(), strict=True)]
    return found


def moments(before: int, after: int) -> tuple[int, int, int]:
    """(mean, mean square, most) of the copies N(after) - N(before), in units of 2^-32, 2^-32 and one."""
    fraction = (1 << FIXED) - 1
    whole = (after >> FIXED) - (before >> FIXED)
    low, high = before & fraction, after & fraction
    mean = after - before
    second = (whole * whole << FIXED) + 2 * whole * (high - low) + abs(high - low)
    return mean, second, whole + (high > low)


def total(many: Iterable[Sums]) -> Sums:
    """The sum of sums."""
    found: Sums = {}
    for sums in many:
        add(found, sums)
    return found


def add(sums: Sums, more: Sums) -> None:
    """Add sums to others, in place."""
    for key, cell in more.items():
        sums[key] = sums[key] + cell if key in sums else cell


def to_rows(sums: Sums) -> list[list[int]]:
    """As a marker holds them: phase, cell, then the figures."""
    return [[*key, *cell.row()] for key, cell in sorted(sums.items())]


def from_rows(rows: Iterable[list[Any]]) -> Sums:
    """The sums that `to_rows` wrote."""
    return {(int(row[0]), int(row[1])): CellSums(*(int(value) for value in row[2:])) for row in rows}
