"""Scan, compile and run of so many documents, read from a store that makes them: `python -m tests.scale.documents N …`.

Prints a JSON object per number of documents; `--ids shared` does not look for ids that stand twice.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.measure import load
from tests.bench.selecting import SEED, recipe
from tests.scale.measured import cost_of
from tests.scale.store import BUCKET, prefix_of

CHUNK = 1 << 20  # documents of an object
WORKERS = 2


class Served:
    """The store, in a process of its own."""

    def __init__(self) -> None:
        line = [sys.executable, "-m", "tests.scale.store"]
        root = Path(__file__).parents[2]
        self.process = subprocess.Popen(line, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.environment = {
            **os.environ,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{int(self.process.stdout.readline())}",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": "3",
        }

    def since(self) -> dict[str, int]:
        """Requests by kind, and bytes, since the last time."""
        assert self.process.stdin is not None and self.process.stdout is not None
        print(file=self.process.stdin, flush=True)
        found: dict[str, int] = json.loads(self.process.stdout.readline())
        return found

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


@contextmanager
def serving() -> Iterator[Served]:
    """A store, and its end."""
    served = Served()
    try:
        yield served
    finally:
        served.close()


def measured(folder: Path, documents: int, served: Served, ids: str = "unique", chunk: int = CHUNK) -> dict[str, Any]:
    """What every command costs for so many documents."""
    path = f"s3://{BUCKET}/{prefix_of(documents, SEED, chunk)}*.parquet"
    text = recipe(documents, ids).replace("data/*.parquet", path)
    (folder / "made.mix").write_text(text, encoding="utf-8")
    found: dict[str, Any] = {"documents": documents, "ids": ids}
    for name, line in (
        ("scan", ["scan", "made.mix", "--workers", str(WORKERS)]),
        ("compile", ["compile", "made.mix"]),
        ("run", ["run", "made.manifest.json", "-o", "out", "--workers", str(WORKERS)]),
    ):
        served.since()
        cost = cost_of(folder, line, served.environment)
        found[name] = {
            "wall": cost.wall,
            "cpu": cost.cpu,
            "driver_cpu": cost.driver.cpu,
            "driver_mb": cost.driver.peak,
            "worker_mb": cost.worker_peak,
            "written": cost.written,
            "store": served.since(),
            "load": load(),
        }
    found["output_bytes"] = sum(path.stat().st_size for path in (folder / "out").rglob("*") if path.is_file())
    found["kept_bytes"] = sum(path.stat().st_size for path in (folder / ".mixc").rglob("*") if path.is_file())
    return found


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("documents", type=float, nargs="+")
    parser.add_argument("--ids", default="unique")
    given = parser.parse_args()
    with serving() as served:
        for documents in given.documents:
            with tempfile.TemporaryDirectory() as folder:
                began = time.time()
                found = measured(Path(folder), int(documents), served, given.ids)
                print(json.dumps({**found, "seconds": time.time() - began}), flush=True)


if __name__ == "__main__":
    main()
