"""A parent whose workers sleep, and what of them is alive."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

PARENT = """
import signal
import sys
import executor_work as works
from mixc.compiler.executor import Needs, open_executor
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background ignores it
executor = open_executor(sys.argv[1], 2)
needs = Needs(keeps="keeps" in sys.argv)
try:
    executor.map(works.writes_pid_and_sleeps, [(sys.argv[2], x) for x in range(2)], print, needs=needs)
finally:
    executor.close()
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def pids(folder: Path) -> list[int]:
    return [int(text) for path in folder.glob("*.pid") if (text := path.read_text())]
