"""One `map` on a Ray cluster: tasks in flight, their deaths, and second copies of those that take too long."""

from __future__ import annotations

import contextlib
import pickle
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, OutOfMemoryError, RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from mixc.backends.executors.reach import Head
from mixc.backends.executors.worker import answer, loaded
from mixc.compiler.executor import Failure, Limits, Unavailable, cluster_lost, failure_from

TICK = 1.0  # seconds between looks at the clock
FETCH = 60.0  # seconds to fetch a result that is said to be there
KNOWN = 3  # runtimes from which a median is taken
RECENT = 1000  # runtimes of which it is taken


@dataclass(slots=True, eq=False)
class _Flight:
    """A task in flight, with all its copies."""

    index: int
    begun: float
    copies: list[ray.ObjectRef[Any]] = field(default_factory=list)
    deaths: int = 0
    newest: float = 0.0


class Run:
    """Tasks wait, fly, and end once. Ray's own retries are off, so that those of all engines are counted alike."""

    def __init__(
        self,
        limits: Limits,
        width: int,
        head: Head,
        work: Callable[[Any], Any],
        tasks: Sequence[Any],
        done: Callable[[int, Any], None],
    ) -> None:
        self.limits, self.width, self.head, self.tasks, self.done = limits, width, head, tasks, done
        # Workers look last where we look: on this machine they find what we find, elsewhere it does no harm.
        self.work = ray.put(pickle.dumps((sys.path, pickle.dumps(work, pickle.HIGHEST_PROTOCOL))))
        self.next = 0
        self.flights: dict[ray.ObjectRef[Any], _Flight] = {}
        self.flying: dict[int, _Flight] = {}
        self.runtimes: deque[float] = deque(maxlen=RECENT)
        self.heard: dict[str, None] = {}  # nodes that gave results, the latest last
        self._remote: Any = ray.remote(num_cpus=1, max_retries=0)(_run)

    def run(self) -> None:
        """Until every task has ended."""
        while self._fill():
            for ref in self._ready():
                if ref in self.flights:  # not a copy whose other has ended meanwhile
                    self._hear(ref)
            self._look_at_the_clock()

    def cancel(self) -> None:
        """Stop what is in flight."""
        for ref in self.flights:
            _cancel(ref)
        self.flights.clear()

    def _fill(self) -> bool:
        """Keep `width` tasks in flight; whether any are."""
        while len(self.flying) < self.width and self.next < len(self.tasks):
            flight = _Flight(self.next, time.monotonic())
            self.next += 1
            self.flying[flight.index] = flight
            self._launch(flight)
        return bool(self.flying)

    def _launch(self, flight: _Flight) -> None:
        try:
            task = pickle.dumps(self.tasks[flight.index], pickle.HIGHEST_PROTOCOL)
        except Exception as error:  # a task's own `__reduce__` may raise anything
            self._end(flight, failure_from(flight.index, error))
            return
        tries = len(flight.copies) + flight.deaths
        remote = self._remote.options(scheduling_strategy=self._elsewhere(tries)) if tries else self._remote
        ref = remote.remote(self.work, flight.index, task)
        flight.copies.append(ref)
        flight.newest = time.monotonic()
        self.flights[ref] = flight

    def _elsewhere(self, tries: int) -> Any:
        """Where to try again: on the nodes heard of last, one after the other.

        Ray alone would choose again the node that was just lost, until it knows, which may take minutes.
        """
        nodes = list(reversed(self.heard))
        return NodeAffinitySchedulingStrategy(nodes[(tries - 1) % len(nodes)], soft=True) if nodes else "SPREAD"

    def _ready(self) -> list[ray.ObjectRef[Any]]:
        flying = list(self.flights)
        try:
            ready, rest = ray.wait(flying, num_returns=1, timeout=TICK)
            more = ray.wait(rest, num_returns=len(rest), timeout=0)[0] if ready and rest else []
        except (RayError, ConnectionError) as error:
            raise Unavailable(cluster_lost(str(error))) from error
        return [*ready, *more]

    def _hear(self, ref: ray.ObjectRef[Any]) -> None:
        flight = self.flights.pop(ref)
        flight.copies.remove(ref)
        try:
            seconds, node, message = ray.get(ref, timeout=FETCH)
            self.runtimes.append(seconds)
            self.heard.pop(node, None)
            self.heard[node] = None
            result = pickle.loads(message)
        except RayTaskError as error:
            result = failure_from(flight.index, error.cause or error)
        except RayError as error:
            self._died(flight, _ending(error))
            return
        except Exception as error:  # a result's own `__setstate__` may raise anything
            result = failure_from(flight.index, error)
        self._end(flight, replace(result, retried=flight.deaths) if isinstance(result, Failure) else result)

    def _died(self, flight: _Flight, reason: str) -> None:
        flight.deaths += 1
        if flight.copies:
            return
        if flight.deaths <= self.limits.retries:
            self._launch(flight)
            return
        times = flight.deaths
        self._end(flight, Failure(flight.index, f"its worker {reason}, {times} times", None, times - 1))

    def _end(self, flight: _Flight, result: Any) -> None:
        del self.flying[flight.index]
        for ref in flight.copies:
            del self.flights[ref]
            _cancel(ref)
        self.done(flight.index, result)

    def _look_at_the_clock(self) -> None:
        """Begin a second copy of what takes too long; each further one waits twice as long."""
        if (reason := self.head.lost()) is not None:
            raise Unavailable(cluster_lost(reason))
        now = time.monotonic()
        median = statistics.median(self.runtimes) if len(self.runtimes) >= KNOWN else None
        for flight in list(self.flying.values()):
            if now - flight.begun > self.limits.longest:
                words = f"gave no answer within {self.limits.longest:g} s"
                self._end(flight, Failure(flight.index, words, None, len(flight.copies) + flight.deaths - 1))
            elif median is not None and len(flight.copies) <= self.limits.retries:
                patience = max(self.limits.slow, self.limits.times * median) * 2 ** (len(flight.copies) - 1)
                if now - flight.newest > patience:
                    self._launch(flight)


def _run(bundle: bytes, index: int, task: bytes) -> tuple[float, str, bytes]:
    """On the cluster: the seconds that a task took, on which node, and its result or failure, pickled."""
    paths, work = pickle.loads(bundle)
    sys.path.extend(path for path in paths if path not in sys.path)
    begun = time.monotonic()
    message = answer(loaded(work), index, task)
    return time.monotonic() - begun, ray.get_runtime_context().get_node_id(), message


def _cancel(ref: ray.ObjectRef[Any]) -> None:
    with contextlib.suppress(Exception):  # it may have ended, or the cluster
        ray.cancel(ref, force=True)


def _ending(error: RayError) -> str:
    """How a worker ended, in words that follow a subject."""
    if isinstance(error, OutOfMemoryError):
        return "was ended because its machine was short of memory"
    if isinstance(error, GetTimeoutError):
        return f"gave a result that could not be fetched within {FETCH:g} s"
    return "or its machine died, as happens when memory is short"
