"""SIGKILL at random moments of `mixc run`, then resuming: `python -m tests.selection.kill 200` does it so often.

Half of the time the whole group of processes dies at once, as when a machine goes down; else only the parent does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mixc.backends.selection.backend import Run
from mixc.backends.selection.markers import SUFFIX
from mixc.backends.selection.run import LOCK
from tests.selection.pool import bytes_below, compiled, plain_pool, selected, told, verified

SHARDS = 40
PATIENCE = 60.0
SETTLING = 10.0  # seconds that a worker without a parent may take to end what it does


@dataclass(frozen=True)
class Target:
    """A pool of many shards, and what an undisturbed run writes."""

    job: Run
    written: dict[str, bytes]
    summary: bytes


@dataclass(frozen=True)
class Killed:
    """What a kill left: shards that were finished, temporary files, and whether `run` had ended by itself."""

    finished: int
    temporary: int
    ended: bool


def command(job: Run, output: Path) -> list[str]:
    """`mixc run` with two workers."""
    return [sys.executable, "-m", "mixc", "run", str(job.path), "-o", str(output), "--workers", "2"]


def target(folder: Path) -> Target:
    """The pool in a folder, run once undisturbed."""
    job = compiled(plain_pool(folder, shards=SHARDS))
    output = folder / "undisturbed"
    subprocess.run(command(job, output), stdout=subprocess.DEVNULL, check=True)
    return Target(job, bytes_below(output), (output / "run.json").read_bytes())


def finished(output: Path) -> int:
    """How many shards have their marker; -1 before the run has claimed the folder."""
    return len(list(output.rglob("*" + SUFFIX))) if (output / LOCK).exists() else -1


def kill(target: Target, output: Path, after: int, later: float, group: bool) -> Killed:
    """Run into a folder and kill it so many seconds after that many shards are finished."""
    process = subprocess.Popen(command(target.job, output), stdout=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + PATIENCE
    while finished(output) < after and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(later)
    ended = process.poll() is not None
    if group and not ended:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait(PATIENCE)
    return Killed(finished(output), len(temporaries(output)), ended)


def temporaries(output: Path) -> list[Path]:
    """Temporary files below a folder."""
    return sorted(output.rglob("*.tmp"))


def resumed(target: Target, output: Path) -> None:
    """Go on, and assert that nothing tells the result from an undisturbed one."""
    selected(target.job, output)
    deadline = time.monotonic() + SETTLING
    while temporaries(output) and time.monotonic() < deadline:  # of a worker that outlived its parent
        time.sleep(0.05)
    assert temporaries(output) == []
    assert bytes_below(output) == target.written
    assert (output / "run.json").read_bytes() == target.summary


def main(times: int) -> None:
    """Kill so often, and say how far the runs had come."""
    random = np.random.default_rng()
    came, temporary, ended = [], 0, 0
    with tempfile.TemporaryDirectory() as name:
        aim = target(Path(name))
        for i in range(times):
            output = Path(name) / f"out{i}"
            for _ in range(int(random.integers(1, 4))):  # a resumed run may be killed, too
                after, later = int(random.integers(-1, SHARDS + 1)), float(random.exponential(0.01))
                killed = kill(aim, output, after, later, bool(random.integers(2)))
                came.append(killed.finished)
                temporary += killed.temporary
                ended += killed.ended
            resumed(aim, output)
            report, found = verified(aim.job, output)
            assert report is not None
            assert not found, told(found)
            print(f"\r{i + 1} of {times} ended the same", end="", flush=True)
    print(
        f"\nshards finished at a kill: {np.percentile(came, [0, 25, 50, 75, 100]).astype(int)} of {SHARDS + 1};",
        end=" ",
    )
    print(f"{temporary} temporary files were left by kills; {ended} of {len(came)} kills came too late")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
