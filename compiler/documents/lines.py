"""JSON lines one by one: what a line must be, and the layout that Arrow's parser is given for blocks of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from mixc.compiler.documents.data import DataFile, Role, Unreadable, Wanted
from mixc.compiler.documents.messages import bad_line, bad_tokens, wrong_type
from mixc.compiler.plain_json import as_float

LARGEST_INTEGER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Column:
    """A wanted column, the keys that lead to it, and the type that Arrow's parser reads it as."""

    key: str
    role: Role
    name: str
    steps: tuple[str, ...]
    type: Any


@dataclass(frozen=True, slots=True)
class Layout:
    """The wanted columns; `schema` is None where no schema can hold them all."""

    columns: tuple[Column, ...]
    schema: pa.Schema | None


class _Object(dict[str, Any]):
    """An object in which keys stand twice."""

    twice: frozenset[str]


class _BadLine(Exception):
    """Why a line is no JSON object, as the end of a sentence."""


def layout_of(file: DataFile, wanted: Wanted, sample: Iterable[tuple[int, bytes]]) -> Layout:
    """The layout that the first lines suggest: whole-number names, keys with a dot of their own."""
    objects = []
    for _, line in sample:
        try:
            found = _object(line)
            for _, _, name in wanted.columns():
                _at(found, tuple(name.split(".")))
            objects.append(found)
        except _BadLine:
            continue  # told, or passed over, when its turn comes
    columns = []
    for key, role, name in wanted.columns():
        steps = (name,) if any(name in found for found in objects) else tuple(name.split("."))
        columns.append(Column(key, role, name, steps, _type(role, objects, steps)))
    return Layout(tuple(columns), _schema(columns))


def _type(role: Role, objects: list[dict[str, Any]], steps: tuple[str, ...]) -> Any:
    if role == "score":
        return pa.float64()
    value = next((value for found in objects if (value := _at(found, steps)) is not None), None)
    whole = isinstance(value, int) and not isinstance(value, bool)
    return pa.int64() if role == "tokens" or (whole and role != "text") else pa.string()


def _schema(columns: Iterable[Column]) -> pa.Schema | None:
    tree: dict[str, Any] = {}
    for column in columns:
        node = tree
        for step in column.steps[:-1]:
            node = node.setdefault(step, {})
            if not isinstance(node, dict):
                return None
        if node.setdefault(column.steps[-1], column.type) != column.type:
            return None

    def struct(node: Any) -> Any:
        return pa.struct({name: struct(inner) for name, inner in node.items()}) if isinstance(node, dict) else node

    return pa.schema([(name, struct(inner)) for name, inner in tree.items()])


def parsed(
    file: DataFile, layout: Layout, lines: Iterable[tuple[int, bytes]], *, skip: bool
) -> tuple[dict[str, Any], list[int], int]:
    """(arrays by key, line of every row, bad lines left out). Raises `Unreadable` for the first line that is wrong."""
    values: dict[str, list[Any]] = {column.key: [] for column in layout.columns}
    numbers: list[int] = []
    skipped = 0
    for number, line in lines:
        try:
            found = _object(line)
            row = [_checked(_at(found, column.steps), column, file, number) for column in layout.columns]
        except _BadLine as error:
            if not skip:
                raise Unreadable(bad_line(file.name, number, str(error))) from None
            skipped += 1
            continue
        numbers.append(number)
        for column, value in zip(layout.columns, row, strict=True):
            values[column.key].append(value)
    arrays = {column.key: _array(column, values[column.key]) for column in layout.columns}
    return arrays, numbers, skipped


def _array(column: Column, values: list[Any]) -> Any:
    kind = {"score": pa.float64(), "tokens": pa.int64()}.get(column.role, pa.large_string())
    return pa.array(values, kind)


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line.decode("utf-8"), object_pairs_hook=_pairs)
    except UnicodeDecodeError:
        raise _BadLine("is not UTF-8") from None
    except json.JSONDecodeError as error:
        reason = error.msg[:1].lower() + error.msg[1:]
        raise _BadLine(f"is not JSON: {reason}, at character {error.colno}") from None
    except (ValueError, RecursionError):
        raise _BadLine("is not JSON that can be read: a number is too long, or it is nested too deeply") from None
    if not isinstance(found, dict):
        kind = "array" if isinstance(found, list) else "single value"
        raise _BadLine(f"is not a JSON object but {'an' if kind == 'array' else 'a'} {kind}")
    return found


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    doubled = _Object(found)
    names = [name for name, _ in pairs]
    doubled.twice = frozenset(name for name in found if names.count(name) > 1)
    return doubled


def _at(found: Any, steps: tuple[str, ...]) -> Any:
    """The value at the end of a way; None where it, or an object on the way, is absent or null."""
    for depth, step in enumerate(steps):
        if found is None:
            return None
        if not isinstance(found, dict):
            return _NotObject(steps[:depth], found)
        if isinstance(found, _Object) and step in found.twice:
            raise _BadLine(f"has the key `{step}` twice")
        found = found.get(step)
    return found


@dataclass(frozen=True, slots=True)
class _NotObject:
    """A value that stands where an object was expected."""

    steps: tuple[str, ...]
    value: Any


def _checked(value: Any, column: Column, file: DataFile, number: int) -> Any:
    """The value as the role wants it. Raises `_BadLine` or `Unreadable`."""
    if value is None:
        return None
    name = column.name
    if isinstance(value, _NotObject):
        name, value = ".".join(value.steps), value.value
    elif isinstance(value, str) and column.role not in ("tokens", "score"):
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise _BadLine(f"has half of a surrogate pair in `{name}`") from None
        return value
    elif isinstance(value, int) and not isinstance(value, bool) and column.role != "text":
        return _number(value, column, file, number)
    elif isinstance(value, float) and column.role in ("tokens", "score"):
        return value if column.role == "score" else _number(value, column, file, number)
    raise Unreadable(wrong_type(file.name, name, column.role, _words(value), f"line {number:,}"))


def _number(value: Any, column: Column, file: DataFile, number: int) -> Any:
    if column.role == "score":
        return as_float(value)
    if column.role != "tokens":
        return str(value)
    if value != value or not 1 <= value <= LARGEST_INTEGER or value != int(value):
        raise Unreadable(bad_tokens(file.name, column.name, f"line {number:,}", f"{value}", 1))
    return int(value)


def _words(value: Any) -> str:
    table = ((bool, "true or false"), (int, "a whole number"), (float, "a number"), (str, "a string"), (list, "a list"))
    return next((word for kind, word in table if isinstance(value, kind)), "fields")


def has_key(lines: Iterable[tuple[int, bytes]], steps: tuple[str, ...]) -> bool:
    """Whether any object has the key, or a null on the way to it."""
    for _, line in lines:
        try:
            found: Any = _object(line)
        except _BadLine:
            continue
        for step in steps:
            if not isinstance(found, dict) or step not in found:
                break
            found = found[step]
            if found is None:
                return True
        else:
            return True
    return False


def keys_in(lines: Iterable[tuple[int, bytes]]) -> set[str]:
    """Dotted keys of the objects among lines."""
    found: set[str] = set()

    def add(node: dict[str, Any], prefix: str) -> None:
        for key, inner in node.items():
            if isinstance(inner, dict) and inner:
                add(inner, f"{prefix}{key}.")
            else:
                found.add(f"{prefix}{key}")

    for _, line in lines:
        try:
            add(_object(line), "")
        except _BadLine:
            continue
    return found
