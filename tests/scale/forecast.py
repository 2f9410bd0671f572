"""What scan and run of 10^11 documents would take on a Ray cluster: `python -m tests.scale.forecast`.

Extrapolated: what one shard of 2^20 documents cost when it was measured (`MEASURED`, by `tests.scale.stages`), times
the number of shards, through the simulation of `cluster.py`. Assumptions that were not measured are in `Assumed`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from mixc.compiler.executor import Limits
from tests.scale.cluster import Attempt, Cluster, Driver, Simulation, Told

DOCUMENTS = 10**11
SHARD = 1 << 20
SAMPLE = 6000  # shards that are simulated where nothing is rare; more are that many times as much
RARE = 5 * SAMPLE  # the same where nodes are lost


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


# Of a shard of 2^20 documents with id, domain, language, three scores and a number of tokens: 17 MB of Parquet.
MEASURED = {
    "scan": (
        Stage("hash", 0.09, 0.001, 12, 16.8e6, 47),
        Stage("parts", 0.01, 0.001, 2, 66e3, 300),
        Stage("profile", 0.54, 0.060, 4, 16.0e6, 5.0e6),
        Stage("ids", 0.30, 0.044, 4, 0.9e6, 96),
        Stage("count", 0.19, 0.118, 1, 66e3, 8.1e6),
        Stage("count again", 0.18, 0.118, 1, 66e3, 15.0e6),
    ),
    "run": (
        Stage("parts", 0.01, 0.001, 2, 66e3, 300),
        Stage("select", 0.77, 0.027, 4, 16.8e6, 33e3),
    ),
}
FIND = 0.116  # seconds of the driver per shard to compare ids, and to fit tables: both in one figure, so a bound
DRIVER = Driver(launch=6.5e-4, hear=6.5e-4, look=5e-7)  # of Ray, as `validated` measured it


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
    told, requests, read = list[Told](), 0.0, 0.0
    sample = min(shards, RARE if cluster.lost else SAMPLE)
    more = shards / sample
    for number, stage in enumerate(stages):
        costs = replace(driver, hear=driver.hear + stage.driver)
        attempt = attempts(stage, assumed, seed + number)
        found = Simulation(cluster, costs, Limits(), sample, attempt, seed + number).run()
        told.append(found)
        asked = found.attempts - found.deaths / 2  # one that dies has made half of its requests
        requests += asked * stage.requests / (1 - assumed.refused)
        read += asked * stage.read
    work = sum(one.work for one in told)
    return Forecast(
        hours=more * sum(one.seconds for one in told) / 3600,
        driver=more * sum(one.driver for one in told) / 3600,
        requests=round(more * requests),
        read=more * read,
        failed=round(more * sum(one.failed for one in told)),
        deaths=round(more * sum(one.deaths for one in told)),
        copies=round(more * sum(one.copies for one in told)),
        wasted=sum(one.wasted for one in told) / work if work else 0.0,
    )


def with_find(found: Forecast, shards: int) -> Forecast:
    """With what the driver does alone between the stages of a scan."""
    alone = FIND * shards / 3600
    return replace(found, hours=found.hours + alone, driver=found.driver + alone)


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


CLUSTERS = (
    ("1 node", Cluster(1), Assumed()),
    ("4 nodes", Cluster(4), Assumed()),
    ("16 nodes", Cluster(16), Assumed()),
    ("4 nodes, each lost every 10 h", Cluster(4, lost=36e3), Assumed()),
    ("4 spot nodes, each lost every hour", Cluster(4, lost=3600.0), Assumed()),
    ("4 nodes, 1% of requests refused", Cluster(4), Assumed(refused=0.01)),
    ("4 nodes, 20% of requests refused", Cluster(4), Assumed(refused=0.2)),
    ("4 nodes, runtimes that differ much", Cluster(4), Assumed(spread=1.0)),
)


def main() -> None:
    """Print a table."""
    shards = -(-DOCUMENTS // SHARD)
    print(f"{DOCUMENTS:.0e} documents, {shards:,} shards; 16 processors a node")
    for name, cluster, assumed in CLUSTERS:
        for command, stages in MEASURED.items():
            found = forecast(stages, cluster, assumed, shards)
            found = with_find(found, shards) if command == "scan" else found
            cost = found.requests / 1000 * assumed.price
            print(
                f"{name:36} {command:5} {found.hours:7.1f} h, driver {found.driver:5.1f} h, "
                f"{found.requests:>10,} requests (${cost:,.0f}), {found.read / 1e12:.2f} TB read, "
                f"{found.deaths:,} deaths, {found.copies:,} copies, {found.failed:,} failed, {found.wasted:.2%} lost",
                flush=True,
            )


if __name__ == "__main__":
    main()
