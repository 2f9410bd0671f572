"""Ray beyond the contract: second copies, and a cluster that comes and goes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import executor_work as works
import pytest
from executor_processes import PARENT, alive, pids, wait_until

from mixc.compiler.executor import Executor, Failure, Limits, Unavailable, open_executor

ONE_MAP = """
import sys
import time
from pathlib import Path
import executor_work as works
from mixc.compiler.executor import open_executor

def descendants():
    found, new = set(), {"self"}
    while new:
        new = {c for p in new for t in Path(f"/proc/{p}/task").glob("*/children") for c in t.read_text().split()}
        found |= new
    return found

import signal
handler = lambda *_: None
signal.signal(signal.SIGTERM, handler)
executor = open_executor("ray", 2)
assert signal.getsignal(signal.SIGTERM) is handler
folder = executor._scratch.path
assert folder.is_dir() and len(descendants()) > 3
executor.map(works.square, range(5), lambda index, result: print(index, result, flush=True))
started = descendants()
executor.close()
assert not folder.exists()
until = time.monotonic() + 10  # processes that were killed may take a moment to go where much else is done
while (left := {p for p in started if Path(f"/proc/{p}/stat").exists()}) and time.monotonic() < until:
    time.sleep(0.05)
print("left", sorted(left), sorted(descendants()))
"""

LATE = """
import os
import time
from pathlib import Path
from types import SimpleNamespace
import executor_work as works
from mixc.backends.executors.ray import SETTINGS, RayExecutor, _keep_out

os.environ.update(SETTINGS)
_keep_out()
import ray._private.node as node
import ray._private.services as services

found = services.get_node
clock = SimpleNamespace(**{name: getattr(time, name) for name in dir(time) if not name.startswith("_")})
clock.monotonic = lambda: 20 * time.monotonic()  # Ray's 30 seconds pass in one and a half
node.time = clock
tries = []

def late(*given, **named):
    if len(tries) < 2:
        raise RuntimeError("no node yet")
    return found(*given, **named)

def start(self, whole=RayExecutor._start_once):
    tries.append(self)
    clock.monotonic = time.monotonic if len(tries) > 1 else clock.monotonic
    whole(self)

services.get_node, RayExecutor._start_once = late, start
engine = RayExecutor(1)
given = {}
engine.map(works.square, range(3), given.__setitem__)
here = str(os.getpid())
mine = [stat.read_text().split(")")[0].split("(")[1] for stat in Path("/proc").glob("[0-9]*/stat")
        if stat.read_text().split(")")[1].split()[1] == here]
print(len(tries), given, sorted(name for name in mine if name in ("raylet", "gcs_server")))
engine.close()
"""


on_the_cluster = pytest.mark.parametrize("executor", ["ray"], indirect=True)  # the one of the session


def again(limits: Limits) -> Any:
    from mixc.backends.executors.ray import RayExecutor

    return RayExecutor(2, limits)


def script(*arguments: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=Path(__file__).parents[2],
        env={**environment, "PYTHONPATH": str(Path(__file__).parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@on_the_cluster
def test_what_takes_too_long_is_begun_again(executor: Executor, tmp_path: Path) -> None:
    given: dict[int, Any] = {}
    again(Limits(slow=1.0)).map(works.first_copy_hangs, [(str(tmp_path), x) for x in range(12)], given.__setitem__)
    assert given == {x: x * x for x in range(12)}


@on_the_cluster
def test_no_second_copy_of_what_waits_to_be_heard(executor: Executor, tmp_path: Path) -> None:
    """Results are heard one after the other; what is done with each may take longer than a task."""
    given: dict[int, Any] = {}

    def done(index: int, result: Any) -> None:
        given[index] = result
        time.sleep(0.5)

    again(Limits(slow=0.4, times=0.0)).map(works.leaves_a_mark, [(str(tmp_path), x) for x in range(12)], done)
    assert given == {x: x * x for x in range(12)}
    assert len(list(tmp_path.iterdir())) == 12


@on_the_cluster
def test_patience_grows_with_the_wait_for_a_worker(executor: Executor) -> None:
    """Copies of what only waits would take workers from it: the more, the longer all wait."""
    from mixc.backends.executors.ray_run import Run
    from mixc.backends.executors.ray_ways import Tasks

    given: dict[int, Any] = {}
    engine = again(Limits())
    run = Run(engine.limits, Tasks(works.takes_a_while, 8, None), engine._head(), range(8), given.__setitem__, None)
    run.run()
    assert given == {x: x for x in range(8)}
    assert max(run.answers) > 0.6  # eight times 0.2 s, on two processors


@on_the_cluster
def test_what_never_ends_is_a_failure(executor: Executor) -> None:
    given: dict[int, Any] = {}
    again(Limits(retries=1, slow=12.0, longest=30.0)).map(works.hangs, range(8), given.__setitem__)
    assert given.pop(4) == Failure(4, "gave no answer within 30 s", None, 1)
    assert given == {x: x * x for x in range(8) if x != 4}


@on_the_cluster
def test_a_cluster_that_was_there_is_left(executor: Executor) -> None:
    import ray

    other = open_executor("ray", 1)
    other.close()
    assert ray.is_initialized()


def test_a_cluster_that_starts_too_late_is_started_again(with_ray: None) -> None:
    """Ray waits for 30 seconds, which is not enough where much else is done; nothing is left of the first start."""
    with script("-c", LATE) as running:
        out, errors = running.communicate(timeout=150)
    assert running.returncode == 0, errors
    assert out == "2 {0: 0, 1: 1, 2: 4} ['gcs_server', 'raylet']\n"


def test_a_cluster_that_never_starts_is_given_up(with_ray: None, monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    from mixc.backends.executors import ray as engine

    tries: list[dict[str, Any]] = []

    def init(**given: Any) -> None:
        tries.append(given)
        raise Exception("The current node timed out during startup. This could happen because ...")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    with pytest.raises(Unavailable, match="cannot be started here"):
        engine.RayExecutor(1)
    assert len(tries) == engine.STARTS
    assert not Path(tries[0]["_temp_dir"]).exists()


def test_a_cluster_of_our_own_comes_and_goes(with_ray: None) -> None:
    with script("-c", ONE_MAP) as running:
        out, errors = running.communicate(timeout=120)
    assert running.returncode == 0, errors
    lines = out.splitlines()
    assert sorted(lines[:5]) == [f"{x} {x * x}" for x in range(5)]
    assert lines[5:] == ["left [] []"]
    assert errors == ""


def test_a_node_is_lost_in_the_middle_of_a_run(with_ray: None) -> None:
    """One of the scenarios of `tests.executors.losses`; more of them, and cables that are cut: `make cluster`."""
    with script("-m", "tests.executors.losses", "node") as running:
        out, errors = running.communicate(timeout=200)
    assert running.returncode == 0, errors
    assert "begun on the lost node, and done elsewhere: selection-crawl-" in out


@pytest.mark.parametrize("way", ["runs", "keeps"])
def test_ctrl_c_stops_the_cluster(with_ray: None, tmp_path: Path, way: str) -> None:
    with script("-c", PARENT, "ray", str(tmp_path), way) as running:
        assert wait_until(lambda: len(pids(tmp_path)) == 2, 60)
        begun = time.monotonic()
        os.kill(running.pid, signal.SIGINT)
        _, errors = running.communicate(timeout=30)
    assert time.monotonic() - begun < 10
    assert errors.count("KeyboardInterrupt") == 1
    assert wait_until(lambda: not any(alive(pid) for pid in pids(tmp_path)), 2)


@on_the_cluster
def test_deaths_are_not_printed(executor: Executor, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    executor.map(works.dies_once, [(str(tmp_path), x) for x in range(6)], lambda *_: None)
    time.sleep(1)
    assert capfd.readouterr() == ("", "")
