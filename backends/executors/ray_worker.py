"""What runs on the nodes of a Ray cluster: tasks, alone or in an actor, and an actor that hears what they say."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from typing import Any

import ray

from mixc.backends.executors.worker import answer, loaded


class Keeper:
    """On the cluster: a process that runs tasks of one function, one after the other."""

    def __init__(self, bundle: bytes, ear: Any) -> None:
        self._work, self._ear = _unpacked(bundle), ear

    def node(self) -> str:
        """Where it is."""
        found: str = ray.get_runtime_context().get_node_id()
        return found

    def run(self, index: int, task: bytes) -> tuple[str, bytes]:
        """The node, and a task's result or failure, pickled."""
        return _answered(self._work, index, task, self._ear)


class Ear:
    """On the cluster: what tasks say, until it is fetched."""

    def __init__(self) -> None:
        self._heard: list[tuple[int, bytes]] = []

    def hear(self, index: int, message: bytes) -> None:
        """Keep one message."""
        self._heard.append((index, message))

    def take(self) -> list[tuple[int, bytes]]:
        """All that was not taken yet."""
        heard, self._heard = self._heard, []
        return heard


def run(bundle: bytes, index: int, task: bytes, ear: Any) -> tuple[str, bytes]:
    """On the cluster: what `Keeper.run` gives, by a process of Ray's choice."""
    return _answered(_unpacked(bundle), index, task, ear)


def _unpacked(bundle: bytes) -> Callable[[Any], Any]:
    paths, work = pickle.loads(bundle)
    sys.path.extend(path for path in paths if path not in sys.path)
    return loaded(work)


def _answered(work: Callable[[Any], Any], index: int, task: bytes, ear: Any) -> tuple[str, bytes]:
    def tell(message: Any) -> None:
        ear.hear.remote(index, pickle.dumps(message))

    message = answer(work, index, task, None if ear is None else tell)
    return ray.get_runtime_context().get_node_id(), message
