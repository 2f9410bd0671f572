"""Pass 1 over documents: how many there are of what, and a histogram of every rater's scores. All integers.

Profiles of parts add up in any order to the profile of the whole, so neither sharding nor the order of files matters.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mixc.compiler.documents.data import Part
from mixc.compiler.documents.reading import read
from mixc.compiler.scan.labels import Key, Labelled, labelled
from mixc.compiler.scan.ordered import LEVELS, levels
from mixc.compiler.scan.plan import Plan, RaterPlan

Ints = NDArray[np.int64]
Sparse = tuple[Ints, Ints]  # places that hold something, ascending, and how much
NOTHING: Sparse = (np.zeros(0, np.int64), np.zeros(0, np.int64))


@dataclass(frozen=True, slots=True)
class Odd:
    """Documents whose score is absent (`missing`), NaN, infinite, or outside the rater's declared range."""

    missing: int = 0
    nan: int = 0
    infinite: int = 0
    outside: int = 0

    def __add__(self, other: Odd) -> Odd:
        return Odd(
            self.missing + other.missing,
            self.nan + other.nan,
            self.infinite + other.infinite,
            self.outside + other.outside,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """What documents hold: per (language, domain) documents and tokens; per (rater, language) a histogram over levels.

    `rows` counts all documents, `empty` those left out for want of text, `skipped` lines that are no documents.
    """

    rows: int = 0
    empty: int = 0
    skipped: int = 0
    held: dict[Key, tuple[int, int]] = field(default_factory=dict)
    scores: dict[Key, Sparse] = field(default_factory=dict)
    odd: dict[Key, Odd] = field(default_factory=dict)

    def __add__(self, other: Profile) -> Profile:
        held = dict(self.held)
        for key, (documents, tokens) in other.held.items():
            before = held.get(key, (0, 0))
            held[key] = before[0] + documents, before[1] + tokens
        scores = dict(self.scores)
        for key, more in other.scores.items():
            scores[key] = add_sparse(scores.get(key, NOTHING), more)
        odd = {key: self.odd.get(key, Odd()) + other.odd.get(key, Odd()) for key in self.odd.keys() | other.odd.keys()}
        counted = (self.rows + other.rows, self.empty + other.empty, self.skipped + other.skipped)
        return Profile(*counted, held, scores, odd)


def total(profiles: Iterable[Profile]) -> Profile:
    """The sum of profiles."""
    return reduce(Profile.__add__, profiles, Profile())


def add_sparse(one: Sparse, other: Sparse) -> Sparse:
    """The sum of two sparse histograms."""
    if not len(one[0]) or not len(other[0]):
        return other if not len(one[0]) else one
    places, where = np.unique(np.concatenate([one[0], other[0]]), return_inverse=True)
    counts = np.zeros(len(places), dtype=np.int64)
    np.add.at(counts, where, np.concatenate([one[1], other[1]]))
    return places, counts


def profile(plan: Plan, part: Part) -> Profile:
    """The profile of one part of a file."""
    source = plan.source(part.file.source)
    tally = _Tally(plan.raters)
    for labeller, batch in labelled(source, read(part, source.wanted, bad_lines=source.bad_lines)):
        tally.add(labeller.keys, batch)
    return tally.result()


def scores_of(batch: Labelled, rater: RaterPlan) -> tuple[NDArray[np.float32], NDArray[np.bool_]] | None:
    """(scores [n], present [n]) of a rater, NaN counting as absent; None where the source has no such column."""
    column = batch.batch.scores.get(rater.name)
    if column is None:
        return None
    values = (
        pc.fill_null(column, float("nan")).to_numpy(zero_copy_only=False)
        if column.null_count
        else (column.to_numpy(zero_copy_only=False))
    )
    return values, ~np.isnan(values)


class _Tally:
    """Sums under way: one dense histogram per rater, of which the system only provides the pages that are touched."""

    def __init__(self, raters: tuple[RaterPlan, ...]) -> None:
        self.raters = raters
        self.rows = self.empty = self.skipped = 0
        self.keys: list[Key] = []
        self.languages: dict[str, int] = {}
        self.documents, self.tokens = np.zeros(0, np.int64), np.zeros(0, np.int64)
        self.histograms: dict[tuple[str, int], NDArray[np.uint32]] = {}
        self.odd: dict[Key, Odd] = {}

    def add(self, keys: list[Key], labelled: Labelled) -> None:
        """Count one batch; `keys` are those of its labeller."""
        size, group = len(keys), labelled.group
        self.keys = keys
        self.rows += labelled.batch.rows
        self.skipped += labelled.batch.skipped
        self.empty += labelled.batch.rows - int(labelled.counts.sum())
        weight = labelled.counts
        documents = np.bincount(group, weights=weight, minlength=size).astype(np.int64)
        tokens = exact_sums(group, np.where(weight, labelled.tokens, 0), size)
        self.documents = _longer(self.documents, size) + documents
        self.tokens = _longer(self.tokens, size) + tokens
        if not self.raters:
            return
        for language, _ in keys:
            self.languages.setdefault(language, len(self.languages))
        codes = list(self.languages)
        spoken = np.array([self.languages[language] for language, _ in keys], dtype=np.int64)[group]
        for rater in self.raters:
            scored = scores_of(labelled, rater)
            if scored is not None:
                self._count(rater, codes, spoken, weight, *scored, labelled)

    def _count(
        self,
        rater: RaterPlan,
        codes: list[str],
        spoken: Ints,
        counted: NDArray[np.bool_],
        values: NDArray[np.float32],
        present: NDArray[np.bool_],
        labelled: Labelled,
    ) -> None:
        there = present & counted
        level = levels(values)
        for i in np.unique(spoken).tolist():
            mine = spoken == i
            key = (rater.name, codes[i])
            chosen = mine & there
            self._odd(key, rater, values, mine & counted, present, labelled)
            if (rater.name, i) not in self.histograms:
                self.histograms[rater.name, i] = _pages()
            np.add.at(self.histograms[rater.name, i], level[chosen], np.uint32(1))

    def _odd(
        self,
        key: Key,
        rater: RaterPlan,
        values: NDArray[np.float32],
        mine: NDArray[np.bool_],
        present: NDArray[np.bool_],
        labelled: Labelled,
    ) -> None:
        absent = int((mine & ~present).sum())
        nulls = (
            int((mine & labelled.batch.scores[rater.name].is_null().to_numpy(zero_copy_only=False)).sum())
            if (absent)
            else 0
        )
        infinite = int((mine & np.isinf(values)).sum())
        outside = 0
        if rater.range is not None:
            low, high = rater.range
            outside = int((mine & present & ((values < np.float32(low)) | (values > np.float32(high)))).sum())
        if absent or infinite or outside:
            self.odd[key] = self.odd.get(key, Odd()) + Odd(nulls, absent - nulls, infinite, outside)

    def result(self) -> Profile:
        """The profile of what was counted."""
        held = {
            key: (int(d), int(t)) for key, d, t in zip(self.keys, self.documents, self.tokens, strict=False) if d > 0
        }
        codes = list(self.languages)
        scores = {(name, codes[i]): _sparse(dense) for (name, i), dense in self.histograms.items()}
        held_scores = {key: sparse for key, sparse in scores.items() if len(sparse[0])}
        return Profile(self.rows, self.empty, self.skipped, held, held_scores, self.odd)


def exact_sums(group: NDArray[np.int32], values: Ints, size: int) -> Ints:
    """Sums [size] of non-negative integers by group: floats below 2^53 are exact, so two halves are summed apart."""
    low = np.bincount(group, weights=values & 0xFFFFF, minlength=size)
    high = np.bincount(group, weights=values >> 20, minlength=size) if len(values) and values.max() >> 20 else 0
    return np.asarray(low, dtype=np.int64) + (np.asarray(high, dtype=np.int64) << 20)


def _longer(array: Ints, size: int) -> Ints:
    return array if len(array) == size else np.concatenate([array, np.zeros(size - len(array), np.int64)])


def _pages() -> NDArray[np.uint32]:
    return np.frombuffer(mmap.mmap(-1, 4 * LEVELS), dtype=np.uint32)


def _sparse(dense: NDArray[np.uint32]) -> Sparse:
    places = np.flatnonzero(dense)
    return places.astype(np.int64), dense[places].astype(np.int64)


def to_table(found: Profile) -> pa.Table:
    """A profile as a table, for the cache; rows sorted, so that equal profiles are equal bytes."""
    rows = list(_records(found))
    names = ("kind", "first", "second", "places", "counts")
    return pa.table({name: [row[i] for row in rows] for i, name in enumerate(names)}, schema=SCHEMA)


SCHEMA = pa.schema(
    [
        ("kind", pa.string()),
        ("first", pa.string()),
        ("second", pa.string()),
        ("places", pa.list_(pa.int64())),
        ("counts", pa.list_(pa.int64())),
    ]
)


def _records(found: Profile) -> Iterator[tuple[str, str, str, Ints | list[int], Ints | list[int]]]:
    yield "rows", "", "", [], [found.rows, found.empty, found.skipped]
    for key, (documents, tokens) in sorted(found.held.items()):
        yield "held", *key, [], [documents, tokens]
    for key, (places, counts) in sorted(found.scores.items()):
        yield "scores", *key, places, counts
    for key, odd in sorted(found.odd.items()):
        yield "odd", *key, [], [odd.missing, odd.nan, odd.infinite, odd.outside]


def from_table(table: pa.Table) -> Profile:
    """The profile that a table holds."""
    rows = empty = skipped = 0
    held: dict[Key, tuple[int, int]] = {}
    scores: dict[Key, Sparse] = {}
    odd: dict[Key, Odd] = {}
    for i, kind in enumerate(table["kind"].to_pylist()):
        key = (table["first"][i].as_py(), table["second"][i].as_py())
        counts = table["counts"][i].values.to_numpy()
        if kind == "rows":
            rows, empty, skipped = (int(count) for count in counts)
        elif kind == "held":
            held[key] = int(counts[0]), int(counts[1])
        elif kind == "scores":
            scores[key] = table["places"][i].values.to_numpy().astype(np.int64), counts.astype(np.int64)
        else:
            odd[key] = Odd(*(int(count) for count in counts))
    return Profile(rows, empty, skipped, held, scores, odd)
