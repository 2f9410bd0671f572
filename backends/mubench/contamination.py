"""Benchmark items in a pool of documents: every run of words of every text against the index of the items.

The result depends on the items and the documents alone: parts are searched in any order, by any number of workers.
Hashes have 64 bits; among 10^6 runs of items and 10^12 of texts, 0.05 agree by chance.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mixc.backends.mubench import contamination_messages as messages
from mixc.backends.mubench.items import Index, Item, index
from mixc.backends.mubench.ngrams import Texts, Words, hashed
from mixc.compiler.documents.data import DataFile, Part, Unreadable, Wanted
from mixc.compiler.documents.reading import parts, read
from mixc.compiler.executor import Executor, Failure, reasons
from mixc.compiler.keyed_hash import text_id
from mixc.compiler.progress import Progress
from mixc.compiler.scan.plan import SourcePlan
from mixc.compiler.scan.store import FOLDER
from mixc.compiler.whole import beside, held, make_folder, tidy
from mixc.dsl.diagnostics import Diagnostic, has_errors

PLACE: Final = "contamination"
ROWS: Final = 2048
PART: Final = 16 << 20  # bytes, before compression
_BITS: Final = 22  # of a hash, that a table of what occurs is looked up by


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """An item, by its number, in a document of a source."""

    item: int
    source: str
    document: str


@dataclass(frozen=True, slots=True, eq=False)
class Contamination:
    """All items that were looked for, which of them could be (`checked` [items]), and where they were found, sorted."""

    items: tuple[Item, ...]
    checked: NDArray[np.bool_]
    hits: tuple[Hit, ...]
    documents: int


@dataclass(frozen=True, slots=True)
class _Searched:
    hits: tuple[Hit, ...]
    documents: int
    size: int


def search(
    items: Sequence[Item],
    files: Sequence[DataFile],
    sources: Mapping[str, SourcePlan],
    folder: Path,
    over: tuple[Executor, Progress],
) -> tuple[Contamination | None, list[Diagnostic]]:
    """Items found in the texts of files of a pool; the index lies below `folder` for workers while they work."""
    found = [messages.no_texts(name) for name in sorted({file.source for file in files}) if sources[name].text is None]
    if has_errors(found):
        return None, found
    made = index(items)
    place = beside(folder / FOLDER / PLACE / "index.npz")  # never finished: nobody but this search is to find it
    try:
        tasks = [part for file in files for part in parts(file, PART)]
        make_folder(place.parent, lasting=False)
        tidy([place.with_name("index.npz")])
        with held(place):
            _put(made, place)
            done, problems = _mapped(partial(_search, str(place.absolute()), dict(sources)), tasks, over)
    except Unreadable as error:
        return None, [error.diagnostic]
    except OSError as error:
        return None, [messages.not_searched(len(files), os.strerror(error.errno or 0).lower())]
    finally:
        with contextlib.suppress(OSError):
            place.unlink()
    if problems:
        return None, problems
    hits = tuple(sorted({hit for one in done for hit in one.hits}))
    total = sum(one.documents for one in done)
    if not made.checked.all():
        found.append(messages.uncheckable(int((~made.checked).sum()), len(items)))
    return Contamination(tuple(items), made.checked, hits, total), found


def _mapped(
    work: partial[_Searched], tasks: Sequence[Part], over: tuple[Executor, Progress]
) -> tuple[list[_Searched], list[Diagnostic]]:
    executor, progress = over
    done: list[_Searched] = []
    failures: dict[int, Failure] = {}

    def heard(number: int, result: _Searched | Failure) -> None:
        if isinstance(result, Failure):
            failures[number] = result
        else:
            done.append(result)
            progress.advance(1, result.documents)

    progress.begin("searching", len(tasks))
    executor.map(work, tasks, heard)
    progress.end()
    known, others = reasons(failures)
    return done, [*known, *([messages.not_searched(len(others), others[0].message)] if others else [])]


def _search(place: str, sources: Mapping[str, SourcePlan], part: Part) -> _Searched:
    """The items in the texts of one part."""
    source = sources[part.file.source]
    made = _Table.at(place)
    hits: set[Hit] = set()
    documents = 0
    for batch in read(part, Wanted(id=source.wanted.id, text=source.text), rows=ROWS, bad_lines=source.bad_lines):
        if not batch.rows:
            continue
        assert batch.text is not None
        texts = batch.text.fill_null("")
        documents += batch.rows
        rows, numbers = made.find(hashed(texts.to_pylist()))
        if len(rows):
            ids = text_id(texts) if batch.id is None else batch.id
            named = ids.take(pa.array(rows)).to_pylist()
            hits |= {Hit(number, source.name, name) for number, name in zip(numbers.tolist(), named, strict=True)}
    return _Searched(tuple(sorted(hits)), documents, 1)


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """An index with a table of the leading bits that occur, which most runs of words fail at once."""

    index: Index
    leading: tuple[NDArray[np.bool_], ...]

    @staticmethod
    @cache
    def at(place: str) -> _Table:
        """The index that lies there."""
        with np.load(place) as data:
            lengths = tuple(data["lengths"].tolist())
            hashes = tuple(data[f"hashes{n}"] for n in lengths)
            items = tuple(data[f"items{n}"] for n in lengths)
            return _Table(Index(lengths, hashes, items, data["checked"]), tuple(_leading(one) for one in hashes))

    def find(self, texts: Texts) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(number of the text, number of the item) of all that is found."""
        rows: list[NDArray[np.int64]] = []
        numbers: list[NDArray[np.int64]] = []
        for length, hashes, items, leading in zip(
            self.index.lengths, self.index.hashes, self.index.items, self.leading, strict=True
        ):
            grams, of = texts.grams(length)
            near = np.flatnonzero(leading[grams >> np.uint64(64 - _BITS)])
            grams, of = grams[near], of[near]
            low, high = np.searchsorted(hashes, grams, "left"), np.searchsorted(hashes, grams, "right")
            counts = high - low
            rows.append(np.repeat(of, counts))
            offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            numbers.append(items[np.repeat(low, counts) + offsets])
        if not rows:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        pairs = np.unique(np.stack([np.concatenate(rows), np.concatenate(numbers)], axis=1), axis=0)
        return pairs[:, 0], pairs[:, 1]


def _leading(hashes: Words) -> NDArray[np.bool_]:
    table = np.zeros(1 << _BITS, dtype=bool)
    table[hashes >> np.uint64(64 - _BITS)] = True
    return table


def _put(made: Index, path: Path) -> None:
    arrays: dict[str, Any] = {f"hashes{n}": one for n, one in zip(made.lengths, made.hashes, strict=True)}
    arrays |= {f"items{n}": one for n, one in zip(made.lengths, made.items, strict=True)}
    arrays |= {"lengths": np.array(made.lengths, dtype=np.int64), "checked": made.checked}
    with path.open("wb") as sink:
        np.savez(sink, **arrays)
