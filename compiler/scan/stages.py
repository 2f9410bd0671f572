"""Stages of a scan: what some work gives for every file, done only for files whose result is not kept already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import pyarrow as pa

from mixc.compiler.documents.data import DataFile, Part
from mixc.compiler.executor import Executor, Failure, reasons
from mixc.compiler.progress import Progress
from mixc.compiler.scan import messages
from mixc.compiler.scan.spread import parts_of
from mixc.compiler.scan.store import Store
from mixc.dsl.diagnostics import Diagnostic

T = TypeVar("T")

WAITING = 5  # results of one source that are held before they are added up


@dataclass(frozen=True, slots=True)
class Found:
    """A file with its content hash."""

    file: DataFile
    identity: str


@dataclass(frozen=True, slots=True, eq=False)
class Stage(Generic[T]):
    """Work on parts of files whose results add up, with the names under which they are kept, and how.

    `kind` and `key` name the kept result of a file; `what` is said of the stage while it runs, and `begin` is called
    before anything is done.
    """

    what: str
    kind: str
    key: Callable[[Found], str]
    work: Callable[[Part], T]
    total: Callable[[Iterable[T]], T]
    to_table: Callable[[T], pa.Table]
    from_table: Callable[[pa.Table], T]
    begin: Callable[[], object] = bool


class Sums(Generic[T]):
    """Sums by source of what files give, in whatever order it comes; few results are held at a time."""

    def __init__(self, total: Callable[[Iterable[T]], T]) -> None:
        self._total = total
        self._waiting: dict[str, list[T]] = {}

    def add(self, one: Found, result: T) -> None:
        """Add what a file gave."""
        waiting = self._waiting.setdefault(one.file.source, [])
        waiting.append(result)
        if len(waiting) > WAITING:
            waiting[:] = [self._total(waiting)]

    def by_source(self) -> dict[str, T]:
        """The sum of every source that has files, by name; they are handed over, not kept."""
        waiting, self._waiting = self._waiting, {}
        return {source: self._total(results) for source, results in sorted(waiting.items())}


def each(
    stage: Stage[T],
    known: Sequence[Found],
    told: Callable[[Found, T], None],
    store: Store,
    executor: Executor,
    progress: Progress,
) -> list[Diagnostic]:
    """Tell the result of every file, in any order; what could be done is kept even where some of it failed."""
    missing = []
    for one in known:
        kept = store.table(stage.kind, stage.key(one))
        if kept is None:
            missing.append(one)
        else:
            told(one, stage.from_table(kept))
    divided = parts_of([one.file for one in missing], executor)
    tasks = [(one, part) for one, some in zip(missing, divided, strict=True) for part in some]
    left = Counter(one for one, _ in tasks)
    pending: dict[Found, dict[int, T]] = {one: {} for one in missing}
    failures: dict[int, Failure] = {}

    def done(index: int, result: T | Failure) -> None:
        one, _ = tasks[index]
        if isinstance(result, Failure):
            failures[index] = result
            return
        pending[one][index] = result
        progress.advance(one.file.size // left[one], getattr(result, "rows", 0))
        if len(pending[one]) == left[one]:
            whole = stage.total(pending[one][i] for i in sorted(pending[one])) if left[one] > 1 else result
            pending[one].clear()
            store.keep(stage.kind, stage.key(one), stage.to_table(whole))
            told(one, whole)

    if tasks:
        stage.begin()
        progress.begin(stage.what, sum(one.file.size for one in missing))
        executor.map(stage.work, [part for _, part in tasks], done)
        progress.end()
    return failed(failures)


def failed(failures: Mapping[int, Failure]) -> list[Diagnostic]:
    """What to say of tasks that failed: what their readers say of the data, else that workers did."""
    known, others = reasons(failures)
    return [*known, messages.failed_tasks(len(others), others[0].message)] if others else known
