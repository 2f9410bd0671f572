"""The authors' files of features: JSON lines, `{"docid": …, "fwd_up_feature": {"layer_topk_value_index": […]}}`.

They do not say of which model they are, nor their L, K and width: the reader is told. An id is text, whatever it looks
like ("001" stays "001"); a number is its decimal text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mixc.backends.nag.features import NONE, Batch, Ids, Projection, Shape
from mixc.backends.nag.messages import broken_features, null_features, other_shape, outside_width
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.plain_json import loads
from mixc.compiler.whole import write_whole
from mixc.dsl.reading import check_plain

COLUMNS: dict[Projection, str] = {
    "up": "fwd_up",
    "down": "fwd_down",
    "gate": "fwd_gate",
    "q": "att_q",
    "k": "att_k",
    "v": "att_v",
    "o": "att_o",
}
LIST = "layer_topk_value_index"
ROWS = 4096


def write_jsonl(path: Path, projection: Projection, batches: Iterable[Batch]) -> None:
    """Write all batches as the authors' code does. A document without tokens has -1 in all places."""
    column = f"{COLUMNS[projection]}_feature"

    def write(temporary: Path) -> None:
        with temporary.open("w", encoding="utf-8") as sink:
            for batch in batches:
                neurons = np.where(batch.features == NONE, -1, batch.features.astype(np.int64)).tolist()
                for id, row in zip(batch.ids.to_pylist(), neurons, strict=True):
                    sink.write(json.dumps({"docid": id, column: {LIST: row}}, ensure_ascii=False) + "\n")

    write_whole(path, write)


def read_jsonl(
    path: Path, projection: Projection, shape: Shape, *, outside: bool = False, rows: int = ROWS
) -> Iterator[Batch]:
    """Batches of at most `rows` documents. Raises `Unreadable`.

    `outside`: neurons outside the width score nothing, as for the authors, instead of being an error.
    """
    try:
        check_plain(path)
        with path.open(encoding="utf-8") as lines:
            numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
            while part := list(islice(numbered, rows)):
                found = [_row(path.name, number, line, projection, shape) for number, line in part]
                ids = [id for id, _ in found]
                features = _narrow(path.name, ids, [row for _, row in found], shape, outside)
                yield Batch(pa.array(ids, pa.string()), features)
    except OSError as error:
        raise Unreadable(broken_features(path.name, (error.strerror or str(error)).lower())) from None
    except UnicodeDecodeError:
        raise Unreadable(broken_features(path.name, "it is not UTF-8")) from None


def _row(name: str, number: int, line: str, projection: Projection, shape: Shape) -> tuple[str, list[int]]:
    column = f"{COLUMNS[projection]}_feature"
    try:
        row: Any = loads(line)
        id, feature = row["docid"], row[column]
        neurons = None if feature is None else feature[LIST]
    except (ValueError, KeyError, TypeError) as error:
        why = f"cannot be read: {error}" if type(error) is ValueError else f"is no object with `docid` and `{column}`"
        raise Unreadable(broken_features(name, f"line {number:,} {why}")) from None
    for key, value in (("docid", id), (column, neurons)):
        if value is None:
            raise Unreadable(null_features(name, key, number))
    if type(id) not in (str, int) or not isinstance(neurons, list) or not all(type(k) is int for k in neurons):
        raise Unreadable(broken_features(name, f"line {number:,} is no id and list of whole numbers"))
    if len(neurons) != shape.length:
        raise Unreadable(other_shape(name, f"line {number:,}", len(neurons), shape.layers, shape.top_k))
    return str(id), neurons


def _narrow(name: str, ids: list[str], rows: list[list[int]], shape: Shape, outside: bool) -> Ids:
    try:
        neurons = np.array(rows, dtype=np.int64)
    except OverflowError:
        raise Unreadable(broken_features(name, "it has numbers beyond 64 bits")) from None
    wrong = (neurons < 0) | (neurons >= shape.width)
    told = wrong.any(axis=1) & ~(neurons == -1).all(axis=1)
    if told.any() and not outside:
        row = int(np.argmax(told))
        raise Unreadable(outside_width(name, ids[row], int(neurons[row][wrong[row]][0]), shape.width))
    return np.where(wrong, NONE, neurons).astype(np.uint16)
