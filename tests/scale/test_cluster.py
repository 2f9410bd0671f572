"""The simulation of a cluster: deterministic, ideal where nothing fails, and gives up as the engine does."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from mixc.compiler.executor import Limits
from tests.scale import cluster as simulation
from tests.scale.cluster import Attempt, Cluster, Driver, Simulation, Told

FREE = Driver(0.0, 0.0, 0.0)
SMALL = Cluster(4, slots=2)


def simulated(cluster: Cluster, tasks: int = 80, driver: Driver = FREE, limits: Limits | None = None) -> Told:
    """Tasks of one second."""
    return Simulation(cluster, driver, limits or Limits(), tasks, lambda _task, _try: Attempt(1.0)).run()


def test_the_constants_are_those_of_the_engine() -> None:
    engine = pytest.importorskip("mixc.backends.executors.ray_run", reason="Ray is not installed", exc_type=ImportError)
    for name in ("TICK", "KNOWN", "RECENT"):
        assert getattr(simulation, name) == getattr(engine, name)


def test_nothing_fails() -> None:
    assert simulated(SMALL) == Told(seconds=10.0, driver=0.0, attempts=80, work=80.0)


def test_a_driver_that_is_slower_than_all_nodes() -> None:
    told = simulated(SMALL, driver=Driver(1.0, 0.5, 0.0))
    assert told.driver == pytest.approx(80 * 1.5)
    assert told.seconds >= told.driver


def test_the_same_seed_gives_the_same_figures() -> None:
    def uneven(task: int, number: int) -> Attempt:
        return Attempt(random.Random(f"{task} {number}").lognormvariate(0.0, 1.0))

    cluster = replace(SMALL, lost=40.0, back=5.0, noticed=1.0)
    once, again, other = (Simulation(cluster, FREE, Limits(), 200, uneven, seed).run() for seed in (1, 1, 2))
    assert once == again != other
    assert once.failed == 0 and once.deaths > 0
    assert once.attempts == 200 + once.deaths + once.copies


def test_a_task_whose_workers_die_is_given_up_after_as_many_attempts_as_the_engine_makes() -> None:
    limits = Limits()
    dying = Simulation(SMALL, FREE, limits, 5, lambda _task, _try: Attempt(1.0, dies=0.5)).run()
    assert (dying.failed, dying.attempts, dying.deaths) == (5, 5 * (limits.retries + 1), 5 * (limits.retries + 1))
    assert dying.wasted == dying.work == 0.5 * dying.attempts


def test_nodes_that_are_lost_at_once_end_everything() -> None:
    told = simulated(replace(SMALL, lost=1e-3, back=1.0, noticed=0.1))
    assert told.failed == 80


def test_a_straggler_gets_a_second_copy() -> None:
    def hangs_first(task: int, number: int) -> Attempt:
        return Attempt(3600.0 if (task, number) == (3, 0) else 1.0)

    told = Simulation(SMALL, FREE, Limits(slow=5.0), 80, hangs_first).run()
    assert (told.copies, told.failed) == (1, 0)
    assert 10.0 < told.seconds < 30.0
    alone = Simulation(SMALL, FREE, Limits(slow=1e9, longest=1e9), 80, hangs_first).run()
    assert alone.seconds == 3600.0 and alone.copies == 0


def test_copies_do_not_follow_from_a_lack_of_workers() -> None:
    """Every copy that is dropped costs a worker, and what waits for one looks slow: it must not end in copies alone."""

    def dies_at_first(task: int, number: int) -> Attempt:
        return Attempt(2.0, dies=1.0 if number == 0 and task % 10 == 0 else None)

    limits = Limits(slow=6.0, times=3.0)
    told = Simulation(replace(SMALL, nodes=1, slots=8, restart=15.0), FREE, limits, 200, dies_at_first).run()
    assert (told.deaths, told.failed) == (20, 0)
    assert told.copies < 10
    assert told.seconds < 2 * (200 * 2.0 + 20 * 15.0) / 8


def test_a_task_that_never_answers_is_given_up() -> None:
    def hangs(task: int, _number: int) -> Attempt:
        return Attempt(1e9 if task == 3 else 1.0)

    told = Simulation(SMALL, FREE, Limits(slow=5.0, longest=600.0), 80, hangs).run()
    assert told.failed == 1
    assert 600.0 <= told.seconds < 1300.0


def test_results_that_say_no_are_not_tried_again() -> None:
    told = Simulation(SMALL, FREE, Limits(), 10, lambda _task, _try: Attempt(1.0, fails=True)).run()
    assert (told.failed, told.attempts) == (10, 10)
