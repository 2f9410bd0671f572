"""A cluster, simulated: tasks in flight as the engine `ray` has them, on nodes that fail, from a store that refuses.

Discrete events, drawn from a seed. What the engine does is read from it (`ray_run.py`): so many tasks in flight, those
whose worker died begun again `Limits.retries` times, second copies of those that take too long, one thread that hears
of results. A driver's loop costs `look` for every task in flight beside what each task costs.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from mixc.compiler.executor import Limits

TICK, KNOWN, RECENT = 1.0, 3, 1000  # as `ray_run.py` has them; a test compares
FRESH = 50  # answers between two looks at their median


@dataclass(frozen=True, slots=True)
class Cluster:
    """Nodes with `slots` processors each.

    Seconds: `lost` mean time between losses of one node (0: none), `back` until another is in its place, `noticed`
    until the driver knows, `restart` until a processor whose worker died, or was killed for the copy that it had, has
    another.
    """

    nodes: int
    slots: int = 16
    lost: float = 0.0
    back: float = 300.0
    noticed: float = 30.0
    restart: float = 2.0


@dataclass(frozen=True, slots=True)
class Driver:
    """CPU seconds of the driver to `launch` a task, to `hear` of one, and per task in flight to `look` at them all."""

    launch: float
    hear: float
    look: float


@dataclass(frozen=True, slots=True)
class Attempt:
    """What becomes of one attempt at a task: its seconds, after how many its worker dies, whether it fails for good."""

    seconds: float
    dies: float | None = None
    fails: bool = False


@dataclass(slots=True)
class Told:
    """What a simulation came to. `work` and `wasted` are seconds of workers; `failed` tasks ended without a result."""

    seconds: float = 0.0
    driver: float = 0.0
    attempts: int = 0
    copies: int = 0
    deaths: int = 0
    failed: int = 0
    work: float = 0.0
    wasted: float = 0.0


@dataclass(slots=True, eq=False)
class _Copy:
    task: int
    node: int = -1
    launched: float = 0.0
    begun: float = 0.0
    over: bool = False  # ended, died or dropped
    came: bool = False  # its result is there, heard or not
    attempt: Attempt = Attempt(0.0)


@dataclass(slots=True, eq=False)
class _Flight:
    begun: float
    copies: list[_Copy] = field(default_factory=list)
    deaths: int = 0
    tries: int = 0
    newest: float = 0.0


class Simulation:
    """One `map` of `tasks` tasks; `attempt(task, number)` says what becomes of an attempt."""

    def __init__(
        self,
        cluster: Cluster,
        driver: Driver,
        limits: Limits,
        tasks: int,
        attempt: Callable[[int, int], Attempt],
        seed: int = 0,
    ) -> None:
        self.cluster, self.costs, self.limits, self.tasks, self.attempt = cluster, driver, limits, tasks, attempt
        self.random = random.Random(seed)
        self.width = 2 * cluster.nodes * cluster.slots
        self.events: list[tuple[float, int, Callable[..., None], tuple[object, ...]]] = []
        self.order = itertools.count()
        self.free: deque[int] = deque(node for _ in range(cluster.slots) for node in range(cluster.nodes))
        self.down: set[int] = set()
        self.losses = [0] * cluster.nodes
        self.running: dict[int, set[_Copy]] = {node: set() for node in range(cluster.nodes)}
        self.queue: deque[_Copy] = deque()
        self.inbox: deque[tuple[_Copy, bool]] = deque()
        self.again: deque[int] = deque()
        self.flying: dict[int, _Flight] = {}
        self.slow: list[tuple[float, int, int]] = []  # when a further copy is due, of which task, after how many
        self.answers: deque[float] = deque(maxlen=RECENT)
        self.median: float | None = None
        self.ended = self.next = self.heard = 0
        self.busy, self.waking, self.ticking = 0.0, False, False
        self.told = Told()

    def run(self) -> Told:
        """Until every task has ended."""
        if self.cluster.lost:
            for node in range(self.cluster.nodes):
                self._at(self.random.expovariate(1 / self.cluster.lost), self._lose, node)
        self._at(0.0, self._drive)
        while self.ended < self.tasks:
            now, _, what, given = heapq.heappop(self.events)
            what(now, *given)
        self.told.seconds = self.busy
        return self.told

    def _at(self, when: float, what: Callable[..., None], *given: object) -> None:
        heapq.heappush(self.events, (when, next(self.order), what, given))

    def _wake(self, now: float) -> None:
        if not self.waking:
            self.waking = True
            self._at(max(now, self.busy), self._drive)

    def _drive(self, now: float) -> None:
        """The driver hears of what came, begins what it may, and then looks at the clock."""
        self.busy = max(now, self.busy)
        spent = self.busy
        while self.inbox:
            self.busy += self.costs.hear
            self._hear(*self.inbox.popleft())
        while self.again or (self.next < self.tasks and len(self.flying) < self.width):
            task = self.again.popleft() if self.again else self._begin()
            self._launch(task)
        self.busy += self.costs.look * len(self.flying)
        self.told.driver += self.busy - spent
        self._at(self.busy, self._look)

    def _tick(self, now: float) -> None:
        self.ticking = False
        self._wake(now)

    def _begin(self) -> int:
        self.flying[self.next] = _Flight(self.busy)
        self.next += 1
        return self.next - 1

    def _launch(self, task: int) -> None:
        flight = self.flying[task]
        self.busy += self.costs.launch
        copy = _Copy(task, attempt=self.attempt(task, flight.tries))
        flight.tries += 1
        flight.copies.append(copy)
        self.told.attempts += 1
        flight.newest = copy.launched = self.busy
        heapq.heappush(self.slow, (self._due(flight), task, flight.tries))
        self._at(self.busy, self._queued, copy)

    def _due(self, flight: _Flight) -> float:
        """When a further copy of a task is begun."""
        patience = max(self.limits.slow, self.limits.times * (self.median or 0.0))
        return flight.newest + patience * float(2 ** max(len(flight.copies) - 1, 0))

    def _queued(self, now: float, copy: _Copy) -> None:
        self.queue.append(copy)
        self._start(now)

    def _start(self, now: float) -> None:
        """Free processors take what waits."""
        while self.queue and self.free:
            node = self.free.popleft()
            copy = self.queue.popleft()
            if copy.over:
                self.free.appendleft(node)
                continue
            copy.node, copy.begun = node, now
            self.running[node].add(copy)
            dies = copy.attempt.dies
            self._at(now + (copy.attempt.seconds if dies is None else dies), self._leave, copy, dies is None)

    def _leave(self, now: float, copy: _Copy, well: bool) -> None:
        """A copy ends, or its worker dies."""
        if copy.over or copy not in self.running[copy.node]:
            return
        self._stop(now, copy, well)
        copy.came = True
        self.inbox.append((copy, well))
        self._wake(now)
        self._start(now)

    def _stop(self, now: float, copy: _Copy, well: bool) -> None:
        self.running[copy.node].discard(copy)
        self.told.work += now - copy.begun
        self.told.wasted += 0.0 if well else now - copy.begun
        if copy.node in self.down:
            return
        if well:
            self.free.append(copy.node)
        else:
            self._at(now + self.cluster.restart, self._again, copy.node, self.losses[copy.node])

    def _again(self, now: float, node: int, losses: int) -> None:
        """A processor has another worker, unless its node was lost meanwhile."""
        if self.losses[node] == losses:
            self.free.append(node)
            self._start(now)

    def _lose(self, now: float, node: int) -> None:
        """A node is gone, and what ran there; the driver hears of it later."""
        self.down.add(node)
        self.losses[node] += 1
        self.free = deque(other for other in self.free if other != node)
        for copy in sorted(self.running[node], key=lambda one: one.task):
            self._stop(now, copy, False)
            self._at(now + self.cluster.noticed, self._dead, copy)
        self._at(now + self.cluster.back, self._return, node)

    def _dead(self, now: float, copy: _Copy) -> None:
        self.inbox.append((copy, False))
        self._wake(now)

    def _return(self, now: float, node: int) -> None:
        self.down.discard(node)
        self.free.extend([node] * self.cluster.slots)
        self._at(now + self.random.expovariate(1 / self.cluster.lost), self._lose, node)
        self._start(now)

    def _hear(self, copy: _Copy, well: bool) -> None:
        """What the engine does with a result, or with a death."""
        flight = self.flying.get(copy.task)
        if copy.over or flight is None:
            return
        copy.over = True
        flight.copies.remove(copy)
        if well:
            self._answered(self.busy - copy.launched)
            self._end(copy.task, flight, copy.attempt.fails)
            return
        self.told.deaths += 1
        flight.deaths += 1
        if not flight.copies:
            if flight.deaths <= self.limits.retries:
                self.again.append(copy.task)
            else:
                self._end(copy.task, flight, True)

    def _end(self, task: int, flight: _Flight, failed: bool) -> None:
        del self.flying[task]
        for copy in flight.copies:
            copy.over = True
            if copy.node >= 0 and copy in self.running[copy.node]:
                self._stop(self.busy, copy, False)
        self.ended += 1
        self.told.failed += failed
        self._start(self.busy)

    def _answered(self, seconds: float) -> None:
        self.answers.append(seconds)
        self.heard += 1
        if KNOWN <= self.heard < FRESH or self.heard % FRESH == 0:
            self.median = sorted(self.answers)[len(self.answers) // 2]

    def _look(self, now: float) -> None:
        """Further copies of what takes too long, and an end to what took too long; then the driver waits."""
        self._overdue()
        self.waking = False
        if self.inbox or self.again:
            self._wake(now)
        if not self.ticking:
            self.ticking = True
            self._at(self.busy + TICK, self._tick)

    def _overdue(self) -> None:
        while self.slow and self.slow[0][0] <= self.busy:
            _, task, tries = heapq.heappop(self.slow)
            flight = self.flying.get(task)
            if flight is None or flight.tries != tries or not flight.copies:
                continue
            if any(copy.came for copy in flight.copies):
                continue
            if self.busy - flight.begun > self.limits.longest:
                self._end(task, flight, True)
            elif self.median is None or (due := self._due(flight)) > self.busy:
                again = self.busy + TICK if self.median is None else due
                heapq.heappush(self.slow, (again, task, tries))
            elif len(flight.copies) <= self.limits.retries:
                self.told.copies += 1
                self._launch(task)
            else:
                heapq.heappush(self.slow, (flight.begun + self.limits.longest + TICK, task, tries))
