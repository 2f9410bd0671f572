"""Scores of a batch as both passes use them: the ordered level of every document, and which documents have one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from mixc.compiler.documents.data import Batch
from mixc.compiler.scan.ordered import Levels, levels


@dataclass(frozen=True, slots=True, eq=False)
class Rated:
    """Levels [n] of one rater's scores; `present` [n] says which mean something, None that all do."""

    level: Levels
    present: NDArray[np.bool_] | None = None


def scores_of(batch: Batch, rater: str) -> NDArray[np.float32] | None:
    """The scores [n] of a rater, NaN where there is none; None where the source has no such column."""
    column = batch.scores.get(rater)
    if column is None:
        return None
    if column.null_count:
        column = pc.fill_null(column, float("nan"))
    values: NDArray[np.float32] = column.to_numpy(zero_copy_only=False)
    return values


def rated(batch: Batch, rater: str) -> Rated | None:
    """What a batch says of a rater; None where the source has no such column."""
    values = scores_of(batch, rater)
    if values is None:
        return None
    absent = np.isnan(values)
    return Rated(levels(values), ~absent if absent.any() else None)
