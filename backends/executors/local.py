"""The engine `local`: processes of this machine."""

from __future__ import annotations

import os
import pickle
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from multiprocessing.connection import wait
from typing import Any, TypeVar

from mixc.backends.executors.gpus import shares_of, visible_gpus
from mixc.backends.executors.process import HELD, PATIENCE, Worker
from mixc.compiler.executor import (
    NOTHING,
    Failure,
    Limits,
    Needs,
    Said,
    Unavailable,
    failure_from,
    heard_by,
    workers_do_not_start,
)

TICK = 1.0  # seconds between looks at the clock
STARTS = 4  # workers in a row that may die before they did anything

S = TypeVar("S")
R = TypeVar("R")


class LocalExecutor:
    """Runs tasks in worker processes, which are kept from one `map` to the next; a single worker is this process.

    Workers with GPUs are spread over those of this machine, and end with their `map`, which gives the memory back.
    Raises `Unavailable` where there are not as many `gpus` as one worker is to have.
    """

    name = "local"

    def __init__(self, workers: int | None = None, limits: Limits | None = None, *, gpus: float | None = None) -> None:
        self.asked, self.workers = workers, workers or _processors()
        self.limits = limits or Limits()
        self.gpus = gpus or 1.0
        if gpus is not None:
            shares_of(visible_gpus(), self.gpus)
        self._pool: list[Worker] = []

    def map(
        self,
        work: Callable[[S], R],
        tasks: Sequence[S],
        done: Callable[[int, R | Failure], None],
        *,
        needs: Needs = NOTHING,
        said: Callable[[int, Any], None] | None = None,
    ) -> None:
        """Run `work` on every task; `done` and `said` are called here."""
        shares = shares_of(visible_gpus(), self.gpus) if needs.gpu else []
        if self.workers == 1 and len(shares) <= 1:
            for index, task in enumerate(tasks):
                done(index, _attempt(work, index, task, said))
            return
        pool = [] if needs.gpu else self._pool
        width = min(self.asked or len(shares), len(shares)) if needs.gpu else self.workers
        try:
            _Run(pool, width, self.limits, work, tasks, done, said, shares).run()
        except BaseException:
            self.close()
            raise
        finally:
            if needs.gpu:
                _stop(pool)

    def close(self) -> None:
        """Stop the workers."""
        _stop(self._pool)


def _stop(pool: list[Worker]) -> None:
    for worker in pool:
        worker.process.kill()  # all at once, before waiting for each
    while pool:
        pool.pop().stop()


class _Run:
    """One `map`: tasks wait, are held by workers, and end once."""

    def __init__(
        self,
        pool: list[Worker],
        workers: int,
        limits: Limits,
        work: Callable[[Any], Any],
        tasks: Sequence[Any],
        done: Callable[[int, Any], None],
        said: Callable[[int, Any], None] | None,
        shares: Sequence[str],
    ) -> None:
        self.pool, self.workers, self.limits, self.shares = pool, workers, limits, shares
        self.work = pickle.dumps(work, pickle.HIGHEST_PROTOCOL)
        self.tasks, self.done, self.said = tasks, done, said
        self.next = 0
        self.again: deque[int] = deque()
        self.retried: Counter[int] = Counter()
        self.stillborn = 0

    def run(self) -> None:
        """Until every task has ended."""
        while self._left():
            self._fill()
            if not self._left():  # the last tasks could not be pickled
                return
            ready = wait([worker.connection for worker in self.pool], TICK)
            for worker in [worker for worker in self.pool if worker.connection in ready]:
                self._hear(worker)
            now = time.monotonic()
            for worker in [worker for worker in self.pool if worker.held or not worker.ready]:
                limit = self.limits.longest if worker.ready else PATIENCE
                if now - worker.since > limit:
                    self._bury(worker, f"gave no answer within {limit:g} s")

    def _left(self) -> bool:
        return self.next < len(self.tasks) or bool(self.again) or any(worker.held for worker in self.pool)

    def _fill(self) -> None:
        waiting = len(self.tasks) - self.next + len(self.again)
        wanted = min(self.workers, waiting + sum(bool(worker.held) for worker in self.pool))
        while len(self.pool) < wanted:
            self._start()
        # Workers without a task come first, or one would hold two while another has none.
        for holding in range(HELD):
            for worker in self.pool:
                if len(worker.held) == holding:
                    self._give(worker)

    def _start(self) -> None:
        free = Counter(self.shares) - Counter(worker.devices or "" for worker in self.pool)
        try:
            self.pool.append(Worker(next((share for share in self.shares if free[share]), None)))
        except OSError as error:
            raise Unavailable(workers_do_not_start(1, failure_from(0, error).message)) from error

    def _give(self, worker: Worker) -> None:
        """Give a worker one task, if it can take it."""
        while worker.takes(0) and (index := self._take()) is not None:
            task = self._pickled(index)
            if task is None:
                continue
            if worker.takes(len(task)):
                worker.give(self.work, index, task)
            else:
                self.again.appendleft(index)
            return

    def _take(self) -> int | None:
        if self.again:
            return self.again.popleft()
        if self.next == len(self.tasks):
            return None
        self.next += 1
        return self.next - 1

    def _pickled(self, index: int) -> bytes | None:
        try:
            return pickle.dumps(self.tasks[index], pickle.HIGHEST_PROTOCOL)
        except Exception as error:
            self.done(index, failure_from(index, error))
            return None

    def _hear(self, worker: Worker) -> None:
        try:
            heard = worker.receive()
        except (OSError, EOFError):
            self._bury(worker)
            return
        self.stillborn = 0
        if heard is not None:
            index, result = heard
            if isinstance(result, Said):
                if self.said is not None:
                    self.said(index, result.message)
                return
            if isinstance(result, Failure):
                result = replace(result, retried=self.retried[index])
            self.done(index, result)

    def _bury(self, worker: Worker, reason: str | None = None) -> None:
        """Take a worker away; what it ran is begun again, what only waited there is not counted as tried."""
        self.pool.remove(worker)
        ended = worker.stop()
        if not worker.ready:
            self.stillborn += 1
            if self.stillborn == STARTS:
                raise Unavailable(workers_do_not_start(STARTS, f"the last one {reason or ended}"))
            return
        held = list(worker.held)
        self.again.extendleft(reversed(held[1:]))
        if not held:
            return
        if self.retried[held[0]] < self.limits.retries:
            self.retried[held[0]] += 1
            self.again.append(held[0])
            return
        times = self.retried[held[0]]
        self.done(held[0], Failure(held[0], f"its worker {reason or ended}, {times + 1} times", None, times))


def _attempt(work: Callable[[S], R], index: int, task: S, said: Callable[[int, Any], None] | None) -> R | Failure:
    try:
        with heard_by(None if said is None else partial(said, index)):
            return work(task)
    except (Exception, SystemExit) as error:
        return failure_from(index, error)


def _processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
