"""SIGKILL at random moments of `mixc run`, then resuming: `python -m tests.selection.kill 200` does it so often.

With `--exact` and `--materialize`, of such runs. Half of the time the whole group of processes dies at once, as when a
machine goes down; else only the parent does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mixc.backends.selection.backend import Form, Run, perform
from mixc.backends.selection.cuts import CUT
from mixc.backends.selection.layout import TEXTS
from mixc.backends.selection.markers import SUFFIX
from mixc.backends.selection.run import LOCK
from mixc.backends.selection.shard import SELECTION
from mixc.backends.selection.spill import INDEX, SPILL
from mixc.compiler.executor import run_on
from mixc.compiler.progress import Quiet
from mixc.dsl.diagnostics import has_errors
from tests.selection.pool import compiled, plain_pool, told, verified

SHARDS = 40
PATIENCE = 60.0
SETTLING = 10.0  # seconds that a worker without a parent may take to end what it does
EXACT, MATERIALIZE = "--exact", "--materialize"


@dataclass(frozen=True)
class Target:
    """A pool of many shards, and what an undisturbed run with some options writes, in `seconds` and finished files."""

    job: Run
    options: tuple[str, ...]
    written: dict[str, bytes]
    seconds: float
    finished: int


@dataclass(frozen=True)
class Killed:
    """What a kill left: where the run was, temporary files, and whether it had ended by itself."""

    stage: str
    temporary: int
    ended: bool


def command(job: Run, output: Path, options: tuple[str, ...] = ()) -> list[str]:
    """`mixc run` with two workers."""
    return [sys.executable, "-m", "mixc", "run", str(job.path), "-o", str(output), "--workers", "2", *options]


def target(folder: Path, *options: str) -> Target:
    """The pool in a folder, run once undisturbed."""
    job = compiled(plain_pool(folder, shards=SHARDS, texts=MATERIALIZE in options))
    output = folder / "undisturbed"
    process = subprocess.Popen(command(job, output, options), stdout=subprocess.DEVNULL)
    claimed, most = 0.0, -1
    while process.poll() is None:
        most = max(most, finished(output))
        claimed = claimed or (time.monotonic() if most >= 0 else 0.0)
        time.sleep(0.002)
    assert process.returncode == 0
    return Target(job, options, bytes_of(output), time.monotonic() - claimed, most)


def bytes_of(output: Path) -> dict[str, bytes]:
    """Every file below a folder, by name; but for the lock."""
    found = (path for path in sorted(output.rglob("*")) if path.is_file() and path.name != LOCK)
    return {path.relative_to(output).as_posix(): path.read_bytes() for path in found}


def vouchers(output: Path) -> Counter[str]:
    """How many files say that something is finished, by the folder that it lies in."""
    found: Counter[str] = Counter()
    for folder, _, names in os.walk(output):  # which passes over folders that are removed meanwhile
        top = Path(folder).relative_to(output).parts[:1]
        ending = ".arrow" + INDEX if top == (SPILL,) else SUFFIX if top else CUT
        found["/".join(top) or CUT] += sum(name.endswith(ending) for name in names)
    return found


def finished(output: Path) -> int:
    """How many files say that something is finished; -1 before the run has claimed the folder."""
    return vouchers(output).total() if (output / LOCK).exists() else -1


def stage_of(output: Path, options: tuple[str, ...]) -> str:
    """What a run was about to do."""
    if not (output / LOCK).exists():
        return "starting"
    held = vouchers(output)
    if EXACT in options and not held[CUT]:
        return "cutting"
    if held[SELECTION] <= SHARDS:
        return "selecting"
    if MATERIALIZE not in options or not (output / SPILL).exists():
        return "ending"
    return "writing texts" if held[TEXTS] else "reading texts"


def kill(target: Target, output: Path, after: int, later: float, group: bool) -> Killed:
    """Run into a folder and kill it so many seconds after that many files are finished."""
    process = subprocess.Popen(
        command(target.job, output, target.options), stdout=subprocess.DEVNULL, start_new_session=True
    )
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
    return Killed(stage_of(output, target.options), len(temporaries(output)), ended)


def temporaries(output: Path) -> list[Path]:
    """Temporary files below a folder."""
    return sorted(output.rglob("*.tmp"))


def go_on(target: Target, output: Path) -> int:
    """The same run in this process; how many shards and texts were there before."""
    form = Form() if MATERIALIZE in target.options else None
    made, found = run_on(
        "local",
        1,
        lambda executor: perform(target.job, output, executor, Quiet(), exact=EXACT in target.options, form=form),
    )
    assert made is not None, told(found)
    assert not has_errors(found), told(found)
    outcome, texts = made
    assert (texts is not None) == (form is not None)
    return outcome.before + (texts.before if texts is not None else 0)


def resumed(target: Target, output: Path) -> None:
    """Go on, and assert that nothing tells the result from an undisturbed one."""
    go_on(target, output)
    deadline = time.monotonic() + SETTLING
    while temporaries(output) and time.monotonic() < deadline:  # of a worker that outlived its parent
        time.sleep(0.05)
    found = bytes_of(output)
    assert sorted(found) == sorted(target.written)
    assert [name for name, data in target.written.items() if found[name] != data] == []


def moment(random: np.random.Generator, target: Target) -> tuple[int, float]:
    """After a random number of finished files, or at a random time of the run."""
    if random.integers(2):
        return int(random.integers(-1, target.finished + 1)), float(random.exponential(0.01))
    return 0, float(random.uniform(0, target.seconds))


def main(times: int, *options: str) -> None:
    """Kill so often, and say how far the runs had come."""
    random = np.random.default_rng()
    came: list[Killed] = []
    with tempfile.TemporaryDirectory() as name:
        aim = target(Path(name), *options)
        print(f"undisturbed: {aim.finished} files in {aim.seconds:.2f} s")
        for i in range(times):
            output = Path(name) / f"out{i}"
            again = range(int(random.integers(1, 4)))  # a resumed run may be killed, too
            came += [kill(aim, output, *moment(random, aim), bool(random.integers(2))) for _ in again]
            resumed(aim, output)
            report, found = verified(aim.job, output)
            assert report is not None
            assert not has_errors(found), told(found)
            print(f"\r{i + 1} of {times} ended the same", end="", flush=True)
    stages = Counter(killed.stage for killed in came if not killed.ended)
    print(f"\n{len(came)} kills: " + ", ".join(f"{count} {stage}" for stage, count in stages.most_common()), end="; ")
    late = sum(killed.ended for killed in came)
    print(f"{late} came too late; {sum(killed.temporary for killed in came)} temporary files were left by kills")


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    main(*(numbers or [200])[:1], *(word for word in sys.argv[1:] if word in (EXACT, MATERIALIZE)))
