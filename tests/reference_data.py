"""Where the reference data lies that other people's code produced."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


def shared_file(name: str) -> Path:
    """A file of the reference data beside the repository; skips the test where it is missing, and fails it in CI."""
    path = SHARED / name
    if not path.exists():
        message = f"the reference data {name} is missing: expected in the folder `shared` beside the repository"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(message)
        pytest.skip(message)
    return path
