"""Features matched with documents by id: what came, which rows of it each document takes, what is left over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mixc.backends.nag.features import NONE, Batch, Projection, Shape
from mixc.backends.nag.import_messages import several_documents, unused_features, without_features
from mixc.backends.nag.jsonl import read_jsonl
from mixc.backends.nag.messages import broken_features, repeated_ids
from mixc.compiler.documents.data import Part, Unreadable, Wanted
from mixc.compiler.documents.reading import read
from mixc.compiler.keyed_hash import Words, hash60
from mixc.compiler.scan.holdout import identifiers
from mixc.compiler.scan.plan import Plan
from mixc.dsl.diagnostics import Diagnostic

PREFIXES = (b"mixc.features:1:", b"mixc.features:2:")
SHOWN = 3
ROWS = 1 << 16  # features that are compared at a time
NOBODY = -1


@dataclass(slots=True, eq=False)
class Arrived:
    """Features as they came, in a file of uint16 [total, L * K], and the hashes of their ids, sorted, each id once.

    `order` are the rows of the ids.
    """

    paths: tuple[Path, ...]
    total: int
    projection: Projection
    shape: Shape
    place: Path
    first: Words
    second: Words
    order: NDArray[np.int64]
    _features: Any = field(default=None)

    def __len__(self) -> int:
        return len(self.order)

    def rows_of(self, ids: pa.Array) -> NDArray[np.int64]:
        """The row of every id, -1 where there is none."""
        first, second = (hash60(prefix, ids) for prefix in PREFIXES)
        at = np.searchsorted(self.first, first)
        while True:
            inside = np.minimum(at, len(self) - 1)
            same = (at < len(self)) & (self.first[inside] == first)
            other = same & (self.second[inside] != second)
            if not other.any():
                return np.where(same, self.order[inside], NOBODY)
            at = at + other

    def features(self, rows: NDArray[np.int64]) -> Any:
        """The features of rows, those of no token for -1."""
        if self._features is None:
            self._features = np.memmap(self.place, np.uint16, "r", shape=(self.total, self.shape.length))
        found = np.full((len(rows), self.shape.length), NONE, dtype=np.uint16)
        there = rows >= 0
        found[there] = self._features[rows[there]]
        return found

    def ids_of(self, rows: Sequence[int]) -> list[str]:
        """The ids of a few rows: the files are read again."""
        wanted, found, first = sorted(rows), list[str](), 0
        for path in self.paths:
            for batch in read_jsonl(path, self.projection, self.shape):
                while wanted and wanted[0] < first + len(batch.ids):
                    found.append(batch.ids[wanted.pop(0) - first].as_py())
                if not wanted:
                    return found
                first += len(batch.ids)
        return found

    def close(self) -> None:
        """Remove the file."""
        self._features = None
        self.place.unlink(missing_ok=True)


def arrived(paths: Sequence[Path], projection: Projection, shape: Shape, place: Path) -> Arrived:
    """All rows of the authors' files; raises `Unreadable` for a file that is none, and for an id with two features.

    Rows of one id that are equal are one: files may share documents.
    """
    hashes: tuple[list[Words], list[Words]] = ([], [])
    counts = []
    with place.open("wb") as sink:
        for path in paths:
            counts.append(0)
            for batch in read_jsonl(path, projection, shape):
                sink.write(np.ascontiguousarray(batch.features).tobytes())
                for mine, prefix in zip(hashes, PREFIXES, strict=True):
                    mine.append(hash60(prefix, batch.ids))
                counts[-1] += len(batch.ids)
    if not sum(counts):
        raise Unreadable(broken_features(paths[0].name if paths else "no file", "it has no rows"))
    first, second = (np.concatenate(mine) for mine in hashes)
    order = np.lexsort((second, first))  # rows of one id stay in their order
    first, second = first[order], second[order]
    found = Arrived(tuple(paths), sum(counts), projection, shape, place, first, second, order)
    again = np.append(False, (first[1:] == first[:-1]) & (second[1:] == second[:-1]))
    if again.any():
        _refuse_other(found, np.cumsum(counts), np.flatnonzero(again))
        found.first, found.second, found.order = first[~again], second[~again], order[~again]
    return found


def _refuse_other(found: Arrived, ends: NDArray[np.int64], again: NDArray[np.int64]) -> None:
    """Raise `Unreadable` where a row has the id of the one before it, and other features."""
    other = []
    for start in range(0, len(again), ROWS):
        some = again[start : start + ROWS]
        unequal = found.features(found.order[some]) != found.features(found.order[some - 1])
        other.append(found.order[some][unequal.any(axis=1)])
    rows = np.concatenate(other)
    if len(rows):
        row = int(rows.min())
        file = int(np.searchsorted(ends, row, side="right"))
        raise Unreadable(repeated_ids(found.paths[file].name, found.ids_of([row])[0], len(rows)))


class Matched:
    """Documents as they find their features; what found none, and what was found by nobody or by several."""

    def __init__(self, plan: Plan, rows: Arrived, skip: bool) -> None:
        self.plan, self.rows, self.skip = plan, rows, skip
        self.documents, self.lacking = 0, 0
        self.lacking_ids: list[str] = []
        self.owner = np.full(rows.total, NOBODY, dtype=np.int32)
        self.owners: list[str] = []
        self.clashes: list[tuple[int, int]] = []
        self.clashing = 0

    def batches(self, part: Part) -> Iterator[Batch]:
        """The documents of a part with their features, in order."""
        source = self.plan.source(part.file.source)
        wanted = Wanted(id=source.wanted.id, text=None if source.wanted.id else source.text)
        lost: list[NDArray[np.int64]] = []
        named: list[str] = []
        owner = self._owner(part)
        for batch in read(part, wanted, bad_lines=source.bad_lines):
            spoken = np.arange(batch.rows)
            if batch.id is None and batch.text is not None:
                spoken = np.flatnonzero(batch.text.is_valid().to_numpy(zero_copy_only=False))
            ids = identifiers(batch, spoken).cast(pa.string())
            rows = np.full(batch.rows, NOBODY, dtype=np.int64)
            rows[spoken] = self.rows.rows_of(ids)
            self._own(owner, rows[rows >= 0])
            missing = spoken[rows[spoken] < 0]
            if len(missing):
                lost.append(missing + batch.first)
                named += ids.take(pa.array(np.flatnonzero(rows[spoken] < 0))).to_pylist()[: SHOWN - len(named)]
            self.documents += batch.rows
            every = np.full(batch.rows, "", dtype=object)
            every[spoken] = ids.to_pylist()
            yield Batch(pa.array(every, pa.string()), self.rows.features(rows))
        if lost:
            self._lost(part, np.concatenate(lost), named)

    def told(self) -> list[Diagnostic]:
        """What is wrong with the match as a whole."""
        if self.clashes:
            row, other = self.clashes[0]
            places = [self.owners[int(self.owner[row])], self.owners[other]]
            return [several_documents(self.rows.ids_of([row])[0], self.clashing, places)]
        left = np.sort(self.rows.order[self.owner[self.rows.order] == NOBODY])
        unused = self.rows.ids_of(left[:SHOWN].tolist()) if len(left) else []
        found = []
        if self.lacking:
            found.append(without_features(self.lacking, self.documents, self.lacking_ids, unused, self.skip))
        if len(left) and (self.skip or not self.lacking):
            found.append(unused_features(len(left), len(self.rows), unused))
        return found

    def _owner(self, part: Part) -> int:
        """The number of what ids are unique in: a source, or a file of it."""
        own = self.plan.source(part.file.source).ids == "per-file"
        name = part.file.name if own else part.file.source
        if name not in self.owners:
            self.owners.append(name)
        return self.owners.index(name)

    def _own(self, owner: int, rows: NDArray[np.int64]) -> None:
        before = self.owner[rows]
        clash = (before != NOBODY) & (before != owner)
        if clash.any():
            self.clashing += int(clash.sum())
            self.clashes.append((int(rows[clash][0]), owner))
        self.owner[rows[~clash]] = owner

    def _lost(self, part: Part, rows: NDArray[np.int64], named: Sequence[str]) -> None:
        """Count documents without features, unless they have no text either: then there is nothing to lack."""
        source = self.plan.source(part.file.source)
        silent: list[NDArray[np.int64]] = []
        for batch in read(part, Wanted(text=source.text), bad_lines=source.bad_lines):
            assert batch.text is not None
            empty = pc.call_function("equal", [pc.call_function("utf8_length", [batch.text.fill_null("")]), 0])
            silent.append(np.flatnonzero(empty.to_numpy(zero_copy_only=False)) + batch.first)
        lacking = np.isin(rows, np.concatenate(silent), invert=True)
        self.lacking += int(lacking.sum())
        if lacking.all():  # ids of documents without text would mislead
            self.lacking_ids += named[: SHOWN - len(self.lacking_ids)]
        elif lacking.any() and len(self.lacking_ids) < SHOWN:
            self.lacking_ids += self._ids(part, rows[lacking][: SHOWN - len(self.lacking_ids)])

    def _ids(self, part: Part, rows: NDArray[np.int64]) -> list[str]:
        source = self.plan.source(part.file.source)
        wanted = Wanted(id=source.wanted.id, text=None if source.wanted.id else source.text)
        found: list[str] = []
        for batch in read(part, wanted, bad_lines=source.bad_lines):
            here = rows[(rows >= batch.first) & (rows < batch.first + batch.rows)] - batch.first
            found += identifiers(batch, here).cast(pa.string()).to_pylist()
        return found
