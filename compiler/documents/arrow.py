"""Reading Arrow streams and files, as Hugging Face `datasets` saves them, without that package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pyarrow as pa

from mixc.compiler.documents.bounds import bounded
from mixc.compiler.documents.columns import checked, leaves, present, row_from, steps_to, walk, without_scores
from mixc.compiler.documents.data import Batch, DataFile, Unreadable, Wanted
from mixc.compiler.documents.messages import broken_arrow
from mixc.compiler.documents.storage import guarded, is_remote, opened, told

MAGIC = b"ARROW1"
ENDS = (b"\xff\xff\xff\xff\x00\x00\x00\x00", b"\x00\x00\x00\x00")  # of a stream; the second before Arrow 0.15
COLLECT_BYTES = 64 << 20


def read(file: DataFile, wanted: Wanted, rows: int, *, unscored: bool = False) -> Iterator[Batch]:
    """Batches of at most `rows` rows. The small batches that datasets are saved in are joined.

    `unscored`: all of them name the scores that the file does not have.
    """
    with _opened(file) as source:
        schema = _reader(file, source, None).schema
        wanted, absent = present(wanted, schema) if unscored else (wanted, ())
        ways = {key: steps_to(file, schema, column, role) for key, role, column in wanted.columns()}
        columns = sorted({schema.names.index(steps[0]) for steps in ways.values()})
        reader = _reader(file, source, columns)
        first = 0
        for batch in _joined(_batches(file, reader), rows):
            arrays = {key: walk(batch, steps) for key, steps in ways.items()}
            with _damage(file):
                found = checked(file, wanted, first, batch.num_rows, arrays, row_from(first))
            yield without_scores(found, absent)
            first += batch.num_rows


def columns_of(file: DataFile) -> tuple[str, ...]:
    """Dotted names of all columns."""
    with _opened(file) as source:
        return tuple(leaves(_reader(file, source, None).schema))


@contextmanager
def _opened(file: DataFile) -> Iterator[Any]:
    """The stream, mapped into memory where it is local."""
    if is_remote(file.path):
        with opened(file) as source:
            yield source
    elif file.size == 0:
        raise Unreadable(broken_arrow(file.name, "it is empty"))
    else:
        with told(file.name, remote=False):
            source = pa.memory_map(file.path)
        with source:
            yield source


def _reader(file: DataFile, source: Any, columns: list[int] | None) -> Any:
    """A reader of some columns. A stream that does not end as streams end was cut: batches after it are lost."""
    options = pa.ipc.IpcReadOptions(use_threads=False, included_fields=columns or [])
    with _damage(file):
        source.seek(0)
        if source.read(len(MAGIC)) == MAGIC:
            return _named(pa.ipc.open_file(source, options=options))
        size = source.size()
        if not source.read_at(8, max(0, size - 8)).endswith(ENDS):
            raise Unreadable(broken_arrow(file.name, "it is cut before the end"))
        source.seek(0)
        return _named(pa.ipc.open_stream(source, options=options))


def _named(reader: Any) -> Any:
    """The reader, once every name of its schema was decoded: damaged ones are found here, not where they are used."""
    tuple(leaves(reader.schema))
    return reader


def _batches(file: DataFile, reader: Any) -> Iterator[Any]:
    count = getattr(reader, "num_record_batches", None)
    number = 0
    while count is None or number < count:
        with _damage(file), bounded():
            try:
                batch = reader.read_next_batch() if count is None else reader.get_batch(number)
            except StopIteration:
                return
            batch.validate(full=True)  # else a wrong offset is followed out of the buffer
        number += 1
        yield batch


def _damage(file: DataFile) -> AbstractContextManager[None]:
    return guarded(file, lambda reason: broken_arrow(file.name, reason))


def _joined(batches: Iterator[Any], rows: int) -> Iterator[Any]:
    """Batches of `rows` rows but for the last, or of fewer where they would be large."""
    held: list[Any] = []
    count = 0
    for batch in batches:
        held.append(batch)
        count += batch.num_rows
        if count >= rows or sum(piece.nbytes for piece in held) >= COLLECT_BYTES:
            yield from _join(held, rows)
            held, count = [], 0
    if held:
        yield from _join(held, rows)


def _join(held: list[Any], rows: int) -> Iterator[Any]:
    if len(held) == 1:
        batch = held[0]
        yield from (batch.slice(start, rows) for start in range(0, batch.num_rows, rows))
    else:
        yield from pa.Table.from_batches(held).combine_chunks().to_batches(max_chunksize=rows)
