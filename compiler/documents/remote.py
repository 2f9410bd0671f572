"""An object store as a place of files. Every list is whole, or the store is said to be unreachable."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from mixc.compiler.documents.data import DataFile
from mixc.compiler.documents.objects import Object, answered, patiently, stamp_of
from mixc.compiler.documents.storage import filesystem
from mixc.dsl.text import Span

Details = dict[str, dict[str, Any]]  # what a store says of objects, by their names in it
T = TypeVar("T")


class Remote:
    """An object store. Paths are addresses as the recipe writes them."""

    def __init__(self, pattern: str, span: Span | None) -> None:
        self.scheme = pattern.partition("://")[0]
        self.span = span
        self.system, _ = filesystem(pattern, pattern, span)
        self.listed: Details = {}

    def match(self, pattern: str) -> list[str]:
        """Files and folders of a path or pattern."""
        self.system.invalidate_cache()
        inner = self._inner(pattern)
        if glob.has_magic(inner):
            return sorted(self._note(self._matching(pattern, inner)))
        name = inner.rstrip("/")
        found = self._ask(pattern, lambda: self._or_none(self.system.info, inner))
        return [] if found is None else list(self._note({name: found}))

    def inside(self, path: str) -> list[str] | None:
        """All files below a folder; None of what is no folder."""
        if self._info(path)["type"] != "directory":
            return None
        return sorted(self._note(self._ask(path, lambda: self.system.find(self._inner(path), detail=True))))

    def file(self, path: str) -> tuple[str, int, str]:
        """Name, size and stamp of an object."""
        info = self._info(path)
        return path, int(info["size"] or 0), stamp_of(info)

    def text(self, path: str) -> bytes | None:
        """The content of a small object."""
        name, size, stamp = self.file(path)
        found = Object(self.system, self._inner(path), DataFile("", name, path, "jsonl", size, stamp))
        try:
            return found.read()
        finally:
            found.close()

    def _matching(self, pattern: str, inner: str) -> Details:
        """What matches, folder by folder: fsspec's own search passes over folders that it may not list."""
        if "**" in inner or not self.system.async_impl or inner.startswith("http"):
            return self._ask(pattern, lambda: dict(self.system.glob(inner, detail=True)))
        from fsspec.utils import glob_translate

        first, *rest = inner.split("/")
        found: Details = {first: {"type": "directory"}}
        for i in range(len(rest)):
            path = "/".join([first, *rest[: i + 1]])
            folders = [name for name, info in found.items() if info["type"] == "directory"]
            if not glob.has_magic(rest[i]) and i + 1 < len(rest):
                found = {f"{folder}/{rest[i]}": {"type": "directory"} for folder in folders}
                continue
            form = re.compile(glob_translate(path))
            listed = (info for folder in folders for info in self._list(pattern, folder))
            found = {name: info for info in listed if form.match(name := info["name"].rstrip("/"))}
        return found

    def _list(self, pattern: str, folder: str) -> list[dict[str, Any]]:
        return self._ask(pattern, lambda: self._or_none(self.system.ls, folder, detail=True)) or []

    def _or_none(self, call: Callable[..., T], *path: str, **options: Any) -> T | None:
        try:
            return call(*path, **options)
        except FileNotFoundError:
            return None

    def _ask(self, path: str, call: Callable[[], T]) -> T:
        with answered(path, self.span):
            return patiently(call)

    def _inner(self, path: str) -> str:
        return str(self.system._strip_protocol(path))

    def _address(self, inner: str) -> str:
        return f"{self.scheme}://{inner.lstrip('/')}"

    def _note(self, details: Details) -> Iterable[str]:
        found = {self._address(path): info for path, info in details.items()}
        self.listed |= found
        return found

    def _info(self, path: str) -> dict[str, Any]:
        info = self.listed.get(path)
        return info if info is not None else self._ask(path, lambda: dict(self.system.info(self._inner(path))))
