"""Rated documents and the keys of their translations, read without their texts being held.

Of every language the documents whose ids have the lowest keyed hashes are kept, so many that pairs need no more; those
with translations apart from the others. What is kept does not depend on files or rows, and memory not on documents.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mixc.backends.murating.arrays import among, blank
from mixc.backends.murating.messages import no_language, repeated_document
from mixc.backends.murating.votes import Floats, Voter, oriented
from mixc.compiler.documents.data import Batch, DataFile, Unreadable, Wanted
from mixc.compiler.documents.reading import columns_of, find_files, parts, read
from mixc.compiler.keyed_hash import hash60, text_id
from mixc.compiler.recipe import Source
from mixc.compiler.supply.languages import resolve
from mixc.dsl.diagnostics import Diagnostic

LANGUAGES = ("language", "lang")  # columns that are looked for
MARK = "@"  # stands between the id of a document and the language of its translation


@dataclass(frozen=True, slots=True, eq=False)
class Rated:
    """n documents of one language in the order of their hashes: `ids` [n], `scores` float32 [n, R], higher the better.

    `native` [n]: whether they are the first of all documents of the language, not only of those with translations.
    """

    language: str
    ids: list[str]
    scores: Floats
    native: NDArray[np.bool_]


@dataclass(slots=True)
class Lowest:
    """Rows of the lowest hashes seen so far, at least `most` of them if there were as many."""

    most: int
    hashes: list[NDArray[np.uint64]] = field(default_factory=list)
    ids: list[list[str]] = field(default_factory=list)
    scores: list[Floats] = field(default_factory=list)
    files: list[list[str]] = field(default_factory=list)
    count: int = 0

    def add(self, hashes: NDArray[np.uint64], ids: list[str], scores: Floats, file: str) -> None:
        """Some rows more."""
        self.hashes.append(hashes)
        self.ids.append(ids)
        self.scores.append(scores)
        self.files.append([file] * len(ids))
        self.count += len(ids)
        if self.count > 2 * self.most + 4096:
            self.settle()

    def settle(self) -> tuple[list[str], NDArray[np.uint64], Floats]:
        """(ids, hashes, scores) of the lowest hashes, in order. Raises `Unreadable` for an id that comes twice."""
        hashes, scores = np.concatenate(self.hashes), np.concatenate(self.scores)
        ids, files = [id for part in self.ids for id in part], [name for part in self.files for name in part]
        order = sorted(range(len(ids)), key=lambda i: (int(hashes[i]), ids[i]))
        for before, after in pairwise(order):
            if ids[before] == ids[after]:
                raise Unreadable(repeated_document(ids[before], [files[before], files[after]]))
        order = order[: self.most]
        kept = [ids[i] for i in order]
        self.hashes, self.ids, self.scores = [hashes[order]], [kept], [scores[order]]
        self.files, self.count = [[files[i] for i in order]], len(order)
        return kept, self.hashes[0], self.scores[0]


@dataclass(slots=True)
class Documents:
    """What reading rated documents gives: the kept ones by language, how many there were, what was left out."""

    kept: dict[str, Rated]
    counts: dict[str, int]
    unknown: dict[str, int]
    mark: str


@cache
def code_of(text: str) -> str | None:
    """The canonical code of a language, with the script where it is not the usual one; None for an unknown one."""
    found = resolve(text)
    return None if found is None else found.tag


def files_of(paths: Sequence[str], name: str) -> tuple[tuple[DataFile, ...], list[Diagnostic]]:
    """The files that paths of the command line name."""
    return find_files(Source(name, "", tuple(paths)), Path())


def read_rated(
    files: Sequence[DataFile],
    voters: Sequence[Voter],
    language: str | None,
    translated: pa.Array,
    prefix: bytes,
    most: int,
) -> Documents:
    """All documents with a score, at most `most` of a language, and as many of those with translations.

    `translated` are the ids that have any. Raises `Unreadable`.
    """
    every: dict[str, Lowest] = {}
    some: dict[str, Lowest] = {}
    counts: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    longest = 0
    for file in files:
        for ids, codes, scores in _rows(file, voters, language, unknown):
            longest = max([longest, *(_run(id) for id in ids.to_pylist() if MARK in id)])
            rated: NDArray[np.bool_] = np.logical_not(np.isnan(scores).all(axis=1))
            hashes, with_translation = hash60(prefix, ids), among(ids, translated)
            names = np.array(ids.to_pylist(), dtype=object)
            for code in {code for code, there in zip(codes, rated, strict=True) if there and code is not None}:
                mine = rated & (codes == code)
                counts[code] += int(mine.sum())
                for lowest, rows in ((every, mine), (some, mine & with_translation)):
                    if rows.any():
                        mine_of = lowest.setdefault(code, Lowest(most))
                        mine_of.add(hashes[rows], names[rows].tolist(), scores[rows], file.name)
    kept = {code: _merged(code, every[code], some.get(code)) for code in sorted(every)}
    return Documents(kept, dict(sorted(counts.items())), dict(unknown), MARK * (longest + 1))


def language_column(file: DataFile, asked: str | None) -> tuple[str | None, str | None]:
    """(column, code): one of both says the language of the documents of a file. Raises `Unreadable`."""
    there = columns_of(file)
    if asked is not None and asked in there:
        return asked, None
    if asked is not None and (code := code_of(asked)):
        return None, code
    if asked is None and (column := next((one for one in LANGUAGES if one in there), None)):
        return column, None
    if not there:
        return None, "und"  # a file without rows
    raise Unreadable(no_language(file.name, there, asked))


def ids_of(batch: Batch) -> Any:
    """The ids of a batch, or those that its texts are; string."""
    ids = text_id(batch.text.fill_null("")) if batch.id is None and batch.text is not None else batch.id
    assert ids is not None
    return ids.cast(pa.string())


def _rows(
    file: DataFile, voters: Sequence[Voter], language: str | None, unknown: Counter[str]
) -> Iterator[tuple[Any, NDArray[np.object_], Floats]]:
    """(ids, codes, scores [n, R]) of documents with text, batch by batch; a code is None where none is known."""
    column, constant = language_column(file, language)
    scores = tuple((voter.name, voter.name) for voter in voters)
    id = "id" if "id" in columns_of(file) else None
    for part in parts(file):
        for batch in read(part, Wanted(id=id, text="text", language=column, scores=scores)):
            if not batch.rows:
                continue
            codes = _codes(batch, constant, unknown)
            assert batch.text is not None
            columns = [batch.scores[voter.name].fill_null(float("nan")).to_numpy(False) for voter in voters]
            found = oriented(np.stack(columns, axis=1), voters)
            found[blank(batch.text)] = np.nan  # what has no text cannot be learnt from
            yield ids_of(batch), codes, found


def _codes(batch: Batch, constant: str | None, unknown: Counter[str]) -> NDArray[np.object_]:
    if batch.language is None:
        return np.full(batch.rows, constant, dtype=object)
    column = batch.language
    stated = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    names = np.array(stated.fill_null("").to_pylist(), dtype=object)
    known = {name: code_of(name) for name in set(names)}
    for name, code in known.items():
        if code is None:
            unknown[name] += int((names == name).sum())
    return np.array([known[name] for name in names], dtype=object)


def _merged(language: str, every: Lowest, some: Lowest | None) -> Rated:
    """All that is kept of a language; the rows of both samples once."""
    ids, hashes, scores = every.settle()
    native = np.ones(len(ids), dtype=bool)
    if some is not None:
        there = set(ids)
        more_ids, more_hashes, more_scores = some.settle()
        fresh = [i for i, id in enumerate(more_ids) if id not in there]
        ids = ids + [more_ids[i] for i in fresh]
        hashes, scores = np.concatenate([hashes, more_hashes[fresh]]), np.concatenate([scores, more_scores[fresh]])
        native = np.concatenate([native, np.zeros(len(fresh), dtype=bool)])
    order = sorted(range(len(ids)), key=lambda i: (int(hashes[i]), ids[i]))
    return Rated(language, [ids[i] for i in order], scores[order], native[order])


def _run(id: str) -> int:
    """The longest run of marks in an id."""
    longest = now = 0
    for char in id:
        now = now + 1 if char == MARK else 0
        longest = max(longest, now)
    return longest
