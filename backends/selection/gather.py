"""The second half of writing texts: the runs of one output shard, merged by (shuffle hash, id) and written once.

Runs are mapped into memory, sorted by their hashes alone, and copied out a row group at a time. Row groups end where
the sorted texts pass a multiple of a size, so an output's bytes do not depend on the runs that it came from.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mixc.backends.selection.layout import TextShard
from mixc.backends.selection.markers import Output, marker_path
from mixc.backends.selection.outputs import content_hash, told_of_room, write_text
from mixc.backends.selection.shard import Work
from mixc.backends.selection.spill import SCHEMA, index_of, spill_path
from mixc.compiler.whole import kept_json, write_whole

GROUP_BYTES = 16 << 20
GROUP_ROWS = 1 << 18
VERSION = 1

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TextMarker:
    """What vouches for an output of texts.

    `inputs` is a hash of the files that its source has, by content. `documents` and `tokens` count copies.
    """

    manifest: str
    cut: str
    inputs: str
    name: str
    repeat: bool
    shard_bytes: int
    documents: int
    tokens: int
    output: Output


@dataclass(frozen=True, slots=True)
class Gather:
    """Writes one output. `parts` are the names of the selections that were spilled; `attempt` tells runs apart.

    `state` is that of the spills.
    """

    work: Work
    state: str
    attempt: str
    parts: tuple[str, ...]
    inputs: tuple[tuple[str, str], ...]
    repeat: bool
    shard_bytes: int

    def __call__(self, shard: TextShard) -> TextMarker:
        """Merge the runs of a shard and write them, then its marker."""
        with told_of_room(self.work.output):
            return self.gathered(shard)

    def gathered(self, shard: TextShard) -> TextMarker:
        """What a call does."""
        folder = Path(self.work.output)
        path = folder / shard.name
        runs = Runs(self.batches(shard))
        write_whole(path, lambda temporary: write_runs(temporary, runs, self.repeat))
        documents, tokens = runs.counts()
        marker = TextMarker(
            manifest=self.work.integrity,
            cut=self.work.cut,
            inputs=dict(self.inputs)[shard.source],
            name=shard.name,
            repeat=self.repeat,
            shard_bytes=self.shard_bytes,
            documents=documents,
            tokens=tokens,
            output=Output(path.stat().st_size, content_hash(path), documents if self.repeat else runs.rows),
        )
        data = {"version": VERSION} | asdict(marker)
        write_text(marker_path(folder, shard.name), json.dumps(data, sort_keys=True) + "\n")
        return marker

    def batches(self, shard: TextShard) -> list[Any]:
        """The runs of a shard, mapped; in the order of the input, which nothing depends on."""
        found: list[Any] = []
        for path, numbers in indices(self.work.output, self.state, self.attempt, self.parts):
            mine = np.flatnonzero(numbers == shard.number).tolist()
            if mine:
                with pa.memory_map(str(path)) as source:
                    reader = pa.ipc.open_file(source)
                    found += [reader.get_batch(i) for i in mine]
        return found


@cache
def indices(
    folder: str, state: str, attempt: str, parts: tuple[str, ...]
) -> tuple[tuple[Path, NDArray[np.int32]], ...]:
    """Every spilled file with the shards of its batches; read once per process and attempt."""
    found = []
    for name in parts:
        path = spill_path(Path(folder), state, name)
        numbers = index_of(path)
        if numbers is None:
            raise RuntimeError(f"{path} was removed while it was used")
        found.append((path, numbers))
    return tuple(found)


def read_text_marker(folder: Path, name: str) -> TextMarker | None:
    """The marker of an output of texts; None where there is none, or none that can be read."""
    try:
        data = kept_json(marker_path(folder, name))
        if data.pop("version") != VERSION:
            return None
        return TextMarker(**(data | {"output": Output(**data["output"])}))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


class Runs:
    """Record batches as one table that is sorted but for its texts, which stay where they are."""

    def __init__(self, batches: Sequence[Any]) -> None:
        self.batches = batches
        self.starts = np.cumsum([0, *(batch.num_rows for batch in batches)])
        self.rows = int(self.starts[-1])
        self.hash = self._column("hash", np.uint64)
        self.order = self._sorted()

    def _column(self, name: str, kind: type[np.generic]) -> Any:
        return np.concatenate([np.zeros(0, dtype=kind), *(batch[name].to_numpy() for batch in self.batches)])

    def _sorted(self) -> Ints:
        """Rows by (hash, id); documents that share an id, by their text."""
        order = np.argsort(self.hash, kind="stable")
        hashes = self.hash[order]
        same = np.flatnonzero(hashes[1:] == hashes[:-1])
        if not len(same):
            return order
        for group in np.split(same, np.flatnonzero(np.diff(same) > 1) + 1):
            low, high = int(group[0]), int(group[-1]) + 2
            order[low:high] = sorted(order[low:high].tolist(), key=self._key)
        return order

    def _key(self, row: int) -> tuple[bytes, bytes, int, int]:
        batch = int(np.searchsorted(self.starts, row, side="right")) - 1
        one = self.batches[batch].slice(row - int(self.starts[batch]), 1).to_pylist()[0]
        return one["id"].encode(), (one["text"] or "").encode(), one["tokens"], one["copies"]

    def counts(self) -> tuple[int, int]:
        """Documents and tokens, with every copy."""
        copies = self._column("copies", np.int32).astype(np.int64)
        return int(copies.sum()), int((copies * self._column("tokens", np.int64)).sum())

    def groups(self, repeat: bool) -> Iterator[Ints]:
        """Rows in order, cut where a row group ends; with `repeat`, rows as often as they are taken."""
        lengths = [_bytes(batch["text"]) for batch in self.batches]
        size = np.concatenate([np.zeros(0, dtype=np.int64), *lengths])
        order = np.repeat(self.order, self._column("copies", np.int32)[self.order]) if repeat else self.order
        ends = np.cumsum(size[order]) // GROUP_BYTES
        cuts = np.flatnonzero(np.diff(ends)) + 1
        for part in np.split(order, cuts):
            for begin in range(0, len(part), GROUP_ROWS):
                yield part[begin : begin + GROUP_ROWS]

    def table(self, rows: Ints) -> pa.Table:
        """Rows in the order given."""
        batch = np.searchsorted(self.starts, rows, side="right") - 1
        by_batch = np.argsort(batch, kind="stable")
        used, first = np.unique(batch[by_batch], return_index=True)
        pieces = []
        for b, places in zip(used.tolist(), np.split(by_batch, first[1:]), strict=True):
            pieces.append(self.batches[b].take(pa.array(rows[places] - self.starts[b])))
        back = np.empty(len(rows), dtype=np.int64)
        back[by_batch] = np.arange(len(rows))
        return pa.Table.from_batches(pieces, SCHEMA).combine_chunks().take(pa.array(back)).combine_chunks()


def _bytes(texts: Any) -> Any:
    return pc.fill_null(pc.call_function("binary_length", [texts]), 0).to_numpy()


def write_runs(path: Path, runs: Runs, repeat: bool) -> None:
    """Write an output: id, text, copies, tokens; without copies where they are written out."""
    columns = ["id", "text", "tokens"] if repeat else ["id", "text", "copies", "tokens"]
    schema = pa.schema([SCHEMA.field(name) for name in columns])
    plain = [name for name in columns if name != "text"]
    options: dict[str, Any] = {"use_dictionary": ["copies"], "write_statistics": plain, "write_page_checksum": True}
    with pq.ParquetWriter(path, schema, compression="zstd", **options) as writer:
        for rows in runs.groups(repeat):
            writer.write_table(runs.table(rows).select(columns), row_group_size=len(rows))
