"""Runs in a trainer's environment: tokenises a run as an export's `prepare.py` does, then exports with its counts."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path


def prepare(export: Path, again: list[str]) -> None:
    """Run `prepare.py` of an export in this process, then the command `again`."""
    before = sys.argv
    sys.argv = [str(export / "prepare.py")]
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    finally:
        sys.argv = before
    subprocess.run(again, check=True, capture_output=True)
