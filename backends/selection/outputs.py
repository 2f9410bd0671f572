"""Outputs of a run: texts written whole, content hashes, and what is said where there is no room."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import xxhash

from mixc.backends.selection import messages
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.whole import write_whole

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


def write_text(path: Path, text: str) -> None:
    """Write a text whole or not at all."""

    def write(temporary: Path) -> None:
        temporary.write_bytes(text.encode())

    write_whole(path, write)


def content_hash(path: Path) -> str:
    """XXH3-128 of a file, in hexadecimal."""
    digest = xxhash.xxh3_128()
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            digest.update(piece)
    return digest.hexdigest()
