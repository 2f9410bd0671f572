"""Both engines, each opened once: a Ray cluster takes seconds to start."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest

from mixc.compiler.executor import Executor, Needs, open_executor


@pytest.fixture(params=["local", "ray"])
def executor(request: pytest.FixtureRequest) -> Executor:
    """Each engine; not itself of the session, or pytest would open one anew for every change of the parameter."""
    engine: Executor = request.getfixturevalue(f"{request.param}_engine")
    return engine


@pytest.fixture(scope="session")
def local_engine() -> Iterator[Executor]:
    with closing(open_executor("local", 2)) as engine:
        yield engine


@pytest.fixture(scope="session")
def ray_engine(with_ray: None) -> Iterator[Executor]:
    """A cluster of this machine that pretends to have a GPU: Ray only counts them."""
    os.environ["RAY_OVERRIDE_RESOURCES"] = json.dumps({"GPU": 1})
    try:
        engine = open_executor("ray", 2)
    finally:
        del os.environ["RAY_OVERRIDE_RESOURCES"]
    with closing(engine):
        yield engine


@pytest.fixture(scope="session")
def actors_engine(ray_engine: Executor) -> Executor:
    """The same cluster, where all work is done by workers that keep state."""
    return Keeping(ray_engine)


@dataclass(frozen=True)
class Keeping:
    """An engine whose workers keep state."""

    engine: Executor
    name: str = "keeping"

    def map(
        self, work: Callable[[Any], Any], tasks: Sequence[Any], done: Callable[[int, Any], None], **said: Any
    ) -> None:
        self.engine.map(work, tasks, done, needs=Needs(keeps=True), **said)

    def close(self) -> None: ...


@pytest.fixture(scope="session")
def with_ray() -> None:
    """Only with Ray."""
    _need("ray")


def _need(engine: str) -> None:
    """Skip without Ray, loudly; where everything must run, fail."""
    if engine == "ray" and importlib.util.find_spec("ray") is None:
        words = "Ray is not installed: the engine `ray` is NOT tested (pip install 'mixc[ray]')"
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(words)
        pytest.skip(words)
