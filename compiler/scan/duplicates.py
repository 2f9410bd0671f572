"""Ids that stand twice in a source, found in bounded memory.

Every document gives a 64-bit hash of its id and its place. They are collected in spill files, one per `memory` bytes,
each sorted by 12 bits of the hash, so that all files can be read side by side, one range of hashes after the other.

Equal hashes are candidates: among a billion documents two different ids share a 60-bit hash with a probability of
one third. A caller that reports them reads the two ids again, and lets a pair pass whose ids differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

Words: TypeAlias = NDArray[np.uint64]
Place: TypeAlias = tuple[int, int]  # number of the file, row in it
Pair: TypeAlias = tuple[Place, Place]  # the first place of an id, and a later one

MOST = 64  # pairs that can be named; of one hash a spill keeps one place more than that
SECTIONS = 1 << 12  # of a spill file, by the lowest bits of the hash: hash60 leaves the highest ones zero
ROW_BITS = 40  # a place is one word: the file above, the row below
HEADER = (SECTIONS + 1) * 8  # documents of every section, then pairs that the spill counts but does not hold
RECORD = 16  # bytes: hash, place
COLLECTING, FINDING = 64, 128  # bytes of memory per record at the most, in a spill and in `find`


@dataclass(frozen=True, slots=True)
class Found:
    """How many places repeat the hash of an earlier one, and the first of them, at most as many as asked for."""

    total: int
    pairs: tuple[Pair, ...]

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.pairs)


@dataclass(slots=True, eq=False)
class Duplicates:
    """Collects hashes of ids; `close` gives the spill files, which `find` compares with those of other processes.

    `folder` exists and holds temporary files that the caller removes; several processes may share it. A place is added
    once: the spills of a task that failed halfway and ran again are not used.
    """

    folder: Path
    memory: int = 64 << 20
    _records: Words = field(init=False)
    _filled: int = field(init=False, default=0)
    _spills: list[Path] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._records = np.empty((max(self.memory // COLLECTING, 1), 2), dtype=np.uint64)

    def add(self, file: int, first_row: int, hashes: Words) -> None:
        """The hashes [n] of the ids in rows `first_row`, `first_row + 1`, … of a file."""
        if not 0 <= file < 1 << (64 - ROW_BITS) or not 0 <= first_row <= (1 << ROW_BITS) - len(hashes):
            raise ValueError(f"no place for file {file}, row {first_row}")
        place = (file << ROW_BITS) + first_row
        done = 0
        while done < len(hashes):
            part = hashes[done : done + len(self._records) - self._filled]
            rows = self._records[self._filled : self._filled + len(part)]
            rows[:, 0] = part
            rows[:, 1] = np.arange(place + done, place + done + len(part), dtype=np.uint64)
            self._filled += len(part)
            done += len(part)
            if self._filled == len(self._records):
                self._spill()

    def close(self) -> tuple[Path, ...]:
        """Write what is left; the spill files, in no order that matters."""
        if self._filled:
            self._spill()
        return tuple(self._spills)

    def _spill(self) -> None:
        records, left_out = self._records[: self._filled], 0
        sections, counts = _sections(records)
        if counts.max() > 4 * len(records) / SECTIONS + 32:  # one id very often, which would fill one range later
            records = _few_of_each(records)
            left_out = self._filled - len(records)
            sections, counts = _sections(records)
        path = self.folder / f"{uuid4().hex}.ids"
        with path.open("xb") as file:
            file.write(np.append(counts, left_out).astype(np.int64).tobytes())
            file.write(np.take(records, np.argsort(sections, kind="stable"), axis=0).data)
        self._spills.append(path)
        self._filled = 0


def find(spills: Sequence[Path], limit: int = 16, memory: int = 64 << 20, files: Sequence[int] | None = None) -> Found:
    """Places whose hashes are equal: `total` counts all but the first of every hash.

    `pairs` are the `limit` (at most MOST) smallest by (first place, later place), the same for any order of adding, any
    division among spills, and any memory. Above `memory` it takes 8 bytes per spill and range of hashes; a section of
    hashes is held at once, 1/4096 of all documents. With `files` a spill's places are all in the file of that number,
    whatever they were added with: spills that are kept know nothing of each other.
    """
    if not 0 <= limit <= MOST:
        raise ValueError(f"limit {limit} is not within 0 and {MOST}")
    totals = np.zeros(SECTIONS + 1, dtype=np.int64)
    for path in spills:
        totals += _header(path)
    total = int(totals[-1])
    edges = _edges(totals[:-1], max(memory // FINDING, 1))
    starts = np.array([np.append(0, np.cumsum(_header(path)[:-1]))[edges] for path in spills], dtype=np.int64)
    best = np.empty((0, 2), dtype=np.uint64)
    for first, stop in pairwise(starts.T):
        records = _read(spills, first, stop, files)
        pairs = _equal(records)
        total += len(pairs)
        best = np.concatenate([best, pairs])
        best = best[np.lexsort((best[:, 1], best[:, 0]))[:limit]]
    return Found(total, tuple((_place(first), _place(later)) for first, later in best.tolist()))


def _sections(records: Words) -> tuple[NDArray[np.uint16], NDArray[np.intp]]:
    """The section of every record, and how many records each section has."""
    sections = (records[:, 0] & np.uint64(SECTIONS - 1)).astype(np.uint16)
    return sections, np.bincount(sections, minlength=SECTIONS)


def _few_of_each(records: Words) -> Words:
    """The first MOST + 1 places of every hash: a later one is in no pair that can be asked for."""
    records = np.take(records, np.lexsort((records[:, 1], records[:, 0])), axis=0)
    rank = np.arange(len(records)) - _first_of_hash(records)
    return records[rank <= MOST]


def _equal(records: Words) -> Words:
    """(first place, later place) [m, 2] of the records that share a hash."""
    hashes = np.sort(records[:, 0])
    if not (hashes[1:] == hashes[:-1]).any():
        return np.empty((0, 2), dtype=np.uint64)
    records = np.take(records, np.lexsort((records[:, 1], records[:, 0])), axis=0)
    first = _first_of_hash(records)
    later = np.flatnonzero(first != np.arange(len(records)))
    return np.stack([records[first[later], 1], records[later, 1]], axis=1)


def _first_of_hash(records: Words) -> NDArray[np.intp]:
    """Of records sorted by hash: the index of the first with the same hash."""
    new = np.ones(len(records), dtype=bool)
    new[1:] = records[1:, 0] != records[:-1, 0]
    return np.maximum.accumulate(np.where(new, np.arange(len(records)), 0))


def _edges(counts: NDArray[np.int64], most: int) -> list[int]:
    """Where ranges of neighbouring sections begin and end: each has at most `most` records, or is a single section."""
    edges, held = [0], 0
    for section, count in enumerate(counts.tolist()):
        if held + count > most and section > edges[-1]:
            edges.append(section)
            held = 0
        held += count
    return [*edges, len(counts)]


def _header(path: Path) -> NDArray[np.int64]:
    header = np.fromfile(path, np.int64, SECTIONS + 1)
    if len(header) <= SECTIONS or path.stat().st_size != HEADER + RECORD * int(header[:-1].sum()):
        raise OSError(f"{path} is not a complete spill file")
    return header


def _read(
    spills: Sequence[Path], starts: NDArray[np.int64], stops: NDArray[np.int64], files: Sequence[int] | None
) -> Words:
    """The records of a range of all spills, one after the other."""
    records = np.empty((int((stops - starts).sum()), 2), dtype=np.uint64)
    filled = 0
    for i, (path, start, stop) in enumerate(zip(spills, starts.tolist(), stops.tolist(), strict=True)):
        if stop > start:
            with path.open("rb") as file:
                file.seek(HEADER + RECORD * start)
                if file.readinto(records[filled : filled + stop - start].data.cast("B")) != RECORD * (stop - start):
                    raise OSError(f"{path} became shorter while it was read")
            if files is not None:
                rows = records[filled : filled + stop - start, 1]
                rows &= np.uint64((1 << ROW_BITS) - 1)
                rows |= np.uint64(files[i] << ROW_BITS)
            filled += stop - start
    return records


def _place(word: int) -> Place:
    return word >> ROW_BITS, word & ((1 << ROW_BITS) - 1)
