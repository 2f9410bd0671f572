"""Files that are written whole or not at all: beside their place, to the disk, then moved there."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import xxhash

from mixc.backends.selection import messages
from mixc.compiler.documents.data import Unreadable

CHUNK = 4 << 20
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def told_of_room(folder: str) -> Iterator[None]:
    """Where there is no room, all shards fail for one reason, and that is not a bug: say so once."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        why = os.strerror(error.errno).lower()
        raise Unreadable(messages.cannot_write_output(folder, why)) from error


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` make a file, and move it to its place once it lies on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        write(temporary)
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text whole or not at all."""
    write_whole(path, lambda temporary: _fill(temporary, text.encode()))


def sync(path: Path) -> None:
    """Bring a file, or what a folder lists, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def content_hash(path: Path) -> str:
    """XXH3-128 of a file, in hexadecimal."""
    digest = xxhash.xxh3_128()
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def _fill(path: Path, data: bytes) -> None:
    path.write_bytes(data)
