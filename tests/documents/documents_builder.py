"""Sources, files and their rows for the tests of readers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from mixc.compiler.documents.reading import Batch, DataFile, Unreadable, Wanted, find_files, parts, read
from mixc.compiler.recipe import Source
from mixc.dsl.render import render

ALL = Wanted("id", "text", "lang", "meta.domain", "n", (("edu", "scores.edu"),))


def source(*paths: str, format: str | None = None) -> Source:
    return Source("web", "web", paths=paths, format=format)


def only(path: Path) -> DataFile:
    """The one file at a path."""
    files, found = find_files(source(path.name), path.parent)
    assert found == [] and len(files) == 1
    return files[0]


def batches(file: DataFile, wanted: Wanted, **options: Any) -> list[Batch]:
    target = options.pop("target_bytes", 64 << 20)
    return [batch for part in parts(file, target) for batch in read(part, wanted, **options)]


def rows_of(found: Iterable[Batch]) -> list[tuple[Any, ...]]:
    """(id, text, language, domain, tokens, scores…) of every row; None where a column was not wanted."""
    rows: list[tuple[Any, ...]] = []
    for batch in found:
        arrays = (batch.id, batch.text, batch.language, batch.domain, batch.tokens, *batch.scores.values())
        assert all(len(array) == batch.rows for array in arrays if array is not None)
        columns = [[None] * batch.rows if array is None else array.tolist() for array in arrays]
        assert batch.first == len(rows)
        rows += zip(*columns, strict=True)
    return rows


def complaint(file: DataFile, wanted: Wanted, **options: Any) -> str:
    """What is said of a file that cannot be read."""
    with pytest.raises(Unreadable) as caught:
        batches(file, wanted, **options)
    return render([caught.value.diagnostic], "full")
