"""One `map` on a Ray cluster: tasks in flight, their deaths, and second copies of those that take too long."""

from __future__ import annotations

import contextlib
import pickle
import statistics
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, OutOfMemoryError, RayError, RayTaskError

from mixc.backends.executors.ray_ways import Flight, Way, kill
from mixc.backends.executors.ray_worker import Ear
from mixc.backends.executors.reach import Head
from mixc.compiler.executor import Failure, Limits, Unavailable, cluster_lost, failure_from

TICK = 1.0  # seconds between looks at the clock
PATIENCE = 60.0  # seconds that starting may take at least, however short tasks must be
FETCH = 60.0  # seconds to fetch a result that is said to be there
KNOWN = 3  # answers from which a median is taken
RECENT = 1000  # answers of which it is taken


class Run:
    """Tasks wait, fly, and end once. Ray's own retries are off, so that those of all engines are counted alike."""

    def __init__(
        self,
        limits: Limits,
        way: Way,
        head: Head,
        tasks: Sequence[Any],
        done: Callable[[int, Any], None],
        hearing: Hearing | None,
    ) -> None:
        self.limits, self.way, self.head, self.tasks, self.done = limits, way, head, tasks, done
        self.hearing = hearing
        self.next = 0
        self.flights: dict[ray.ObjectRef[Any], tuple[Flight, float]] = {}  # and when they were launched
        self.flying: dict[int, Flight] = {}
        self.again: deque[Flight] = deque()  # whose worker died
        self.answers: deque[float] = deque(maxlen=RECENT)  # seconds from launches to results, waiting with the rest

    def run(self) -> None:
        """Until every task has ended."""
        while self._fill():
            for ref in self._ready():
                if ref in self.flights:  # not a copy whose other has ended meanwhile
                    self._hear(ref)
                else:
                    self.way.started(ref)
            self._look_at_the_clock()
        self.close()

    def close(self) -> None:
        """Stop what is in flight, and what tasks flew with."""
        for ref in self.flights:
            self.way.drop(ref)
        self.flights.clear()
        self.way.close()
        if self.hearing is not None:
            self.hearing.close()

    def _fill(self) -> bool:
        """Keep as many tasks in flight as there are workers; whether anything is left."""
        self.way.fill(len(self.flying) + len(self.tasks) - self.next)
        while self.way.free() and (flight := self._waiting()) is not None:
            self._launch(flight)
        return bool(self.flying) or self.next < len(self.tasks)

    def _waiting(self) -> Flight | None:
        if self.again:
            return self.again.popleft()
        if self.next == len(self.tasks) or len(self.flying) >= self.way.width:
            return None
        flight = Flight(self.next, time.monotonic())
        self.next += 1
        self.flying[flight.index] = flight
        return flight

    def _launch(self, flight: Flight) -> None:
        try:
            task = pickle.dumps(self.tasks[flight.index], pickle.HIGHEST_PROTOCOL)
        except Exception as error:  # a task's own `__reduce__` may raise anything
            self._end(flight, failure_from(flight.index, error))
            return
        ref = self.way.launch(flight, task)
        flight.copies.append(ref)
        flight.newest = time.monotonic()
        self.flights[ref] = flight, flight.newest

    def _ready(self) -> list[ray.ObjectRef[Any]]:
        flying = [*self.flights, *self.way.starting()]
        if not flying:  # the last tasks could not be pickled
            return []
        ready, rest = self._wait(flying, 1, TICK)
        more = self._wait(rest, len(rest), 0.0)[0] if ready and rest else []
        return [*ready, *more]

    def _hear(self, ref: ray.ObjectRef[Any]) -> None:
        flight, launched = self.flights.pop(ref)
        flight.copies.remove(ref)
        try:
            node, message = ray.get(ref, timeout=FETCH)
            self.answers.append(time.monotonic() - launched)
            self.way.ended(ref, node)
            result = pickle.loads(message)
        except RayTaskError as error:
            self.way.died(ref)
            result = failure_from(flight.index, error.cause or error)
        except RayError as error:
            self.way.died(ref)
            self._died(flight, _ending(error))
            return
        except Exception as error:  # a result's own `__setstate__` may raise anything
            result = failure_from(flight.index, error)
        self._end(flight, replace(result, retried=flight.deaths) if isinstance(result, Failure) else result)

    def _died(self, flight: Flight, reason: str) -> None:
        flight.deaths += 1
        if flight.copies:
            return
        if flight.deaths <= self.limits.retries:
            self.again.append(flight)
            return
        times = flight.deaths
        self._end(flight, Failure(flight.index, f"its worker {reason}, {times} times", None, times - 1))

    def _end(self, flight: Flight, result: Any) -> None:
        del self.flying[flight.index]
        for ref in flight.copies:
            del self.flights[ref]
            self.way.drop(ref)
        self.done(flight.index, result)

    def _look_at_the_clock(self) -> None:
        """Begin a second copy of what takes too long; each further one waits twice as long."""
        if (reason := self.head.lost()) is not None:
            raise Unavailable(cluster_lost(reason))
        if self.hearing is not None:
            self.hearing.listen(self.flying)
        now = time.monotonic()
        self.way.look(now - max(PATIENCE, self.limits.longest))
        median = statistics.median(self.answers) if len(self.answers) >= KNOWN else None
        for flight in [flight for flight in self.flying.values() if flight.copies]:
            late = now - flight.begun > self.limits.longest
            if not (late or self._slow(flight, now, median)) or self._came(flight):
                continue
            if late:
                words = f"gave no answer within {self.limits.longest:g} s"
                self._end(flight, Failure(flight.index, words, None, len(flight.copies) + flight.deaths - 1))
            elif self.way.free():
                self._launch(flight)

    def _slow(self, flight: Flight, now: float, median: float | None) -> bool:
        if median is None or len(flight.copies) > self.limits.retries:
            return False
        patience: float = max(self.limits.slow, self.limits.times * median) * 2 ** (len(flight.copies) - 1)
        return now - flight.newest > patience

    def _came(self, flight: Flight) -> bool:
        """Whether a result waits to be heard: hearing of others may take longer than a task does."""
        return bool(self._wait(flight.copies, 1, 0.0)[0])

    def _wait(self, refs: list[ray.ObjectRef[Any]], wanted: int, patience: float) -> tuple[list[Any], list[Any]]:
        try:
            ready, others = ray.wait(refs, num_returns=wanted, timeout=patience)
            return list(ready), list(others)
        except (RayError, ConnectionError) as error:
            raise Unavailable(cluster_lost(str(error))) from error


class Hearing:
    """What tasks say, fetched now and then: an actor keeps it meanwhile."""

    def __init__(self, said: Callable[[int, Any], None]) -> None:
        self.said = said
        self.ear: Any = ray.remote(num_cpus=0, max_restarts=3)(Ear).remote()
        self._asked: ray.ObjectRef[Any] | None = None
        self._last = 0.0

    def listen(self, flying: dict[int, Flight]) -> None:
        """Hand on what was said by tasks that have not ended; a message that is lost is no harm."""
        with contextlib.suppress(RayError):
            if self._asked is not None and ray.wait([self._asked], timeout=0)[0]:
                asked, self._asked = self._asked, None
                for index, message in ray.get(asked, timeout=FETCH):
                    if index in flying:
                        self.said(index, pickle.loads(message))
        if self._asked is None and time.monotonic() - self._last >= TICK:
            self._asked, self._last = self.ear.take.remote(), time.monotonic()

    def close(self) -> None:
        """Stop the actor."""
        kill(self.ear)


def _ending(error: RayError) -> str:
    """How a worker ended, in words that follow a subject."""
    if isinstance(error, OutOfMemoryError):
        return "was ended because its machine was short of memory"
    if isinstance(error, GetTimeoutError):
        return f"gave a result that could not be fetched within {FETCH:g} s"
    return "or its machine died, as happens when memory is short"
