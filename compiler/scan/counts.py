"""Pass 2 over documents: documents and tokens by merged level, for every (language, domain). All integers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mixc.compiler.documents.data import Part
from mixc.compiler.documents.reading import read
from mixc.compiler.scan import ragged
from mixc.compiler.scan.handover import Handover, blocks
from mixc.compiler.scan.holdout import kept
from mixc.compiler.scan.labels import Key, labelled
from mixc.compiler.scan.merge import Merger
from mixc.compiler.scan.normalise import Tables
from mixc.compiler.scan.plan import Plan
from mixc.compiler.scan.runs import ROWS, in_order, lengths_of, starts_of

FULL_BITS = 16  # bits of a merged level before it is shifted
TOKEN_BITS = 32  # of a document's tokens where they are in one word with its place
MOST_GROUPS = 1 << (63 - FULL_BITS - TOKEN_BITS)

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class LevelCounts:
    """Documents and tokens at every level that has any; `levels` ascend, the highest is best.

    `largest` are tokens that one document of the level has, at least: 0 where that is not known.
    """

    levels: Ints
    documents: Ints
    tokens: Ints
    largest: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __post_init__(self) -> None:
        if len(self.largest) != len(self.levels):
            object.__setattr__(self, "largest", np.zeros(len(self.levels), dtype=np.int64))

    def __add__(self, other: LevelCounts) -> LevelCounts:
        return summed([self, other])

    def coarser(self, bits: int) -> LevelCounts:
        """The same with the last `bits` of every level dropped."""
        return _at(self.levels >> bits, self.documents, self.tokens, self.largest)


def summed(many: Sequence[LevelCounts]) -> LevelCounts:
    """The sum of one or more."""
    if len(many) == 1:
        return many[0]
    columns = ([one.documents for one in many], [one.tokens for one in many], [one.largest for one in many])
    levels, rows = in_order(np.concatenate([one.levels for one in many]))
    return _at(levels, *(np.concatenate(column).take(rows) for column in columns))


def _at(levels: Ints, documents: Ints, tokens: Ints, largest: Ints) -> LevelCounts:
    """Rows of ascending levels, those of one level added up."""
    starts = starts_of(levels)
    if len(starts) == len(levels):
        return LevelCounts(levels, documents, tokens, largest)
    sums = np.add.reduceat(documents, starts), np.add.reduceat(tokens, starts), np.maximum.reduceat(largest, starts)
    return LevelCounts(levels[starts], *sums)


NOTHING = LevelCounts(*(np.zeros(0, dtype=np.int64),) * 3)


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Counts by (language, domain), and documents that a missing score left out."""

    groups: dict[Key, LevelCounts] = field(default_factory=dict)
    excluded: dict[Key, int] = field(default_factory=dict)

    def __add__(self, other: Counts) -> Counts:
        return total([self, other])

    def __reduce__(self) -> tuple[Any, ...]:
        return from_table, (to_table(self),)  # less than half as large, between processes


def total(counts: Iterable[Counts]) -> Counts:
    """The sum of counts."""
    groups: dict[Key, list[LevelCounts]] = {}
    excluded: dict[Key, int] = {}
    for one in counts:
        for key, group in one.groups.items():
            groups.setdefault(key, []).append(group)
        for key, lost in one.excluded.items():
            excluded[key] = excluded.get(key, 0) + lost
    return Counts({key: summed(many) for key, many in sorted(groups.items())}, dict(sorted(excluded.items())))


def count(plan: Plan, tables: Tables, bits: int, part: Part, handover: Handover | None = None) -> Counts:
    """The counts of one part of a file, at levels of `bits` bits; from what pass 1 handed over, if it did."""
    merger, tally, keys = Merger(plan, tables), _Tally(bits), list[Key]()
    handed = blocks(handover, part, len(plan.raters))
    if handed is not None:
        for block in handed:
            keys = block.keys
            tally.add(len(keys), block.group, merger.merged(keys, block.group, block.scored), block.tokens)
        return tally.result(keys)
    source = plan.source(part.file.source)
    wanted = replace(source.wanted, id=None) if plan.holdout is None else source.wanted
    batches = labelled(source, read(part, wanted, bad_lines=source.bad_lines, unscored=True))
    for labeller, batch in kept(plan, part, batches):
        keys = labeller.keys
        tally.add(len(keys), batch.group, merger.merge(keys, batch), batch.tokens, batch.counts)
    return tally.result(keys)


class _Tally:
    """Sums under way. Documents wait until there are `ROWS` of them: group and level in one number, which has the
    tokens too as long as they fit, so that one sort brings everything in order.
    """

    def __init__(self, bits: int) -> None:
        self.shift = FULL_BITS - bits
        self.waiting: list[tuple[Ints, Ints | None]] = []
        self.rows = 0
        self.summed: list[LevelCounts] = []
        self.excluded = np.zeros(0, dtype=np.int64)

    def add(
        self,
        groups: int,
        group: NDArray[Any],
        level: NDArray[np.int32],
        tokens: Ints,
        counted: NDArray[np.bool_] | None = None,
    ) -> None:
        """Count one batch; `counted` says which documents are any, None that all are."""
        place = group.astype(np.int64)
        place <<= FULL_BITS
        place |= level >> self.shift
        if level.min(initial=0) < 0:
            there = level >= 0
            lost = np.bincount(group[~there if counted is None else counted & ~there], minlength=groups)
            lost[: len(self.excluded)] += self.excluded
            self.excluded = lost
            place, tokens = place[there], tokens[there]
        fits = groups <= MOST_GROUPS and int(tokens.max(initial=0)) < 1 << TOKEN_BITS
        if fits:
            place <<= TOKEN_BITS
            place |= tokens
        self.waiting.append((place, None if fits else tokens))
        self.rows += len(place)
        if self.rows >= ROWS:
            self._sum()

    def _sum(self) -> None:
        packed = [place for place, tokens in self.waiting if tokens is None]
        apart = [(place, tokens) for place, tokens in self.waiting if tokens is not None]
        self.waiting.clear()
        self.rows = 0
        if any(map(len, packed)):
            place = np.concatenate(packed)
            place.sort()
            tokens = place & ((1 << TOKEN_BITS) - 1)
            place >>= TOKEN_BITS
            self.summed.append(_counted(place, tokens))
        if any(len(place) for place, _ in apart):
            place, tokens = (np.concatenate(column) for column in zip(*apart, strict=True))
            rows = np.lexsort((tokens, place))
            self.summed.append(_counted(place[rows], tokens[rows]))

    def result(self, keys: list[Key]) -> Counts:
        """The counts of what was added."""
        self._sum()
        whole = summed(self.summed) if self.summed else NOTHING
        edges = np.searchsorted(whole.levels, np.arange(len(keys) + 1) << FULL_BITS).tolist()
        groups = {}
        for key, first, stop in zip(keys, edges, edges[1:], strict=False):
            if stop > first:
                levels = whole.levels[first:stop] & ((1 << FULL_BITS) - 1)
                columns = (column[first:stop] for column in (whole.documents, whole.tokens, whole.largest))
                groups[key] = LevelCounts(levels, *columns)
        excluded = {key: int(lost) for key, lost in zip(keys, self.excluded.tolist(), strict=False) if lost}
        return Counts(groups, excluded)


def _counted(place: Ints, tokens: Ints) -> LevelCounts:
    """Counts by place of documents [n] in order of their places, then of their tokens."""
    starts = starts_of(place)
    lengths = lengths_of(starts, len(place))
    return LevelCounts(place[starts], lengths, np.add.reduceat(tokens, starts), tokens[starts + lengths - 1])


COLUMNS = ("levels", "documents", "tokens", "others")  # others: tokens that are not of the largest document, mostly 0


def to_table(found: Counts) -> pa.Table:
    """Counts as a table, for the cache; rows sorted, so that equal counts are equal bytes."""
    rows = []
    for key in sorted(found.groups.keys() | found.excluded.keys()):
        counts = found.groups.get(key, NOTHING)
        columns = (counts.levels, counts.documents, counts.tokens, counts.tokens - counts.largest)
        rows.append(([*key, found.excluded.get(key, 0)], columns))
    return ragged.to_table(COLUMNS, rows)


def from_table(table: pa.Table) -> Counts:
    """The counts that a table holds."""
    groups: dict[Key, LevelCounts] = {}
    excluded: dict[Key, int] = {}
    for (language, domain, lost), (levels, documents, tokens, others) in ragged.from_table(table):
        if len(levels):
            groups[language, domain] = LevelCounts(levels, documents, tokens, tokens - others)
        if lost:
            excluded[language, domain] = lost
    return Counts(groups, excluded)
