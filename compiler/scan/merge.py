"""One quality per document: the normalised scores of its raters, weighed by its domain (QuaDMix Eq. 1), in integers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mixc.compiler.scan.labels import Key, Labelled
from mixc.compiler.scan.normalise import EVERY, TOP, Tables
from mixc.compiler.scan.ordered import levels
from mixc.compiler.scan.plan import WHOLE, Plan
from mixc.compiler.scan.profile import scores_of

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

    def step(self, row: NDArray[np.int64], level: NDArray[np.uint32]) -> NDArray[np.int64]:
        """The step [n] of documents of those rows and levels; of row -1, any."""
        place = np.clip(level, self.low, self.high).astype(np.int64)
        place += row * (self.high - self.low + 1) - self.low
        return self.steps.take(place, mode="clip").astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class _Groups:
    """What depends on a document's group alone: per rater its `weight` [raters, groups] and the `row` of its stair."""

    weight: NDArray[np.int64]
    row: NDArray[np.int64]


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
        groups = self._known(keys)
        group = labelled.group.astype(np.int64)
        scored = [self._normalised(i, groups, group, labelled) for i in range(len(self._stairs))]
        weights = [weight.take(group) for weight in groups.weight]
        total = np.zeros(labelled.batch.rows, dtype=np.int64)
        if all(there is None for _, there in scored) and labelled.counts.all():
            for weight, (step, _) in zip(weights, scored, strict=True):
                total += weight * step
            return np.asarray(np.minimum(total >> WHOLE_BITS, TOP), dtype=np.int32)
        present = np.zeros(labelled.batch.rows, dtype=np.int64)
        out = ~labelled.counts
        for rater, weight, (step, there) in zip(self.plan.raters, weights, scored, strict=True):
            held = weight if there is None else weight * there
            total += held * step
            present += held if rater.missing == "renormalise" else weight
            if rater.missing == "exclude":
                out |= held != weight
        rated = (groups.weight.sum(axis=0) > 0).take(group)
        out |= rated & (present == 0)
        return np.where(out, EXCLUDED, np.minimum(total // np.maximum(present, 1), TOP)).astype(np.int32)

    def _known(self, keys: list[Key]) -> _Groups:
        """What is known of the groups; keys only ever grow at their end."""
        if self._groups is None or self._keys != keys:
            weights = {domain: dict(self.plan.weights_of(domain)) for _, domain in keys}
            names = [rater.name for rater in self.plan.raters]
            shape = (len(names), len(keys))
            held = [[weights[domain].get(name, 0) for _, domain in keys] for name in names]
            rows = [[-1 if s is None else s.row(language) for language, _ in keys] for s in self._stairs]
            self._groups = _Groups(np.array(held, np.int64).reshape(shape), np.array(rows, np.int64).reshape(shape))
            self._keys = list(keys)
        return self._groups

    def _normalised(
        self, i: int, groups: _Groups, group: NDArray[np.int64], labelled: Labelled
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
        """(step [n], present [n]) of one rater; None where all that weigh it are present."""
        stair = self._stairs[i]
        scored = scores_of(labelled, self.plan.raters[i])
        if scored is None or stair is None:
            return np.zeros(len(group), dtype=np.int64), np.zeros(len(group), dtype=bool)
        values, present = scored
        step = stair.step(groups.row[i].take(group), levels(values))
        lacking = (groups.row[i] < 0) & (groups.weight[i] > 0)
        if lacking.any():
            present &= ~lacking.take(group)
        return step, None if present.all() else present


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
