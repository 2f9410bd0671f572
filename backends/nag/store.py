"""Files of features: Parquet or Arrow, an id and a list of uint16 per document, what they were made with as metadata.

Arrow files are read several times faster than Parquet, whose lists carry a level per neuron, and are a fifth larger.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mixc.backends.nag.features import NONE, Batch, Counts, Ids, Origin, Shape
from mixc.backends.nag.messages import broken_features, null_features, other_features, other_shape, outside_width
from mixc.compiler.documents.bounds import bounded
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.documents.storage import is_damage
from mixc.compiler.plain_json import loads
from mixc.compiler.whole import write_whole
from mixc.dsl.reading import check_plain

KEY = b"mixc.nag"
VERSION = 1
ROWS = 8192  # of a batch: 9 MB of features at 560 neurons
KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "id": ("strings", pa.types.is_string),
    "features": ("lists of uint16", lambda kind: pa.types.is_fixed_size_list(kind) and kind.value_type == pa.uint16()),
    "read": ("int32", pa.types.is_int32),
    "tokens": ("int64", pa.types.is_int64),
}


def write_features(path: Path, origin: Origin, batches: Iterable[Batch]) -> int:
    """Write all batches, whole or not at all; how many documents there were. The ending says the format.

    A batch without `read` or `tokens` has them unknown in the file.
    """
    schema, rows = _schema(origin), 0

    def write(temporary: Path) -> None:
        nonlocal rows
        with pa.OSFile(str(temporary), "wb") as sink, _writer(path, sink, schema) as writer:
            for batch in batches:
                writer.write_batch(_record(batch, schema, origin.shape))
                rows += len(batch.ids)

    write_whole(path, write)
    return rows


def origin_of(path: Path) -> Origin:
    """What the features of a file were made with. Raises `Unreadable`."""
    with _opened(path) as (schema, _):
        return _origin(path, schema)


def read_features(path: Path, asked: Origin | None = None, rows: int = ROWS) -> Iterator[Batch]:
    """Batches of at most `rows` documents, checked: all features present, of the right length, inside the width.

    Raises `Unreadable`, also where the file was made otherwise than `asked`.
    """
    with _opened(path) as (schema, batches):
        origin = _origin(path, schema)
        if asked is not None and (differs := origin.differs(asked)):
            raise Unreadable(other_features(path.name, differs))
        first = 0
        with _damage(path):
            records = iter(batches(rows))
            while True:
                with bounded():
                    record = next(records, None)
                if record is None:
                    break
                record.validate(full=True)  # else a wrong offset is followed out of the buffer
                yield _batch(path, record, origin.shape, first)
                first += record.num_rows


def checked(name: str, ids: Any, features: Ids, shape: Shape) -> None:
    """Raise `Unreadable` for a neuron outside the width: only a document without tokens has `NONE`, everywhere."""
    if features.max(initial=0) < shape.width:
        return
    beyond = features >= shape.width
    empty = (features == NONE).all(axis=1)
    wrong = np.flatnonzero(beyond.any(axis=1) & ~empty)
    if len(wrong):
        row = int(wrong[0])
        neuron = int(features[row][beyond[row]][0])
        raise Unreadable(outside_width(name, ids[row].as_py(), neuron, shape.width))


def _schema(origin: Origin) -> pa.Schema:
    neuron = pa.field("item", pa.uint16(), nullable=False)
    fields = [
        pa.field("id", pa.string(), nullable=False),
        pa.field("features", pa.list_(neuron, origin.shape.length), nullable=False),
        pa.field("read", pa.int32()),
        pa.field("tokens", pa.int64()),
    ]
    data = {"version": VERSION, "model": origin.model} | origin.parts()
    return pa.schema(fields, metadata={KEY: json.dumps(data, sort_keys=True).encode()})


def _record(batch: Batch, schema: pa.Schema, shape: Shape) -> Any:
    features = np.ascontiguousarray(batch.features, dtype=np.uint16)
    if features.shape != (len(batch.ids), shape.length):
        raise ValueError(f"features of shape {features.shape}, not {(len(batch.ids), shape.length)}")
    lists = pa.FixedSizeListArray.from_arrays(pa.array(features.reshape(-1)), type=schema.field("features").type)
    columns = [batch.ids.cast(pa.string()), lists, _known(batch.read, pa.int32()), _known(batch.tokens, pa.int64())]
    rows = len(batch.ids)
    return pa.RecordBatch.from_arrays(
        [pa.nulls(rows, kind.type) if array is None else array for array, kind in zip(columns, schema, strict=True)],
        schema=schema,
    )


def _known(values: Any, kind: Any) -> Any:
    return None if values is None else pa.array(values, kind, mask=values < 0)


def _writer(path: Path, sink: Any, schema: pa.Schema) -> Any:
    dictionaries: Any = ["features.list.element"]
    if path.suffix == ".arrow":
        return pa.ipc.new_file(sink, schema)
    # Few values are common to many documents, so that a dictionary is small, and beats general compression.
    return pq.ParquetWriter(sink, schema, compression="none", use_dictionary=dictionaries)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[pa.Schema, Any]]:
    """(schema, what gives record batches of at most so many rows) of a file."""
    with _damage(path):
        check_plain(path)
        if path.suffix == ".arrow":
            with pa.OSFile(str(path)) as source:  # a mapped file would count as memory of the process, as it is read
                reader = pa.ipc.open_file(source, options=pa.ipc.IpcReadOptions(use_threads=False))
                yield reader.schema, lambda rows: _pieces(reader, rows)
        else:
            with pq.ParquetFile(path) as file:
                yield file.schema_arrow, lambda rows: file.iter_batches(rows, use_threads=False)


def _pieces(reader: Any, rows: int) -> Iterator[Any]:
    for number in range(reader.num_record_batches):
        record = reader.get_batch(number)
        yield from (record.slice(start, rows) for start in range(0, record.num_rows, rows))


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise Unreadable(broken_features(path.name, "there is no such file")) from None
    except OSError as error:
        raise Unreadable(broken_features(path.name, error.strerror or str(error))) from None
    except Exception as error:
        if is_damage(error):
            raise Unreadable(broken_features(path.name, str(error))) from None
        raise


def _origin(path: Path, schema: pa.Schema) -> Origin:
    raw = (schema.metadata or {}).get(KEY)
    if raw is None:
        raise Unreadable(broken_features(path.name, "it does not say what they were made with"))
    try:
        data: dict[str, Any] = loads(raw)
        if data["version"] != VERSION:
            raise Unreadable(broken_features(path.name, f"it is of version {data['version']}, not {VERSION}"))
        shape = Shape(int(data["layers"]), int(data["top_k"]), int(data["width"]))
        made = (data["model"], data["content"], data["projection"], int(data["tokens"]))
        origin = Origin(*made, shape, data["precision"])
    except (ValueError, KeyError, TypeError, OverflowError):
        raise Unreadable(broken_features(path.name, "what it says of their making is damaged")) from None
    for name, (says, holds) in KINDS.items():
        if schema.get_field_index(name) < 0 or not holds(schema.field(name).type):
            raise Unreadable(broken_features(path.name, f"it has no column `{name}` of {says}"))
    kind = schema.field("features").type
    if kind.list_size != shape.length:
        raise Unreadable(other_shape(path.name, "the column", kind.list_size, shape.layers, shape.top_k))
    return origin


def _batch(path: Path, record: Any, shape: Shape, first: int) -> Batch:
    ids, lists = record.column("id"), record.column("features")
    for name, column, each in (("id", ids, 1), ("features", lists, 1), ("features", lists.flatten(), shape.length)):
        if column.null_count:
            place = int(np.argmax(column.is_null().to_numpy(zero_copy_only=False)))
            raise Unreadable(null_features(path.name, name, first + place // each + 1))
    features = lists.flatten().to_numpy().reshape(-1, shape.length)
    checked(path.name, ids, features, shape)
    read = record.column("read").fill_null(-1).to_numpy(zero_copy_only=False)
    return Batch(ids, features, read, _tokens(record.column("tokens")))


def _tokens(column: Any) -> Counts:
    tokens: Counts = column.fill_null(-1).to_numpy(zero_copy_only=False)
    return tokens
