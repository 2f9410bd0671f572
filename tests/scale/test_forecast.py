"""The forecast of a large run: what limits it, what it costs, and when it gives up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.scale.cluster import Cluster, Driver
from tests.scale.forecast import MEASURED, Assumed, Stage, forecast

SHARDS = 400
PLAIN = (Stage("read", 1.0, 0.0, 4, 1e6, 100.0),)
IDEAL = Assumed(latency=0.25, bandwidth=1e6, spread=0.0)  # a task takes 3 seconds
NOTHING = Driver(0.0, 0.0, 0.0)


def test_nothing_in_the_way() -> None:
    found = forecast(PLAIN, Cluster(1), IDEAL, SHARDS, driver=NOTHING)
    assert found.hours * 3600 == pytest.approx(SHARDS / 16 * 3.0)
    assert (found.requests, found.read, found.failed, found.wasted) == (4 * SHARDS, SHARDS * 1e6, 0, 0.0)


def test_more_nodes_help_until_the_driver_is_busy() -> None:
    slow = (replace(PLAIN[0], driver=0.05),)
    few, some, many = (forecast(slow, Cluster(n), IDEAL, 2000, driver=NOTHING).hours for n in (1, 4, 64))
    assert some < few / 3
    assert many >= 2000 * 0.05 / 3600


def test_what_is_refused_is_asked_again_or_given_up() -> None:
    found = forecast(PLAIN, Cluster(1), replace(IDEAL, refused=0.01), SHARDS, driver=NOTHING)
    assert found.failed == 0 and found.requests > 4 * SHARDS
    assert found.hours * 3600 > SHARDS / 16 * 3.0
    lost = forecast(PLAIN, Cluster(1), replace(IDEAL, refused=0.999, backoff=0.001), SHARDS, driver=NOTHING)
    assert lost.failed > 0.9 * SHARDS


def test_the_same_seed_gives_the_same_forecast() -> None:
    cluster, assumed = Cluster(2, lost=8.0, back=2.0), Assumed(refused=0.02)
    once, again, other = (forecast(MEASURED["run"], cluster, assumed, SHARDS, seed) for seed in (1, 1, 2))
    assert once == again != other
    assert once.deaths > 0 and 0 < once.wasted < 0.9
