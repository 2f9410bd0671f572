"""The selection of one document: a table lookup and a hash. Pure, so any order, sharding or engine gives the same."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mixc.backends.selection.slots import NO_SLOT, Slots
from mixc.compiler.keyed_hash import hash60
from mixc.compiler.scan.counts import FULL_BITS
from mixc.compiler.scan.holdout import identifiers
from mixc.compiler.scan.holdout import key_prefix as key_prefix
from mixc.compiler.scan.labels import Key, Labelled
from mixc.compiler.scan.merge import Merger
from mixc.compiler.scan.plan import SourcePlan

Ints = NDArray[np.int64]

SQUARED = 1 << 31  # tokens whose square no longer fits


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

    Squares of tokens are in two words, `low` their last 32 bits and `high` the rest, so that neither overflows;
    `huge` has those of documents of 2^31 tokens and more.
    """

    documents: Ints
    tokens: Ints
    low: Ints
    high: Ints
    largest: Ints
    huge: dict[int, int] = field(default_factory=dict)

    def add(self, slot: Ints, tokens: Ints) -> None:
        """Count documents by their slots."""
        most = int(tokens.max(initial=0))
        np.add.at(self.documents, slot, 1)
        np.add.at(self.tokens, slot, tokens)
        np.maximum.at(self.largest, slot, tokens)
        if most >= SQUARED:
            for i in np.flatnonzero(tokens >= SQUARED).tolist():
                place, value = int(slot[i]), int(tokens[i])
                self.huge[place] = self.huge.get(place, 0) + value * value
            tokens = np.where(tokens < SQUARED, tokens, 0)
        squares = tokens * tokens
        np.add.at(self.low, slot, squares & 0xFFFFFFFF)
        if most >> 16:
            np.add.at(self.high, slot, squares >> 32)


@dataclass(slots=True, eq=False)
class Drawer:
    """Draws documents of one source."""

    source: SourcePlan
    slots: Slots
    merger: Merger
    prefix: bytes
    seen: Seen = field(init=False)
    _pools: tuple[list[Key], Ints] = field(init=False, default_factory=lambda: ([], np.zeros(0, dtype=np.int64)))

    def __post_init__(self) -> None:
        documents, tokens, low, high, largest = np.zeros((5, len(self.slots)), dtype=np.int64)
        self.seen = Seen(documents, tokens, low, high, largest)

    def draw(self, keys: list[Key], labelled: Labelled) -> Drawn:
        """The selected documents of a batch; all others are counted too."""
        found = self.locate(keys, labelled)
        whole, cut = (table.take(found.segment, axis=0) for table in (self.slots.whole, self.slots.cut))
        copies = np.diff(whole + (found.hash[:, None] < cut), axis=1)
        kept = np.flatnonzero(copies.any(axis=1))
        return Drawn(
            row=found.row[kept],
            id=found.id.take(pa.array(kept)),
            tokens=labelled.tokens[found.row[kept]],
            cell=self.slots.cell[found.segment[kept]].astype(np.int64),
            copies=copies[kept].astype(np.int64),
        )

    def locate(self, keys: list[Key], labelled: Labelled) -> Located:
        """The documents of a batch that may be selected; all are counted."""
        level = self.merger.merge(keys, labelled)
        slot = self._slot(keys, labelled.group, level)
        chosen = np.flatnonzero(slot >= 0)
        tokens = labelled.tokens
        if len(chosen) < len(slot):
            slot, tokens = slot[chosen], tokens[chosen]
        self.seen.add(slot, tokens)
        awake = np.flatnonzero(~self.slots.idle.take(slot))
        chosen, slot = chosen[awake], slot[awake]
        ids = identifiers(labelled.batch, chosen)
        hashes = hash60(self.prefix, ids)
        return Located(chosen, ids, hashes, self._segment(slot, hashes))

    def _slot(self, keys: list[Key], group: NDArray[np.int32], level: NDArray[np.int32]) -> Ints:
        if self._pools[0] != keys:
            pools = [self.slots.pools.get((self.source.name, *key), NO_SLOT) for key in keys]
            self._pools = list(keys), np.array(pools, dtype=np.int64) << self.slots.bits
        place = self._pools[1].take(group)
        lacking = (place < 0) | (level < 0) if self._pools[1].min(initial=0) < 0 or level.min(initial=0) < 0 else None
        place += level >> (FULL_BITS - self.slots.bits)
        slot = self.slots.slot_of.reshape(-1).take(place, mode="clip").astype(np.int64)
        if lacking is not None:
            slot[lacking] = NO_SLOT
        return slot

    def _segment(self, slot: Ints, hashes: NDArray[np.uint64]) -> Ints:
        """The segment of every document: the first of its slot whose hashes end above its own."""
        segment = self.slots.first[slot].copy()
        several = np.flatnonzero(self.slots.first[slot + 1] - segment > 1)
        while len(several):
            several = several[hashes[several] >= self.slots.high[segment[several]]]
            segment[several] += 1
        return segment


def draw_prefix(seed: int, source: str, file: str | None = None) -> bytes:
    """What is hashed before the id: the stream of draws of a seed and a source, and of a file where ids are its own."""
    return key_prefix(seed, "draw", source, file)
