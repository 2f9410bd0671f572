"""What killed processes leave among what scanning remembers, told from what live ones are just writing.

Whoever writes holds a file in `open` locked, and removes it once all that was written is kept. The system lets a lock
go when its owner dies, however it dies: a file that is there and not locked says that something may lie about. It is
removed by the next process that writes while no other does: temporary files, and spills that no kept table names.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

LOCK, OPEN = "lock", "open"
SPILLS, NAMED_BY = "spills", "ids"


def begin(folder: Path) -> IO[str] | None:
    """Say that this process writes below a folder, after removing what killed ones left; a file to keep open.

    None where nothing can be locked; then nothing is removed either.
    """
    (folder / OPEN).mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError), _alone(folder):
        found = {path: _is_held(path) for path in (folder / OPEN).iterdir()}
        if found and not any(found.values()):
            _remove(folder)
            for path in found:
                path.unlink(missing_ok=True)
        mine = (folder / OPEN / uuid4().hex).open("x", encoding="utf-8")
        fcntl.flock(mine, fcntl.LOCK_EX)
        return mine
    return None


def end(mine: IO[str], *, stray: bool) -> None:
    """Let go of what `begin` gave; `stray`: something may lie about that the next one is to look at."""
    if not stray:
        Path(mine.name).unlink(missing_ok=True)
    mine.close()


def spills(folder: Path) -> set[str]:
    """The names of the spills that are there."""
    return {path.name for path in (folder / SPILLS).glob("*.ids")}


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody begins meanwhile."""
    with (folder / LOCK).open("a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_held(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:  # its owner has just ended
        return False
    except BlockingIOError:
        return True
    return False


def _remove(folder: Path) -> None:
    """Remove all that nobody will come back for."""
    for path in folder.rglob(".*.tmp"):
        path.unlink(missing_ok=True)
    there = spills(folder)
    named = {name for path in (folder / NAMED_BY).glob("*.parquet") for name in _named(path)} if there else set()
    for name in there - named:
        (folder / SPILLS / name).unlink(missing_ok=True)


def _named(path: Path) -> list[str]:
    """The spills that a kept table names; none if it cannot be read, for then its file is read again."""
    try:
        found: list[str] = pq.read_table(path, memory_map=False)["spill"].to_pylist()
    except (OSError, KeyError, pa.ArrowException):
        return []
    return found
