"""Files that are written whole or not at all: made beside their place, then moved there.

What is being made is locked. The system lets a lock go when its owner dies, however it dies, so what is not locked was
left by a process that was killed, and `tidy` removes it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from mixc.compiler.plain_json import loads

ASIDE = ".old"
NOT_THERE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
"""No file of that name. Any other error of reading one leaves open what it says, and must not be taken for that."""


MADE = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{32}\.tmp", re.DOTALL)


def kept_json(path: Path) -> Any:
    """The JSON of a file that was written whole; None where there is none, or none that is JSON.

    Raises `OSError` where the system would not let it be read now: what it says is not known then.
    """
    try:
        return loads(path.read_bytes())
    except (*NOT_THERE, ValueError):
        return None


def beside(path: Path) -> Path:
    """A name of its own beside a place, for what will be moved there."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")


def write_whole(path: Path, write: Callable[[Path], None], *, lasting: bool = True, alone: bool = False) -> None:
    """Let `write` make a file, then move it to its place; `lasting`: only once it lies on the disk.

    What can be made again, as caches can, need not wait for the disk. `alone`: nobody else removes what killed
    processes left beside this file, so that is done here.
    """
    make_folder(path.parent, lasting=lasting)
    if alone:
        tidy([path])
    temporary = beside(path)
    try:
        with held(temporary) if alone else contextlib.nullcontext():
            write(temporary)
            if lasting:
                sync(temporary)
            temporary.replace(path)
        if lasting:
            sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_folder(folder: Path, fill: Callable[[Path], None]) -> None:
    """Let `fill` put files into a folder, then move it to its place, instead of one that is there; whole or not at all.

    A process that is killed in the moment between two moves leaves the earlier folder aside, and the next that writes
    this one puts it back first.
    """
    make_folder(folder.parent)
    tidy([folder])
    for aside in folder.parent.glob(f".{glob.escape(folder.name)}.*{ASIDE}"):
        shutil.rmtree(aside, ignore_errors=True) if folder.exists() else aside.replace(folder)
    made = beside(folder)
    old = made.with_suffix(ASIDE)
    try:
        with folder_of_work(made):
            fill(made)
            for path in [*made.rglob("*"), made]:
                sync(path)
            if folder.exists():
                folder.replace(old)
            made.replace(folder)
            sync(folder.parent)
    finally:
        if old.exists() and not folder.exists():
            old.replace(folder)
        shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def held(temporary: Path, *, folder: bool = False) -> Iterator[None]:
    """Make an empty file or folder and hold it locked. Nothing is locked where the file system has no locks."""
    number = _made(temporary, folder=folder)
    try:
        yield
    finally:
        os.close(number)


@contextlib.contextmanager
def folder_of_work(folder: Path) -> Iterator[None]:
    """Make a folder, hold it locked meanwhile, and remove it with all that is in it, unless it was moved away."""
    try:
        with held(folder, folder=True):
            yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _made(temporary: Path, *, folder: bool) -> int:
    while True:
        if folder:
            temporary.mkdir()
            number = os.open(temporary, os.O_RDONLY)
        else:
            number = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with contextlib.suppress(OSError):
            fcntl.flock(number, fcntl.LOCK_EX)
        if _is(temporary, number):
            return number
        os.close(number)  # another process took it for a dead one's, in the moment before it was locked


def tidy(places: Iterable[Path]) -> None:
    """Remove what killed processes left beside these places."""
    names: dict[Path, set[str]] = {}
    for place in places:
        names.setdefault(place.parent, set()).add(place.name)
    for folder, wanted in names.items():
        for path in _left(folder):
            if (found := MADE.fullmatch(path.name)) and found["name"] in wanted:
                remove_dead(path)


def is_temporary(name: str) -> bool:
    """Whether a file or folder of this name is one that was not finished."""
    return MADE.fullmatch(name) is not None


def remove_dead(path: Path) -> None:
    """Remove something unfinished, unless its owner lives, or may live."""
    with contextlib.suppress(OSError):
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not _is(path, number):
                return
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()
        finally:
            os.close(number)


def make_folder(folder: Path, *, lasting: bool = True) -> None:
    """Make a folder with those above it; `lasting`: they are on the disk, as what lies in them is to be."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    if not missing and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    folder.mkdir(parents=True, exist_ok=True)
    if lasting:
        for one in missing:
            sync(one.parent)


def sync(path: Path) -> None:
    """Bring a file, or what a folder lists, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _left(folder: Path) -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(folder) if entry.name.endswith(".tmp")]
    except OSError:
        return []


def _is(path: Path, number: int) -> bool:
    """Whether the open file is the one of this name."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(number))
    except OSError:
        return False
