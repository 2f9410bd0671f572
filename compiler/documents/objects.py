"""Objects of a store as files: one version of each, every range whole; what fails for a moment is tried again.

A store may overwrite an object between two requests, cut an answer off, or ask to slow down. Here is the one place
that looks: what is read is of the version that was listed, all bytes of it, or it is `Unreadable`.
"""

from __future__ import annotations

import contextlib
import errno
import random
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar

from mixc.compiler.documents.data import DataFile, Unreadable
from mixc.compiler.documents.messages import unopenable, unreachable
from mixc.dsl.diagnostics import Diagnostic, page
from mixc.dsl.text import Span

PATIENCE = 30.0  # seconds after a first failure in which an attempt may begin
WAITS = 0.25, 8.0  # seconds before the second attempt, and before any
STAMPS = ("VersionId", "generation", "etag", "ETag", "blob_id", "ino", "mtime", "LastModified", "created")
LASTING = (
    *(
        FileNotFoundError,
        FileExistsError,
        PermissionError,
        IsADirectoryError,
        NotADirectoryError,
        ValueError,
        TypeError,
    ),
    *(LookupError, AttributeError, NotImplementedError, ImportError, MemoryError, Unreadable),
)
REFUSALS = {errno.EINVAL, errno.EPERM, errno.ENOSYS, errno.ENAMETOOLONG, errno.EMSGSIZE}
NO_KEYS = {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound"}

T = TypeVar("T")


def stamp_of(info: Mapping[str, Any]) -> str:
    """What changes when an object does, by its name in a store's words: `ETag 9b2c…`; empty where a store says none."""
    key = next((key for key in STAMPS if info.get(key) not in (None, "", "null")), None)
    if key is None:
        return ""
    value = info[key].timestamp() if isinstance(info[key], datetime) else info[key]  # lists and single looks differ
    return f"{key} {value}".replace('"', "")


def patiently(call: Callable[[], T], look: Callable[[], object] = bool) -> T:
    """What a call gives, tried again while it fails in a way that may pass; `look` is called after each failure."""
    first, wait = None, WAITS[0]
    while True:
        try:
            return call()
        except Exception as error:  # what stores' packages raise has no common class
            now = time.monotonic()
            first = now if first is None else first
            if _lasting(error) or now + wait > first + PATIENCE:
                raise
            look()
        time.sleep(wait * random.uniform(0.5, 1.0))  # many workers must not come back at once
        wait = min(2 * wait, WAITS[1])


def _lasting(error: Exception) -> bool:
    known = isinstance(error, LASTING) or any(kind.__name__ in NO_KEYS for kind in type(error).__mro__)
    return known or (isinstance(error, OSError) and error.errno in REFUSALS)


@contextlib.contextmanager
def answered(name: str, span: Span | None = None) -> Iterator[None]:
    """Turn every failure of a store into `Unreadable`."""
    try:
        yield
    except Unreadable:
        raise
    except FileNotFoundError:
        again = "put it back, and run the same command again"
        raise Unreadable(unopenable(name, "it is not there (any more)", span, again)) from None
    except Exception as error:
        raise Unreadable(unreachable(name, " ".join(str(error).split()), span)) from error


class Object:
    """One version of an object, as a file that can seek: the one listed, which the store must still have."""

    closed = False

    def __init__(self, system: Any, path: str, file: DataFile) -> None:
        self._system, self._path, self._file = system, path, file
        self._at = 0
        with answered(file.name):
            self._handle = patiently(self._opened)

    def read(self, size: int = -1) -> bytes:
        """Bytes from here on: as many as asked for but at the end."""
        end = self._file.size if size < 0 else min(self._at + size, self._file.size)
        start, self._at = self._at, max(end, self._at)
        if end <= start:
            return b""
        with answered(self._file.name):
            return patiently(lambda: self._range(start, end), self.look)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a byte."""
        self._at = offset + (0, self._at, self._file.size)[whence]
        return self._at

    def tell(self) -> int:
        """The byte that is read next."""
        return self._at

    def close(self) -> None:
        """Let go."""
        self.closed = True
        self._handle.close()

    def check(self) -> None:
        """Raise `Unreadable` where the store has another version by now."""
        with answered(self._file.name):
            patiently(self._same)

    def look(self) -> None:
        """The same, where the store answers at once: a change explains a failure better than the failure does."""
        try:
            self._same()
        except Unreadable:
            raise
        except Exception:
            return

    def _same(self) -> None:
        self._system.invalidate_cache(self._path)
        self._compare(self._system.info(self._path))

    def _opened(self) -> Any:
        self._system.invalidate_cache(self._path)  # which may be as old as the listing
        # Readers ask for exactly the ranges they need; a cache in front would fetch columns nobody wants.
        handle = self._system.open(self._path, "rb", cache_type="none")
        self._compare(getattr(handle, "details", None) or self._system.info(self._path))
        return handle

    def _compare(self, info: Mapping[str, Any]) -> None:
        key = self._file.stamp.partition(" ")[0]
        now = stamp_of({key: info.get(key)}) if key in STAMPS else ""
        size = info.get("size")
        if (size is not None and int(size) != self._file.size) or (now and now != self._file.stamp):
            raise Unreadable(changed_object(self._file.name))

    def _range(self, start: int, end: int) -> bytes:
        self._handle.seek(start)
        found = bytes(self._handle.read(end - start))
        if len(found) != end - start:
            raise ConnectionError(f"{len(found):,} bytes came of {end - start:,}, from byte {start:,} on")
        return found


@page("M517")
def changed_object(name: str) -> Diagnostic:
    """An object was overwritten while it was read.

    Files are listed first and read then, more than once and in parts. The store has another version of this object
    than the one that was listed, by its version or ETag and its size. Parts of both would give counts and a selection
    that belong to no pool, so nothing of it is used.

    Run the same command again when nobody writes there. What was read of other objects is kept.
    """
    return Diagnostic(
        "M517",
        f"`{name}` was overwritten while it was read",
        notes=("the store has another version of it than the one that was listed",),
        helps=("run the same command again when nobody writes there",),
        subject=name,
    )
