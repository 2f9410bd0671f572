"""The exact cut: as many of the best documents as fit a budget of tokens, without sorting them.

Levels are integers, the higher the better; among documents of one level a number decides, where there is one (the
lower the better), then the id. A histogram of tokens by level finds the level at which the budget ends, and only the
documents of that level are put in order. What comes out is a function of one document, the same for any order and any
division of the documents. Documents are taken while they fit; none is passed over for a smaller one, and the budget is
never exceeded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mixc.backends.nag.features import Counts
from mixc.backends.nag.messages import bad_fraction, no_tokens
from mixc.compiler.documents.data import Unreadable

Mask: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """Where n documents stand: `ids` string [n], `level` [n], -1 for one that is no candidate, `tokens` [n] from 0.

    `within` float64 [n] orders documents of one level, None where the id alone does.
    """

    ids: pa.Array
    level: Counts
    tokens: Counts
    within: NDArray[np.float64] | None = None


Pass: TypeAlias = Callable[[], Iterable[Ranked]]
"""What gives all documents once more, in any order."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Kept are the documents above `level`, and of `level` those up to (`within`, `id`); none where `id` is None."""

    level: int
    within: float = 0.0
    id: str | None = None


def budget_of(tokens: int, fraction: float, share: Fraction = Fraction(1)) -> int:
    """A share of a fraction of the tokens, rounded down. A fraction is taken as it is written: 29 % of 100 is 29.

    Raises `Unreadable` for one that is not above 0 and at most 1, and where there are no tokens.
    """
    if not 0 < fraction <= 1:
        raise Unreadable(bad_fraction(fraction))
    if not tokens:
        raise Unreadable(no_tokens())
    return int(written(fraction) * share * tokens)


def written(number: float) -> Fraction:
    """A number as its shortest decimal says it."""
    return Fraction(repr(float(number)))


def histogram(documents: Iterable[Ranked]) -> Counts:
    """Tokens of every level, int64 [highest level + 1]; histograms of parts add up."""
    found = np.zeros(1, dtype=np.int64)
    for part in documents:
        found = added(found, part.level, part.tokens)
    return found


def added(found: Counts, level: Counts, tokens: Counts) -> Counts:
    """A histogram with the tokens of more documents, in place unless it has to grow."""
    highest = int(level.max(initial=-1))
    if highest >= len(found):
        grown = np.zeros(max(highest + 1, 2 * len(found)), dtype=np.int64)
        grown[: len(found)] = found
        found = grown
    candidates = level >= 0
    if candidates.all():
        np.add.at(found, level, tokens)
    else:
        np.add.at(found, level[candidates], tokens[candidates])
    return found


def find_cut(tokens: Counts, budget: int, documents: Pass) -> Cut:
    """The cut for a budget, by the tokens of every level and one pass for the documents of the level it ends in."""
    above = np.cumsum(tokens[::-1])  # of this level and all better ones
    place = int(np.searchsorted(above, budget, side="right"))
    if place == len(tokens):
        return Cut(-1)
    level = len(tokens) - 1 - place
    left = budget - (int(above[place - 1]) if place else 0)
    return _inside(level, left, documents())


def kept(cut: Cut, documents: Ranked) -> Mask:
    """Which documents are kept, [n]."""
    keep: Mask = (documents.level > cut.level) & (documents.level >= 0)
    if cut.id is not None:
        rows = np.flatnonzero(documents.level == cut.level)
        upto = _numbers(pc.call_function("less_equal", [documents.ids.take(pa.array(rows)), pa.scalar(cut.id)]))
        if documents.within is not None:
            within = documents.within[rows]
            upto = (within < cut.within) | ((within == cut.within) & upto)
        keep[rows] = upto
    return keep


def _inside(level: int, left: int, documents: Iterable[Ranked]) -> Cut:
    """The cut inside a level that does not fit as a whole, `left` tokens deep."""
    parts = []
    for part in documents:
        rows = np.flatnonzero(part.level == level)
        within = np.zeros(len(rows)) if part.within is None else part.within[rows]
        columns = {"within": within, "id": part.ids.take(pa.array(rows)).cast(pa.string()), "tokens": part.tokens[rows]}
        parts.append(pa.table(columns))
    ends = pa.concat_tables(parts).sort_by([("within", "ascending"), ("id", "ascending")])
    fit = int(np.searchsorted(np.cumsum(_numbers(ends["tokens"])), left, side="right"))
    while fit and (fit < len(ends)) and _key(ends, fit - 1) == _key(ends, fit):  # rows of one id are kept together
        fit -= 1
    return Cut(level, *_key(ends, fit - 1)) if fit else Cut(level)


def _key(ends: pa.Table, row: int) -> tuple[float, str]:
    return ends["within"][row].as_py(), ends["id"][row].as_py()


def _numbers(column: Any) -> NDArray[Any]:
    plain = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return np.asarray(plain.to_numpy(zero_copy_only=False))
