"""Files of scores: what one pass over the features leaves for all that follows, 20 bytes a document instead of 1,100.

A file holds the id, the tokens of the document, and one column of integer scores per target; distances follow from the
metadata. Ranking, cutting and combining read these files only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mixc.backends.nag.features import Batch, Counts, Origin
from mixc.backends.nag.kernel import scorer
from mixc.backends.nag.messages import repeated_ids
from mixc.backends.nag.profile import Profile
from mixc.backends.nag.store import read_features
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.keyed_hash import hash60
from mixc.compiler.scan.duplicates import Duplicates, find
from mixc.compiler.whole import make_folder, write_whole

KEY = b"mixc.nag.scores"
PREFIX = b"nag:"
COLUMN = "score:"


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Scores int64 [n, M] of n documents for M targets, `ids` string [n], `tokens` int64 [n], 0 where unknown."""

    ids: pa.Array
    scores: Counts
    tokens: Counts


def score(batches: Iterable[Batch], profiles: Sequence[Profile]) -> Iterator[Scored]:
    """The scores of all documents, batch by batch."""
    of = scorer(profiles)
    for batch in batches:
        tokens = np.zeros(len(batch.ids), np.int64) if batch.tokens is None else np.maximum(batch.tokens, 0)
        yield Scored(batch.ids, of(batch.features), tokens)


def score_files(paths: Sequence[Path], origin: Origin, profiles: Sequence[Profile], out: Path) -> int:
    """Score the documents of files of features into one file; how many there were.

    Raises `Unreadable` for what is wrong with a file, among that an id that stands twice, in one file or in two.
    Memory does not depend on the number of documents.
    """
    rows = 0
    seen = Duplicates(out.parent)
    make_folder(out.parent)

    def write(temporary: Path) -> None:
        nonlocal rows
        with pq.ParquetWriter(temporary, _schema(profiles), compression="zstd", use_dictionary=False) as writer:
            for number, path in enumerate(paths):
                first = 0
                for part in score(read_features(path, origin), profiles):
                    seen.add(number, first, hash60(PREFIX, part.ids))
                    writer.write_batch(_record(part, profiles))
                    first += len(part.ids)
                rows += first
        _refuse_repeated(paths, seen.close())

    try:
        write_whole(out, write, alone=True)
    finally:
        for spill in seen.close():
            spill.unlink(missing_ok=True)
    return rows


def read_scores(path: Path, rows: int = 1 << 16) -> Iterator[Scored]:
    """What `score_files` wrote, in batches of at most `rows` documents."""
    with pq.ParquetFile(path) as file:
        names = [name for name in file.schema_arrow.names if name.startswith(COLUMN)]
        for record in file.iter_batches(rows, use_threads=False):
            scores = np.stack([record.column(name).to_numpy() for name in names], axis=1)
            yield Scored(record.column("id"), scores, record.column("tokens").to_numpy())


def wholes(path: Path) -> dict[str, int]:
    """n K L of each target of a file of scores, in their order: distance = 1 - score / it."""
    found: dict[str, int] = json.loads(pq.read_schema(path).metadata[KEY])
    return found


def _schema(profiles: Sequence[Profile]) -> pa.Schema:
    fields = [pa.field("id", pa.string(), False), pa.field("tokens", pa.int64(), False)]
    fields += [pa.field(f"{COLUMN}{profile.name}", pa.int64(), False) for profile in profiles]
    return pa.schema(fields, metadata={KEY: json.dumps({profile.name: profile.whole for profile in profiles})})


def _record(part: Scored, profiles: Sequence[Profile]) -> Any:
    columns = [part.ids, pa.array(part.tokens), *(pa.array(column) for column in part.scores.T)]
    return pa.RecordBatch.from_arrays(columns, schema=_schema(profiles))


def _refuse_repeated(paths: Sequence[Path], spills: Sequence[Path]) -> None:
    """Raise for two equal ids; two ids of one hash are compared, and may pass."""
    found = find(spills)
    places = {place for pair in found for place in pair}
    ids = {place: _id_at(paths, *place) for place in places}
    for first, later in found:
        if ids[first] == ids[later]:
            raise Unreadable(repeated_ids(paths[later[0]].name, ids[later], found.total))


def _id_at(paths: Sequence[Path], file: int, row: int) -> str:
    first = 0
    for batch in read_features(paths[file]):
        if row < first + len(batch.ids):
            return str(batch.ids[row - first].as_py())
        first += len(batch.ids)
    raise IndexError(row)
