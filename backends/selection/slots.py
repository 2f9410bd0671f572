"""The selection as tables: from a document's pool and level to its cell and its expected copies, in whole numbers.

A slot is a set of levels of one pool that are treated alike. It has one segment, or one per bucket where the level lies
across buckets; a segment takes the hashes [low, high) of 2^60, and has C, the expected copies of a document after each
phase, in units of 2^-32 (selection.md 3).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

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
    """One bucket of a pool, with its supply, what earlier mixtures took and every phase is to take of it, in tokens."""

    source: str
    language: str
    domain: str
    bucket: int
    supply: int
    taken: int
    tokens: tuple[int, ...]

    @property
    def so_far(self) -> tuple[int, ...]:
        """Tokens taken before the first phase and after each."""
        return tuple(self.taken + sum(self.tokens[:p]) for p in range(len(self.tokens) + 1))

    @property
    def name(self) -> str:
        """`source/language/domain/bucket`."""
        return f"{self.source}/{self.language}/{self.domain}/{self.bucket}"


@dataclass(frozen=True, slots=True, eq=False)
class Slots:
    """All slots of a manifest.

    `slot_of` [pools, 2^bits] finds a slot; `first` [slots + 1] its segments. Per segment: `slot`, `cell`, `low`,
    `high`, and per phase `whole` [segments, phases + 1] and `cut`, the hash below which there is one copy more; the
    column before the first phase is what earlier mixtures took. `idle` [slots] never gives a copy.
    """

    bits: int
    phases: tuple[str, ...]
    cells: tuple[Cell, ...]
    pools: dict[Pool, int]
    slot_of: NDArray[np.int32]
    first: Ints
    slot: NDArray[np.int32]
    cell: NDArray[np.int32]
    low: Hashes
    high: Hashes
    value: Ints  # S of a segment's level under a curve, in units of 2^-32; else 1
    copies: Ints  # C [segments, phases + 1], in units of 2^-32
    whole: NDArray[np.int32]
    cut: Hashes
    idle: NDArray[np.bool_]
    curved: NDArray[np.bool_]  # [cells] whether a curve governs the cell

    def __len__(self) -> int:
        return len(self.first) - 1


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """Segments of one pool: their slot (counted from the pool's first), cell, hashes, C [n, phases + 1] and S."""

    slot: Ints
    cell: Ints
    low: Hashes
    high: Hashes
    copies: Ints
    value: Ints | None = None


@dataclass(slots=True)
class _Build:
    bits: int
    cells: list[Cell] = field(default_factory=list)
    rows: list[NDArray[np.int32]] = field(default_factory=list)
    slots: int = 0
    columns: dict[str, list[NDArray[Any]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, levels: Ints | slice, slot: Ints | int, slots: int, parts: _Parts) -> None:
        """A pool of so many slots; `slot` is that of each of its levels."""
        row = np.full(1 << self.bits, NO_SLOT, dtype=np.int32)
        row[levels] = self.slots + slot
        self.rows.append(row)
        value = np.ones(len(parts.slot), dtype=np.int64) if parts.value is None else parts.value
        under = np.full(len(parts.slot), parts.value is not None)
        fraction = (parts.copies & ((1 << FIXED) - 1)).astype(np.uint64)
        made: dict[str, NDArray[Any]] = {
            "slot": (parts.slot + self.slots).astype(np.int32),
            "cell": parts.cell.astype(np.int32),
            "low": parts.low,
            "high": parts.high,
            "copies": parts.copies,
            "whole": (parts.copies >> FIXED).astype(np.int32),
            "cut": parts.low[:, None] + scaled(parts.high - parts.low, fraction),
            "value": value,
            "curved": under,
        }
        for name, column in made.items():
            self.columns[name].append(column)
        self.slots += slots

    def joined(self, name: str) -> Any:
        """A column of all segments, once: its parts are let go."""
        return np.concatenate(self.columns.pop(name))


def build_slots(manifest: Manifest, tables: RunTables) -> Slots:
    """The slots of a manifest; pools and cells are in the order of its supply rows."""
    phases = tuple(phase.name for phase in manifest.phases)
    taken = {(row.phase, row.source, row.language, row.domain): row.tokens_by_bucket for row in manifest.mixture}
    build = _Build(manifest.selection.bits or 0)
    pools: dict[Pool, int] = {}
    for row in manifest.supply:
        pool = (row.source, row.language, row.domain)
        pools[pool] = len(pools)
        none = (0,) * len(row.tokens)
        by_phase = [taken.get((phase, *pool), none) for phase in phases]
        base = len(build.cells)
        for j, supply in enumerate(row.tokens):
            before = row.taken[j] if row.taken else 0
            build.cells.append(Cell(*pool, j, supply, before, tuple(tokens[j] for tokens in by_phase)))
        if pool in tables.draws:
            _by_level(build, base, pool, tables)
        elif row.rated and pool in tables.curves:
            _curved(build, base, pool, tables, manifest.quality.edges)
        elif row.rated:
            _rated(build, base, pool, tables, manifest.quality.edges)
        else:
            build.add(slice(None), 0, 1, _whole(base, _table([_expected(build.cells[base])])))
    return _finished(build, phases, pools)


def _table(rows: Sequence[Sequence[int]]) -> Ints:
    """C of several segments."""
    return np.array(rows, dtype=np.int64).reshape(len(rows), -1)


def _whole(cell: int | Ints, copies: Ints) -> _Parts:
    """A slot of one segment for every row of C."""
    count = len(copies)
    low, high = np.zeros(count, dtype=np.uint64), np.full(count, HASHES, dtype=np.uint64)
    return _Parts(np.arange(count), np.full(count, cell, dtype=np.int64), low, high, copies)


def _expected(cell: Cell) -> tuple[int, ...]:
    """C after each phase, from before the first: tokens taken so far over supply."""
    return tuple((tokens << FIXED) // cell.supply if cell.supply else 0 for tokens in cell.so_far)


def _rated(build: _Build, base: int, pool: Pool, tables: RunTables, edges: tuple[float, ...]) -> None:
    """Slots of a pool with buckets: one per bucket for the levels inside, then one for every level across an edge."""
    ranking = tables.rankings[pool[1], pool[2]]
    cut = segments(ranking, edges)
    expected = _table([_expected(build.cells[base + j]) for j in range(len(edges))])
    count = np.bincount(cut.place, minlength=len(ranking.levels))
    bucket, several = cut.bucket[np.cumsum(count) - count], count > 1
    used = np.flatnonzero(np.bincount(bucket[~several], minlength=len(edges)))
    place = np.zeros(len(edges), dtype=np.int64)
    place[used] = np.arange(len(used))
    slot = place[bucket]
    slot[several] = len(used) + np.arange(int(several.sum()))
    across = np.flatnonzero(several[cut.place])
    parts = _whole(base + used, expected[used])
    parts = _Parts(
        np.concatenate([parts.slot, slot[cut.place[across]]]),
        np.concatenate([parts.cell, base + cut.bucket[across]]),
        np.concatenate([parts.low, cut.low[across]]),
        np.concatenate([parts.high, cut.high[across]]),
        np.concatenate([parts.copies, expected[cut.bucket[across]]]),
    )
    build.add(ranking.levels, slot, len(used) + int(several.sum()), parts)


def _curved(build: _Build, base: int, pool: Pool, tables: RunTables, edges: tuple[float, ...]) -> None:
    """A slot for every level of a pool under a curve: C is kappa S, with kappa from what the pool's cells take."""
    ranking, curve = tables.rankings[pool[1], pool[2]], tables.curves[pool]
    cut = segments(ranking, edges)
    cells = build.cells[base : base + len(edges)]
    so_far = [sum(tokens) << FIXED for tokens in zip(*(cell.so_far for cell in cells), strict=True)]
    values = curve.values.astype(object)  # products need more than 64 bits
    copies = np.stack([(values * tokens // curve.weight).astype(np.int64) for tokens in so_far], axis=1)
    parts = _Parts(cut.place, base + cut.bucket, cut.low, cut.high, copies[cut.place], curve.values[cut.place])
    build.add(ranking.levels, np.arange(len(ranking.levels)), len(ranking.levels), parts)


def _by_level(build: _Build, base: int, pool: Pool, tables: RunTables) -> None:
    """A slot per level of a pool of one cell, with the copies that its tables give."""
    draws = tables.draws[pool].T.tolist()
    levels = tables.rankings[pool[1], pool[2]].levels
    build.add(levels, np.arange(len(levels)), len(levels), _whole(base, _table(draws)))


def _finished(build: _Build, phases: tuple[str, ...], pools: dict[Pool, int]) -> Slots:
    if not build.rows:
        build.add(slice(0), 0, 0, _whole(0, np.zeros((0, len(phases) + 1), dtype=np.int64)))
        build.rows.clear()
    slot, cell, copies = (build.joined(name) for name in ("slot", "cell", "copies"))
    idle = np.ones(build.slots, dtype=bool)
    idle[slot[copies[:, -1] > copies[:, 0]]] = False
    curved = np.zeros(len(build.cells), dtype=bool)
    curved[cell] = build.joined("curved")
    return Slots(
        bits=build.bits,
        phases=phases,
        cells=tuple(build.cells),
        pools=pools,
        slot_of=np.stack(build.rows) if build.rows else np.zeros((0, 1 << build.bits), dtype=np.int32),
        first=np.searchsorted(slot, np.arange(build.slots + 1)).astype(np.int64),
        slot=slot,
        cell=cell,
        low=build.joined("low"),
        high=build.joined("high"),
        value=build.joined("value"),
        copies=copies,
        whole=build.joined("whole"),
        cut=build.joined("cut"),
        idle=idle,
        curved=curved,
    )


def scaled(width: Hashes, fraction: Hashes) -> Hashes:
    """width * fraction >> 32 without overflow, of widths to 2^60 [segments] and fractions below 2^32 [segments, k]."""
    upper, lower = (width >> np.uint64(FIXED))[:, None], (width & np.uint64(0xFFFFFFFF))[:, None]
    return np.asarray(upper * fraction + ((lower * fraction) >> np.uint64(FIXED)))
