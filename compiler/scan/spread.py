"""What has to be known of every file before work is given out: its content hash, its parts. Workers find it out too.

One process that reads all of a thousand files is what all workers wait for. What a worker could not find out is asked
again here, where its failure is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from mixc.compiler.documents.data import DataFile, Part, Wanted
from mixc.compiler.documents.reading import identity, parts
from mixc.compiler.executor import Executor, Failure
from mixc.compiler.scan.store import Store

LARGE = 64_000_000  # bytes; fewer are hashed here before a worker has started
MANY = 64  # files; the footers of fewer are read here before a worker has started

S = TypeVar("S")
R = TypeVar("R")


def learn(store: Store, files: Sequence[tuple[DataFile, Wanted]], executor: Executor) -> None:
    """Let a store know the content hashes of files."""
    unseen = [(file, wanted) for file, wanted in files if not store.knows(file, wanted)]
    if len(unseen) > 1 and sum(file.size for file, _ in unseen) > LARGE:
        for place, found in _found(_identity, unseen, executor).items():
            store.note(*unseen[place], found)


def parts_of(files: Sequence[DataFile], executor: Executor) -> list[list[Part]]:
    """What tasks read of every file. Raises `Unreadable`."""
    footed = [file for file in files if file.format == "parquet"]
    found = _found(parts, footed, executor) if len(footed) > MANY else {}
    known = {footed[place]: some for place, some in found.items()}
    return [known[file] if file in known else parts(file) for file in files]


def _found(work: Callable[[S], R], tasks: Sequence[S], executor: Executor) -> dict[int, R]:
    results: dict[int, R] = {}

    def done(index: int, result: R | Failure) -> None:
        if not isinstance(result, Failure):
            results[index] = result

    executor.map(work, tasks, done)
    return results


def _identity(task: tuple[DataFile, Wanted]) -> str:
    return identity(*task)
