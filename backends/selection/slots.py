"""The selection as tables: from a document's pool and level to its cell and its expected copies, in whole numbers.

A slot is a set of levels of one pool that are treated alike. It has one segment, or one per bucket where the level lies
across buckets; a segment takes the hashes [low, high) of 2^60, and has C, the expected copies of a document after each
phase, in units of 2^-32 (selection.md 3).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mixc.compiler.review.schema import Manifest
from mixc.compiler.review.tables import RunTables
from mixc.compiler.scan.ranks import HASHES, segments

FIXED = 32
NO_SLOT = -1

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Pool = tuple[str, str, str]  # source, language, domain


@dataclass(frozen=True, slots=True)
class Cell:
    """One bucket of a pool, with its supply and what every phase is to take of it, in tokens."""

    source: str
    language: str
    domain: str
    bucket: int
    supply: int
    tokens: tuple[int, ...]

    @property
    def name(self) -> str:
        """`source/language/domain/bucket`."""
        return f"{self.source}/{self.language}/{self.domain}/{self.bucket}"


@dataclass(frozen=True, slots=True, eq=False)
class Slots:
    """All slots of a manifest.

    `slot_of` [pools, 2^bits] finds a slot; `first` [slots + 1] its segments. Per segment: `slot`, `cell`, `low`,
    `high`, and per phase `whole` [segments, phases + 1] and `cut`, the hash below which there is one copy more; the
    column before the first phase is what was taken before: nothing. `idle` [slots] never gives a copy.
    """

    bits: int
    phases: tuple[str, ...]
    cells: tuple[Cell, ...]
    pools: dict[Pool, int]
    slot_of: NDArray[np.int32]
    first: Ints
    slot: Ints
    cell: Ints
    low: Hashes
    high: Hashes
    value: Ints  # S of a segment's level under a curve, in units of 2^-32; else 1
    copies: NDArray[np.object_]  # C [segments, phases + 1], Python integers in units of 2^-32
    whole: Ints
    cut: Hashes
    idle: NDArray[np.bool_]
    curved: NDArray[np.bool_]  # [cells] whether a curve governs the cell

    def __len__(self) -> int:
        return len(self.first) - 1


@dataclass(slots=True)
class _Build:
    cells: list[Cell] = field(default_factory=list)
    rows: list[NDArray[np.int32]] = field(default_factory=list)
    slots: int = 0
    slot: list[int] = field(default_factory=list)
    cell: list[int] = field(default_factory=list)
    low: list[int] = field(default_factory=list)
    high: list[int] = field(default_factory=list)
    copies: list[tuple[int, ...]] = field(default_factory=list)
    value: list[int] = field(default_factory=list)
    curved: set[int] = field(default_factory=set)

    def add(self, parts: list[tuple[int, int, int, tuple[int, ...]]], value: int | None = None) -> int:
        """A slot of (cell, low, high, C) segments, with S of their level if a curve governs them."""
        for cell, low, high, copies in parts:
            self.slot.append(self.slots)
            self.cell.append(cell)
            self.low.append(low)
            self.high.append(high)
            self.copies.append(copies)
            self.value.append(1 if value is None else value)
            if value is not None:
                self.curved.add(cell)
        self.slots += 1
        return self.slots - 1


def build_slots(manifest: Manifest, tables: RunTables) -> Slots:
    """The slots of a manifest; pools and cells are in the order of its supply rows."""
    bits = manifest.selection.bits or 0
    phases = tuple(phase.name for phase in manifest.phases)
    taken = {(row.phase, row.source, row.language, row.domain): row.tokens_by_bucket for row in manifest.mixture}
    build = _Build()
    pools: dict[Pool, int] = {}
    for row in manifest.supply:
        pool = (row.source, row.language, row.domain)
        pools[pool] = len(pools)
        none = (0,) * len(row.tokens)
        by_phase = [taken.get((phase, *pool), none) for phase in phases]
        base = len(build.cells)
        for j, supply in enumerate(row.tokens):
            build.cells.append(Cell(*pool, j, supply, tuple(tokens[j] for tokens in by_phase)))
        if pool in tables.draws:
            build.rows.append(_by_level(build, base, pool, tables, bits))
        elif row.rated:
            build.rows.append(_rated(build, base, pool, tables, manifest.quality.edges, bits))
        else:
            slot = build.add([(base, 0, HASHES, _expected(build.cells[base]))])
            build.rows.append(np.full(1 << bits, slot, dtype=np.int32))
    return _finished(build, bits, phases, pools)


def _expected(cell: Cell) -> tuple[int, ...]:
    """C after each phase, from before the first: tokens taken so far over supply."""
    so_far = [sum(cell.tokens[:p]) for p in range(len(cell.tokens) + 1)]
    return tuple((tokens << FIXED) // cell.supply if cell.supply else 0 for tokens in so_far)


def _rated(
    build: _Build, base: int, pool: Pool, tables: RunTables, edges: tuple[float, ...], bits: int
) -> NDArray[np.int32]:
    """Slots of a pool with buckets: one per bucket for the levels inside, one for every level across an edge.

    Under a curve every level has a slot: C is kappa S, with kappa from what the pool's cells take together.
    """
    ranking = tables.rankings[pool[1], pool[2]]
    cut = segments(ranking, edges)
    row = np.full(1 << bits, NO_SLOT, dtype=np.int32)
    curve = tables.curves.get(pool)
    expected = {base + j: _expected(build.cells[base + j]) for j in range(len(edges))}
    ends = np.searchsorted(cut.place, np.arange(len(ranking.levels) + 1))
    alone: dict[int, int] = {}
    so_far: list[int] = []
    if curve is not None:
        phases = len(build.cells[base].tokens)
        pooled = [sum(build.cells[base + j].tokens[p] for j in range(len(edges))) for p in range(phases)]
        so_far = [sum(pooled[:p]) for p in range(phases + 1)]
    for place, level in enumerate(ranking.levels.tolist()):
        begin, end = int(ends[place]), int(ends[place + 1])
        parts = [(base + int(cut.bucket[s]), int(cut.low[s]), int(cut.high[s])) for s in range(begin, end)]
        if curve is not None:
            value = int(curve.values[place])
            copies = tuple((tokens << FIXED) * value // curve.weight for tokens in so_far)
            row[level] = build.add([(*part, copies) for part in parts], value)
        elif len(parts) == 1:
            cell = parts[0][0]
            if cell not in alone:
                alone[cell] = build.add([(*parts[0], expected[cell])])
            row[level] = alone[cell]
        else:
            row[level] = build.add([(*part, expected[part[0]]) for part in parts])
    return row


def _by_level(build: _Build, base: int, pool: Pool, tables: RunTables, bits: int) -> NDArray[np.int32]:
    """A slot per level of a pool of one cell, with the copies that its tables give."""
    row = np.full(1 << bits, NO_SLOT, dtype=np.int32)
    draws = tables.draws[pool].T.tolist()
    for level, copies in zip(tables.rankings[pool[1], pool[2]].levels.tolist(), draws, strict=True):
        row[level] = build.add([(base, 0, HASHES, (0, *copies))])
    return row


def _finished(build: _Build, bits: int, phases: tuple[str, ...], pools: dict[Pool, int]) -> Slots:
    copies = np.array(build.copies, dtype=object).reshape(len(build.copies), len(phases) + 1)
    low, high = np.array(build.low, dtype=np.uint64), np.array(build.high, dtype=np.uint64)
    fraction = (copies & ((1 << FIXED) - 1)).astype(np.uint64) if len(copies) else copies.astype(np.uint64)
    slot = np.array(build.slot, dtype=np.int64)
    idle = np.ones(build.slots, dtype=bool)
    idle[slot[(copies[:, -1] > 0).astype(bool)]] = False
    return Slots(
        bits=bits,
        phases=phases,
        cells=tuple(build.cells),
        pools=pools,
        slot_of=np.stack(build.rows) if build.rows else np.zeros((0, 1 << bits), dtype=np.int32),
        first=np.searchsorted(slot, np.arange(build.slots + 1)).astype(np.int64),
        slot=slot,
        cell=np.array(build.cell, dtype=np.int64),
        low=low,
        high=high,
        value=np.array(build.value, dtype=np.int64),
        copies=copies,
        whole=(copies >> FIXED).astype(np.int64),
        cut=low[:, None] + scaled(high - low, fraction),
        idle=idle,
        curved=np.isin(np.arange(len(build.cells)), sorted(build.curved)),
    )


def scaled(width: Hashes, fraction: Hashes) -> Hashes:
    """width * fraction >> 32 without overflow, of widths to 2^60 [segments] and fractions below 2^32 [segments, k]."""
    upper, lower = (width >> np.uint64(FIXED))[:, None], (width & np.uint64(0xFFFFFFFF))[:, None]
    return np.asarray(upper * fraction + ((lower * fraction) >> np.uint64(FIXED)))
