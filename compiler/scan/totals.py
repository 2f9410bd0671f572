"""Sums over files of what pass 2 counts in each."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from mixc.compiler.scan.counts import Counts, LevelCounts, summed
from mixc.compiler.scan.labels import Key

Ints = NDArray[np.int64]

FEW = 4  # a group with fewer levels than one in so many of all is kept as it comes


class Totals:
    """Sums of counts by source, under way; a group takes as much memory as it has levels, however many are added."""

    def __init__(self, bits: int) -> None:
        self.size = 1 << bits
        self.groups: dict[tuple[str, Key], _Total] = {}
        self.excluded: dict[str, Counter[Key]] = {}

    def add(self, source: str, counts: Counts) -> None:
        """Add what a file of a source gave."""
        self.excluded.setdefault(source, Counter()).update(counts.excluded)
        for key, group in counts.groups.items():
            if (source, key) not in self.groups:
                self.groups[source, key] = _Total(self.size)
            self.groups[source, key].add(group)

    def by_source(self) -> dict[str, Counts]:
        """The sum of every source that has files, by name; they are handed over, not kept."""
        found = {source: Counts({}, dict(sorted(lost.items()))) for source, lost in sorted(self.excluded.items())}
        for source, key in sorted(self.groups):
            found[source].groups[key] = self.groups.pop((source, key)).result()
        return found


class _Total:
    """The sum of one group: counts as they come while they have few levels, then sums at all levels there may be."""

    __slots__ = ("rows", "size", "sums", "waiting")

    def __init__(self, size: int) -> None:
        self.size, self.rows = size, 0
        self.waiting: list[LevelCounts] = []
        self.sums: tuple[Ints, Ints, Ints] | None = None

    def add(self, counts: LevelCounts) -> None:
        if self.sums is not None:
            self._place(self.sums, counts)
            return
        columns = (counts.levels, counts.documents, counts.tokens, counts.largest)
        self.waiting.append(LevelCounts(*(column.copy() for column in columns)))  # not views of all of a file's
        self.rows += len(counts.levels)
        if self.rows * FEW > self.size:
            documents, tokens, largest = np.zeros((3, self.size), dtype=np.int64)
            self.sums = documents, tokens, largest
            for one in self.waiting:
                self._place(self.sums, one)
            self.waiting.clear()

    def _place(self, sums: tuple[Ints, Ints, Ints], counts: LevelCounts) -> None:
        np.add.at(sums[0], counts.levels, counts.documents)
        np.add.at(sums[1], counts.levels, counts.tokens)
        np.maximum.at(sums[2], counts.levels, counts.largest)

    def result(self) -> LevelCounts:
        if self.sums is None:
            return summed(self.waiting)
        levels = np.flatnonzero(self.sums[0])
        return LevelCounts(levels, *(column[levels] for column in self.sums))
