"""Both engines, each opened once: a Ray cluster takes seconds to start."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import closing

import pytest

from mixc.compiler.executor import Executor, open_executor


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
    with closing(open_executor("ray", 2)) as engine:
        yield engine


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
