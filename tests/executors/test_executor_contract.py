"""What every engine promises, tested on all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import executor_work as works
import pytest

from mixc.compiler.executor import Executor, Failure


@pytest.fixture(params=["local", "ray", "actors"])
def executor(request: pytest.FixtureRequest) -> Executor:
    """Each engine, and Ray also with workers that keep state."""
    engine: Executor = request.getfixturevalue(f"{request.param}_engine")
    return engine


def results(executor: Executor, work: Callable[[Any], Any], tasks: Sequence[Any]) -> dict[int, Any]:
    """What was delivered by index; each once, and in this thread."""
    given: dict[int, Any] = {}

    def done(index: int, result: Any) -> None:
        assert index not in given
        assert threading.current_thread() is threading.main_thread()
        given[index] = result

    executor.map(work, tasks, done)
    assert sorted(given) == list(range(len(tasks)))
    return given


def squares(tasks: Sequence[int]) -> dict[int, int]:
    return {index: task * task for index, task in enumerate(tasks)}


def test_no_tasks(executor: Executor) -> None:
    assert results(executor, works.square, []) == {}


@pytest.mark.parametrize("count", [1, 3, 2000])
def test_every_result_comes_once(executor: Executor, count: int) -> None:
    assert results(executor, works.square, range(count)) == squares(range(count))


def test_the_order_of_tasks_does_not_matter(executor: Executor) -> None:
    forwards = results(executor, works.slow_square, range(40))
    backwards = results(executor, works.slow_square, range(39, -1, -1))
    assert forwards == squares(range(40))
    assert backwards == {39 - index: result for index, result in forwards.items()}


def test_an_exception_is_a_failure_of_one_task(executor: Executor) -> None:
    given = results(executor, works.odd_fails, range(12))
    failures = {index: result for index, result in given.items() if isinstance(result, Failure)}
    assert {index: result for index, result in given.items() if index not in failures} == {
        index: index * index for index in (0, 2, 4, 6, 8, 10, 11)
    }
    assert all(failure.index == index and failure.retried == 0 for index, failure in failures.items())
    assert failures[1].message.startswith("ValueError: one is odd (executor_work.py:")
    assert "3 and 4" in failures[3].message
    assert failures[7].message.startswith("SystemExit: 7")
    assert failures[9].message == "nine.parquet: no such file or directory"
    assert [index for index, failure in failures.items() if failure.diagnostic] == [5]


def test_a_diagnostic_is_kept(executor: Executor) -> None:
    failure = results(executor, works.odd_fails, [5])[0]
    assert failure.message == "five is `odd`"
    assert failure.diagnostic.code == "M999" and failure.diagnostic.notes == ("so it is",)


def test_what_cannot_travel_is_a_failure_of_one_task(executor: Executor) -> None:
    given = results(executor, works.returns_odd_things, [0, 1, 2, threading.Lock(), 0])
    assert given[0] == given[4] == 0
    assert all(isinstance(given[index], Failure) for index in (1, 2, 3))
    assert "lambda" in given[1].message and "cannot be made again" in given[2].message and "lock" in given[3].message


def test_results_are_the_callers_to_change(executor: Executor) -> None:
    given = results(executor, works.array, range(6))
    for index, array in given.items():
        array += 1
        assert array.sum() == (index + 1) * 1_000_000


def test_large_tasks_and_large_results_do_not_wait_for_each_other(executor: Executor) -> None:
    tasks = [bytes([i]) * 3_000_000 + b"!" for i in range(8)]
    assert results(executor, works.length, tasks) == {i: task[::-1] for i, task in enumerate(tasks)}


def test_a_worker_that_is_killed_is_replaced(executor: Executor, tmp_path: Path) -> None:
    given = results(executor, works.dies_once, [(str(tmp_path), x) for x in range(20)])
    assert given == squares(range(20))
    assert len(list(tmp_path.iterdir())) == 4


def test_a_task_that_always_kills_is_a_failure(executor: Executor, tmp_path: Path) -> None:
    given = results(executor, works.three_dies, [(str(tmp_path), x) for x in range(20)])
    failure = given.pop(3)
    assert isinstance(failure, Failure)
    assert (failure.index, failure.retried, failure.diagnostic) == (3, 3, None)
    assert failure.message.startswith("its worker ") and failure.message.endswith(", 4 times")
    assert given == {x: x * x for x in range(20) if x != 3}
    assert (tmp_path / "attempts").read_text() == "xxxx"
    assert results(executor, works.square, range(5)) == squares(range(5))


def test_workers_use_one_processor_each(executor: Executor, tmp_path: Path) -> None:
    given = results(executor, works.meets, [(str(tmp_path), x, 2) for x in range(2)])
    assert {threads for threads, _ in given.values()} == {"1"}
    assert len({pid for _, pid in given.values()}) == 2


def test_tasks_say_how_far_they_are(executor: Executor) -> None:
    heard: dict[int, list[int]] = {0: [], 1: []}
    ended: list[int] = []

    def said(index: int, message: int) -> None:
        assert threading.current_thread() is threading.main_thread()
        assert index not in ended
        heard[index].append(message)

    executor.map(works.says, [4.0, 4.0], lambda index, _: ended.append(index), said=said)
    assert sorted(ended) == [0, 1]
    assert all(messages and messages == sorted(messages) for messages in heard.values())


def test_nobody_needs_to_listen(executor: Executor) -> None:
    assert results(executor, works.says, [0.0]) == {0: 0.0}
