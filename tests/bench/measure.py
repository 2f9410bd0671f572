"""Timing in pairs: ours and its reference in turn, so that whatever else the machine does falls on both."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report: seconds of ours, the target where there is one, and a reference with its name."""

    name: str
    seconds: float
    target: float | None = None
    reference: float | None = None
    against: str = ""
    remark: str = ""

    def line(self) -> str:
        """The figure as it is printed."""
        target = "" if self.target is None else f"< {self.target:g} s"
        ratio = "" if self.reference is None else f"{self.seconds / self.reference:.3g} x {self.against}"
        known = "" if self.reference is None else f" ({self.reference:.3f} s)"
        notes = "; ".join(text for text in (ratio + known, self.remark) if text)
        return f"{self.name:47}{self.seconds:8.3f} s  {target:8}  {notes}".rstrip()


def in_turn(runs: int, *actions: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> list[float]:
    """The median seconds of each action over `runs` rounds, one of each per round."""
    seconds: list[list[float]] = [[] for _ in actions]
    for _ in range(runs):
        for action, found in zip(actions, seconds, strict=True):
            start = clock()
            action()
            found.append(clock() - start)
    return [median(found) for found in seconds]


def process(folder: Path, *arguments: str) -> Callable[[], object]:
    """A run of this Python with these arguments, in `folder`; its output is dropped, a failure is not."""

    def run() -> object:
        return subprocess.run([sys.executable, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)

    return run


def load() -> str:
    """How busy the machine is: processors and the load average of the last minute."""
    return f"{os.cpu_count()} CPUs, load average {os.getloadavg()[0]:.2f}"
