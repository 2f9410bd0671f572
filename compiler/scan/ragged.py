"""Arrays of whole numbers of many lengths as one flat table, for the cache: lists would take Parquet twice as long."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Head = list[Any]  # what a row says beside its arrays, as JSON has it

ROWS = b"mixc.rows"
NARROW = 1 << 31


def to_table(names: Sequence[str], rows: Iterable[tuple[Head, Sequence[Ints]]]) -> pa.Table:
    """Rows of a head and of arrays of one length, a column of the table for each; heads go into the metadata."""
    heads, arrays = [], []
    for head, columns in rows:
        heads.append([len(columns[0]), *head])
        arrays.append(columns)
    flat = [np.concatenate([np.zeros(0, np.int64), *(row[i] for row in arrays)]) for i in range(len(names))]
    table = pa.table({name: pa.array(_narrow(column)) for name, column in zip(names, flat, strict=True)})
    return table.replace_schema_metadata({ROWS: json.dumps(heads)})


def from_table(table: pa.Table) -> Iterator[tuple[Head, tuple[Ints, ...]]]:
    """The rows that `to_table` was given."""
    columns = [column.to_numpy().astype(np.int64) for column in table.columns]
    first = 0
    for length, *head in json.loads(table.schema.metadata[ROWS]):
        yield head, tuple(column[first : first + length] for column in columns)
        first += length


def form(schema: pa.Schema) -> dict[str, Any] | None:
    """How Parquet best holds such a table; None for other tables."""
    if ROWS not in (schema.metadata or {}):
        return None
    encoding = dict.fromkeys(schema.names, "BYTE_STREAM_SPLIT")
    return {"compression": "lz4", "use_dictionary": False, "column_encoding": encoding}


def _narrow(numbers: Ints) -> NDArray[Any]:
    fits = int(numbers.min(initial=0)) >= -NARROW and int(numbers.max(initial=0)) < NARROW
    return numbers.astype(np.int32) if fits else numbers
