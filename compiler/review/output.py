"""Writing artefacts: each file appears whole or not at all, and nothing is left behind."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import stat
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from mixc.compiler.review.reading import reason
from mixc.compiler.whole import beside, held, sync, tidy
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


@page("M468")
def half_written(name: str, why: str, others: int) -> Diagnostic:
    """some of the files that belong together are new

    All files were written beside their places, and the system refused to move one of them there, after others were
    moved already. Each file is whole, but those that were moved are of this run and the others of the one before. Who
    reads them compares hashes, and refuses a manifest with tables or a lock of another.

    What to do: find out why the system refuses, then run the command again: it completes the rest.
    """
    files = "1 file that belongs with it is" if others == 1 else f"{others} files that belong with it are"
    return Diagnostic(
        "M468",
        f"cannot replace `{name}`: {why}",
        notes=(f"{files} replaced already",),
        helps=("run the command again once the system allows it",),
        subject=name,
    )


@page("M444")
def output_is_input(what: str, name: str) -> Diagnostic:
    """an output would replace an input

    The manifest, the lock or the tables would be written over a file that this compilation reads: the recipe, one that
    it imports, a catalog, a calibration, a manifest that it compares with, or data. Nothing was changed.

    Example: `mixc compile web.mix -o web.mix`

    What to do: give `-o` the path of a manifest, `web.manifest.json`; without `-o` it is written beside the recipe.
    """
    return Diagnostic("M444", f"the {what} would replace `{name}`, which is read here", subject=name, helps=(
        "write elsewhere with `-o NAME.manifest.json`; nothing was changed",
    ))  # fmt: skip


@page("M445")
def outputs_coincide(one: str, other: str, name: str) -> Diagnostic:
    """two outputs would be written to one file

    The lock and the tables lie beside the manifest and share its stem: `x.lock` for `x.manifest.json`. Here the name of
    the manifest is the one that the lock must have, so one would replace the other. Nothing was changed.

    Example: `mixc compile web.mix -o web.lock`

    What to do: give `-o` the path of the manifest, `web.manifest.json`.
    """
    return Diagnostic("M445", f"{one} and {other} would both be written to `{name}`", subject=name, helps=(
        "`-o` names the manifest: write `-o NAME.manifest.json`; nothing was changed",
    ))  # fmt: skip


def misplaced(outputs: Mapping[str, Path], inputs: Iterable[Path]) -> list[Diagnostic]:
    """Why outputs (by what they are) cannot lie where they would: over each other, or over an input."""
    read = {_place(path) for path in inputs}
    found: list[Diagnostic] = []
    taken: dict[Path, str] = {}
    for what, path in outputs.items():
        place = _place(path)
        if place in taken:
            found.append(outputs_coincide(f"the {taken[place]}", f"the {what}", str(path)))
        elif place in read:
            found.append(output_is_input(what, str(path)))
        taken.setdefault(place, what)
    return found


def _place(path: Path) -> Path:
    """Where a path leads, links followed; itself where no file can have this name."""
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError):
        return path


def write_atomically(path: Path, data: bytes) -> list[Diagnostic]:
    """Write one file whole or not at all; see `write_together`."""
    return write_together({path: data})


def write_together(files: Mapping[Path, bytes]) -> list[Diagnostic]:
    """Write all files, or none: first every file beside its place, synced to disk, then all moved into place.

    A file that holds these bytes already is left alone. Links are followed. On any error or interruption the temporary
    files are removed; those of a process that was killed, by the next that writes the same files.
    """
    with ExitStack() as cleanup:
        staged: list[tuple[Path, Path]] = []
        for path, data in files.items():
            try:
                target = path.resolve()
                if target.is_dir():
                    return [cannot_write(str(path), "it is a folder")]
                tidy([target])
                if not holds(target, data):
                    staged.append((_stage(target, data, cleanup), target))
            except OSError as error:
                return [_explain(path, len(data), error)]
            except (ValueError, RuntimeError):  # a NUL in the name, a loop of links
                return [cannot_write(str(path), "no file can have this name")]
        with _undisturbed():
            return _move(staged)


def write_new(path: Path, data: bytes) -> tuple[bool, list[Diagnostic]]:
    """Write a file that is not there yet, whole or not at all; False, and nothing changed, where something is.

    Of several that write it at once, one does. Where the file system has no links, a file that appears in the moment
    between the last look and the move is replaced.
    """
    with ExitStack() as cleanup:
        try:
            target = path.parent.resolve() / path.name
            tidy([target])
            temporary = _stage(target, data, cleanup)
            with _undisturbed():
                try:
                    os.link(temporary, target)
                except FileExistsError:
                    return False, []
                except OSError:
                    if os.path.lexists(target):
                        return False, []
                    temporary.replace(target)
                _sync_folder(target.parent)
        except OSError as error:
            return False, [_explain(path, len(data), error)]
        except (ValueError, RuntimeError):
            return False, [cannot_write(str(path), "no file can have this name")]
    return True, []


def holds(path: Path, data: bytes) -> bool:
    """Whether the file exists and has exactly these bytes."""
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


def _stage(target: Path, data: bytes, cleanup: ExitStack) -> Path:
    """The bytes in a temporary file beside `target`, removed by `cleanup` unless it was moved away."""
    temporary = beside(target)
    cleanup.callback(_remove, temporary)  # before it exists: an interruption may come at any moment
    cleanup.enter_context(held(temporary))
    with temporary.open("wb") as file:
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


def _move(staged: Sequence[tuple[Path, Path]]) -> list[Diagnostic]:
    for number, (temporary, target) in enumerate(staged):
        try:
            temporary.replace(target)
            _sync_folder(target.parent)
        except OSError as error:
            return [half_written(str(target), reason(error), number)] if number else [_explain(target, 0, error)]
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
        sync(folder)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _explain(path: Path, size: int, error: OSError) -> Diagnostic:
    return disk_full(str(path), size) if error.errno in FULL else cannot_write(str(path), reason(error))
