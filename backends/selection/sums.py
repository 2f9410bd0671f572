"""What every shard says of its cells, as whole numbers: what was seen, what was expected, what was taken.

Expected tokens and their variance are of the draw itself, over uniform hashes: sums over slots of closed forms.
Sums of shards are the sums of the whole, so verification needs no statistics to see that nothing is lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mixc.backends.selection.kernel import Seen
from mixc.backends.selection.slots import FIXED, Slots

HASH_BITS = 60
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
    for slot in seen.documents.nonzero()[0].tolist():
        tokens, squares, largest = int(seen.tokens[slot]), int(seen.squares[slot]), int(seen.largest[slot])
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
        for key, cell in sums.items():
            found[key] = found.get(key, CellSums()) + cell
    return found


def to_rows(sums: Sums) -> list[list[int]]:
    """As a marker holds them: phase, cell, then the figures."""
    return [[*key, *cell.row()] for key, cell in sorted(sums.items())]


def from_rows(rows: Iterable[list[Any]]) -> Sums:
    """The sums that `to_rows` wrote."""
    return {(int(row[0]), int(row[1])): CellSums(*(int(value) for value in row[2:])) for row in rows}
