"""Columns of the documents that a recipe reads, from the first file of each source on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from mixc.compiler.documents.data import DataFile, Unreadable
from mixc.compiler.documents.files import find_files
from mixc.compiler.documents.reading import columns_of as names_of
from mixc.compiler.documents.storage import is_remote
from mixc.compiler.recipe import Recipe


def columns_of(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Source and column, in the order of the files; nothing of what cannot be read now."""
    folder = Path(recipe.path).parent
    for source in recipe.sources:
        if not source.paths or any(is_remote(path) for path in source.paths):
            continue
        files, _ = find_files(source, folder)
        if files:
            yield from ((source.name, column) for column in _columns(files[0], os.fspath(folder)))


@lru_cache(maxsize=256)
def _columns(file: DataFile, folder: str) -> tuple[str, ...]:
    try:
        return names_of(file)
    except (Unreadable, OSError):
        return ()
