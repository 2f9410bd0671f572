"""Planning catalogs: published corpus sizes per language, read from CSV or Parquet.

A catalog has a column `language`, optionally `script`, and sizes in `tokens`, `bytes` or `words` (with `documents`).
A CSV may begin with `# key: value` lines; `tokenizer`, `origin` and `licence of the corpus` are understood.
Every row is checked before any is used; reading never fails with an exception on bad data.
"""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from mixc.compiler.supply import messages
from mixc.compiler.supply.languages import LanguageCode, resolve
from mixc.dsl.diagnostics import Diagnostic, has_errors
from mixc.dsl.reading import file_bytes
from mixc.dsl.text import SourceText, Span

UNITS = ("tokens", "bytes", "words")
SIZES = (*UNITS, "documents")
LARGEST = 10**18  # a thousand times all text there is; more is a mistake


@dataclass(frozen=True, slots=True)
class CatalogRow:
    """One language in one script: `tag` as written (`hi_Latn`), what it resolves to, and its published sizes."""

    tag: str
    language: LanguageCode | None
    line: int
    tokens: int | None = None
    bytes: int | None = None
    words: int | None = None
    documents: int | None = None


@dataclass(frozen=True, slots=True)
class Catalog:
    """A file of published sizes. `size` and `sha256` are of the file's bytes; `header` its `# key: value` lines."""

    name: str
    size: int
    sha256: str
    header: Mapping[str, str]
    rows: tuple[CatalogRow, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Raw cells before any check: column names, rows of values, and where a row stands."""

    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[object, ...]], ...]  # (line or row number, values)
    place: Callable[[int], messages.Place]
    header: Mapping[str, str]


def read_catalog(
    path: Path, shown: str, span: Span | None, language: str | None = None
) -> tuple[Catalog | None, list[Diagnostic]]:
    """Read the catalog at `path`, called `shown` in messages; `span` is where the recipe names it.

    `language` is the code of every row when the file has no column `language`.
    """
    try:
        content = file_bytes(path)
    except OSError as error:
        return None, [messages.unreadable(shown, span, error.strerror or "cannot be opened")]
    read = read_parquet if content[:4] == b"PAR1" or path.suffix.lower() in {".parquet", ".pq"} else read_csv
    table, found = read(content, shown, span)
    if table is None:
        return None, found
    found += check_columns(table, shown, span, language)
    if has_errors(found):
        return None, found
    rows, found_in_rows = read_rows(table, shown, span, language)
    found += found_in_rows
    if has_errors(found):
        return None, found
    return Catalog(shown, len(content), hashlib.sha256(content).hexdigest(), table.header, rows), found


def read_csv(content: bytes, shown: str, span: Span | None) -> tuple[Table | None, list[Diagnostic]]:
    """Split UTF-8 text into cells; rows of the wrong width are reported."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return None, [messages.not_text(shown, span, f"byte {error.start + 1} (line {line}) is not UTF-8")]
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        return None, [messages.not_text(shown, span, f"line {line} holds a NUL character")]
    source = SourceText(shown, text)
    header, skipped = header_lines(text)

    def place(line: int) -> messages.Place:
        start = source.line_starts[line - 1]
        return messages.Place(Span(source, start, start + len(source.line(line))), f"{shown}:{line}", span)

    rows: list[tuple[int, tuple[str, ...]]] = []
    reader = csv.reader((f"{line}\n" for line in text.split("\n")[skipped:]), strict=True)
    try:
        for cells in reader:
            values = tuple(cell.strip() for cell in cells)
            rows.append((skipped + reader.line_num, values))
    except csv.Error as error:
        begins = rows[-1][0] + 1 if rows else skipped + 1
        return None, [messages.unsplittable(place(begins), str(error))]
    rows = [(line, cells) for line, cells in rows if cells]
    if len(rows) < 2:
        return None, [messages.empty(shown, span)]
    columns = tuple(cell.lower() for cell in rows[0][1])
    ragged = [line for line, cells in rows[1:] if len(cells) != len(columns)]
    if ragged:
        found = len(dict(rows)[ragged[0]])
        return None, [messages.ragged(place(ragged[0]), found, len(columns), ragged)]
    return Table(columns, tuple(rows[1:]), place, header), []


def header_lines(text: str) -> tuple[dict[str, str], int]:
    """The `# key: value` lines at the top of a CSV, and how many lines they take; a repeated key keeps the first."""
    header: dict[str, str] = {}
    count = 0
    for line in text.split("\n"):
        if not line.startswith("#"):
            break
        count += 1
        key, colon, value = line.lstrip("# ").partition(":")
        if colon:
            header.setdefault(key.strip().lower(), value.strip())
    return header, count


def read_parquet(content: bytes, shown: str, span: Span | None) -> tuple[Table | None, list[Diagnostic]]:
    """The columns that a catalog may have, as Python values."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from mixc.compiler.documents.bounds import bounded

    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        wanted = [name for name in file.schema_arrow.names if name.lower() in {"language", "script", *SIZES}]
        with bounded():
            values = [column.to_pylist() for column in file.read(columns=wanted).columns]
        everything = tuple(name.lower() for name in file.schema_arrow.names)
    except (pa.ArrowException, OSError, UnicodeDecodeError, OverflowError, MemoryError) as error:
        return None, [messages.broken_parquet(shown, span, str(error).splitlines()[0] if str(error) else "unreadable")]
    columns = tuple(name.lower() for name in wanted) or everything
    rows = tuple(enumerate(zip(*values, strict=True), start=1))
    if wanted and not rows:
        return None, [messages.empty(shown, span)]
    return Table(columns, rows, lambda row: messages.Place(None, f"{shown}, row {row}", span), {}), []


def check_columns(table: Table, shown: str, span: Span | None, language: str | None) -> list[Diagnostic]:
    """A catalog needs `language` and at least one unit, each once."""
    repeated = sorted({c for c in table.columns if table.columns.count(c) > 1 and c in {"language", "script", *SIZES}})
    if repeated:
        return [messages.repeated_column(shown, span, repeated[0])]
    found = []
    if "language" not in table.columns and language is None:
        found.append(messages.missing_column(shown, span, "language", table.columns))
    elif not set(UNITS) & set(table.columns):
        found.append(messages.no_unit(shown, span, table.columns))
    return found


def read_rows(
    table: Table, shown: str, span: Span | None, language: str | None
) -> tuple[tuple[CatalogRow, ...], list[Diagnostic]]:
    """Check every row; mistakes of one sort are reported together at the first."""
    at = {column: position for position, column in enumerate(table.columns)}
    rows: list[CatalogRow] = []
    bad_sizes: list[tuple[int, str, str, str]] = []
    bad_codes: list[int] = []
    for line, cells in table.rows:
        sizes: dict[str, int | None] = {}
        for unit in SIZES:
            size, why = read_size(cells[at[unit]]) if unit in at else (None, "")
            sizes[unit] = size
            if why:
                bad_sizes.append((line, unit, str(cells[at[unit]]), why))
        tag = row_tag(cells, at, language)
        if tag is None:
            bad_codes.append(line)
        else:
            rows.append(CatalogRow(tag, resolve(tag), line, **sizes))
    found: list[Diagnostic] = []
    if bad_sizes:
        line, unit, text, why = bad_sizes[0]
        found.append(messages.bad_size(table.place(line), unit, text, why, [n for n, *_ in bad_sizes]))
    if bad_codes:
        found.append(messages.no_code(table.place(bad_codes[0]), bad_codes))
    found += duplicates(rows, table)
    if not bad_sizes:
        found += unsized(rows, shown, span)
    return tuple(rows), found


def row_tag(cells: tuple[object, ...], at: Mapping[str, int], language: str | None) -> str | None:
    """`hi`, or `hi_Latn` when the row names a script beside the language; None when it names nothing."""
    code = cells[at["language"]] if "language" in at else language
    script = cells[at["script"]] if "script" in at else None
    if not isinstance(code, str) or not code.strip():
        return None
    code = code.strip()
    if isinstance(script, str) and script.strip() and len(code) <= 3:
        return f"{code}_{script.strip()}"
    return code


def read_size(value: object) -> tuple[int | None, str]:
    """A published size as a whole number, None where the cell is empty, or what is wrong with it."""
    if value is None or value == "":
        return None, ""
    if isinstance(value, bool):
        return None, "not a number"
    try:
        number = Decimal(value) if isinstance(value, str | int | Decimal) else Decimal(float(str(value)))
    except (InvalidOperation, ValueError):
        return None, "not a number"
    if not number.is_finite():
        return None, "not finite"
    if number < 0:
        return None, "negative"
    if number > LARGEST:
        return None, "more than 1e18"
    return math.floor(number + Decimal("0.5")), ""


def duplicates(rows: Iterable[CatalogRow], table: Table) -> list[Diagnostic]:
    """Two rows of one language under one spelling of its script; `zh_Hans` and `zh_Hant` add up instead."""
    first: dict[tuple[str, str], CatalogRow] = {}
    found = []
    for row in rows:
        script = row.tag.partition("_")[2] or (row.language.script if row.language else "")
        key = (row.language.tag if row.language else row.tag, script.title())
        earlier = first.setdefault(key, row)
        if earlier is not row:
            found.append(messages.duplicate(table.place(row.line), table.place(earlier.line), row.tag, earlier.tag))
    return found


def unsized(rows: Iterable[CatalogRow], shown: str, span: Span | None) -> list[Diagnostic]:
    """Rows without tokens, bytes or words are no supply."""
    without = [row for row in rows if row.tokens is None and row.bytes is None and row.words is None]
    return [messages.no_size(shown, span, [row.tag for row in without])] if without else []
