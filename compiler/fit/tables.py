"""Tables of training runs: CSV, Parquet and JSON lines as rows of named values, and checked numbers from them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mixc.compiler.documents.bounds import bounded
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.fit.run_messages import bad_values, missing_columns, unreadable_runs
from mixc.compiler.plain_json import loads
from mixc.dsl.reading import file_bytes
from mixc.dsl.suggest import suggest
from mixc.dsl.wording import plain

ENDINGS = (".csv", ".parquet", ".jsonl")
SYNONYMS = {"params": ("N", "size", "parameters", "model"), "tokens": ("D", "K", "budget"), "loss": ("val_loss",)}
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a table is read: `columns` are other names for columns, `units` what their numbers are multiplied by."""

    columns: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunTable:
    """Rows of a table, nested values as `outer.inner`; empty cells are None. `places` says where a row stands."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    places: tuple[str, ...]
    reading: Reading

    def has(self, column: str) -> bool:
        """Whether there is such a column."""
        return column in self.columns

    def require(self, wanted: Iterable[str]) -> None:
        """Raise M711 unless every column is there."""
        missing = [column for column in wanted if column not in self.columns]
        if missing:
            raise Unreadable(missing_columns(self.name, [(c, self._near(c)) for c in missing], self.columns))

    def numbers(self, column: str, unit: str, *, least: float = 0.0, open_: bool = True) -> list[float]:
        """A column of finite numbers above `least` (or at least it), in ones; M712 names what is not."""
        factor = self.reading.units.get(unit, 1.0)
        found, wrong = [], []
        for row, place in zip(self.rows, self.places, strict=True):
            value = as_number(row.get(column))
            if value is None or not math.isfinite(value) or value < least or (open_ and value == least):
                wrong.append((place, shown(row.get(column))))
            else:
                found.append(value * factor)
        if wrong:
            bound = f"above {least:g}" if open_ else f"of {least:g} or more"
            raise Unreadable(bad_values(self.name, column, wrong, f"it is a number {bound}"))
        return found

    def texts(self, column: str) -> list[str]:
        """A column of names; M712 where one is missing."""
        wrong = [(p, "") for row, p in zip(self.rows, self.places, strict=True) if row.get(column) in (None, "")]
        if wrong:
            raise Unreadable(bad_values(self.name, column, wrong, "it is a name"))
        return [str(row[column]) for row in self.rows]

    def _near(self, column: str) -> str | None:
        known = {there.lower(): there for there in self.columns}
        for other in SYNONYMS.get(column, ()):
            if other.lower() in known:
                return known[other.lower()]
        return suggest(column, self.columns)


def as_number(value: Any) -> float | None:
    """The number that a cell holds; None where it holds none."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def shown(value: Any) -> str:
    """A cell as it is quoted; empty where there is nothing."""
    return "" if value is None else plain(str(value), 60)


def read_table(path: Path, reading: Reading) -> RunTable:
    """A table of at least one row; M710 when it cannot be had."""
    name = path.name
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise Unreadable(unreadable_runs(name, f"its name ends in none of {', '.join(ENDINGS)}"))
    try:
        data = file_bytes(path)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "it cannot be opened"
        raise Unreadable(unreadable_runs(name, reason)) from None
    parse: Callable[[str, bytes], tuple[list[dict[str, Any]], list[str]]] = {
        ".csv": _csv,
        ".jsonl": _jsonl,
        ".parquet": _parquet,
    }[ending]
    rows, places = parse(name, data)
    if not rows:
        raise Unreadable(unreadable_runs(name, "it has no rows"))
    return _named(name, [flat(row) for row in rows], places, reading)


def _named(name: str, rows: Sequence[dict[str, Any]], places: Sequence[str], reading: Reading) -> RunTable:
    """The table with columns under the names that fits know."""
    there = list(dict.fromkeys(column for row in rows for column in row))
    absent = [column for column in reading.columns.values() if column not in there]
    if absent:
        raise Unreadable(missing_columns(name, [(column, None) for column in absent], there))
    own = {column: wanted for wanted, column in reading.columns.items()}
    hidden = set(reading.columns) - set(own)  # a column of the very name, when another was asked for instead
    renamed = [{own.get(c, c): v for c, v in row.items() if c in own or c not in hidden} for row in rows]
    columns = tuple(dict.fromkeys(column for row in renamed for column in row))
    return RunTable(name, columns, tuple(renamed), tuple(places), reading)


def flat(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested objects and lists as `outer.inner` and `outer.0`."""
    found: dict[str, Any] = {}
    for key, value in row.items():
        column = f"{prefix}{key}"
        if isinstance(value, Mapping):
            found |= flat(value, f"{column}.")
        elif isinstance(value, list | tuple):
            found |= flat({str(i): one for i, one in enumerate(value)}, f"{column}.")
        else:
            found[column] = None if value == "" else value
    return found


def _text(name: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable(unreadable_runs(name, "it is not UTF-8")) from None


def _csv(name: str, data: bytes) -> tuple[list[dict[str, Any]], list[str]]:
    reader = csv.reader(io.StringIO(_text(name, data)), strict=True)
    try:
        lines = [(reader.line_num, [cell.strip() for cell in line]) for line in reader if any(line)]
    except csv.Error as error:
        raise Unreadable(unreadable_runs(name, f"line {reader.line_num}: {error}")) from None
    if not lines:
        raise Unreadable(unreadable_runs(name, "it is empty"))
    header = lines[0][1]
    if len(set(header)) < len(header):
        twice = next(column for i, column in enumerate(header) if column in header[:i])
        raise Unreadable(unreadable_runs(name, f"its header names `{twice}` twice"))
    for number, cells in lines[1:]:
        if len(cells) != len(header):
            raise Unreadable(unreadable_runs(name, f"line {number} has {len(cells)} cells, the header {len(header)}"))
    rows = [dict(zip(header, cells, strict=True)) for _, cells in lines[1:]]
    return rows, [f"line {number}" for number, _ in lines[1:]]


def _jsonl(name: str, data: bytes) -> tuple[list[dict[str, Any]], list[str]]:
    rows, places = [], []
    for number, line in enumerate(_text(name, data).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = loads(line)
        except ValueError:
            raise Unreadable(unreadable_runs(name, f"line {number} is not JSON")) from None
        if not isinstance(row, dict):
            raise Unreadable(unreadable_runs(name, f"line {number} is no object"))
        rows.append(row)
        places.append(f"line {number}")
    return rows, places


def _parquet(name: str, data: bytes) -> tuple[list[dict[str, Any]], list[str]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with bounded():
            rows = pq.read_table(pa.BufferReader(data)).to_pylist()
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise Unreadable(unreadable_runs(name, str(error).split("\n")[0])) from None
    return rows, [f"row {number}" for number in range(1, len(rows) + 1)]
