"""Both engines, each opened once: a Ray cluster takes seconds to start."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator

import pytest

from mixc.compiler.executor import Executor, open_executor


@pytest.fixture(scope="session", params=["local", "ray"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    _need(request.param)
    engine = open_executor(request.param, 2)
    yield engine
    engine.close()


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
