"""Finding the files of a source: files, folders, patterns, saved datasets, here and in object stores."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, Protocol

from mixc.compiler.documents.data import DataFile, Format, Unreadable
from mixc.compiler.documents.messages import no_file, unknown_format, unopenable
from mixc.compiler.documents.remote import Remote
from mixc.compiler.documents.storage import is_remote, local_path, told
from mixc.compiler.places import PARAM
from mixc.compiler.plain_json import loads
from mixc.compiler.recipe import Source
from mixc.dsl.diagnostics import Diagnostic, page
from mixc.dsl.reading import check_plain, file_bytes
from mixc.dsl.text import Span
from mixc.dsl.wording import at, plain

ENDINGS: dict[str, Format] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".arrow": "arrow",
}
COMPRESSED = (".gz", ".zst")
STATE = "state.json"  # in a folder that `datasets` saved; names the files that belong to it
NO_DOCUMENTS = (STATE, "dataset_dict.json", "dataset_info.json")
LARGE_STATE = 64 << 20


class Place(Protocol):
    """Where paths lead: this machine or an object store."""

    def match(self, pattern: str) -> list[str]:
        """Files and folders of a path or pattern."""
        ...

    def inside(self, path: str) -> list[str] | None:
        """All files below a folder; None of what is no folder."""
        ...

    def file(self, path: str) -> tuple[str, int, str]:
        """Name, size and stamp of a file."""
        ...

    def text(self, path: str) -> bytes | None:
        """The content of a small file; None if there is none."""
        ...


def find_files(source: Source, folder: Path) -> tuple[tuple[DataFile, ...], list[Diagnostic]]:
    """The files of a source's `paths`, each once, sorted by name; relative paths are seen from `folder`."""
    found: dict[str, DataFile] = {}
    diagnostics: list[Diagnostic] = []
    for pattern in source.paths:
        try:
            for file in _files(source, pattern, folder):
                if PARAM.search(file.name):  # in catalogs and locks it would be a param of the recipe
                    raise Unreadable(param_in_name(file.name, source.span))
                found[file.name] = file
        except Unreadable as error:
            diagnostics.append(error.diagnostic)
    return tuple(found[name] for name in sorted(found)), diagnostics


def format_of(name: str) -> Format | None:
    """The format that a name says, None where it says none."""
    path = PurePosixPath(name.lower())
    if path.suffix in COMPRESSED:
        inner = ENDINGS.get(path.with_suffix("").suffix)
        return inner if inner == "jsonl" else None
    return ENDINGS.get(path.suffix)


def _files(source: Source, pattern: str, folder: Path) -> list[DataFile]:
    place = Remote(pattern, source.span) if is_remote(pattern) else _Local(folder, source)
    chosen: list[tuple[str, Format]] = []
    passed_over = 0
    for path in place.match(pattern):
        below = place.inside(path)
        if below is None:
            name = PurePosixPath(path).name
            if name != PurePosixPath(pattern).name and (_is_hidden(name) or name in NO_DOCUMENTS):
                continue
            form = format_of(path) or _declared(source)
            if form is None:
                raise Unreadable(unknown_format(place.file(path)[0], source.span))
            chosen.append((path, form))
        else:
            documents = _of_folder(place, path, below, source)
            passed_over += len(below) - len(documents)
            chosen += documents
    if not chosen:
        note = f"{passed_over:,} other file{'s' * (passed_over > 1)} found there, none of a known ending"
        raise Unreadable(no_file(pattern, source.span, note if passed_over else ""))
    return [
        DataFile(source.name, name, path, form, size, stamp)
        for path, form in chosen
        for name, size, stamp in (place.file(path),)
    ]


def _declared(source: Source) -> Format | None:
    return next((form for form in ENDINGS.values() if form == source.format), None)


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "_"))


def _of_folder(place: Place, folder: str, below: Sequence[str], source: Source) -> list[tuple[str, Format]]:
    """The documents of a folder. Of a saved dataset, the files it names; others there are caches of `datasets`."""
    datasets = {PurePosixPath(path).parent.as_posix() for path in below if PurePosixPath(path).name == STATE}
    states = {parent: _saved(place, f"{parent}/{STATE}") for parent in datasets}
    found: list[tuple[str, Format]] = []
    for path in below:
        inner = PurePosixPath(path)
        state = states.get(inner.parent.as_posix())
        if any(_is_hidden(part) for part in inner.relative_to(folder).parts):
            continue
        if state is not None:
            if inner.name in state:
                found.append((path, "arrow"))
        elif inner.name not in NO_DOCUMENTS:
            form = format_of(path)
            if form is not None:
                found.append((path, form))
    missing = [
        f"{parent}/{name}"
        for parent, names in states.items()
        for name in names or ()
        if f"{parent}/{name}" not in below
    ]
    if missing:
        raise Unreadable(unopenable(missing[0], f"`{STATE}` of the dataset names it, but it is not there", source.span))
    return found


def _saved(place: Place, path: str) -> frozenset[str] | None:
    """The files that the state of a saved dataset names; None of another file of that name."""
    content = place.text(path)
    try:
        state: Any = loads(content or b"")
        return frozenset(str(entry["filename"]) for entry in state["_data_files"])
    except (ValueError, KeyError, TypeError):
        return None


class _Local:
    """This machine. Paths are absolute, with forward slashes."""

    def __init__(self, folder: Path, source: Source) -> None:
        self.folder, self.source = folder.absolute(), source

    def match(self, pattern: str) -> list[str]:
        path = self.folder / local_path(pattern)
        if path.exists():  # also where its name looks like a pattern
            return [path.as_posix()]
        # Not Path.glob, which takes no absolute pattern; and the folder's own name is no part of the pattern.
        found = glob.iglob(local_path(pattern), root_dir=self.folder, recursive=True)  # noqa: PTH207
        return sorted((self.folder / name).as_posix() for name in found)

    def inside(self, path: str) -> list[str] | None:
        if not Path(path).is_dir():
            return None

        def fail(error: OSError) -> None:
            raise error

        found = []
        with told(self.name(path), remote=False, span=self.source.span):
            for parent, _, names in os.walk(path, onerror=fail, followlinks=True):
                found += [(PurePath(parent) / name).as_posix() for name in names]
        return sorted(found)

    def file(self, path: str) -> tuple[str, int, str]:
        with told(self.name(path), remote=False, span=self.source.span):
            stat = Path(path).stat()
            check_plain(Path(path))
        return self.name(path), stat.st_size, str(stat.st_mtime_ns)

    def text(self, path: str) -> bytes | None:
        with told(self.name(path), remote=False, span=self.source.span):
            return file_bytes(Path(path)) if Path(path).stat().st_size < LARGE_STATE else None

    def name(self, path: str) -> str:
        return PurePath(os.path.relpath(path, self.folder)).as_posix()


@page("M516")
def param_in_name(name: str, span: Span | None) -> Diagnostic:
    """A file of documents has `${…}` in its name.

    Catalogs, locks and manifests name files as the recipe does, and `${root}` there is a param. A file or folder that
    is really called so could not be told from that.

    Rename it, or give a link to it.
    """
    return Diagnostic(
        "M516",
        f"`{plain(name, 80)}` has a `${{…}}` in its name, which is a param wherever files are named",
        at(span),
        helps=("rename it, or make a link to it with a plain name",),
        subject=plain(name, 80),
    )
