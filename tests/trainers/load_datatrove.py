"""Runs in datatrove's environment: the pipeline of an export, then what it wrote, and what it does when run again.

Arguments: the folder of the export. Prints one line of JSON.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import runpy
import sys
from pathlib import Path
from typing import Any


def pipeline(folder: str, *options: str) -> str:
    """Run `pipeline.py` in this process; what it said where it stopped."""
    sys.argv = [f"{folder}/pipeline.py", *options]
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as stop:
        return str(stop.code)
    return ""


def written() -> dict[str, list[Any]]:
    """By document, the copies that were written of it, and the texts; by part of the output, how often copies touch."""
    found: dict[str, list[Any]] = {}
    for file in sorted(Path("datatrove").rglob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for one in map(json.loads, lines):
                found.setdefault(one["id"], []).append(
                    [file.parent.name, one["metadata"]["copy"], len(one["text"])]
                )  # fmt: skip
    return found


def main() -> None:
    """Once, once more, with other tasks, with a phase that there is not."""
    folder = sys.argv[1]
    assert pipeline(folder, "--tasks", "3") == ""
    first = written()
    assert pipeline(folder, "--tasks", "3", "main") == ""
    out = {
        "written": first,
        "same": first == written(),
        "tasks": pipeline(folder, "--tasks", "2"),
        "phase": pipeline(folder, "cooldown"),
    }
    print(json.dumps(out))


main()
