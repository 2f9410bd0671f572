"""Reading Parquet: row groups in parts, wanted leaves only."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import accumulate
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt
import xxhash

from mixc.compiler.documents.bounds import bounded
from mixc.compiler.documents.columns import checked, leaves, present, row_from, steps_to, walk, without_scores
from mixc.compiler.documents.data import Batch, DataFile, Part, Role, Unreadable, Wanted
from mixc.compiler.documents.messages import broken_footer, broken_group, unopenable
from mixc.compiler.documents.storage import guarded, is_remote, opened, told
from mixc.dsl.diagnostics import Diagnostic

CHUNK = 8 << 20


@contextmanager
def footer(file: DataFile) -> Iterator[tuple[Any, Any]]:
    """The open file, and its reader with the schema."""
    with opened(file) as source:
        with guarded(file, lambda reason: broken_footer(file.name, reason)):
            reader = pq.ParquetFile(source)
            schema = reader.schema_arrow
            tuple(leaves(schema))  # decodes every name, so that damaged ones are found here
        yield source, (reader, schema)


def parts(file: DataFile, target_bytes: int) -> list[Part]:
    """Runs of row groups of about `target_bytes` before compression; one empty part of a file without rows."""
    with footer(file) as (_, (reader, _schema)):
        sizes = [reader.metadata.row_group(group).total_byte_size for group in range(reader.num_row_groups)]
    found, start, total = [], 0, 0
    for group, size in enumerate(sizes):
        if group > start and total + size > target_bytes:
            found.append(Part(file, start, group))
            start, total = group, 0
        total += size
    return [*found, Part(file, start, len(sizes))]


def read(part: Part, wanted: Wanted, rows: int, *, unscored: bool = False) -> Iterator[Batch]:
    """Batches of at most `rows` rows of a part. `unscored`: all of them name the scores that the file does not have."""
    file = part.file
    with footer(file) as (source, (plain, schema)):
        if part.stop > plain.num_row_groups:
            raise Unreadable(unopenable(file.name, "it has fewer row groups than when it was listed"))
        wanted, absent = present(wanted, schema) if unscored else (wanted, ())
        ways = {key: steps_to(file, schema, column, role) for key, role, column in wanted.columns()}
        reader = pq.ParquetFile(
            source,
            metadata=plain.metadata,
            read_dictionary=_coded(schema, wanted),
            pre_buffer=is_remote(file.path),
            page_checksum_verification=True,
        )
        columns = sorted({".".join(steps) for steps in ways.values()})
        lengths = [reader.metadata.row_group(group).num_rows for group in range(part.stop)]
        first = sum(lengths[: part.start])
        groups = range(part.start, part.stop)
        batches = reader.iter_batches(rows, list(groups), columns, use_threads=False) if groups else iter(())
        while (batch := _next(file, reader, batches, groups, columns)) is not None:
            arrays = {key: walk(batch, steps) for key, steps in ways.items()}
            group = bisect_right(list(accumulate(lengths)), first)
            with guarded(file, partial(broken_group, file.name, group, plain.num_row_groups)):
                found = checked(file, wanted, first, batch.num_rows, arrays, row_from(first))
            yield without_scores(found, absent)
            first += batch.num_rows
        if first != sum(lengths):
            raise Unreadable(broken_footer(file.name, f"it says {sum(lengths):,} rows, but {first:,} are there"))


def _coded(schema: pa.Schema, wanted: Wanted) -> list[str]:
    """Languages and domains, which stay dictionary-encoded. Arrow cannot join dictionaries inside structs."""
    columns = {column for column in (wanted.language, wanted.domain) if column is not None and column in schema.names}
    return sorted(column for column in columns if pt.is_string(schema.field(column).type))


def _next(file: DataFile, reader: Any, batches: Iterator[Any], groups: range, columns: list[str]) -> Any | None:
    """The next batch, None after the last; names the row group that is damaged."""

    def broken(reason: str) -> Diagnostic:
        group, found = _broken_group(reader, groups, columns) or (groups[0], reason)
        return broken_group(file.name, group, reader.num_row_groups, found)

    with guarded(file, broken), bounded():
        return next(batches, None)


def _broken_group(reader: Any, groups: range, columns: list[str]) -> tuple[int, str] | None:
    """The first group that cannot be read by itself, and why."""
    for group in groups:
        try:
            with bounded():
                for _ in reader.iter_batches(65536, [group], columns, use_threads=False):
                    pass
        except (pa.ArrowException, OSError, MemoryError) as error:
            return group, str(error)
    return None


def columns_of(file: DataFile) -> tuple[str, ...]:
    """Dotted names of all columns."""
    with footer(file) as (_, (_reader, schema)):
        return tuple(leaves(schema))


def never_null(part: Part, column: str, role: Role) -> bool:
    """Whether the statistics of all row groups of a part say that a column has no null."""
    with footer(part.file) as (_, (reader, schema)):
        path, meta = ".".join(steps_to(part.file, schema, column, role)), reader.metadata
        found = [i for i in range(meta.num_columns) if meta.schema.column(i).path == path]
        chunks = [meta.row_group(group).column(i) for group in range(part.start, part.stop) for i in found]
        every = [chunk.statistics for chunk in chunks]
    return bool(found) and all(s is not None and s.has_null_count and s.null_count == 0 for s in every)


def row_count(file: DataFile) -> int:
    """Rows, as the footer says."""
    with footer(file) as (_, (reader, _schema)):
        return int(reader.metadata.num_rows)


def identity(file: DataFile, wanted: Wanted) -> str:
    """XXH3-128 over the size, the footer and every chunk of the wanted columns, in the order of the file.

    Scores may be absent: a reader says whether it needs them.
    """
    with footer(file) as (source, (reader, schema)):
        columns = present(wanted, schema)[0].columns()
        there = {".".join(steps_to(file, schema, column, role)) for _, role, column in columns}
        meta = reader.metadata
        numbers = [i for i in range(meta.num_columns) if meta.schema.column(i).path in there]
        chunks = (meta.row_group(g).column(i) for g in range(meta.num_row_groups) for i in numbers)
        ranges = sorted(_range(chunk) for chunk in chunks)
        with told(file.name, remote=is_remote(file.path)):
            size = source.size()
            (length,) = struct.unpack("<I", source.read_at(8, size - 8)[:4])
            state = xxhash.xxh3_128(struct.pack("<Q", size))
            for start, count in (*ranges, (size - 8 - length, length + 8)):
                for offset in range(start, start + count, CHUNK):
                    piece = source.read_at(min(CHUNK, start + count - offset), offset)
                    state.update(piece)
    return state.hexdigest()


def _range(chunk: Any) -> tuple[int, int]:
    """Offset and length of a column chunk. Some writers set a dictionary offset of 0 where there is none."""
    dictionary = chunk.dictionary_page_offset
    start = min(dictionary, chunk.data_page_offset) if dictionary else chunk.data_page_offset
    return start, chunk.total_compressed_size
