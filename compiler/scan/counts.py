"""Pass 2 over documents: documents and tokens by merged level, for every (language, domain). All integers."""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mixc.compiler.documents.data import Part
from mixc.compiler.documents.reading import read
from mixc.compiler.scan.labels import Key, labelled
from mixc.compiler.scan.merge import Merger
from mixc.compiler.scan.normalise import Tables
from mixc.compiler.scan.plan import Plan

FULL_BITS = 16  # bits of a merged level before it is shifted

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class LevelCounts:
    """Documents and tokens at every level that has any; `levels` ascend, the highest is best."""

    levels: Ints
    documents: Ints
    tokens: Ints

    def __add__(self, other: LevelCounts) -> LevelCounts:
        levels, where = np.unique(np.concatenate([self.levels, other.levels]), return_inverse=True)
        sums = np.zeros((2, len(levels)), dtype=np.int64)
        np.add.at(sums[0], where, np.concatenate([self.documents, other.documents]))
        np.add.at(sums[1], where, np.concatenate([self.tokens, other.tokens]))
        return LevelCounts(levels, sums[0], sums[1])

    def coarser(self, bits: int) -> LevelCounts:
        """The same with the last `bits` of every level dropped."""
        levels, where = np.unique(self.levels >> bits, return_inverse=True)
        sums = np.zeros((2, len(levels)), dtype=np.int64)
        np.add.at(sums[0], where, self.documents)
        np.add.at(sums[1], where, self.tokens)
        return LevelCounts(levels, sums[0], sums[1])


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Counts by (language, domain), and documents that a missing score left out."""

    groups: dict[Key, LevelCounts] = field(default_factory=dict)
    excluded: dict[Key, int] = field(default_factory=dict)

    def __add__(self, other: Counts) -> Counts:
        groups = dict(self.groups)
        for key, counts in other.groups.items():
            groups[key] = groups[key] + counts if key in groups else counts
        excluded = dict(self.excluded)
        for key, count in other.excluded.items():
            excluded[key] = excluded.get(key, 0) + count
        return Counts(groups, excluded)


def total(counts: Iterable[Counts]) -> Counts:
    """The sum of counts."""
    return reduce(Counts.__add__, counts, Counts())


def count(plan: Plan, tables: Tables, bits: int, part: Part) -> Counts:
    """The counts of one part of a file, at levels of `bits` bits."""
    source = plan.source(part.file.source)
    merger, dense, keys = Merger(plan, tables), _Dense(bits), list[Key]()
    for labeller, batch in labelled(source, read(part, source.wanted, bad_lines=source.bad_lines)):
        keys = labeller.keys
        dense.add(len(keys), batch.group, merger.merge(keys, batch), batch.tokens, batch.counts)
    return dense.result(keys)


class _Dense:
    """Sums under way, one row of levels per group."""

    def __init__(self, bits: int) -> None:
        self.shift, self.size = FULL_BITS - bits, 1 << bits
        self.documents: list[Ints] = []
        self.tokens: list[Ints] = []
        self.excluded = np.zeros(0, dtype=np.int64)

    def add(
        self, groups: int, group: NDArray[np.int32], level: NDArray[np.int32], tokens: Ints, counted: NDArray[np.bool_]
    ) -> None:
        """Count one batch."""
        for _ in range(groups - len(self.documents)):
            self.documents.append(_pages(self.size))
            self.tokens.append(_pages(self.size))
        there = level >= 0
        lost = np.bincount(group[counted & ~there], minlength=groups)
        lost[: len(self.excluded)] += self.excluded
        self.excluded = lost
        place = level >> self.shift
        order = np.argsort(group, kind="stable")
        ends = np.searchsorted(group[order], np.arange(groups + 1))
        for i in np.flatnonzero(np.diff(ends)).tolist():
            mine = order[ends[i] : ends[i + 1]]
            mine = mine[there[mine]]
            np.add.at(self.documents[i], place[mine], 1)
            np.add.at(self.tokens[i], place[mine], tokens[mine])

    def result(self, keys: list[Key]) -> Counts:
        """The counts of what was added."""
        groups, excluded = {}, {}
        for i, key in enumerate(keys):
            levels = np.flatnonzero(self.documents[i])
            if len(levels):
                groups[key] = LevelCounts(levels.astype(np.int64), self.documents[i][levels], self.tokens[i][levels])
            if self.excluded[i]:
                excluded[key] = int(self.excluded[i])
        return Counts(groups, excluded)


def _pages(size: int) -> Ints:
    return np.frombuffer(mmap.mmap(-1, 8 * size), dtype=np.int64)


SCHEMA = pa.schema(
    [
        ("language", pa.string()),
        ("domain", pa.string()),
        ("excluded", pa.int64()),
        ("levels", pa.list_(pa.int64())),
        ("documents", pa.list_(pa.int64())),
        ("tokens", pa.list_(pa.int64())),
    ]
)


def to_table(found: Counts) -> pa.Table:
    """Counts as a table, for the cache; rows sorted, so that equal counts are equal bytes."""
    none = LevelCounts(*(np.zeros(0, dtype=np.int64),) * 3)
    rows = []
    for key in sorted(found.groups.keys() | found.excluded.keys()):
        counts = found.groups.get(key, none)
        rows.append((*key, found.excluded.get(key, 0), counts.levels, counts.documents, counts.tokens))
    return pa.table({name: [row[i] for row in rows] for i, name in enumerate(SCHEMA.names)}, schema=SCHEMA)


def from_table(table: pa.Table) -> Counts:
    """The counts that a table holds."""
    groups: dict[Key, LevelCounts] = {}
    excluded: dict[Key, int] = {}
    for i in range(table.num_rows):
        key = (table["language"][i].as_py(), table["domain"][i].as_py())
        columns = [table[name][i].values.to_numpy().astype(np.int64) for name in ("levels", "documents", "tokens")]
        if len(columns[0]):
            groups[key] = LevelCounts(*columns)
        if lost := table["excluded"][i].as_py():
            excluded[key] = lost
    return Counts(groups, excluded)
