"""`mixc run --exact`: two maps over the documents that find, for every cell and phase, where tokens reach the target.

The first counts tokens by the position at which documents take their next copy, in bins; the second fetches the few
documents of the bins in which a target lies, and there the cut is found exactly. Both are sums over documents, so the
cuts depend on nothing else. Positions are binned in floating point, but near an edge of a bin in whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mixc.backends.selection.cuts import SCALE, idle_slots, position
from mixc.backends.selection.kernel import Drawer
from mixc.backends.selection.shard import Selection, Task, Work, loaded_by
from mixc.backends.selection.slots import FIXED, Slots

MOST_BINS, FEWEST_BINS = 16, 6  # binary logarithms
ENTRIES = 22  # binary logarithm of the bins of all cells together: 32 MiB
NEAR = 2.0**-20  # of a bin; errors of floating point are far smaller

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Bins of positions of every cell that is to give tokens.

    `index` [cells] is -1 for other cells; `step` the width of a cell's bins. A bin after the last is for documents of
    cells under a curve whose next copy lies beyond.
    """

    slots: Slots
    index: Ints
    cells: Ints
    bins: int
    step: tuple[int, ...]
    per_unit: NDArray[np.float64]  # bins per whole copy at S = 1

    @property
    def stride(self) -> int:
        """Keys of one cell: its bins and the one after."""
        return self.bins + 1


@dataclass(frozen=True, slots=True, eq=False)
class Taking:
    """Documents at the positions of their next copies: `key` is cell index * stride + bin."""

    key: Ints
    segment: Ints
    copy: Ints
    hash: Hashes
    tokens: Ints


@cache
def ready(work: Work) -> Grid:
    """The grid of a run; once in every process."""
    return grid(loaded_by(work).slots)


def grid(slots: Slots) -> Grid:
    """Bins over (0, 1] for plain cells; under a curve, over twice the expected position of the last phase."""
    target = np.array([sum(cell.tokens) > 0 for cell in slots.cells], dtype=bool)
    cells = np.flatnonzero(target)
    index = np.full(len(slots.cells), -1, dtype=np.int64)
    index[cells] = np.arange(len(cells))
    bins = 1 << max(FEWEST_BINS, min(MOST_BINS, ENTRIES - len(cells).bit_length()))
    last = np.full(len(slots.cells), 1 << SCALE, dtype=object)
    for s in np.flatnonzero(slots.curved[slots.cell] & (slots.value > 0)).tolist():
        last[slots.cell[s]] = max(1, (int(slots.copies[s, -1]) << (SCALE - FIXED + 1)) // int(slots.value[s]))
    step = tuple(-(-int(last[c]) // bins) for c in cells)
    used = target[slots.cell] & (slots.value > 0)
    return Grid(
        slots=replace(slots, idle=idle_slots(slots, used)),
        index=index,
        cells=cells,
        bins=bins,
        step=step,
        per_unit=np.array([(1 << SCALE) / one for one in step], dtype=np.float64),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """Tokens by key, sparse; and the largest document of every cell of the grid."""

    key: Ints
    tokens: Ints
    largest: Ints


@dataclass(frozen=True, slots=True)
class Count:
    """The first map."""

    work: Work

    def __call__(self, task: Task) -> Counted:
        """Tokens of one part by the bin in which a copy is taken."""
        made = ready(self.work)
        sums = np.zeros(len(made.cells) * made.stride, dtype=np.int64)
        largest = np.zeros(len(made.cells), dtype=np.int64)
        for taking in takings(self.work, made, task):
            np.add.at(sums, taking.key, taking.tokens)
            np.maximum.at(largest, taking.key // made.stride, taking.tokens)
        key = np.flatnonzero(sums)
        return Counted(key, sums[key], largest)


@dataclass(frozen=True, slots=True)
class Fetch:
    """The second map; `keys` are the wanted ones, sorted, as bytes."""

    work: Work
    keys: bytes

    def __call__(self, task: Task) -> Taking:
        """The documents of one part that take a copy in a wanted bin."""
        wanted = np.frombuffer(self.keys, dtype=np.int64)
        found = [chosen(t, np.isin(t.key, wanted)) for t in takings(self.work, ready(self.work), task)]
        return joined(found)


def takings(work: Work, made: Grid, task: Task) -> Iterator[Taking]:
    """All copies that the documents of a part may take, batch by batch."""
    selection = Selection(loaded_by(work), task)
    drawer = with_slots(selection.drawer, made.slots)
    for keys, batch in selection.batches():
        found = drawer.locate(keys, batch)
        yield from _copies(made, found.segment, found.hash, batch.tokens[found.row])


def with_slots(drawer: Drawer, slots: Slots) -> Drawer:
    """The same drawer for other slots."""
    return Drawer(drawer.source, slots, drawer.merger, drawer.prefix)


def _copies(made: Grid, segment: Ints, hashes: Hashes, tokens: Ints) -> Iterator[Taking]:
    index = made.index[made.slots.cell[segment]]
    rows = np.flatnonzero((index >= 0) & (made.slots.value[segment] > 0))
    copy = 0
    while len(rows):
        bins = bin_of(made, segment[rows], hashes[rows], copy)
        key = index[rows] * made.stride + bins
        yield Taking(key, segment[rows], np.full(len(rows), copy, dtype=np.int64), hashes[rows], tokens[rows])
        rows = rows[made.slots.curved[made.slots.cell[segment[rows]]] & (bins < made.bins)]
        copy += 1


def bin_of(made: Grid, segment: Ints, hashes: Hashes, copy: int) -> Ints:
    """The bin in which each document takes its copy after `copy`: (K - 1) // step, at most the one after the last."""
    slots = made.slots
    cell = made.index[slots.cell[segment]]
    above = hashes - slots.low[segment] + np.uint64(1)
    width = slots.high[segment] - slots.low[segment]
    place = (copy + above / width) / slots.value[segment] * made.per_unit[cell]
    bins = np.minimum(np.floor(place), made.bins).astype(np.int64)
    for i in np.flatnonzero((np.abs(place - np.rint(place)) < NEAR) & (place < made.bins + 1)).tolist():
        s = int(segment[i])
        exact = position(copy, int(above[i]), int(width[i]), int(slots.value[s]))
        bins[i] = min((exact - 1) // made.step[int(cell[i])], made.bins)
    return bins


def chosen(taking: Taking, kept: NDArray[np.bool_] | Ints) -> Taking:
    """Some of them."""
    return Taking(taking.key[kept], taking.segment[kept], taking.copy[kept], taking.hash[kept], taking.tokens[kept])


def joined(many: list[Taking]) -> Taking:
    """All of them as one."""
    none = np.zeros(0, dtype=np.int64)
    many = [Taking(none, none, none, none.astype(np.uint64), none), *many]
    return Taking(
        *(np.concatenate([getattr(t, name) for t in many]) for name in ("key", "segment", "copy", "hash", "tokens"))
    )
