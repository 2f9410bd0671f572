"""One quality per document: the normalised scores of its raters, weighed by its domain (QuaDMix Eq. 1), in integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixc.compiler.scan.labels import Key, Labelled
from mixc.compiler.scan.normalise import EVERY, TOP, Tables
from mixc.compiler.scan.plan import WHOLE, Plan
from mixc.compiler.scan.scoring import Rated, rated

EXCLUDED = -1  # the level of a document that a missing score leaves out
WHOLE_BITS = WHOLE.bit_length() - 1

Levels = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class _Stair:
    """A rater's steps in every language that has a table: a row each, from level `low` to level `high`.

    Below and above that all tables are flat, so a few tens of thousands of levels stand for 2^20.
    """

    steps: NDArray[np.uint16]
    low: int
    high: int
    rows: dict[str, int]

    def row(self, language: str) -> int:
        """The row of a language; -1 where it has no table."""
        return self.rows.get(language, self.rows.get(EVERY, -1))

    def step(self, offset: NDArray[np.intp], level: NDArray[np.uint32]) -> NDArray[np.uint16]:
        """The step [n] of documents whose rows begin at `offset` + `low`; of row -1, any. `offset` is used up."""
        offset += np.clip(level, np.uint32(self.low), np.uint32(self.high))
        return self.steps.take(offset, mode="clip")  # also the fastest mode


@dataclass(frozen=True, slots=True, eq=False)
class _Groups:
    """What depends on a document's group alone: per rater its `weight` [raters, groups], the `offset` of its row of the
    stair, and where it is `lacking`: weighed, but without a row.
    """

    weight: NDArray[np.uint32]
    offset: NDArray[np.intp]
    lacking: NDArray[np.bool_]


@dataclass(slots=True, eq=False)
class Merger:
    """Merges the scores of one source's documents; what depends on the groups alone is worked out once."""

    plan: Plan
    tables: Tables
    _stairs: tuple[_Stair | None, ...] = field(init=False)
    _keys: list[Key] = field(init=False, default_factory=list)
    _groups: _Groups | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._stairs = tuple(_stair(self.tables, rater.name) for rater in self.plan.raters)  # once in every process

    def merge(self, keys: list[Key], labelled: Labelled) -> Levels:
        """The merged level [n] of every document, 65,535 = best; -1 where it is left out."""
        scored = [rated(labelled.batch, rater.name) for rater in self.plan.raters]
        return self.merged(keys, labelled.group, scored, None if labelled.counts.all() else labelled.counts)

    def merged(
        self,
        keys: list[Key],
        group: NDArray[Any],
        scored: Sequence[Rated | None],
        counts: NDArray[np.bool_] | None = None,
    ) -> Levels:
        """The same of documents in `group` [n] among `keys`, with what each rater says of them."""
        groups, at = self._known(keys), group.astype(np.intp, copy=False)
        there = [self._present(i, groups, at, one) for i, one in enumerate(scored)]
        if counts is not None or any(one is not None for one in there):
            return self._partly(groups, at, scored, there, counts)
        total = np.zeros(len(at), dtype=np.uint32)  # weights sum to 2^16, so it cannot overflow
        for i, one in enumerate(scored):
            total += self._weighed(i, groups, at, one)
        total >>= np.uint32(WHOLE_BITS)
        return total.astype(np.int32)

    def _partly(
        self,
        groups: _Groups,
        at: NDArray[np.intp],
        scored: Sequence[Rated | None],
        there: Sequence[NDArray[np.bool_] | None],
        counts: NDArray[np.bool_] | None,
    ) -> Levels:
        """As `merged`, where some documents lack a score or are left out."""
        total, present = np.zeros((2, len(at)), dtype=np.int64)
        out = np.zeros(len(at), dtype=bool) if counts is None else ~counts
        for i, (rater, one, mine) in enumerate(zip(self.plan.raters, scored, there, strict=True)):
            weight = groups.weight[i].take(at).astype(np.int64)
            held = weight if mine is None else weight * mine
            if one is not None and self._stairs[i] is not None:
                step = self._weighed(i, groups, at, one)
                total += step if mine is None else step * mine
            present += held if rater.missing == "renormalise" else weight
            if rater.missing == "exclude":
                out |= held != weight
        out |= (groups.weight.sum(axis=0) > 0).take(at) & (present == 0)
        return np.where(out, EXCLUDED, np.minimum(total // np.maximum(present, 1), TOP)).astype(np.int32)

    def _known(self, keys: list[Key]) -> _Groups:
        """What is known of the groups; keys only ever grow at their end."""
        if self._groups is None or self._keys != keys:
            weights = {domain: dict(self.plan.weights_of(domain)) for _, domain in keys}
            shape = (len(self._stairs), len(keys))
            held = [[weights[domain].get(rater.name, 0) for _, domain in keys] for rater in self.plan.raters]
            rows = [[-1 if s is None else s.row(language) for language, _ in keys] for s in self._stairs]
            weight, row = np.array(held, np.uint32).reshape(shape), np.array(rows, np.intp).reshape(shape)
            width = np.array([0 if s is None else s.high - s.low + 1 for s in self._stairs], np.intp)[:, None]
            low = np.array([0 if s is None else s.low for s in self._stairs], np.intp)[:, None]
            self._groups = _Groups(weight, row * width - low, (row < 0) & (weight > 0))
            self._keys = list(keys)
        return self._groups

    def _present(self, i: int, groups: _Groups, at: NDArray[np.intp], one: Rated | None) -> NDArray[np.bool_] | None:
        """Which documents [n] have a score of a rater that can be used; None where all that weigh it do."""
        if one is None or self._stairs[i] is None:
            return np.zeros(len(at), dtype=bool)
        if not groups.lacking[i].any():
            return one.present
        usable = ~groups.lacking[i].take(at)
        if one.present is not None:
            usable &= one.present
        return None if usable.all() else usable

    def _weighed(self, i: int, groups: _Groups, at: NDArray[np.intp], one: Rated | None) -> NDArray[np.uint32]:
        """Weight * step [n] of one rater."""
        stair = self._stairs[i]
        assert one is not None
        assert stair is not None
        weighed: NDArray[np.uint32] = groups.weight[i].take(at)
        weighed *= stair.step(groups.offset[i].take(at), one.level)
        return weighed


@lru_cache(maxsize=16)
def _stair(tables: Tables, rater: str) -> _Stair | None:
    """The stair of a rater; None where it has no table at all."""
    found = {language: table for (name, language), table in tables.tables.items() if name == rater}
    if not found:
        return None
    low = min(int(table.levels[0]) for table in found.values())
    high = max(int(table.levels[-1]) for table in found.values())
    steps = np.stack([table.dense(low, high) for table in found.values()])
    return _Stair(steps, low, high, {language: row for row, language in enumerate(found)})
