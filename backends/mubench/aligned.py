"""The items of one dataset in all languages side by side, aligned by `_id`, and the half of them that is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mixc.backends.mubench.messages import other_items, unaligned_options
from mixc.backends.mubench.samples import Samples, Small
from mixc.backends.mubench.tasks import Metric
from mixc.compiler.keyed_hash import hash60
from mixc.dsl.diagnostics import Diagnostic, has_errors

Half = Literal["weights", "report", "all"]
TOLERATED: Final = 0.02
"""The share of items that may lack or differ in some language and be left out; WinoGrande lacks 3 of 1,213."""


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """Predictions of L languages (sorted codes) on n items (sorted by id).

    `options` [n] is how many there are, `gold` [n] which is right, `predicted` [L, n] which was chosen, by metric.
    """

    dataset: str
    languages: tuple[str, ...]
    ids: tuple[str, ...]
    options: Small
    gold: Small
    predicted: Mapping[Metric, Small]

    @property
    def size(self) -> int:
        """How many items."""
        return len(self.ids)

    def right(self, metric: Metric) -> NDArray[np.bool_]:
        """Whether each language chose the right option [L, n]."""
        return np.asarray(self.predicted[metric] == self.gold)

    def kept(self, mask: NDArray[np.bool_]) -> Aligned:
        """The items of a mask [n]."""
        ids = tuple(id for id, keep in zip(self.ids, mask.tolist(), strict=True) if keep)
        predicted: dict[Metric, Small] = {metric: chosen[:, mask] for metric, chosen in self.predicted.items()}
        return Aligned(self.dataset, self.languages, ids, self.options[mask], self.gold[mask], predicted)


def align(dataset: str, read: Mapping[str, Samples]) -> tuple[Aligned | None, list[Diagnostic]]:
    """The items that all languages have, with as many options and the same right one; what differs is reported."""
    languages = tuple(sorted(read))
    sets = {code: frozenset(read[code].ids) for code in languages}
    union = frozenset().union(*sets.values())
    common = sorted(frozenset(union).intersection(*sets.values()))
    found: list[Diagnostic] = []
    if len(common) < len(union):
        lacking = [code for code in languages if len(sets[code]) < len(union)]
        tolerable = len(union) - len(common) <= TOLERATED * len(union)
        found.append(other_items(dataset, lacking, len(common), len(union), tolerable=tolerable))
    if has_errors(found) or not common:
        return None, found
    rows = {code: _rows(read[code].ids, common) for code in languages}
    options = np.stack([read[code].options[rows[code]] for code in languages])
    gold = np.stack([read[code].gold[rows[code]] for code in languages])
    predicted: dict[Metric, Small] = {
        metric: np.stack([read[code].predicted[metric][rows[code]] for code in languages])
        for metric in read[languages[0]].predicted
    }
    whole = Aligned(dataset, languages, tuple(common), options[0], gold[0], predicted)
    same = np.ones(len(common), dtype=bool)
    for what, values in (("another number of options", options), ("another right option", gold)):
        usual = _most_common(values)
        differs = (values != usual).any(axis=0) & same
        if differs.any():
            found.append(_unaligned(whole, what, values != usual, differs))
            same &= ~differs
    return (None if has_errors(found) or not same.any() else whole.kept(same)), found


def halved(aligned: Aligned, half: Half) -> Aligned:
    """The half that sets weights, or the one that is reported, by a hash of the id: the same in every language."""
    if half == "all":
        return aligned
    prefix = f"mubench:half:{aligned.dataset}:".encode()
    odd = (hash60(prefix, pa.array(aligned.ids, pa.string())) & np.uint64(1)).astype(bool)
    return aligned.kept(odd if half == "report" else ~odd)


def _rows(ids: Sequence[str], wanted: Sequence[str]) -> NDArray[np.int64]:
    at = {id: row for row, id in enumerate(ids)}
    return np.array([at[id] for id in wanted], dtype=np.int64)


def _most_common(values: Small) -> Small:
    """Per item the value that most languages have [n], ties to the smaller."""
    counts = np.stack([(values == value).sum(axis=0) for value in range(int(values.max()) + 1)])
    return np.asarray(counts.argmax(axis=0), dtype=np.int8)


def _unaligned(whole: Aligned, what: str, off: NDArray[np.bool_], differs: NDArray[np.bool_]) -> Diagnostic:
    ids = [whole.ids[row] for row in np.flatnonzero(differs).tolist()]
    codes = [whole.languages[row] for row in np.flatnonzero(off[:, differs].any(axis=1)).tolist()]
    tolerable = len(ids) <= TOLERATED * whole.size
    return unaligned_options(whole.dataset, what, ids, codes, whole.size, tolerable=tolerable)
