"""What killed processes leave among what scanning remembers, told from what live ones are just writing.

Whoever writes holds a file in `open` locked, and removes it once all that was written is kept. The system lets a lock
go when its owner dies, however it dies: a file that is there and not locked says that something may lie about. It is
removed by the next process that writes while no other does: temporary files, and spills that no kept table names.
"""

from __future__ import annotations

import errno
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from mixc.compiler.documents.storage import is_damage
from mixc.compiler.whole import make_folder, remove_dead

LOCK, OPEN = "lock", "open"
NO_LOCKS = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})
SPILLS, NAMED_BY = "spills", "ids"


def begin(folder: Path) -> IO[str] | None:
    """Say that this process writes below a folder, after removing what killed ones left; a file to keep open.

    None where the file system has no locks; then nothing is removed either. Raises `OSError` for any other reason:
    what is written without a mark would never be looked for.
    """
    make_folder(folder / OPEN)
    try:
        with _alone(folder):
            found = {path: _is_held(path) for path in (folder / OPEN).iterdir()}
            if found and not any(found.values()):
                _remove(folder)
                for path in found:
                    path.unlink(missing_ok=True)
            mine = (folder / OPEN / uuid4().hex).open("x", encoding="utf-8")
            fcntl.flock(mine, fcntl.LOCK_EX)
            return mine
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    return None


def end(mine: IO[str], *, stray: bool) -> None:
    """Let go of what `begin` gave; `stray`: something may lie about that the next one is to look at."""
    if not stray:
        Path(mine.name).unlink(missing_ok=True)
    mine.close()


def spills(folder: Path) -> set[str]:
    """The names of the spills that are there."""
    return {path.name for path in (folder / SPILLS).glob("*.ids")}


def unnamed(folder: Path) -> set[str]:
    """The names of the spills that no kept table names. Raises `OSError` where one cannot be read now."""
    there = spills(folder)
    return there - {name for path in (folder / NAMED_BY).glob("*.parquet") for name in _named(path)} if there else set()


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
        remove_dead(path)
    for name in unnamed(folder):
        (folder / SPILLS / name).unlink(missing_ok=True)


def _named(path: Path) -> list[str]:
    """The spills that a kept table names; none if it is damaged, for then its file is read again.

    Raises `OSError` where the system would not let it be read now: it may name spills all the same.
    """
    try:
        found: list[str] = pq.read_table(path, memory_map=False)["spill"].to_pylist()
    except (OSError, KeyError, pa.ArrowException) as error:
        if isinstance(error, OSError) and not is_damage(error):
            raise
        return []
    return found
