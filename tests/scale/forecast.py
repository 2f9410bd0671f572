"""What scan and run of 10^11 documents would take on a Ray cluster: `python -m tests.scale.forecast`.

Extrapolated: what one shard of 2^20 documents cost when it was measured (`MEASURED`, by `tests.scale.stages`), times the
number of shards, through the simulation of `cluster.py`. Assumptions that were not measured are in `Assumed`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from mixc.compiler.executor import Limits
from tests.scale.cluster import Attempt, Cluster, Driver, Simulation, Told

DOCUMENTS = 10**11
SHARD = 1 << 20


@dataclass(frozen=True, slots=True)
class Stage:
    """One `map`. Per task: CPU seconds of a worker and of the driver, requests, bytes read, bytes to the driver."""

    name: str
    seconds: float
    driver: float
    requests: int
    read: float
    back: float


@dataclass(frozen=True, slots=True)
class Assumed:
    """What was not measured. Seconds per request, bytes per second of one worker, spread of runtimes (sigma of a
    lognormal factor), one request in so many refused (503), attempts at a request before a task fails, the seconds
    that the first refusal costs (each further one twice as many), and dollars per 1000 requests.
    """

    latency: float = 0.05
    bandwidth: float = 50e6
    spread: float = 0.3
    refused: float = 0.0
    attempts: int = 5
    backoff: float = 0.5
    price: float = 0.0004


MEASURED: dict[str, tuple[Stage, ...]] = {}
DRIVER = Driver(launch=0.0, hear=0.0, look=0.0)


@dataclass(frozen=True, slots=True)
class Forecast:
    """A command: hours, those of the driver's own work, requests, bytes read, tasks that failed, work done twice."""

    hours: float
    driver: float
    requests: int
    read: float
    failed: int
    deaths: int
    copies: int
    wasted: float


def forecast(
    stages: tuple[Stage, ...], cluster: Cluster, assumed: Assumed, shards: int, seed: int = 1, driver: Driver = DRIVER
) -> Forecast:
    """All stages of a command, one after the other."""
    told, requests, read = list[Told](), 0, 0.0
    for number, stage in enumerate(stages):
        costs = replace(driver, hear=driver.hear + stage.driver)
        attempt = attempts(stage, assumed, seed + number)
        found = Simulation(cluster, costs, Limits(), shards, attempt, seed + number).run()
        told.append(found)
        asked = found.attempts - found.deaths / 2  # one that dies has made half of its requests
        requests += round(asked * stage.requests / (1 - assumed.refused))
        read += asked * stage.read
    return Forecast(
        hours=sum(one.seconds for one in told) / 3600,
        driver=sum(one.driver for one in told) / 3600,
        requests=requests,
        read=read,
        failed=sum(one.failed for one in told),
        deaths=sum(one.deaths for one in told),
        copies=sum(one.copies for one in told),
        wasted=sum(one.wasted for one in told) / max(sum(one.work for one in told), 1e-9),
    )


def attempts(stage: Stage, assumed: Assumed, seed: int) -> Callable[[int, int], Attempt]:
    """What becomes of the attempts at the tasks of a stage."""
    waits = stage.requests * assumed.latency + stage.read / assumed.bandwidth

    def attempt(task: int, number: int) -> Attempt:
        draw = random.Random(f"{seed} {task} {number}")
        seconds = (stage.seconds + waits) * draw.lognormvariate(0.0, assumed.spread)
        if not assumed.refused:
            return Attempt(seconds)
        for _ in range(stage.requests):
            refusals = 0
            while draw.random() < assumed.refused:
                seconds += assumed.backoff * 2**refusals
                refusals += 1
                if refusals == assumed.attempts:
                    return Attempt(seconds, fails=True)
        return Attempt(seconds)

    return attempt
