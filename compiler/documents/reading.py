"""The readers behind one face: parts of a file, their rows, the columns and the identity of a file."""

from __future__ import annotations

from collections.abc import Iterator

from mixc.compiler.documents import arrow, jsonl, parquet, sidecars
from mixc.compiler.documents.data import BadLines as BadLines
from mixc.compiler.documents.data import Batch as Batch
from mixc.compiler.documents.data import DataFile as DataFile
from mixc.compiler.documents.data import Part as Part
from mixc.compiler.documents.data import Role as Role
from mixc.compiler.documents.data import Unreadable as Unreadable
from mixc.compiler.documents.data import Wanted as Wanted
from mixc.compiler.documents.files import find_files as find_files
from mixc.compiler.documents.storage import is_remote, opened, told

CHUNK = 8 << 20


def parts(file: DataFile, target_bytes: int = 64 << 20) -> list[Part]:
    """What tasks read of a file: runs of Parquet row groups of about `target_bytes` before compression, else all."""
    return parquet.parts(file, target_bytes) if file.format == "parquet" else [Part(file, 0, 1)]


def read(
    part: Part, wanted: Wanted, *, rows: int = 65536, bad_lines: BadLines = "error", unscored: bool = False
) -> Iterator[Batch]:
    """The rows of a part in batches of at most `rows`, only the columns that are wanted.

    Raises `Unreadable`. `bad_lines = skip` passes over lines that are no JSON objects and counts them in the batches,
    the last of which may have no rows. With `unscored` a file may lack columns of scores: null stands for them, and
    batches name them.
    """
    match part.file.format:
        case "parquet":
            batches = parquet.read(part, wanted, rows, unscored=unscored)
        case "arrow":
            batches = arrow.read(part.file, wanted, rows, unscored=unscored)
        case "jsonl":
            batches = jsonl.read(part.file, wanted, rows, bad_lines, unscored=unscored)
    return sidecars.joined(part.file, batches) if part.file.sidecars else batches


def columns_of(file: DataFile) -> tuple[str, ...]:
    """Dotted names of the columns of a file; of JSONL, those of its first lines."""
    match file.format:
        case "parquet":
            return parquet.columns_of(file)
        case "arrow":
            return arrow.columns_of(file)
        case "jsonl":
            return jsonl.columns_of(file)


def never_null(part: Part, column: str | None, role: Role) -> bool:
    """Whether a part is known to have no null in a column, without reading the column: Parquet may say so."""
    return column is not None and part.file.format == "parquet" and parquet.never_null(part, column, role)


def row_count(file: DataFile) -> int | None:
    """Rows of a file where its footer says so."""
    return parquet.row_count(file) if file.format == "parquet" else None


def identity(file: DataFile, wanted: Wanted) -> str:
    """The XXH3-128 of what a reader sees, in hexadecimal.

    Of Parquet: the size, every chunk of the wanted columns, the footer. Of other formats: all bytes of the file.
    """
    if file.format == "parquet":
        return parquet.identity(file, wanted)
    import xxhash

    state = xxhash.xxh3_128()
    with opened(file) as source, told(file.name, remote=is_remote(file.path)):
        while piece := source.read_buffer(CHUNK):
            state.update(piece)
    return state.hexdigest()
