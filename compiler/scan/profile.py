"""Pass 1 over documents: how many there are of what, and a histogram of every rater's scores. All integers.

Profiles of parts add up in any order to the profile of the whole, so neither sharding nor the order of files matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mixc.compiler.documents.data import Batch, Part
from mixc.compiler.documents.reading import never_null, read
from mixc.compiler.scan import ragged
from mixc.compiler.scan.handover import Block, Handover, writing
from mixc.compiler.scan.holdout import kept
from mixc.compiler.scan.ids import watched
from mixc.compiler.scan.labels import Key, Labelled, labelled
from mixc.compiler.scan.ordered import BITS, LEVELS, levels
from mixc.compiler.scan.plan import Plan, RaterPlan
from mixc.compiler.scan.runs import ROWS, counted, merged
from mixc.compiler.scan.scoring import Rated, scores_of

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

    `rows` counts all documents, `empty` those left out for want of text, `withheld` those held out, `gated` those that
    a gate keeps out, and `skipped` lines that are no documents. `absent` are documents by (rater, domain) that a rater
    judges, in files without a column of its scores.
    """

    rows: int = 0
    empty: int = 0
    skipped: int = 0
    held: dict[Key, tuple[int, int]] = field(default_factory=dict)
    scores: dict[Key, Sparse] = field(default_factory=dict)
    odd: dict[Key, Odd] = field(default_factory=dict)
    withheld: int = 0
    gated: int = 0
    absent: dict[Key, int] = field(default_factory=dict)

    def __add__(self, other: Profile) -> Profile:
        return total([self, other])

    def __reduce__(self) -> tuple[Any, ...]:
        return from_table, (to_table(self),)  # less than half as large, between processes


def total(profiles: Iterable[Profile]) -> Profile:
    """The sum of profiles."""
    rows = empty = skipped = withheld = gated = 0
    held: dict[Key, tuple[int, int]] = {}
    scores: dict[Key, list[Sparse]] = {}
    odd: dict[Key, Odd] = {}
    absent: dict[Key, int] = {}
    for one in profiles:
        rows, empty, skipped = rows + one.rows, empty + one.empty, skipped + one.skipped
        withheld, gated = withheld + one.withheld, gated + one.gated
        for key, (documents, tokens) in one.held.items():
            before = held.get(key, (0, 0))
            held[key] = before[0] + documents, before[1] + tokens
        for key, more in one.scores.items():
            scores.setdefault(key, []).append(more)
        for key, some in one.odd.items():
            odd[key] = odd.get(key, Odd()) + some
        for key, count in one.absent.items():
            absent[key] = absent.get(key, 0) + count
    summed = {key: merged(parts) for key, parts in sorted(scores.items())}
    held, odd, absent = dict(sorted(held.items())), dict(sorted(odd.items())), dict(sorted(absent.items()))
    return Profile(rows, empty, skipped, held, summed, odd, withheld, gated, absent)


def add_sparse(one: Sparse, other: Sparse) -> Sparse:
    """The sum of two sparse histograms."""
    return merged([one, other])


def profile(plan: Plan, part: Part, handover: Handover | None = None) -> Profile:
    """The profile of one part of a file; with a `handover`, what pass 2 needs of its documents is written there."""
    source = plan.source(part.file.source)
    wanted = source.wanted
    if plan.holdout is None and (watched(source) or never_null(part, wanted.id, "id")):
        wanted = replace(wanted, id=None)  # a pass of their own reads ids, or nothing is to be found out about them
    tally = _Tally(plan.raters)
    absent: set[str] = set()
    batches = labelled(source, read(part, wanted, bad_lines=source.bad_lines, unscored=True))
    with writing(handover, part) as writer:
        for labeller, batch in kept(plan, part, batches):
            absent.update(batch.batch.absent)
            block = tally.add(labeller.keys, batch)
            if writer is not None:
                writer.add(block)
    found = tally.result()
    if not absent:
        return found
    odd = {
        key: some for key, some in found.odd.items() if key[0] not in absent
    }  # a column that is not there misses none
    return replace(found, odd=odd, absent=_unjudged(plan, absent, found))


def _unjudged(plan: Plan, absent: Iterable[str], found: Profile) -> dict[Key, int]:
    """Documents by (rater, domain) that a rater judges whose scores are absent."""
    lost: dict[Key, int] = {}
    for (_, domain), (documents, _) in found.held.items():
        for rater in set(absent) & set(dict(plan.weights_of(domain))):
            lost[rater, domain] = lost.get((rater, domain), 0) + documents
    return dict(sorted(lost.items()))


class _Tally:
    """Sums under way. Scores wait as language and level in one number until there are `ROWS` of them."""

    def __init__(self, raters: tuple[RaterPlan, ...]) -> None:
        self.raters = raters
        self.rows = self.empty = self.skipped = self.withheld = self.gated = self.waiting = 0
        self.keys: list[Key] = []
        self.languages: dict[str, int] = {}
        self.spoken = np.zeros(0, dtype=np.int64)  # the language of every key
        self.documents, self.tokens = np.zeros(0, np.int64), np.zeros(0, np.int64)
        self.scores: dict[str, list[Spoken]] = {rater.name: [] for rater in raters}
        self.summed: dict[str, list[Sparse]] = {rater.name: [] for rater in raters}
        self.odd: dict[Key, Odd] = {}

    def add(self, keys: list[Key], labelled: Labelled) -> Block:
        """Count one batch; `keys` are those of its labeller. The documents that count."""
        group, tokens = labelled.group.astype(np.intp), labelled.tokens
        self.rows += labelled.batch.rows
        self.skipped += labelled.batch.skipped
        chosen = None if labelled.counts.all() else np.flatnonzero(labelled.counts)
        if chosen is not None:
            self.empty += labelled.batch.rows - len(chosen) - labelled.withheld - labelled.gated
            self.withheld += labelled.withheld
            self.gated += labelled.gated
            group, tokens = group[chosen], tokens[chosen]
        self._meet(keys)
        self.documents += np.bincount(group, minlength=len(keys))
        np.add.at(self.tokens, group, tokens)
        if not self.raters:
            return Block(keys, group, tokens, ())
        self.waiting += len(group)
        few = len(self.languages) <= 1 << (32 - BITS)
        above = self.spoken << BITS
        spoken: Spoken = (above.astype(np.uint32) if few else above.astype(np.uint64)).take(group)
        scored = tuple(self._count(rater, spoken, labelled.batch, chosen) for rater in self.raters)
        if self.waiting >= ROWS:
            self._sum()
        return Block(keys, group, tokens, scored)

    def _meet(self, keys: list[Key]) -> None:
        """Make room for keys that are new."""
        if len(keys) == len(self.documents):
            return
        self.keys = keys
        for language, _ in keys:
            self.languages.setdefault(language, len(self.languages))
        self.spoken = np.array([self.languages[language] for language, _ in keys], dtype=np.int64)
        self.documents, self.tokens = _longer(self.documents, len(keys)), _longer(self.tokens, len(keys))

    def _count(self, rater: RaterPlan, spoken: Spoken, batch: Batch, chosen: NDArray[np.intp] | None) -> Rated | None:
        values = scores_of(batch, rater.name)
        if values is None:
            return None
        values = values if chosen is None else values[chosen]
        level = levels(values)
        outside = _outside(rater, values)
        if outside is None and np.isfinite(values).all():
            self.scores[rater.name].append(spoken | level)
            return Rated(level)
        nan = np.isnan(values)
        null = batch.scores[rater.name].is_null().to_numpy(zero_copy_only=False)
        null = null if chosen is None else null[chosen]
        marks = (null, nan & ~null, np.isinf(values), np.zeros(len(nan), dtype=bool) if outside is None else outside)
        self._odd(rater.name, spoken >> spoken.dtype.type(BITS), marks)
        self.scores[rater.name].append((spoken | level)[~nan])
        return Rated(level, ~nan if nan.any() else None)

    def _odd(self, rater: str, language: Spoken, marks: Sequence[NDArray[np.bool_]]) -> None:
        """Count what is marked as missing, NaN, infinite and outside."""
        codes = list(self.languages)
        sums = [np.bincount(language[mark].astype(np.int64), minlength=len(codes)) for mark in marks]
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
        return Profile(self.rows, self.empty, self.skipped, held, scores, self.odd, self.withheld, self.gated)


def _outside(rater: RaterPlan, values: NDArray[np.float32]) -> NDArray[np.bool_] | None:
    """Which scores [n] lie outside the range of a rater; None where none does, or where it has no range."""
    if rater.range is None:
        return None
    low, high = rater.range
    outside = (values < np.float32(low)) | (values > np.float32(high))
    return outside if outside.any() else None


def _longer(array: Ints, size: int) -> Ints:
    return array if len(array) == size else np.concatenate([array, np.zeros(size - len(array), np.int64)])


def to_table(found: Profile) -> pa.Table:
    """A profile as a table, for the cache; rows sorted, so that equal profiles are equal bytes."""
    counts = [found.rows, found.empty, found.skipped, found.withheld, found.gated]
    rows: list[tuple[list[Any], Sparse]] = [(["rows", *counts], NOTHING)]
    rows += [(["held", *key, *amounts], NOTHING) for key, amounts in sorted(found.held.items())]
    rows += [(["scores", *key], sparse) for key, sparse in sorted(found.scores.items())]
    rows += [(["odd", *key, *asdict(odd).values()], NOTHING) for key, odd in sorted(found.odd.items())]
    rows += [(["absent", *key, count], NOTHING) for key, count in sorted(found.absent.items())]
    return ragged.to_table(("places", "counts"), rows)


def from_table(table: pa.Table) -> Profile:
    """The profile that a table holds."""
    rows = empty = skipped = withheld = gated = 0
    held: dict[Key, tuple[int, int]] = {}
    scores: dict[Key, Sparse] = {}
    odd: dict[Key, Odd] = {}
    absent: dict[Key, int] = {}
    for (kind, *head), (places, counts) in ragged.from_table(table):
        match kind:
            case "rows":
                rows, empty, skipped, withheld, gated = head
            case "held":
                held[head[0], head[1]] = head[2], head[3]
            case "scores":
                scores[head[0], head[1]] = places, counts
            case "odd":
                odd[head[0], head[1]] = Odd(*head[2:])
            case _:
                absent[head[0], head[1]] = head[2]
    return Profile(rows, empty, skipped, held, scores, odd, withheld, gated, absent)
