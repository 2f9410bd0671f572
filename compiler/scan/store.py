"""What scanning remembers, under `.mixc/` beside the recipe: none of it is needed, all of it is made again if lost.

Only the tables that scores were ranked by come out otherwise where documents have come since, so they reach the disk.

Entries are named by what they depend on (content of the file, columns, weights, tables), so a changed weight finds the
profiles again and a changed file finds nothing. Each is written whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from mixc.compiler.documents.data import DataFile, Wanted
from mixc.compiler.documents.reading import identity
from mixc.compiler.documents.storage import is_damage
from mixc.compiler.scan import leftovers, ragged
from mixc.compiler.whole import NOT_THERE, kept_json, make_folder, write_whole

VERSION = 3
FOLDER = ".mixc"


def key_of(*parts: Any) -> str:
    """A name for what depends on these values."""
    return hashlib.sha256(json.dumps([VERSION, *parts], sort_keys=True, default=str).encode()).hexdigest()[:32]


def write_numbers(table: pa.Table, where: Any) -> None:
    """Write a Parquet file of whole numbers: ragged, or in lists of numbers that are each close to the one before."""
    lists = {f"{field.name}.list.element" for field in table.schema if field.type == pa.list_(pa.int64())}
    encoding = dict.fromkeys(lists, "DELTA_BINARY_PACKED")
    names = [field.name for field in table.schema if field.type != pa.list_(pa.int64())]
    options = {"compression": "zstd", "use_dictionary": names, "column_encoding": encoding}
    pq.write_table(table, where, write_statistics=False, **ragged.form(table.schema) or options)


def read_numbers(where: Any) -> pa.Table:
    """The table of one Parquet file. `pyarrow.parquet.read_table` would load all that reads folders of them first."""
    with pq.ParquetFile(where) as file:
        return file.read()


class Store:
    """The cache of one recipe's folder; from the first thing that is written to `save`, held against tidying."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FOLDER
        self._stamps = self.folder / "files.json"
        self._known: dict[str, list[str]] | None = None
        self._held: IO[str] | None = None
        self._spills: set[str] | None = None  # that are accounted for
        self._damaged = False  # something that was kept, which may have named spills

    def table(self, kind: str, name: str) -> pa.Table | None:
        """A table that was kept; None where there is none, or a damaged one.

        Raises `OSError` where the system would not let it be read now: what it says is not known.
        """
        try:
            return read_numbers(self._path(kind, name))
        except NOT_THERE:
            return None
        except (OSError, pa.ArrowException) as error:
            if not is_damage(error):
                raise
            self._damaged = True
            return None

    def place(self, kind: str, name: str) -> str | None:
        """Where something was kept, damaged or not, seen from the recipe; None where nothing was."""
        path = self._path(kind, name)
        return path.relative_to(self.folder.parent).as_posix() if path.exists() else None

    def keep(self, kind: str, name: str, table: pa.Table, *, lasting: bool = False) -> None:
        """Keep a table; `lasting`: it lies on the disk before it has its name."""
        self._replace(self._path(kind, name), lambda path: write_numbers(table, path), lasting=lasting)
        if self._spills is not None and "spill" in table.column_names:
            self._spills.update(table["spill"].to_pylist())

    def identity(self, file: DataFile, wanted: Wanted) -> str:
        """The content hash of a file, made again only when its size or time changed."""
        known = self._identities()
        key = key_of(file.name, asdict(wanted))
        stamp = self._stamp(file)
        if known.get(key, [""])[0] != stamp:
            known[key] = [stamp, identity(file, wanted)]
        return known[key][1]

    def note(self, file: DataFile, wanted: Wanted, found: str) -> None:
        """Take the content hash of a file from who made it."""
        self._identities()[key_of(file.name, asdict(wanted))] = [self._stamp(file), found]

    def knows(self, file: DataFile, wanted: Wanted) -> bool:
        """Whether a file was read before and is as it was."""
        return self._identities().get(key_of(file.name, asdict(wanted)), [""])[0] == self._stamp(file)

    def path_of(self, kind: str, name: str, table: pa.Table) -> Path:
        """Where a table is kept, for workers to read; written if it is not there, or not as it was written."""
        path = self._path(kind, name)
        if self.table(kind, name) is None:
            self.keep(kind, name, table)
        return path.absolute()

    def folder_of(self, kind: str) -> Path:
        """A folder for files of a kind that write themselves."""
        folder = (self.folder / kind).absolute()
        self._hold()
        make_folder(folder)
        if self._spills is None:
            self._spills = leftovers.spills(self.folder)
        return folder

    def save(self) -> None:
        """Write down the identities, and let go."""
        if self._known is not None:
            text = json.dumps(self._known, indent=0, sort_keys=True)

            def write(path: Path) -> None:
                path.write_text(text, encoding="utf-8")

            self._replace(self._stamps, write)
        held, self._held = self._held, None
        if held is not None:
            stray = self._spills is not None and not leftovers.spills(self.folder) <= self._spills
            leftovers.end(held, stray=stray or (self._damaged and bool(leftovers.unnamed(self.folder))))

    def _hold(self) -> None:
        if self._held is None:
            self._held = leftovers.begin(self.folder)
        ignore = self.folder / ".gitignore"
        if not ignore.exists():
            write_whole(ignore, _ignoring)

    def _stamp(self, file: DataFile) -> str:
        return f"{file.path} {file.size} {file.stamp}"

    def _identities(self) -> dict[str, list[str]]:
        if self._known is None:
            found = kept_json(self._stamps)
            self._known = found if isinstance(found, dict) else {}
        return self._known

    def _path(self, kind: str, name: str) -> Path:
        return self.folder / kind / f"{name}.parquet"

    def _replace(self, path: Path, write: Callable[[Path], None], *, lasting: bool = False) -> None:
        self._hold()
        write_whole(path, write, lasting=lasting)


def _ignoring(path: Path) -> None:
    path.write_text("*\n", encoding="utf-8")
