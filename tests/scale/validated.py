"""The simulation against Ray itself: the same tasks, deaths and stragglers on a small cluster of this machine.

`python -m tests.scale.validated` prints what both came to. Tasks only wait, so a machine that is busy with other things
disturbs little: what it disturbs is how long a worker takes to start, which is measured and given to the simulation.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from mixc.compiler.executor import Failure, Limits
from tests.bench.measure import load
from tests.scale.cluster import Attempt, Cluster, Driver, Simulation, Told

TASKS, SLOTS = 200, 8
MEAN, SPREAD = 2.0, 0.4  # seconds, sigma of a lognormal factor
DEATHS = 0.05  # of all attempts
HANGS = (40, 120)  # tasks whose first attempt would take an hour
EASY, LOOKS = 1000, 20
LIMITS = Limits(slow=8.0, times=4.0)


def planned(task: int, number: int) -> Attempt:
    """What becomes of an attempt, for Ray and for the simulation."""
    draw = random.Random(f"validated {task} {number}")
    seconds = MEAN * draw.lognormvariate(0.0, SPREAD)
    if number == 0 and task in HANGS:
        return Attempt(3600.0)
    return Attempt(seconds, dies=draw.random() * seconds if draw.random() < DEATHS else None)


def work(folder: str, task: int) -> int:
    """Wait as planned; the files of a task count its attempts."""
    number = 0
    while True:
        try:
            (Path(folder) / f"{task}.{number}").touch(exist_ok=False)
            break
        except FileExistsError:
            number += 1
    plan = planned(task, number)
    time.sleep(plan.seconds if plan.dies is None else plan.dies)
    if plan.dies is not None:
        os._exit(1)
    return task


@dataclass(frozen=True, slots=True)
class Both:
    """Seconds and attempts of Ray and of the simulation, and seconds that a worker of Ray's took to start."""

    ray: float
    attempts: int
    failed: int
    told: Told
    start: float
    driver: Driver
    reasons: tuple[str, ...]


def validated() -> Both:
    """Run both."""
    from mixc.backends.executors.ray import RayExecutor

    results: list[Any] = []
    with tempfile.TemporaryDirectory() as folder, closing(RayExecutor(SLOTS, LIMITS)) as engine:
        engine.map(_nothing, range(4 * SLOTS), lambda _index, _result: None)  # workers start
        start = statistics.median(_starts(engine))
        began = time.perf_counter()
        engine.map(partial(work, folder), range(TASKS), lambda _index, result: results.append(result))
        seconds = time.perf_counter() - began
        attempts = len(list(Path(folder).iterdir()))
        driver = driver_costs(engine)  # last: tasks that wait for processors take some, even when they are cancelled
    told = Simulation(Cluster(1, SLOTS, restart=start), driver, LIMITS, TASKS, planned).run()
    failures = tuple(one.message for one in results if isinstance(one, Failure))
    return Both(seconds, attempts, len(failures), told, start, driver, failures)


def driver_costs(engine: Any) -> Driver:
    """CPU seconds of this process for a task that does nothing, and for a look at one in flight."""
    import ray

    began = time.process_time()
    engine.map(abs, range(EASY), lambda _index, _result: None)
    each = (time.process_time() - began) / EASY
    wait = ray.remote(num_cpus=SLOTS)(_waits)
    flying = [wait.remote() for _ in range(EASY)]
    began = time.process_time()
    for _ in range(LOOKS):
        ray.wait(flying, num_returns=1, timeout=0)
    look = (time.process_time() - began) / LOOKS / EASY
    for one in flying:
        ray.cancel(one, force=True)
    return Driver(each / 2, each / 2, look)


def _waits() -> None:
    time.sleep(60.0)


def _nothing(_: int) -> None:
    time.sleep(0.2)


def _starts(engine: Any) -> list[float]:
    """How long workers take to start while all others are busy: two at a time, as deaths come."""
    found: list[float] = []

    def done(_: int, seconds: Any) -> None:
        if isinstance(seconds, float):
            found.append(seconds)

    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            engine.map(partial(_begun_again, folder), range(SLOTS), done)
    return found


def _begun_again(folder: str, task: int) -> float | None:
    """Of the first two tasks, the seconds from the death of their worker to their second attempt."""
    mark = Path(folder) / str(task)
    if task >= 2:
        time.sleep(15.0)
        return None
    if not mark.exists():
        time.sleep(1.0)  # until all workers have a task
        mark.touch()
        os._exit(1)
    return time.time() - mark.stat().st_mtime


def main() -> None:
    """Print both."""
    both = validated()
    error = both.told.seconds / both.ray - 1
    print(f"{load()}; a worker starts in {both.start:.1f} s")
    costs = both.driver
    print(f"driver: {1e3 * (costs.launch + costs.hear):.2f} ms a task, {1e6 * costs.look:.2f} us to look at one")
    print(f"Ray:        {both.ray:6.1f} s, {both.attempts} attempts, {both.failed} failed")
    print(f"simulation: {both.told.seconds:6.1f} s, {both.told.attempts} attempts, {both.told.failed} failed")
    for words in sorted(set(both.reasons))[:3]:
        print(f"failed: {words}")
    print(f"error of the seconds: {error:+.1%}")


if __name__ == "__main__":
    from tests.scale import validated as here  # workers look functions up by the name of their module

    here.main()
