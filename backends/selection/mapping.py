"""One stage of a run: a function over many tasks, watched, and what failed told in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from mixc.backends.selection import messages
from mixc.compiler.executor import Executor, Failure, reasons
from mixc.compiler.progress import Progress
from mixc.dsl.diagnostics import Diagnostic

S = TypeVar("S")
R = TypeVar("R")


def mapped(
    work: Callable[[S], R],
    tasks: Sequence[S],
    finished: Callable[[R], None],
    over: tuple[str, Executor, Progress],
) -> list[Diagnostic]:
    """Run `work` on all tasks as one stage of the progress; what failed, in words."""
    what, executor, progress = over
    failures: dict[int, Failure] = {}

    def done(index: int, result: R | Failure) -> None:
        if isinstance(result, Failure):
            failures[index] = result
        else:
            finished(result)

    progress.begin(what, len(tasks))
    executor.map(work, tasks, done)
    progress.end()
    return failed(failures, tasks) if failures else []


def failed(failures: dict[int, Failure], tasks: Sequence[Any]) -> list[Diagnostic]:
    """What readers say of the data, and shards that failed otherwise; tasks have names, or parts of files."""
    known, others = reasons(failures)
    if not others:
        return known
    return [*known, messages.failed_shards([shown(tasks[one.index]) for one in others], others[0].message)]


def shown(task: Any) -> str:
    """What a task was about, as users know it: a file of documents and its row groups, or an output."""
    part = getattr(task, "part", None)
    if part is None:
        return f"`{task.name}`"
    if part.file.format != "parquet" or part.start == part.stop:
        return f"`{part.file.name}`"
    groups = f"groups {part.start} to {part.stop - 1}" if part.stop - part.start > 1 else f"group {part.start}"
    return f"`{part.file.name}`, row {groups}"
