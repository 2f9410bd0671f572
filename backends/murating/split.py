"""Which pairs are trained on, chosen on and held out: documents are divided, with all their translations and copies.

Documents stand in the order of the hash that pairs were made by, so that their neighbours, which they are paired with,
mostly fall on the same side. A pair counts where both of its documents are on one side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mixc.backends.murating.candidates import prefix_of
from mixc.backends.murating.loss import Examples
from mixc.backends.murating.pair_files import PairTable
from mixc.backends.murating.pairs import KINDS
from mixc.backends.murating.votes import is_confident
from mixc.compiler.keyed_hash import hash60

Side: TypeAlias = Literal["train", "apart", "held"]

SIDES: tuple[Side, ...] = ("held", "apart", "train")
PARALLEL = KINDS.index("parallel")


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Places in `SIDES` of texts [m] and of pairs [n]; -1 of pairs on two sides, or of too little confidence."""

    texts: NDArray[np.intp]
    pairs: NDArray[np.intp]
    across: int

    def rows(self, side: Side) -> NDArray[np.intp]:
        """The pairs of a side."""
        return np.flatnonzero(self.pairs == SIDES.index(side))


def whole(table: PairTable, confidence: float) -> Split:
    """All pairs held out: those of a file to report on."""
    pairs = np.where(_counts(table, confidence), SIDES.index("held"), -1)
    return Split(np.full(len(table.ids), SIDES.index("held")), pairs, 0)


def split(table: PairTable, confidence: float, held_out: float, apart: float) -> Split:
    """Divide documents by shares, in each language of documents alike."""
    if not table.source_ids:
        return Split(np.zeros(len(table.ids), dtype=np.intp), np.empty(0, dtype=np.intp), 0)
    side_of = _sides(table, held_out, apart)
    texts = np.where(table.sources >= 0, side_of[table.sources], SIDES.index("train"))
    together = texts[table.a] == texts[table.b]
    counted = _counts(table, confidence)
    pairs = np.where(counted & together, texts[table.a], -1)
    return Split(texts, pairs, int((counted & ~together).sum()))


def examples_of(table: PairTable, rows: NDArray[np.intp]) -> Examples:
    """Some pairs as the loss takes them."""
    parallel = table.kind[rows] == PARALLEL
    votes, same = rows[~parallel], rows[parallel]
    return Examples(table.a[votes], table.b[votes], table.p[votes], table.a[same], table.b[same])


def _counts(table: PairTable, confidence: float) -> NDArray[np.bool_]:
    counted: NDArray[np.bool_] = (table.kind == PARALLEL) | is_confident(table.p, confidence)
    return counted


def _sides(table: PairTable, held_out: float, apart: float) -> NDArray[np.intp]:
    """The side of every rated document; documents of one text are one."""
    ids = table.source_ids
    hashes = hash60(prefix_of(int(table.about.get("seed", 0))), pa.array(ids, pa.string())).astype(np.int64)
    group = _groups(table)
    languages = _languages(table)
    first: dict[int, int] = {}
    for source in sorted(range(len(ids)), key=lambda i: (int(hashes[i]), ids[i])):
        first.setdefault(int(group[source]), source)
    strata: dict[str, list[int]] = {}
    for root, source in first.items():  # in the order of hashes
        strata.setdefault(languages[source], []).append(root)
    side_of_group = np.full(len(ids), SIDES.index("train"), dtype=np.intp)
    for roots in strata.values():
        out = math.ceil(held_out * len(roots))
        choose = math.ceil(apart * len(roots))
        side_of_group[roots[:out]] = SIDES.index("held")
        side_of_group[roots[out : out + choose]] = SIDES.index("apart")
    return side_of_group[group]


def _groups(table: PairTable) -> NDArray[np.intp]:
    """A number for every document: that of the first document it shares a text with, over any chain of texts."""
    root = list(range(len(table.source_ids)))

    def find(source: int) -> int:
        while root[source] != source:
            root[source] = root[root[source]]
            source = root[source]
        return source

    by_text: dict[str, int] = {}
    for text, source in zip(table.texts, table.sources.tolist(), strict=True):
        if source >= 0:
            one, other = sorted((find(by_text.setdefault(text, source)), find(source)))
            root[other] = one
    return np.array([find(source) for source in range(len(root))], dtype=np.intp)


def _languages(table: PairTable) -> list[str]:
    """The language of every rated document where its own text is known."""
    known = dict(zip(table.ids, table.languages.tolist(), strict=True))
    return [known.get(id, "") for id in table.source_ids]
