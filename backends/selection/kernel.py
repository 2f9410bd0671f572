"""The selection of one document: a table lookup and a hash. Pure, so any order, sharding or engine gives the same."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mixc.backends.selection.slots import NO_SLOT, Slots
from mixc.compiler.documents.data import Batch
from mixc.compiler.keyed_hash import hash60, text_id
from mixc.compiler.scan.counts import FULL_BITS
from mixc.compiler.scan.labels import Key, Labelled
from mixc.compiler.scan.merge import Merger
from mixc.compiler.scan.plan import SourcePlan

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Documents of a batch that are selected in some phase.

    `row` [k] in the batch, `id`, `tokens`, `cell`; `copies` [k, phases].
    """

    row: Ints
    id: pa.Array
    tokens: Ints
    cell: Ints
    copies: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """Documents of a batch that have a slot which is not idle: `row` in the batch, id, hash of the draw, segment."""

    row: Ints
    id: pa.Array
    hash: NDArray[np.uint64]
    segment: Ints


@dataclass(slots=True, eq=False)
class Seen:
    """Sums over all documents that have a slot, by slot: what expectations are computed from, exactly.

    `squares` are of tokens, in two words so that they do not overflow: low 32 bits and the rest.
    """

    documents: Ints
    tokens: Ints
    squares: NDArray[np.object_]
    largest: Ints


@dataclass(slots=True, eq=False)
class Drawer:
    """Draws documents of one source."""

    source: SourcePlan
    slots: Slots
    merger: Merger
    prefix: bytes
    seen: Seen = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.slots)
        none = np.zeros(count, dtype=np.int64)
        self.seen = Seen(none.copy(), none.copy(), np.zeros(count, dtype=object), none.copy())

    def draw(self, keys: list[Key], labelled: Labelled) -> Drawn:
        """The selected documents of a batch; all others are counted too."""
        found = self.locate(keys, labelled)
        copies = np.diff(
            self.slots.whole[found.segment] + (found.hash[:, None] < self.slots.cut[found.segment]), axis=1
        )
        kept = np.flatnonzero(copies.any(axis=1))
        return Drawn(
            row=found.row[kept],
            id=found.id.take(pa.array(kept)),
            tokens=labelled.tokens[found.row[kept]],
            cell=self.slots.cell[found.segment[kept]],
            copies=copies[kept],
        )

    def locate(self, keys: list[Key], labelled: Labelled) -> Located:
        """The documents of a batch that may be selected; all are counted."""
        level = self.merger.merge(keys, labelled)
        slot = self._slot(keys, labelled.group, level)
        self._count(slot, labelled.tokens)
        chosen = np.flatnonzero(slot >= 0)
        chosen = chosen[~self.slots.idle[slot[chosen]]]
        ids = identifiers(labelled.batch, chosen)
        hashes = hash60(self.prefix, ids)
        return Located(chosen, ids, hashes, self._segment(slot[chosen], hashes))

    def _slot(self, keys: list[Key], group: NDArray[np.int32], level: NDArray[np.int32]) -> Ints:
        pools = np.array(
            [self.slots.pools.get((self.source.name, *key), NO_SLOT) for key in keys] or [NO_SLOT], dtype=np.int64
        )
        pool = pools[group] if len(group) else np.zeros(0, dtype=np.int64)
        there = (pool >= 0) & (level >= 0)
        place = np.maximum(level, 0) >> (FULL_BITS - self.slots.bits)
        return np.where(there, self.slots.slot_of[np.maximum(pool, 0), place], NO_SLOT).astype(np.int64)

    def _segment(self, slot: Ints, hashes: NDArray[np.uint64]) -> Ints:
        """The segment of every document: the first of its slot whose hashes end above its own."""
        segment = self.slots.first[slot].copy()
        several = np.flatnonzero(self.slots.first[slot + 1] - segment > 1)
        while len(several):
            several = several[hashes[several] >= self.slots.high[segment[several]]]
            segment[several] += 1
        return segment

    def _count(self, slot: Ints, tokens: Ints) -> None:
        there = slot >= 0
        slot, tokens = slot[there], tokens[there]
        if not len(slot):
            return
        used, where = np.unique(slot, return_inverse=True)
        count = len(used)
        self.seen.documents[used] += np.bincount(where, minlength=count)
        sums = np.zeros(count, dtype=np.int64)
        np.add.at(sums, where, tokens)
        self.seen.tokens[used] += sums
        high, low = tokens >> 16, tokens & 0xFFFF  # t^2 = (high 2^16 + low)^2, each product below 2^63 / batch
        parts = [np.zeros(count, dtype=np.int64) for _ in range(3)]
        for part, product in zip(parts, (high * high, high * low, low * low), strict=True):
            np.add.at(part, where, product)
        squares = parts[0].astype(object) * (1 << 32) + parts[1].astype(object) * (1 << 17) + parts[2].astype(object)
        self.seen.squares[used] += squares
        largest = np.zeros(count, dtype=np.int64)
        np.maximum.at(largest, where, tokens)
        self.seen.largest[used] = np.maximum(self.seen.largest[used], largest)


def identifiers(batch: Batch, rows: Ints) -> pa.Array:
    """The ids of some of a batch's documents; of documents without one, a hash of their text."""
    if batch.id is not None:
        return batch.id.take(pa.array(rows))
    assert batch.text is not None
    return text_id(batch.text.take(pa.array(rows)))


def draw_prefix(seed: int, source: str, file: str | None = None) -> bytes:
    """What is hashed before the id: the stream of draws of a seed and a source, and of a file where ids are its own."""
    return key_prefix(seed, "draw", source, file)


def key_prefix(seed: int, purpose: str, source: str, file: str | None = None) -> bytes:
    """As `draw_prefix`, for a stream of any purpose; streams of different purposes are independent."""
    inside = "" if file is None else f"{file}:"
    return f"{seed}:{purpose}:{source}:{inside}".encode()
