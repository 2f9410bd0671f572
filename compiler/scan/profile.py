"""Pass 1 over documents: how many there are of what, and a histogram of every rater's scores. All integers.

Profiles of parts add up in any order to the profile of the whole, so neither sharding nor the order of files matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mixc.compiler.documents.data import Part
from mixc.compiler.documents.reading import read
from mixc.compiler.scan.ids import watched
from mixc.compiler.scan.labels import Key, Labelled, labelled
from mixc.compiler.scan.ordered import BITS, LEVELS, levels
from mixc.compiler.scan.plan import Plan, RaterPlan
from mixc.compiler.scan.runs import ROWS, counted, merged

Ints = NDArray[np.int64]
Sparse = tuple[Ints, Ints]  # places that hold something, ascending, and how much
Spoken = NDArray[np.uint32] | NDArray[np.uint64]  # languages, and levels below them
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
        return total([self, other])


def total(profiles: Iterable[Profile]) -> Profile:
    """The sum of profiles."""
    rows = empty = skipped = 0
    held: dict[Key, tuple[int, int]] = {}
    scores: dict[Key, list[Sparse]] = {}
    odd: dict[Key, Odd] = {}
    for one in profiles:
        rows, empty, skipped = rows + one.rows, empty + one.empty, skipped + one.skipped
        for key, (documents, tokens) in one.held.items():
            before = held.get(key, (0, 0))
            held[key] = before[0] + documents, before[1] + tokens
        for key, more in one.scores.items():
            scores.setdefault(key, []).append(more)
        for key, some in one.odd.items():
            odd[key] = odd.get(key, Odd()) + some
    summed = {key: merged(parts) for key, parts in sorted(scores.items())}
    return Profile(rows, empty, skipped, dict(sorted(held.items())), summed, dict(sorted(odd.items())))


def add_sparse(one: Sparse, other: Sparse) -> Sparse:
    """The sum of two sparse histograms."""
    return merged([one, other])


def profile(plan: Plan, part: Part) -> Profile:
    """The profile of one part of a file."""
    source = plan.source(part.file.source)
    wanted = replace(source.wanted, id=None) if watched(source) else source.wanted  # then a pass of their own reads ids
    tally = _Tally(plan.raters)
    for labeller, batch in labelled(source, read(part, wanted, bad_lines=source.bad_lines)):
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
    """Sums under way. Scores wait as language and level in one number until there are `ROWS` of them."""

    def __init__(self, raters: tuple[RaterPlan, ...]) -> None:
        self.raters = raters
        self.rows = self.empty = self.skipped = self.waiting = 0
        self.keys: list[Key] = []
        self.languages: dict[str, int] = {}
        self.documents, self.tokens = np.zeros(0, np.int64), np.zeros(0, np.int64)
        self.scores: dict[str, list[Spoken]] = {rater.name: [] for rater in raters}
        self.summed: dict[str, list[Sparse]] = {rater.name: [] for rater in raters}
        self.odd: dict[Key, Odd] = {}

    def add(self, keys: list[Key], labelled: Labelled) -> None:
        """Count one batch; `keys` are those of its labeller."""
        group, counts = labelled.group.astype(np.int64), labelled.counts
        self.keys = keys
        self.rows += labelled.batch.rows
        self.skipped += labelled.batch.skipped
        chosen = None if counts.all() else np.flatnonzero(counts)
        tokens = labelled.tokens
        if chosen is not None:
            self.empty += labelled.batch.rows - len(chosen)
            group, tokens = group[chosen], tokens[chosen]
        self.documents, self.tokens = _longer(self.documents, len(keys)), _longer(self.tokens, len(keys))
        self.documents += np.bincount(group, minlength=len(keys))
        np.add.at(self.tokens, group, tokens)
        self.waiting += len(group)
        if self.raters:
            for language, _ in keys:
                self.languages.setdefault(language, len(self.languages))
            codes = np.array([self.languages[language] for language, _ in keys], dtype=np.uint64)
            few = len(self.languages) <= 1 << (32 - BITS)
            spoken: Spoken = codes.astype(np.uint32).take(group) if few else codes.take(group)
            for rater in self.raters:
                self._count(rater, spoken, labelled, chosen)
        if self.waiting >= ROWS:
            self._sum()

    def _count(self, rater: RaterPlan, spoken: Spoken, labelled: Labelled, chosen: NDArray[np.intp] | None) -> None:
        scored = scores_of(labelled, rater)
        if scored is None:
            return
        values, present = scored if chosen is None else (scored[0][chosen], scored[1][chosen])
        self.scores[rater.name].append((spoken << spoken.dtype.type(BITS) | levels(values))[present])
        infinite, outside = np.isinf(values), np.zeros(len(values), dtype=bool)
        if rater.range is not None:
            low, high = rater.range
            outside = present & ((values < np.float32(low)) | (values > np.float32(high)))
        if not present.all() or infinite.any() or outside.any():
            null = labelled.batch.scores[rater.name].is_null().to_numpy(zero_copy_only=False)
            null = null if chosen is None else null[chosen]
            self._odd(rater.name, spoken, (null, ~(present | null), infinite, outside))

    def _odd(self, rater: str, spoken: Spoken, marks: Sequence[NDArray[np.bool_]]) -> None:
        """Count what is marked as missing, NaN, infinite and outside."""
        codes = list(self.languages)
        sums = [np.bincount(spoken[mark].astype(np.int64), minlength=len(codes)) for mark in marks]
        for code, amounts in zip(codes, np.stack(sums, axis=1).tolist(), strict=True):
            if any(amounts):
                self.odd[rater, code] = self.odd.get((rater, code), Odd()) + Odd(*amounts)

    def _sum(self) -> None:
        for name, waiting in self.scores.items():
            if waiting:
                self.summed[name].append(counted(np.concatenate(waiting)))
                waiting.clear()
        self.waiting = 0

    def result(self) -> Profile:
        """The profile of what was counted."""
        self._sum()
        held = {
            key: (int(d), int(t)) for key, d, t in zip(self.keys, self.documents, self.tokens, strict=False) if d > 0
        }
        scores = {}
        for name, parts in self.summed.items():
            if not parts:
                continue
            places, counts = merged(parts)
            edges = np.searchsorted(places, np.arange(len(self.languages) + 1) << BITS)
            for code, first, stop in zip(self.languages, edges, edges[1:], strict=False):
                if stop > first:
                    scores[name, code] = places[first:stop] & (LEVELS - 1), counts[first:stop]
        return Profile(self.rows, self.empty, self.skipped, held, scores, self.odd)


def _longer(array: Ints, size: int) -> Ints:
    return array if len(array) == size else np.concatenate([array, np.zeros(size - len(array), np.int64)])


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
