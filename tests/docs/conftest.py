"""The manual, built once for all tests that look at it, whichever process they run in."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

BUILD = Path(__file__).parents[2] / "recipes" / "manual" / "build.py"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manual as `make docs` builds it, warnings being errors."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder = shared / "manual"
    with (shared / "manual.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "docs" / "index.html").exists():
            where = ["--output", folder / "docs", "--sources", folder / "sources"]
            built = subprocess.run([sys.executable, BUILD, *where], capture_output=True, text=True, check=False)
            assert (built.returncode, built.stderr) == (0, "")
    return folder / "docs"
