"""The folder that an export writes: whole files, with a list of them, and nothing of anybody else.

Whenever writing is cut short, the list says what may be there, so that the next export goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from mixc.compiler.plain_json import loads
from mixc.compiler.review.canonical import canonical
from mixc.compiler.review.output import write_atomically, write_together
from mixc.compiler.whole import is_temporary, make_folder, remove_dead
from mixc.dsl.diagnostics import Diagnostic, page
from mixc.dsl.reading import file_bytes
from mixc.dsl.wording import listed, plain

KEYS = {"exporter", "files", "manifest", "mixc"}  # of the list
INDEX = "export.json"  # what makes a folder one that may be written again


def earlier(folder: Path) -> tuple[set[str], list[Diagnostic]]:
    """The files of an earlier export that are still there; a folder of no export has to be empty."""
    if not folder.exists():
        return set(), []
    if not folder.is_dir():
        return set(), [cannot_export(str(folder), "it is a file")]
    every = sorted(path for path in folder.rglob("*") if not path.is_dir())
    unfinished = [path for path in every if is_temporary(path.name)]
    there = [path.relative_to(folder).as_posix() for path in every if path not in unfinished]
    try:
        index = loads(file_bytes(folder / INDEX)) if there else {}
        mine = set(map(PurePosixPath, index["files"])) if there else set()
        ours = not there or set(index) == KEYS
    except (OSError, ValueError, KeyError, TypeError):
        return set(), [foreign_folder(str(folder), there)]
    if not ours or any(name.is_absolute() or ".." in name.parts or (folder / name).is_dir() for name in mine):
        return set(), [foreign_folder(str(folder), there)]
    for path in unfinished:
        remove_dead(path)
    return {name.as_posix() for name in mine}, []


def standing(folder: Path, names: Sequence[str], before: set[str]) -> list[str]:
    """Which of the files to be written are there already, and are not those of an earlier export; links are not."""
    there = [name for name in names if name not in before and (folder / name).exists()]
    links = [name for name in (*names, INDEX) if (folder / name).is_symlink()]
    return sorted({*there, *links})


def written(folder: Path, data: Mapping[str, bytes], before: set[str], made: Mapping[str, Any]) -> list[Diagnostic]:
    """Write the files and take away those of an earlier export.

    The list of files names what is to come before any of it is there, and what is to go until it is gone. So whenever
    this is cut short, the folder is known as one that an export made, and the next one goes on.
    """
    names, index = set(data), folder / INDEX
    problems: list[Diagnostic] = []
    try:
        for parent in sorted({(folder / name).parent for name in names} | {folder}):
            make_folder(parent)
        if before != names:
            problems = write_atomically(index, canonical({**made, "files": sorted(before | names)}).encode())
        if problems := problems or write_together({folder / name: one for name, one in data.items()}):
            return problems
        for name in sorted(before - names):
            (folder / name).unlink(missing_ok=True)
            for above in (folder / name).relative_to(folder).parents[:-1]:
                if (folder / above).is_dir() and not any((folder / above).iterdir()):
                    (folder / above).rmdir()
    except OSError as error:
        return [cannot_export(str(folder), (error.strerror or str(error)).lower())]
    return write_atomically(index, canonical({**made, "files": sorted(names)}).encode())


@page("M701")
def foreign_folder(folder: str, there: list[str]) -> Diagnostic:
    """The folder to export into holds other files.

    An export replaces the one before it, and removes what that had and this has not. So it writes only into a folder
    that is empty, or that an export made: one with its `export.json`. It writes over no other file there.

    What to do: give an empty or a new folder.
    """
    return Diagnostic(
        "M701",
        f"`{plain(folder, 200)}` holds files that no export wrote",
        notes=(f"found {listed([f'`{name}`' for name in there], 4)}",),
        helps=("give a new folder: `-o NEW`",),
        subject=folder,
    )


@page("M702")
def cannot_export(folder: str, why: str) -> Diagnostic:
    """The folder to export into cannot be made.

    What to do: give a folder that can be written to.
    """
    return Diagnostic(
        "M702",
        f"cannot export into `{plain(folder, 200)}`: {plain(why, 200)}",
        helps=("give another folder: `-o NEW`",),
        subject=folder,
    )
