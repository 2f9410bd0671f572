"""Scores that a model gave the documents of a file, in a file beside: one number a row, in the order of the rows.

An Arrow file that is mapped into memory, so that any part of it costs what it holds. Float32; null where the model has
nothing to say of a document, such as one without text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from mixc.compiler.documents.data import Batch, DataFile, Unreadable
from mixc.compiler.documents.storage import is_damage
from mixc.compiler.whole import write_whole
from mixc.dsl.diagnostics import Diagnostic, page

COLUMN = "score"
SCHEMA = pa.schema([pa.field(COLUMN, pa.float32())])


def write_sidecar(path: Path, scores: Iterable[pa.Array]) -> None:
    """Write scores, whole or not at all; on the disk, for models that gave them are not asked again."""

    def write(temporary: Path) -> None:
        with pa.OSFile(str(temporary), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
            for piece in scores:
                writer.write_batch(pa.record_batch([piece.cast(pa.float32())], schema=SCHEMA))

    write_whole(path, write)


def rows_of(path: str) -> int:
    """How many rows a file of scores has. Raises `Unreadable`."""
    with ExitStack() as stack:
        return len(_opened(path, stack))


def joined(file: DataFile, batches: Iterator[Batch]) -> Iterator[Batch]:
    """The batches with the scores of every rater that has a file of them. Raises `Unreadable`."""
    with ExitStack() as stack:
        columns = [(rater, path, _opened(path, stack)) for rater, path in file.sidecars]
        for batch in batches:
            scores = dict(batch.scores)
            for rater, path, column in columns:
                if batch.first + batch.rows > len(column):
                    raise Unreadable(bad_sidecar(path, f"it has {len(column)} rows, and `{file.name}` has more"))
                piece = column.slice(batch.first, batch.rows)
                scores[rater] = piece.combine_chunks() if piece.num_chunks != 1 else piece.chunk(0)
            yield replace(batch, scores=scores)


def _opened(path: str, stack: ExitStack) -> Any:
    try:
        source = stack.enter_context(pa.memory_map(path))
        return pa.ipc.open_file(source).read_all()[COLUMN]
    except FileNotFoundError:
        raise Unreadable(bad_sidecar(path, "it is not there (any more)")) from None
    except (OSError, pa.ArrowException, KeyError) as error:
        if isinstance(error, KeyError) or is_damage(error):
            raise Unreadable(bad_sidecar(path, "it is cut off, or not what `mixc score` wrote")) from None
        raise Unreadable(bad_sidecar(path, getattr(error, "strerror", None) or str(error))) from None


@page("M515")
def bad_sidecar(path: str, why: str) -> Diagnostic:
    """A file of scores cannot be read.

    `mixc score` keeps the scores that models give in `.mixc/scores`, a file of them for each file of documents.
    Scanning and running read both, row by row.

    Run `mixc score` again: it makes what is missing. Remove a damaged file first.
    """
    name = "/".join(Path(path).parts[-3:])
    return Diagnostic("M515", f"the scores in `{name}` cannot be read: {why}", subject=name, helps=(
        "remove the file if it is there, and run `mixc score` again",
    ))  # fmt: skip
