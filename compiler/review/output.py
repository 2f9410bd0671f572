"""Writing artefacts: each file appears whole or not at all, and nothing is left behind."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import signal
import stat
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from mixc.compiler.review.reading import reason
from mixc.dsl.diagnostics import Diagnostic, page

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NEW_FILE = 0o666


@page("M458")
def cannot_write(name: str, why: str) -> Diagnostic:
    """an output file cannot be written

    The folder does not exist or may not be written to, or the path is a folder itself. Nothing was changed: artefacts
    are written beside their place and then moved there in one step.

    Example: `mixc compile /usr/share/recipes/web.mix` as a user who may not write there.

    What to do: write elsewhere with `-o other/web.manifest.json`, or change the folder's permissions.
    """
    return Diagnostic("M458", f"cannot write `{name}`: {why}", subject=name, helps=(
        "write elsewhere with `-o PATH`; nothing was changed",
    ))  # fmt: skip


@page("M459")
def disk_full(name: str, needed: int) -> Diagnostic:
    """the disk is full

    There was no room for an output file, or a quota was reached. Nothing was changed and nothing was left behind.

    What to do: make room, or write elsewhere with `-o PATH`.
    """
    return Diagnostic("M459", f"no room to write `{name}`: it needs {needed:,} bytes", subject=name, helps=(
        "make room, or write elsewhere with `-o PATH`; nothing was changed",
    ))  # fmt: skip


def write_atomically(path: Path, data: bytes) -> list[Diagnostic]:
    """Write one file whole or not at all; see `write_together`."""
    return write_together({path: data})


def write_together(files: Mapping[Path, bytes]) -> list[Diagnostic]:
    """Write all files, or none: first every file beside its place, synced to disk, then all moved into place.

    A file that holds these bytes already is left alone. Links are followed. On any error or interruption the temporary
    files are removed.
    """
    with ExitStack() as cleanup:
        staged: list[tuple[Path, Path]] = []
        for path, data in files.items():
            try:
                target = path.resolve()
                if target.is_dir():
                    return [cannot_write(str(path), "it is a folder")]
                if not holds(target, data):
                    staged.append((_stage(target, data, cleanup), target))
            except OSError as error:
                return [_explain(path, len(data), error)]
            except (ValueError, RuntimeError):  # a NUL in the name, a loop of links
                return [cannot_write(str(path), "no file can have this name")]
        with _undisturbed():
            return _move(staged)


def holds(path: Path, data: bytes) -> bool:
    """Whether the file exists and has exactly these bytes."""
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


def _stage(target: Path, data: bytes, cleanup: ExitStack) -> Path:
    """The bytes in a temporary file beside `target`, removed by `cleanup` unless it was moved away."""
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    cleanup.callback(_remove, temporary)  # before it exists: an interruption may come at any moment
    with temporary.open("xb") as file:
        file.write(data)
        file.flush()
        os.fchmod(file.fileno(), _mode(target))
        os.fsync(file.fileno())
    return temporary


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold signals back for this moment, so that none comes between the moves of files that belong together."""
    if threading.current_thread() is not threading.main_thread():  # handlers run in the main thread only
        yield
        return
    held: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: held.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
        if callable(signal.getsignal(number))
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for one in held[:1]:
            signal.raise_signal(one)


def _move(staged: Iterable[tuple[Path, Path]]) -> list[Diagnostic]:
    for temporary, target in staged:
        try:
            temporary.replace(target)
            _sync_folder(target.parent)
        except OSError as error:
            return [_explain(target, 0, error)]
    return []


def _mode(target: Path) -> int:
    """The permissions of the file replaced, else those of a new file."""
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return NEW_FILE & ~mask


def _sync_folder(folder: Path) -> None:
    """Make the move itself durable, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _explain(path: Path, size: int, error: OSError) -> Diagnostic:
    return disk_full(str(path), size) if error.errno in FULL else cannot_write(str(path), reason(error))
