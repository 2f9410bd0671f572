"""From columns as a file holds them to the arrays of a `Batch`, checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from mixc.compiler.documents.data import Batch, DataFile, Role, Unreadable, Wanted, score_key
from mixc.compiler.documents.messages import bad_tokens, missing_column, not_utf8, null_id, wrong_type

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_TOKENS = 2**63 - 1

Place = Callable[[int], str]
"""Where row i of a batch stands, in words: `row 17`, `line 17`."""


def row_from(first: int) -> Place:
    """Places of a batch whose first row has this number, from 0; said from 1."""
    return lambda i: f"row {first + i + 1:,}"


def leaves(schema: Any, prefix: str = "") -> Iterator[str]:
    """Dotted names of the columns of a schema or struct that hold values."""
    for field in schema:
        if pt.is_struct(field.type):
            yield from leaves(field.type, f"{prefix}{field.name}.")
        else:
            yield f"{prefix}{field.name}"


def steps_to(file: DataFile, schema: pa.Schema, column: str, role: Role) -> tuple[str, ...]:
    """The way to a column: itself, or through structs. A column whose own name has a dot goes first.

    Raises `Unreadable` when there is none, or when its type does not fit the role.
    """
    steps = _steps(schema, column)
    kind = _type_at(schema, steps)
    if kind is None:
        raise Unreadable(missing_column(file.name, column, role, tuple(leaves(schema))))
    if not fits(kind, role):
        raise Unreadable(wrong_type(file.name, column, role, words(kind)))
    return steps


def present(wanted: Wanted, schema: pa.Schema) -> tuple[Wanted, tuple[str, ...]]:
    """What is wanted but for scores that a schema does not have, and the raters of those."""
    absent = tuple(rater for rater, column in wanted.scores if _type_at(schema, _steps(schema, column)) is None)
    return replace(wanted, scores=tuple(one for one in wanted.scores if one[0] not in absent)), absent


def _steps(schema: pa.Schema, column: str) -> tuple[str, ...]:
    return (column,) if column in schema.names else tuple(column.split("."))


def _type_at(schema: pa.Schema, steps: tuple[str, ...]) -> Any | None:
    kind: Any = pa.struct(schema)
    for step in steps:
        index = kind.get_field_index(step) if pt.is_struct(kind) else -1
        if index < 0:
            return None
        kind = kind.field(index).type
    return kind


def fits(kind: Any, role: Role) -> bool:
    """Whether values of a type can be read for a role. A column of nulls fits all."""
    if pt.is_dictionary(kind):
        return fits(kind.value_type, role)
    if pt.is_null(kind):
        return True
    if role in ("tokens", "score"):
        return bool(pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind))
    strings = pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind)
    binary = pt.is_binary(kind) or pt.is_large_binary(kind) or pt.is_binary_view(kind)
    return bool(strings or binary or (role != "text" and pt.is_integer(kind)))


def words(kind: Any) -> str:
    """A type in plain words."""
    if pt.is_dictionary(kind):
        return words(kind.value_type)
    table = (
        (pt.is_struct, "fields"),
        (pt.is_boolean, "true and false"),
        (pt.is_integer, "whole numbers"),
        (pt.is_floating, "numbers"),
        (pt.is_decimal, "numbers"),
        (pt.is_temporal, "times"),
        (pt.is_nested, "lists"),
        (pt.is_string, "strings"),
        (pt.is_large_string, "strings"),
        (pt.is_string_view, "strings"),
    )
    return next((word for test, word in table if test(kind)), "bytes")


def walk(batch: pa.RecordBatch, steps: tuple[str, ...]) -> pa.Array:
    """The column at the end of a way; null where a struct on the way is null."""
    array = batch.column(steps[0])
    for step in steps[1:]:
        array = array.flatten()[array.type.get_field_index(step)]  # unlike `field`, minds the offset and the nulls
    return array


def checked(file: DataFile, wanted: Wanted, first: int, rows: int, arrays: Mapping[str, Any], place: Place) -> Batch:
    """A batch of columns whose types fit (`fits`), by the keys of `Wanted.columns`.

    Raises `Unreadable`, and `pyarrow.ArrowInvalid` for arrays that no sound file holds.
    """

    def column(role: Role, name: str | None) -> Any | None:
        return None if name is None else _strings(file, name, role, arrays[role], place)

    ids = column("id", wanted.id)
    if ids is not None and ids.null_count:
        row = pc.index(ids.is_null(), True).as_py()
        raise Unreadable(null_id(file.name, wanted.id or "", place(row), ids.null_count))
    return Batch(
        first,
        rows,
        ids,
        column("text", wanted.text),
        column("language", wanted.language),
        column("domain", wanted.domain),
        None if wanted.tokens is None else _tokens(file, wanted.tokens, arrays["tokens"], place),
        {rater: _score(arrays[score_key(rater)]) for rater, _ in wanted.scores},
    )


def holds(there: Sequence[str], column: str) -> bool:
    """Whether a column is among dotted names, or has fields that are."""
    return any(one == column or one.startswith(f"{column}.") for one in there)


def without_scores(batch: Batch, raters: Sequence[str]) -> Batch:
    """A batch of a file that has no column for these raters: null stands for their scores."""
    if not raters:
        return batch
    nulls = {rater: pa.nulls(batch.rows, pa.float32()) for rater in raters}
    return replace(batch, scores={**batch.scores, **nulls}, absent=tuple(raters))


def _strings(file: DataFile, name: str, role: Role, array: Any, place: Place) -> Any:
    """As string, large_string, or for languages and domains a dictionary of them; valid UTF-8."""
    if pt.is_dictionary(array.type):
        _sound(array)
        if role not in ("language", "domain") or array.dictionary.null_count:
            return _strings(file, name, role, array.dictionary_decode(), place)
        values = array.dictionary
        plain = _strings(file, name, role, values, lambda i: place(_row_of(array, i)))
        return array if plain is values else pa.DictionaryArray.from_arrays(array.indices, plain)
    kind = array.type
    if pt.is_null(kind) or pt.is_integer(kind):
        return array.cast(pa.string())
    result = array
    if pt.is_binary(kind) or pt.is_large_binary(kind):
        result = array.view(pa.string() if pt.is_binary(kind) else pa.large_string())
    elif not (pt.is_string(kind) or pt.is_large_string(kind)):
        # Views: as bytes first, so that invalid text is found below with its row, not by the cast.
        result = array.cast(pa.large_binary(), safe=False).view(pa.large_string())
    if not _sound(result):
        raise Unreadable(not_utf8(file.name, name, place(_first_not_utf8(result))))
    return result


def _sound(array: Any) -> bool:
    """Whether all strings are UTF-8. Raises `pyarrow.ArrowInvalid` where offsets or indices lead out of the data."""
    try:
        array.validate(full=True)
    except pa.ArrowInvalid as error:
        if "UTF8" not in str(error):
            raise
        return False
    return True


def _first_not_utf8(array: Any) -> int:
    return next((row for row in range(len(array)) if not _sound(array.slice(row, 1))), 0)


def _row_of(array: Any, value: int) -> int:
    """The first row of a dictionary array that has a value; 0 where none has."""
    return max(0, int(pc.index(array.indices, pa.scalar(value, array.indices.type)).as_py()))


def _tokens(file: DataFile, name: str, array: Any, place: Place) -> NDArray[np.int64]:
    """As int64, every one at least 1."""
    if pt.is_dictionary(array.type):
        _sound(array)
        array = array.dictionary_decode()
    if pt.is_null(array.type):
        array = array.cast(pa.int64())
    full = array
    if not pt.is_integer(array.type):
        full = array = array.cast(pa.float64())
    if array.null_count:
        full = pc.fill_null(array, 0)
    values = full.to_numpy(zero_copy_only=False)
    if pt.is_integer(array.type):
        wrong = (values < 1) | (values > MOST_TOKENS) if values.dtype == np.uint64 else values < 1
    else:
        wrong = ~((values >= 1) & (values < MOST_TOKENS) & (values == np.floor(values)))
    if wrong.any():
        row = int(np.argmax(wrong))
        value = array[row].as_py()
        shown = "null" if value is None else f"{value:.17g}" if isinstance(value, float) else str(value)
        raise Unreadable(bad_tokens(file.name, name, place(row), shown, int(wrong.sum())))
    result: NDArray[np.int64] = values.astype(np.int64, copy=False)
    return result


def _score(array: Any) -> Any:
    """As float32. Through float64, so that a number is the same score whatever column type or format it came in."""
    if pt.is_dictionary(array.type):
        _sound(array)
        array = array.dictionary_decode()
    if not pt.is_floating(array.type):
        array = array.cast(pa.float64(), safe=False)
    return array.cast(pa.float32(), safe=False)
