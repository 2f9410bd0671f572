"""Documents under names: which (language, domain) each belongs to, how many tokens it counts, and which are left out.

Languages are the tags of the data, made canonical; those that mean no language of their own stay as they are written,
so that what is not used can be reported by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mixc.compiler.documents.data import Batch
from mixc.compiler.scan.counting import count_tokens
from mixc.compiler.scan.plan import SourcePlan
from mixc.compiler.supply.languages import canonical, resolve

UNKNOWN_LANGUAGE, UNKNOWN_DOMAIN = "und", "und"
NEVER = -1  # the place of what no document had so far
Ints = NDArray[np.int64]
Key = tuple[str, str]  # language, domain


@cache
def language_of(tag: str, aliases: tuple[tuple[str, str], ...]) -> str:
    """The canonical language of a tag, or the tag where it has none; aliases come first."""
    for alias, target in aliases:
        if alias.lower() == tag.lower() or (resolve(alias) is not None and resolve(alias) == resolve(tag)):
            return canonical(target) or target
    return canonical(tag) or tag


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A batch whose documents have a `group` [n] (index into the labeller's keys) and `tokens` [n].

    `counts` [n] is false for documents that are left out: empty text, `withheld` of them held out, `gated` by a gate.
    """

    batch: Batch
    group: NDArray[np.int32]
    tokens: Ints
    counts: NDArray[np.bool_]
    withheld: int = 0
    gated: int = 0


@dataclass(slots=True, eq=False)
class _Names:
    """The values of one column in the order they are met, and where those of the last dictionary stand among them."""

    known: dict[str | None, int] = field(default_factory=dict)
    _values: Any = None
    _place: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))

    def codes(self, column: pa.Array | None, constant: str | None, rows: int) -> NDArray[np.int32]:
        """Every document's index into `known`."""
        if column is None:
            return np.full(rows, self.known.setdefault(constant, len(self.known)), dtype=np.int32)
        encoded: Any = (
            column if pa.types.is_dictionary(column.type) else pc.call_function("dictionary_encode", [column])
        )
        values, codes = encoded.dictionary, encoded.indices
        if codes.null_count:
            codes = pc.fill_null(codes.cast(pa.int64()), len(values))
        indices = codes.to_numpy(zero_copy_only=False)
        if self._values is None or not values.equals(self._values):
            self._values, self._place = values, np.full(len(values) + 1, NEVER, dtype=np.int32)
        found = self._place.take(indices)
        if rows and found.min() == NEVER:  # only values that some document has are known
            names = [*values.to_pylist(), None]
            for i in np.flatnonzero(np.bincount(indices)).tolist():
                self._place[i] = self.known.setdefault(names[i] or None, len(self.known))
            found = self._place.take(indices)
        return np.asarray(found)


@dataclass(slots=True, eq=False)
class Labeller:
    """Gives the documents of one source their groups; `keys` grows as new ones are met, in the order they are met."""

    plan: SourcePlan
    keys: list[Key] = field(default_factory=list)
    _languages: _Names = field(default_factory=_Names)
    _domains: _Names = field(default_factory=_Names)
    _pairs: NDArray[np.int32] = field(default_factory=lambda: np.full((4, 4), NEVER, dtype=np.int32))
    _known: dict[Key, int] = field(default_factory=dict)

    def label(self, batch: Batch) -> Labelled:
        """Groups and tokens of a batch."""
        language = self._languages.codes(batch.language, self.plan.language, batch.rows)
        domain = self._domains.codes(batch.domain, self.plan.domain, batch.rows)
        self._grow(len(self._languages.known), len(self._domains.known))
        pair = language * np.int32(self._pairs.shape[1]) + domain
        group = self._pairs.reshape(-1).take(pair)
        if batch.rows and group.min() == NEVER:
            self._meet(language, domain, group == NEVER)
            group = self._pairs.reshape(-1).take(pair)
        tokens, counts = count_tokens(self.plan, batch, [key[0] for key in self.keys], group)
        return Labelled(batch, group, tokens, counts)

    def _grow(self, languages: int, domains: int) -> None:
        wide = (
            max(self._pairs.shape[0], 1 << languages.bit_length()),
            max(self._pairs.shape[1], 1 << domains.bit_length()),
        )
        if wide != self._pairs.shape:
            grown = np.full(wide, NEVER, dtype=np.int32)
            grown[: self._pairs.shape[0], : self._pairs.shape[1]] = self._pairs
            self._pairs = grown

    def _meet(self, language: NDArray[np.int32], domain: NDArray[np.int32], new: NDArray[np.bool_]) -> None:
        languages, domains = list(self._languages.known), list(self._domains.known)
        both = language[new].astype(np.int64) << 32 | domain[new]
        for pair in np.unique(both).tolist():
            i, j = pair >> 32, pair & 0xFFFFFFFF
            key = self._named(languages[i], domains[j])
            self._pairs[i, j] = self._known.setdefault(key, len(self._known))
            if len(self.keys) < len(self._known):
                self.keys.append(key)

    def _named(self, tag: str | None, domain: str | None) -> Key:
        code = UNKNOWN_LANGUAGE if tag is None else language_of(tag, self.plan.aliases)
        return code, domain or UNKNOWN_DOMAIN


def labelled(plan: SourcePlan, batches: Iterator[Batch]) -> Iterator[tuple[Labeller, Labelled]]:
    """Every batch with its labels, under one labeller."""
    labeller = Labeller(plan)
    for batch in batches:
        yield labeller, labeller.label(batch)
