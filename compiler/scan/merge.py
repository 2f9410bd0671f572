"""One quality per document: the normalised scores of its raters, weighed by its domain (QuaDMix Eq. 1), in integers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mixc.compiler.scan.labels import Key, Labelled
from mixc.compiler.scan.normalise import TOP, Tables
from mixc.compiler.scan.ordered import levels
from mixc.compiler.scan.plan import WHOLE, Plan
from mixc.compiler.scan.profile import scores_of

EXCLUDED = -1  # the level of a document that a missing score leaves out
UNRATED = 0  # the one level of a domain without raters

Levels = NDArray[np.int32]


@dataclass(slots=True, eq=False)
class Merger:
    """Merges the scores of one source's documents; what depends on the groups alone is worked out once."""

    plan: Plan
    tables: Tables
    _steps: dict[str, NDArray[np.uint16]] = field(default_factory=dict)
    _row: dict[str, dict[str, int]] = field(default_factory=dict)

    def merge(self, keys: list[Key], labelled: Labelled) -> Levels:
        """The merged level [n] of every document, 65,535 = best; -1 where it is left out."""
        weights = self._weights(keys)
        rated = weights.sum(axis=1)[labelled.group] > 0
        if not rated.any():
            return np.where(labelled.counts, UNRATED, EXCLUDED).astype(np.int32)
        total = np.zeros(labelled.batch.rows, dtype=np.int64)
        present = np.zeros(labelled.batch.rows, dtype=np.int64)
        out = ~labelled.counts
        for i, rater in enumerate(self.plan.raters):
            weight = weights[:, i][labelled.group]
            step, there = self._normalised(i, keys, labelled)
            wanted = weight > 0
            if rater.missing == "exclude":
                out |= wanted & ~there
            if rater.missing != "renormalise":
                present += weight
            else:
                present += np.where(there, weight, 0)
            total += np.where(there, weight * step, 0)
        out |= rated & (present == 0)
        share = total // WHOLE if (present[rated & ~out] == WHOLE).all() else total // np.maximum(present, 1)
        return np.where(out, EXCLUDED, np.where(rated, np.minimum(share, TOP), UNRATED)).astype(np.int32)

    def _weights(self, keys: list[Key]) -> NDArray[np.int64]:
        """Whole weights [groups, raters]."""
        names = [rater.name for rater in self.plan.raters]
        table = np.zeros((len(keys), len(names)), dtype=np.int64)
        for group, (_, domain) in enumerate(keys):
            for name, weight in self.plan.weights_of(domain):
                table[group, names.index(name)] = weight
        return table

    def _normalised(self, i: int, keys: list[Key], labelled: Labelled) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """(step [n], present [n]) of one rater."""
        rater = self.plan.raters[i]
        scored = scores_of(labelled, rater)
        if scored is None:
            none = np.zeros(labelled.batch.rows, dtype=np.int64)
            return none, none.astype(bool)
        values, present = scored
        rows = np.array([self._language(rater.name, language) for language, _ in keys], dtype=np.int64)
        row = rows[labelled.group]
        step = self._steps[rater.name].reshape(-1)[np.maximum(row, 0) << 20 | levels(values)] if rows.max() >= 0 else 0
        return np.asarray(step, dtype=np.int64), present & (row >= 0)

    def _language(self, rater: str, language: str) -> int:
        """Which row of the rater's dense steps a language has; -1 where it has no table."""
        known = self._row.setdefault(rater, {})
        if language not in known:
            table = self.tables.of(rater, language)
            if table is None:
                known[language] = -1
            else:
                held = self._steps.get(rater)
                known[language] = 0 if held is None else len(held)
                dense = table.dense()[None]
                self._steps[rater] = dense if held is None else np.concatenate([held, dense])
        return known[language]
