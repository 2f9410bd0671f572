"""Opening files, here and in object stores, with every failure told as a diagnostic.

Remote addresses go through fsspec, which knows `s3://`, `gs://`, `hf://` once their packages are installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from mixc.compiler.documents.data import DataFile, Unreadable
from mixc.compiler.documents.messages import no_driver, unopenable, unreachable
from mixc.compiler.documents.objects import Object, answered, patiently
from mixc.compiler.documents.watched import watch
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.text import Span


def is_remote(path: str) -> bool:
    """Whether a path is an address that fsspec opens."""
    return "://" in path and not path.startswith("file://")


def local_path(path: str) -> str:
    """A path without `file://`."""
    return unquote(urlsplit(path).path) if path.startswith("file://") else path


def filesystem(url: str, name: str, span: Span | None = None) -> tuple[Any, str]:
    """The fsspec file system of an address, and the path in it."""
    scheme = url.partition("://")[0]
    try:
        from fsspec.core import url_to_fs  # an extra
    except ImportError:
        raise Unreadable(no_driver(name, scheme, span)) from None
    try:
        system, path = url_to_fs(url)
    except (ImportError, ValueError):  # a known scheme without its package; an unknown scheme
        raise Unreadable(no_driver(name, scheme, span)) from None
    except Exception as error:  # what credentials and endpoints raise differs between packages
        raise Unreadable(unreachable(name, _one_line(error), span)) from error
    if hasattr(system, "retries"):
        system.retries = 1  # `patiently` waits: with two that do, nobody knows how long
    with answered(name, span):
        patiently(lambda: watch(system))
    return system, path


@contextmanager
def told(name: str, *, remote: bool, span: Span | None = None) -> Iterator[None]:
    """Turn failures of access into `Unreadable`; damage to the content passes through, see `is_damage`."""
    try:
        yield
    except Unreadable:
        raise
    except FileNotFoundError:
        raise Unreadable(unopenable(name, "it is not there (any more)", span)) from None
    except PermissionError as error:
        if remote:
            raise Unreadable(unreachable(name, _one_line(error), span)) from error
        raise Unreadable(unopenable(name, error.strerror or "permission denied", span)) from None
    except Exception as error:
        if is_damage(error):
            raise
        if remote:
            raise Unreadable(unreachable(name, _one_line(error), span)) from error
        if isinstance(error, OSError):
            raise Unreadable(unopenable(name, error.strerror or str(error), span)) from None
        raise


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def is_damage(error: Exception) -> bool:
    """Whether Arrow complains of the content: its errors, or a plain `OSError` that no system call made."""
    arrow = isinstance(error, pa.ArrowException) and getattr(error, "errno", None) is None
    return (
        arrow or (type(error) is OSError and error.errno is None) or isinstance(error, UnicodeDecodeError | MemoryError)
    )


@contextmanager
def guarded(file: DataFile, broken: Callable[[str], Diagnostic]) -> Iterator[None]:
    """Turn failures of access into `Unreadable`, and damage to the content into what `broken` says of it."""
    try:
        with told(file.name, remote=is_remote(file.path)):
            yield
    except Exception as error:
        if isinstance(error, Unreadable) or not is_damage(error):
            raise
        raise Unreadable(broken(str(error))) from None


@contextmanager
def opened(file: DataFile) -> Iterator[Any]:
    """The file as an Arrow stream that can seek; closed at the end.

    An object must be what was listed, from the beginning to the end of reading.
    """
    if not is_remote(file.path):
        with told(file.name, remote=False), pa.OSFile(file.path, "rb") as source:
            yield source
        return
    found = Object(*filesystem(file.path, file.name), file)
    with told(file.name, remote=True), pa.PythonFile(found, mode="r") as source:
        try:
            yield source
        except Exception:
            found.look()  # bytes of two versions look like damage
            raise
        found.check()
