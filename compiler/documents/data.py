"""What finding and reading documents speaks of: files, the columns wanted of them, parts of files, batches of rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from mixc.dsl.diagnostics import Diagnostic

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

Format: TypeAlias = Literal["parquet", "jsonl", "arrow"]
BadLines: TypeAlias = Literal["error", "skip"]
Role: TypeAlias = Literal["id", "text", "language", "domain", "tokens", "score"]


class Unreadable(Exception):
    """The data cannot be read as the recipe says; the only exception that readers raise for it.

    It survives pickling, so a worker process can raise it.
    """

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic)
        self.diagnostic = diagnostic

    def __str__(self) -> str:
        return self.diagnostic.message


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file of a source.

    `name` is what locks and messages say: the path relative to the recipe's folder with forward slashes, or the URL.
    `path` is what is opened. `size` is in bytes. `stamp` changes when the file does, as far as can be known without
    reading it: the time of change in nanoseconds, or the version or ETag of an object. `sidecars` are (rater, path) of
    the scores that models gave its documents.
    """

    source: str
    name: str
    path: str
    format: Format
    size: int
    stamp: str
    sidecars: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Columns to read; None = not wanted. `meta.lang` is the field `lang` of the column `meta`.

    `scores` pairs the name of a rater with its column.
    """

    id: str | None = None
    text: str | None = None
    language: str | None = None
    domain: str | None = None
    tokens: str | None = None
    scores: tuple[tuple[str, str], ...] = ()

    def columns(self) -> Iterator[tuple[str, Role, str]]:
        """(key, role, column) of all that is wanted; the key of a score is `score:` and its rater."""
        named: tuple[tuple[Role, str | None], ...] = (
            ("id", self.id),
            ("text", self.text),
            ("language", self.language),
            ("domain", self.domain),
            ("tokens", self.tokens),
        )
        for role, column in named:
            if column is not None:
                yield role, role, column
        for rater, column in self.scores:
            yield score_key(rater), "score", column


def score_key(rater: str) -> str:
    """The key of a rater's scores among the columns of a batch."""
    return f"score:{rater}"


@dataclass(frozen=True, slots=True)
class Part:
    """What one task reads of a file: Parquet row groups `start` to `stop` (exclusive); of other formats all, (0, 1)."""

    file: DataFile
    start: int
    stop: int


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Consecutive rows of a file.

    `first` is the number of the first row in the file, from 0; blank lines and lines left out are not rows. Arrays
    have `rows` entries and may be slices with an offset. `id` and `text` are string or large_string; `language` and
    `domain` may be dictionary-encoded (int32 or narrower indices, no null among the values). `id` holds no null, the
    others may; every string is valid UTF-8. `tokens` are at least 1. `scores` are float32 by rater: null where the
    data has none, NaN and infinities as they stand. `skipped` counts the bad lines left out since the batch before.
    `absent` are raters whose column the file does not have, said by one of its batches at least.
    """

    first: int
    rows: int
    id: pa.Array | None = None
    text: pa.Array | None = None
    language: pa.Array | None = None
    domain: pa.Array | None = None
    tokens: NDArray[np.int64] | None = None
    scores: Mapping[str, pa.Array] = field(default_factory=dict)
    skipped: int = 0
    absent: tuple[str, ...] = ()
