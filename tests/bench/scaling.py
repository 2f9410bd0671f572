"""Scan and run as a user starts them, with one process or more: wall seconds, and memory of all processes together."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.measure import load
from tests.bench.selecting import SEED, recipe

EVERY = 0.05  # seconds between looks at the memory
FEW = 20_000  # documents, for which starting up is all that takes time


@dataclass(frozen=True, slots=True)
class Ran:
    """Wall seconds of scan and run, those that the same take with hardly any documents, and peak memory in MB.

    `busy` is the load average when they ended.
    """

    wall: float
    start: float
    memory: float
    busy: str

    @property
    def net(self) -> float:
        """Without starting up."""
        return self.wall - self.start


def prepare(folder: Path, documents: int) -> None:
    """Metadata in a folder, in files of at most 2^20 documents, and of a few documents beside it."""
    from tests.bench.reference_selection import CHUNK, write_metadata

    for name, count in (("whole", documents), ("few", FEW)):
        write_metadata(folder / name / "data", count, SEED, min(CHUNK, count // 2))
        (folder / name / "shared.mix").write_text(recipe(count, "shared"), encoding="utf-8")
        for command in ("scan", "compile"):
            subprocess.run(
                [sys.executable, "-m", "mixc", command, "shared.mix"],
                cwd=folder / name,
                check=True,
                capture_output=True,
            )


def ran(folder: Path, workers: int) -> Ran:
    """What scan and run take with so many workers."""
    start, _ = _timed(folder / "few", workers)
    wall, memory = _timed(folder / "whole", workers)
    return Ran(wall, start, memory, load())


def _timed(folder: Path, workers: int) -> tuple[float, float]:
    for name in (".mixc", "out"):
        shutil.rmtree(folder / name, ignore_errors=True)
    wall = memory = 0.0
    for command in (["scan", "shared.mix"], ["run", "shared.manifest.json", "-o", "out"]):
        began = time.perf_counter()
        line = [sys.executable, "-m", "mixc", *command, "--workers", str(workers)]
        with subprocess.Popen(line, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None:
                memory = max(memory, sum(map(_held, _tree(process.pid))))
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(EVERY)
        assert process.returncode == 0, command
        wall += time.perf_counter() - began
    return wall, memory


def _tree(root: int) -> Iterator[int]:
    """A process and all that it started."""
    yield root
    with contextlib.suppress(OSError):
        for path in Path(f"/proc/{root}/task").glob("*/children"):
            for child in path.read_text().split():
                yield from _tree(int(child))


def _held(process: int) -> float:
    """The proportional set size of a process in MB: what it shares with others counts in parts."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1000
    return 0.0
