"""What a command costs: seconds, memory and bytes of the process itself and of those that it starts."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

EVERY = 0.5  # seconds between looks; what a process does after the last one is not seen
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Process:
    """CPU seconds, the most memory held (MB), bytes that were written to files, as seen last."""

    cpu: float = 0.0
    peak: float = 0.0
    written: int = 0


@dataclass(slots=True)
class Cost:
    """Wall seconds, the command's own process, and its workers."""

    wall: float = 0.0
    driver: Process = field(default_factory=Process)
    workers: dict[int, Process] = field(default_factory=dict)

    @property
    def cpu(self) -> float:
        """CPU seconds of all."""
        return self.driver.cpu + sum(one.cpu for one in self.workers.values())

    @property
    def written(self) -> int:
        """Bytes that all wrote to files."""
        return self.driver.written + sum(one.written for one in self.workers.values())

    @property
    def worker_peak(self) -> float:
        """The most memory that one worker held, in MB."""
        return max((one.peak for one in self.workers.values()), default=0.0)


def cost_of(folder: Path, arguments: list[str], environment: Mapping[str, str]) -> Cost:
    """What `mixc` with these arguments costs in a folder; its output is in `said`. Raises where it fails."""
    cost, began = Cost(), time.perf_counter()
    with (folder / "said").open("a") as said:
        line = [sys.executable, "-m", "mixc", *arguments]
        with subprocess.Popen(line, cwd=folder, env=dict(environment), stdout=said, stderr=said) as process:
            while process.poll() is None:
                _look(process.pid, cost.driver)
                for worker in _below(process.pid):
                    _look(worker, cost.workers.setdefault(worker, Process()))
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(EVERY)
    cost.wall = time.perf_counter() - began
    if process.returncode:
        raise RuntimeError((folder / "said").read_text()[-2000:])
    return cost


def _look(number: int, process: Process) -> None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
        process.cpu = max(process.cpu, (int(fields[11]) + int(fields[12])) / TICKS)
        process.peak = max(process.peak, _of(f"/proc/{number}/status", "VmHWM:") / 1000)
        process.written = max(process.written, _of(f"/proc/{number}/io", "write_bytes:"))


def _of(path: str, name: str) -> int:
    for line in Path(path).read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    return 0


def _below(root: int) -> Iterator[int]:
    """The processes that one started."""
    with contextlib.suppress(OSError):
        for path in Path(f"/proc/{root}/task").glob("*/children"):
            for child in path.read_text().split():
                yield int(child)
                yield from _below(int(child))
