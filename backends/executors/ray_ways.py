"""Two ways to run tasks on a Ray cluster: as Ray's tasks, or by actors that keep state and hold GPUs.

Ray gives a task that has a GPU a process of its own (it cannot know that the memory would be given back), and hands
those without to whichever process is idle, so that a model would be loaded again and again. An actor loads it once.

Ray Data has a pool of actors too. It maps over blocks of rows that it keeps in the object store, begins again without
end what was lost, and has no deadlines, no second copies and no failure of one task alone; our tasks are parts of files
that workers read and write themselves, and all engines promise the same of them.
"""

from __future__ import annotations

import contextlib
import pickle
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from mixc.backends.executors.ray_worker import Keeper, run
from mixc.compiler.executor import Unavailable, workers_do_not_start

STARTS = 4  # actors in a row that may die before they did anything


@dataclass(slots=True, eq=False)
class Flight:
    """A task in flight, with all its copies, and the nodes where actors had it."""

    index: int
    begun: float
    copies: list[ray.ObjectRef[Any]] = field(default_factory=list)
    nodes: set[str] = field(default_factory=set)
    deaths: int = 0
    newest: float = 0.0


class Way(Protocol):
    """What tasks fly with; `width` is how many fly at a time, without second copies."""

    width: int

    def fill(self, wanted: int) -> None:
        """Have as many workers at hand, at most `width`."""

    def free(self) -> bool:
        """Whether a task can be launched now."""
        ...

    def launch(self, flight: Flight, task: bytes) -> ray.ObjectRef[Any]:
        """Begin a task: what will be (node, pickled result)."""
        ...

    def starting(self) -> list[ray.ObjectRef[Any]]:
        """What will tell that workers have started."""
        ...

    def started(self, ref: ray.ObjectRef[Any]) -> None:
        """One of these is there. Raises `Unavailable` where none can start."""

    def look(self, earliest: float) -> None:
        """Raise `Unavailable` where nothing works, and workers have been starting since before `earliest`."""

    def ended(self, ref: ray.ObjectRef[Any], node: str) -> None:
        """A task gave its result."""

    def died(self, ref: ray.ObjectRef[Any]) -> None:
        """A task gave none; its worker takes no other."""

    def drop(self, ref: ray.ObjectRef[Any]) -> None:
        """Nobody waits for a task any more: stop it."""

    def close(self) -> None:
        """Stop all workers."""


def bundle(work: Callable[[Any], Any]) -> ray.ObjectRef[Any]:
    """The function for all tasks, sent once.

    Workers look last for modules where we look: on this machine they find what we find, elsewhere it does no harm.
    """
    return ray.put(pickle.dumps((sys.path, pickle.dumps(work, pickle.HIGHEST_PROTOCOL))))


class Tasks:
    """Ray's tasks, a processor each; two in flight for each processor, so that none waits for us."""

    def __init__(self, work: Callable[[Any], Any], width: int, ear: Any) -> None:
        self.width = width
        self._work, self._ear = bundle(work), ear
        self._heard: dict[str, None] = {}  # nodes that gave results, the latest last
        self._remote: Any = ray.remote(num_cpus=1, max_retries=0)(run)

    def fill(self, wanted: int) -> None:
        """Ray has the workers."""

    def free(self) -> bool:
        """Ray has a queue."""
        return True

    def launch(self, flight: Flight, task: bytes) -> ray.ObjectRef[Any]:
        """Begin a task; again, on another node."""
        tries = len(flight.copies) + flight.deaths
        remote = self._remote.options(scheduling_strategy=self._elsewhere(tries)) if tries else self._remote
        ref: ray.ObjectRef[Any] = remote.remote(self._work, flight.index, task, self._ear)
        return ref

    def _elsewhere(self, tries: int) -> Any:
        """Where to try again: on the nodes heard of last, one after the other.

        Ray alone would choose again the node that was just lost, until it knows, which may take minutes.
        """
        nodes = list(reversed(self._heard))
        return NodeAffinitySchedulingStrategy(nodes[(tries - 1) % len(nodes)], soft=True) if nodes else "SPREAD"

    def starting(self) -> list[ray.ObjectRef[Any]]:
        """None."""
        return []

    def started(self, ref: ray.ObjectRef[Any]) -> None:
        """Never."""

    def look(self, earliest: float) -> None:
        """Tasks have a deadline."""

    def ended(self, ref: ray.ObjectRef[Any], node: str) -> None:
        """Remember the node."""
        self._heard.pop(node, None)
        self._heard[node] = None

    def died(self, ref: ray.ObjectRef[Any]) -> None:
        """Nothing is left of it."""

    def drop(self, ref: ray.ObjectRef[Any]) -> None:
        """Stop it."""
        with contextlib.suppress(Exception):  # it may have ended, or the cluster
            ray.cancel(ref, force=True)

    def close(self) -> None:
        """Nothing is left."""


@dataclass(slots=True, eq=False)
class _Worker:
    """An actor, and what it does: `ref` is of its start, of its task, or None while it waits for one."""

    actor: Any
    ref: ray.ObjectRef[Any] | None
    since: float
    node: str = ""


class Actors:
    """A pool of actors, a processor and so many GPUs each, one task each at a time.

    Those that died, or hang with what nobody waits for any more, are replaced while there is work. A second copy of a
    task goes to an actor that has nothing to do: there is none before all tasks have begun.
    """

    def __init__(self, work: Callable[[Any], Any], width: int, ear: Any, gpus: float = 0.0) -> None:
        self.width = width
        self._work, self._ear = bundle(work), ear
        self._class: Any = ray.remote(num_cpus=1, num_gpus=gpus, max_restarts=0, max_task_retries=0)(Keeper)
        self._pool: list[_Worker] = []
        self._stillborn = 0

    def fill(self, wanted: int) -> None:
        """Start actors; Ray places them as there is room."""
        while len(self._pool) < min(self.width, wanted):
            actor = self._class.remote(self._work, self._ear)
            self._pool.append(_Worker(actor, actor.node.remote(), time.monotonic()))

    def free(self) -> bool:
        """Whether an actor waits."""
        return any(worker.ref is None for worker in self._pool)

    def launch(self, flight: Flight, task: bytes) -> ray.ObjectRef[Any]:
        """Give a task to an actor that waits, best on a node where it was not before."""
        waiting = [worker for worker in self._pool if worker.ref is None]
        worker = min(waiting, key=lambda one: one.node in flight.nodes)
        flight.nodes.add(worker.node)
        ref: ray.ObjectRef[Any] = worker.actor.run.remote(flight.index, task)
        worker.ref = ref
        return ref

    def starting(self) -> list[ray.ObjectRef[Any]]:
        """Of actors that have not started."""
        return [worker.ref for worker in self._pool if worker.ref is not None and not worker.node]

    def started(self, ref: ray.ObjectRef[Any]) -> None:
        """An actor waits for its first task, or is dead."""
        worker = self._of(ref)
        if worker is None:
            return
        try:
            worker.node = ray.get(ref)
        except RayError as error:
            self._remove(worker)
            self._stillborn += 1
            if self._stillborn == STARTS:
                raise Unavailable(workers_do_not_start(STARTS, _last_words(error))) from error
            return
        worker.ref, self._stillborn = None, 0

    def look(self, earliest: float) -> None:
        """Where no actor could start for so long, none will."""
        if self._pool and all(not worker.node and worker.since < earliest for worker in self._pool):
            raise Unavailable(workers_do_not_start(1, "the cluster has had no room for it"))

    def ended(self, ref: ray.ObjectRef[Any], node: str) -> None:
        """Its actor waits for another."""
        if (worker := self._of(ref)) is not None:
            worker.ref = None

    def died(self, ref: ray.ObjectRef[Any]) -> None:
        """Be sure that its actor is dead, and not only out of reach."""
        self.drop(ref)

    def drop(self, ref: ray.ObjectRef[Any]) -> None:
        """Kill its actor: Ray stops no task of an actor otherwise."""
        if (worker := self._of(ref)) is not None:
            self._remove(worker)

    def close(self) -> None:
        """Kill all actors."""
        for worker in list(self._pool):
            self._remove(worker)

    def _of(self, ref: ray.ObjectRef[Any]) -> _Worker | None:
        return next((worker for worker in self._pool if worker.ref == ref), None)

    def _remove(self, worker: _Worker) -> None:
        self._pool.remove(worker)
        kill(worker.actor)


def kill(actor: Any) -> None:
    """End an actor, at once."""
    with contextlib.suppress(Exception):  # it may have ended, or the cluster
        ray.kill(actor)


def _last_words(error: RayError) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"the last one: {lines[-1]}" if lines else "the last one gave no reason"
