"""The first half of writing texts: from every part of the input to runs of selected documents, by output shard.

Texts are read again at the row numbers that the selection holds. A part's documents are collected up to a size, divided
by shard, and written as one Arrow record batch per shard; a small file beside them says which batch is whose. So a part
gives one file whatever the number of shards, and takes the same memory whatever its size.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mixc.backends.selection.kernel import key_prefix
from mixc.backends.selection.layout import Layout, layout
from mixc.backends.selection.outputs import told_of_room, write_text
from mixc.backends.selection.shard import Loaded, Task, Work, loaded_by
from mixc.backends.selection.slots import Slots
from mixc.compiler.documents.data import Wanted
from mixc.compiler.documents.reading import read
from mixc.compiler.keyed_hash import hash60
from mixc.compiler.whole import kept_json, write_whole

SPILL = ".spill"
INDEX = ".json"
RUN_BYTES = 32 << 20  # of texts that are held before they are written
ROWS = 2048  # that are decoded at once; documents may be long

SCHEMA = pa.schema(
    [
        ("hash", pa.uint64()),
        ("id", pa.string()),
        ("text", pa.large_string()),
        ("copies", pa.int32()),
        ("tokens", pa.int64()),
    ]
)
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Spill:
    """Writes the runs of one part; `wanted` are the numbers of the shards that are not there yet, as bytes of flags.

    `state` names what is spilled and for what, so that a worker that outlived an earlier run writes elsewhere.
    """

    work: Work
    shard_bytes: int
    wanted: bytes
    state: str

    def __call__(self, task: Task) -> int:
        """Spill one part; the number of documents that were read."""
        with told_of_room(self.work.output):
            return spill(self, task)


@dataclass(frozen=True, slots=True, eq=False)
class Picked:
    """Selected documents of a part, ordered by row; `shard` is the output of each."""

    row: Ints
    shard: Ints
    table: pa.Table  # hash, id, copies, tokens


@cache
def ready_layout(work: Work, shard_bytes: int) -> tuple[Loaded, Layout]:
    """What a run loads, and its outputs; once in every process."""
    ready = loaded_by(work)
    return ready, layout(ready.slots, ready.plan, shard_bytes)


def spill_path(output: Path, state: str, name: str) -> Path:
    """Where the runs of a part lie, by the name of its selection."""
    return output / SPILL / state / f"{name}.arrow"


def index_of(path: Path) -> NDArray[np.int32] | None:
    """The shard of every batch of a spilled part; None where it was not finished."""
    try:
        return np.array(kept_json(path.with_name(path.name + INDEX))["shards"], dtype=np.int32)
    except (ValueError, KeyError, TypeError):
        return None


def spill(of: Spill, task: Task) -> int:
    """Read a part's selected texts and write them by shard; the index last."""
    picked = _picked(of, task)
    path = spill_path(Path(of.work.output), of.state, task.name)
    shards: list[int] = []

    def write(temporary: Path) -> None:
        with pa.OSFile(str(temporary), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
            for table, numbers in _runs(of, task, picked):
                for number, batch in _divided(table, numbers):
                    writer.write_batch(batch)
                    shards.append(number)

    write_whole(path, write)
    write_text(path.with_name(path.name + INDEX), json.dumps({"shards": shards}) + "\n")
    return len(picked.row)


def _picked(of: Spill, task: Task) -> Picked:
    ready, places = ready_layout(of.work, of.shard_bytes)
    source = ready.plan.source(task.part.file.source)
    inside = task.part.file.name if source.ids == "per-file" else None
    prefix = key_prefix(ready.manifest.selection.seed, "shuffle", source.name, inside)
    table = pq.read_table(Path(of.work.output) / task.name, memory_map=False).combine_chunks()
    ids = pa.concat_arrays(table["id"].chunks) if table["id"].num_chunks else pa.array([], pa.string())
    hashes = hash60(prefix, ids)
    names = {cell.name: i for i, cell in enumerate(ready.slots.cells)}
    phase, cell = _codes(table["phase"], _phases(ready.slots)), _codes(table["cell"], names)
    shard = places.numbers(phase, cell, hashes)
    row = table["row"].to_numpy()
    kept = np.flatnonzero(np.frombuffer(of.wanted, dtype=bool)[shard])
    kept = kept[np.argsort(row[kept], kind="stable")]
    columns = {"hash": pa.array(hashes), "id": ids, "copies": table["copies"], "tokens": table["tokens"]}
    return Picked(row[kept], shard[kept], pa.table(columns).take(pa.array(kept)))


def _phases(slots: Slots) -> dict[str, int]:
    return {name: i for i, name in enumerate(slots.phases)}


def _codes(column: pa.ChunkedArray, known: dict[str, int]) -> Ints:
    """A column of names as their places."""
    found = [np.zeros(0, dtype=np.int64)]
    for chunk in column.chunks:
        places = np.array([known[name] for name in chunk.dictionary.to_pylist()] or [0], dtype=np.int64)
        found.append(places[chunk.indices.to_numpy(zero_copy_only=False)])
    return np.concatenate(found)


def _runs(of: Spill, task: Task, picked: Picked) -> Iterator[tuple[pa.Table, Ints]]:
    """The documents with their texts, in runs of about `RUN_BYTES`, with their shards."""
    if not len(picked.row):
        return
    source = ready_layout(of.work, of.shard_bytes)[0].plan.source(task.part.file.source)
    held: list[Any] = []
    size = begin = found = 0
    for batch in read(task.part, Wanted(text=source.text), rows=ROWS, bad_lines=source.bad_lines):
        low, high = np.searchsorted(picked.row, [batch.first, batch.first + batch.rows]).tolist()
        if low == high:
            continue
        texts = batch.text.take(pa.array(picked.row[low:high] - batch.first)) if batch.text is not None else None
        assert texts is not None
        held.append(texts.cast(pa.large_string()))
        size, found = size + texts.nbytes, high
        if size >= RUN_BYTES:
            yield _run(picked, begin, found, held)
            held, size, begin = [], 0, found
    if held:
        yield _run(picked, begin, found, held)
    if found != len(picked.row):
        raise RuntimeError(f"{task.part.file.name} ends before row {int(picked.row[-1]) + 1} of its selection")


def _run(picked: Picked, begin: int, end: int, texts: list[Any]) -> tuple[pa.Table, Ints]:
    table = picked.table.slice(begin, end - begin).append_column("text", pa.chunked_array(texts))
    return table.select(SCHEMA.names).cast(SCHEMA), picked.shard[begin:end]


def _divided(table: pa.Table, shard: Ints) -> Iterator[tuple[int, pa.RecordBatch]]:
    """One batch per shard."""
    order = np.argsort(shard, kind="stable")
    used, starts = np.unique(shard[order], return_index=True)
    whole = table.combine_chunks()
    for number, start, stop in zip(used.tolist(), starts, [*starts[1:], len(order)], strict=True):
        taken = whole.take(pa.array(order[start:stop])).combine_chunks()
        yield number, taken.to_batches()[0]
