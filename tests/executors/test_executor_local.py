"""Processes of this machine: who dies with whom, and how soon."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import executor_work as works
import pytest
from executor_processes import PARENT, alive, pids, wait_until

from mixc.backends.executors import process
from mixc.backends.executors.local import LocalExecutor
from mixc.compiler.executor import Failure, Limits, Unavailable
from tests.examples import shown


def collect(executor: LocalExecutor, work: Any, tasks: Any) -> dict[int, Any]:
    given: dict[int, Any] = {}
    executor.map(work, tasks, given.__setitem__)
    return given


def children() -> set[int]:
    text = "".join(path.read_text() for path in Path("/proc/self/task").glob("*/children"))
    return {int(word) for word in text.split()}


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose two workers sleep for an hour."""
    running = subprocess.Popen(
        [sys.executable, "-c", PARENT, "local", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        stderr=subprocess.PIPE,
    )
    try:
        assert wait_until(lambda: len(pids(tmp_path)) == 2, 60)
        yield running
    finally:
        running.kill()
        running.communicate()


def test_one_worker_is_this_process() -> None:
    given = collect(LocalExecutor(1), works.threads_and_pid, range(2))
    assert {pid for _, pid in given.values()} == {os.getpid()}
    assert not isinstance(collect(LocalExecutor(1), works.odd_fails, [1])[0], int)


def test_workers_are_kept_between_maps_and_closed() -> None:
    before = children()
    executor = LocalExecutor(2)
    first = {pid for _, pid in collect(executor, works.threads_and_pid, range(6)).values()}
    assert {pid for _, pid in collect(executor, works.threads_and_pid, range(6)).values()} == first
    assert children() - before == first
    executor.close()
    assert children() <= before
    assert collect(executor, works.square, [3]) == {0: 9}
    executor.close()
    executor.close()
    assert children() <= before


def test_a_single_task_starts_a_single_worker() -> None:
    before = children()
    executor = LocalExecutor(2)
    collect(executor, works.square, [3])
    assert len(children() - before) == 1
    executor.close()


def test_what_done_raises_stops_everything() -> None:
    before = children()

    def done(index: int, result: Any) -> None:
        raise KeyError(index)

    executor = LocalExecutor(2)
    with pytest.raises(KeyError):
        executor.map(works.slow_square, range(100), done)
    assert children() <= before
    assert collect(executor, works.square, range(3)) == {0: 0, 1: 1, 2: 4}
    executor.close()


def test_a_task_without_an_answer_ends() -> None:
    executor = LocalExecutor(2, Limits(retries=1, longest=1.0))
    given = collect(executor, works.hangs, range(8))
    failure = given.pop(4)
    assert failure == Failure(4, "its worker gave no answer within 1 s, 2 times", None, 1)
    assert given == {x: x * x for x in range(8) if x != 4}
    executor.close()


def test_workers_that_cannot_start(monkeypatch: pytest.MonkeyPatch) -> None:
    before = children()
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    executor = LocalExecutor(2)
    with pytest.raises(Unavailable) as caught:
        executor.map(works.square, range(100), lambda *_: None)
    told = caught.value.diagnostic
    assert (told.code, told.message) == ("M534", "4 worker processes in a row died as they started")
    assert told.notes == ("the last one ended with exit code 1",)
    about = "`PYTHONHOME` names a folder that is not there, so that no Python starts."
    shown("M534", told, about=about, command="mixc scan recipe.mix --workers 2")
    assert children() <= before


def test_no_more_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(process, "_start", refuse)
    with pytest.raises(Unavailable) as caught:
        LocalExecutor(2).map(works.square, range(2), lambda *_: None)
    assert caught.value.diagnostic.notes == ("resource temporarily unavailable",)


def test_ctrl_c_stops_all_workers(parent: subprocess.Popen[bytes], tmp_path: Path) -> None:
    begun = time.monotonic()
    for pid in (*pids(tmp_path), parent.pid):  # a terminal tells every process of the group; workers leave it to us
        os.kill(pid, signal.SIGINT)
    _, errors = parent.communicate(timeout=10)
    assert time.monotonic() - begun < 2
    assert errors.decode().count("KeyboardInterrupt") == 1
    assert not any(alive(pid) for pid in pids(tmp_path))


def test_workers_die_with_their_parent(parent: subprocess.Popen[bytes], tmp_path: Path) -> None:
    parent.kill()
    assert wait_until(lambda: not any(alive(pid) for pid in pids(tmp_path)), 2)


def test_a_task_waits_behind_no_other_while_a_worker_is_on_its_way(tmp_path: Path) -> None:
    executor = LocalExecutor(2)
    try:
        collect(executor, works.square, range(50))
        executor._pool.pop().stop()  # the one that is left has just ended short tasks
        given = collect(executor, works.meets, [(str(tmp_path), x, 2) for x in range(2)])
    finally:
        executor.close()
    assert len({pid for _, pid in given.values()}) == 2
