"""Translations of rated documents: which document has one in which language, and the texts of those that pairs name.

The file of parallel text has `key` (the id of a rated document), a language and a text on every row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mixc.backends.murating.arrays import among, blank, distinct, repeated
from mixc.backends.murating.messages import repeated_translation, stray_translations
from mixc.backends.murating.rated import Rated, code_of, language_column
from mixc.compiler.documents.data import DataFile, Unreadable, Wanted
from mixc.compiler.documents.reading import parts, read
from mixc.dsl.diagnostics import Diagnostic

KEY = "key"


@dataclass(frozen=True, slots=True, eq=False)
class Translations:
    """The keys by language, each once; how many rows have no known language or no text."""

    keys: Mapping[str, pa.Array]
    unknown: int = 0
    empty: int = 0

    def every(self) -> pa.Array:
        """All keys, each once."""
        arrays = [array for _, array in sorted(self.keys.items())]
        return distinct(pa.concat_arrays(arrays)) if arrays else pa.array([], pa.string())


def read_translations(files: Sequence[DataFile]) -> Translations:
    """The keys of all translations. Raises `Unreadable`, also where a document has two in one language."""
    found: dict[str, list[pa.Array]] = {}
    unknown = empty = 0
    for file in files:
        for keys, codes, texts in translation_rows(file):
            bare = blank(texts)
            known = np.array([code is not None for code in codes])
            unknown, empty = unknown + int((~known).sum()), empty + int((known & bare).sum())
            for code in {code for code in codes if code is not None}:
                rows = (codes == code) & ~bare
                if rows.any():
                    found.setdefault(code, []).append(keys.filter(pa.array(rows)))
    whole = {code: pa.concat_arrays(arrays) for code, arrays in sorted(found.items())}
    for code, array in whole.items():
        if (key := repeated(array)) is not None:
            raise Unreadable(repeated_translation(key, code))
    return Translations(whole, unknown, empty)


def translation_rows(file: DataFile) -> Iterator[tuple[pa.Array, NDArray[np.object_], pa.Array]]:
    """(keys, codes, texts) batch by batch; a code is None where none is known."""
    column, constant = language_column(file, None)
    for part in parts(file):
        for batch in read(part, Wanted(id=KEY, text="text", language=column)):
            if batch.rows:
                assert batch.id is not None and batch.text is not None
                stated = [constant] * batch.rows if batch.language is None else batch.language.to_pylist()
                codes = np.array([code_of(code) if code else None for code in stated], dtype=object)
                yield batch.id.cast(pa.string()), codes, batch.text.cast(pa.large_string())


def versions_of(rated: Rated, translations: Translations) -> dict[str, NDArray[np.intp]]:
    """By language: which of n documents can be had in it, as places in their order; their own is all of them."""
    ids = pa.array(rated.ids, pa.string())
    found = {rated.language: np.arange(len(rated.ids))}
    for code, keys in translations.keys.items():
        if code != rated.language:
            places = np.flatnonzero(among(ids, keys))
            if len(places):
                found[code] = places
    return found


def strays(documents: Mapping[str, Rated], translations: Translations, files: bool) -> list[Diagnostic]:
    """What is said of translations that belong to no rated document, or are none."""
    if not files:
        return []
    arrays = [pa.array(rated.ids, pa.string()) for rated in documents.values()]
    every = pa.concat_arrays(arrays) if arrays else pa.array([], pa.string())
    unrated = own = 0
    for code, keys in translations.keys.items():
        unrated += len(keys) - int(among(keys, every).sum())
        mine = documents.get(code)
        if mine is not None:
            own += int(among(keys, pa.array(mine.ids, pa.string())).sum())
    counts = (unrated, own, translations.unknown, translations.empty)
    return [stray_translations(*counts)] if any(counts) else []
