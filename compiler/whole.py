"""Files that are written whole or not at all: made beside their place, then moved there."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from pathlib import Path


def write_whole(path: Path, write: Callable[[Path], None], *, lasting: bool = True) -> None:
    """Let `write` make a file, then move it to its place; `lasting`: only once it lies on the disk.

    What can be made again, as caches can, need not wait for the disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        write(temporary)
        if lasting:
            _sync(temporary)
        temporary.replace(path)
        if lasting:
            _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Bring a file, or what a folder lists, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
