"""Backends by name: what the compiler starts without knowing it, from the entry points of the group `mixc.backends`."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

GROUP = "mixc.backends"


def names() -> tuple[str, ...]:
    """What is installed."""
    return tuple(sorted(point.name for point in entry_points(group=GROUP)))


def load(name: str) -> Any:
    """What a backend registered under a name. Raises KeyError where nothing is."""
    for point in entry_points(group=GROUP, name=name):
        return point.load()
    raise KeyError(name)
