"""Folders that clusters of our own write to; one whose owner was killed is removed by the next that is made."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

# Names of Unix sockets are short (107 bytes), and the usual folder for temporary files may not be.
PLACE, PREFIX = Path("/tmp"), "mixc-ray-"
OWNED = "owned"  # a file that the owner holds locked; the system lets go when it dies


@dataclass(frozen=True, slots=True)
class Scratch:
    """A folder, and the lock that tells others that it is in use."""

    path: Path
    lock: IO[str]

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.lock.close()


def new_scratch() -> Scratch:
    """A new folder, after removing those that nobody owns any more."""
    for path in PLACE.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            _remove_unowned(path)
    path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=PLACE))
    lock = (path / f"{OWNED}.new").open("x", encoding="utf-8")
    fcntl.flock(lock, fcntl.LOCK_EX)
    (path / f"{OWNED}.new").rename(path / OWNED)
    return Scratch(path, lock)


def _remove_unowned(path: Path) -> None:
    if path.is_symlink() or path.stat().st_uid != os.getuid():
        return
    with (path / OWNED).open(encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
