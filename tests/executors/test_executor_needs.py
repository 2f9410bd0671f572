"""Workers that keep state and have GPUs, on Ray and here: pretended ones, for Ray only counts, and so does PyTorch."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import executor_work as works
import pytest

from mixc.backends.executors import local
from mixc.backends.executors.gpus import shares_of, visible_gpus, workers_on
from mixc.backends.executors.local import LocalExecutor
from mixc.compiler.executor import Executor, Failure, Limits, Needs, Unavailable, open_executor
from tests.examples import shown
from tests.nag.scoring_pool import RATED, pool
from tests.nag.tiny import saved

TASKS = 12


def ray_with(workers: int | None = 2, limits: Limits | None = None, gpus: float | None = None) -> Any:
    """The cluster of the session, used otherwise."""
    from mixc.backends.executors.ray import RayExecutor

    return RayExecutor(workers, limits, gpus=gpus)


def stateful(executor: Executor, folder: Path, needs: Needs) -> dict[int, Any]:
    """What tasks give that use what their process loaded; one of them dies once."""
    given: dict[int, Any] = {}
    executor.map(works.with_state, [(str(folder), x) for x in range(TASKS)], given.__setitem__, needs=needs)
    assert {index: result[0] for index, result in given.items()} == {x: x * x for x in range(TASKS)}
    assert (folder / "killed").exists()
    return given


@pytest.mark.parametrize(
    ("gpus", "at_once"),
    [pytest.param(None, 2, id="no GPU"), pytest.param(1.0, 1, id="one GPU"), pytest.param(0.5, 2, id="half a GPU")],
)
def test_an_actor_loads_its_state_once(ray_engine: Executor, tmp_path: Path, gpus: float | None, at_once: int) -> None:
    given = stateful(ray_with(gpus=gpus), tmp_path, Needs(gpu=gpus is not None, keeps=True))
    states = {result[1]: result[2] for result in given.values()}
    assert all(states[result[1]] == result[2] for result in given.values())
    assert len(list(tmp_path.glob("*.loaded"))) <= at_once + 1  # and one after the death
    assert max(result[3] for result in given.values()) <= at_once
    if gpus is not None:
        assert {result[4] for result in given.values()} == {"0"}


def test_actors_share_a_gpu(ray_engine: Executor, tmp_path: Path) -> None:
    given: dict[int, Any] = {}
    tasks = [(str(tmp_path), x, 2) for x in range(2)]
    ray_with(gpus=0.5).map(works.meets, tasks, given.__setitem__, needs=Needs(gpu=True))
    assert len({pid for _, pid in given.values()}) == 2


def test_tasks_of_ray_keep_nothing_of_a_gpu(ray_engine: Executor) -> None:
    """Why there are actors: each task that has a GPU gets a process of its own."""
    import ray

    def pid() -> int:
        return os.getpid()

    which = ray.remote(num_gpus=1)(pid)
    assert len({ray.get(which.remote()) for _ in range(3)}) == 3


def test_actors_end_with_their_map(ray_engine: Executor, tmp_path: Path) -> None:
    import ray

    stateful(ray_with(gpus=1.0), tmp_path, Needs(gpu=True))
    until = time.monotonic() + 20
    while ray.available_resources().get("GPU", 0) < 1 and time.monotonic() < until:
        time.sleep(0.1)
    assert ray.available_resources()["GPU"] == 1


def test_an_actor_that_hangs_is_passed_over(ray_engine: Executor, tmp_path: Path) -> None:
    given: dict[int, Any] = {}
    tasks = [(str(tmp_path), x) for x in range(12)]
    needs = Needs(keeps=True)
    ray_with(limits=Limits(slow=1.0)).map(works.first_copy_hangs, tasks, given.__setitem__, needs=needs)
    assert given == {x: x * x for x in range(12)}


def test_a_task_of_an_actor_that_never_ends_is_a_failure(ray_engine: Executor) -> None:
    given: dict[int, Any] = {}
    engine = ray_with(limits=Limits(retries=1, slow=1.0, longest=10.0))
    engine.map(works.hangs, range(8), given.__setitem__, needs=Needs(keeps=True))
    assert given.pop(4) == Failure(4, "gave no answer within 10 s", None, 1)
    assert given == {x: x * x for x in range(8) if x != 4}


def test_actors_that_cannot_start_are_told(ray_engine: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where mixc is not installed on the cluster: the workers of Ray do not find the module of these tests."""
    from mixc.backends.executors import ray_ways

    monkeypatch.setattr(ray_ways, "Keeper", works.Idle)
    with pytest.raises(Unavailable) as caught:
        ray_with().map(works.square, range(3), lambda *_: None, needs=Needs(keeps=True))
    told = caught.value.diagnostic
    assert (told.code, told.message) == ("M534", "4 worker processes in a row died as they started")
    assert told.notes == ("the last one: ModuleNotFoundError: No module named 'executor_work'",)


def test_actors_for_whom_there_is_no_room_are_told(ray_engine: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    from mixc.backends.executors import ray_run

    monkeypatch.setattr(ray_run, "PATIENCE", 2.0)

    class Idle:
        def ready(self) -> bool:
            return True

    other = ray.remote(num_cpus=0, num_gpus=1)(Idle).remote()
    assert ray.get(other.ready.remote())
    with pytest.raises(Unavailable) as caught:
        ray_with(limits=Limits(longest=2.0), gpus=1.0).map(works.square, [1], lambda *_: None, needs=Needs(gpu=True))
    assert caught.value.diagnostic.notes == ("the cluster has had no room for it",)
    ray.kill(other)


def test_more_gpus_than_a_cluster_has(ray_engine: Executor) -> None:
    with pytest.raises(Unavailable) as caught:
        open_executor("ray", 2, gpus=2.0)
    told = caught.value.diagnostic
    assert (told.code, told.message) == ("M537", "each worker is to have 2 GPUs, and no machine has so many")
    assert told.notes == ("GPUs: 1 in the machine of the cluster that has most",)


@pytest.mark.parametrize(
    ("each", "shares"),
    [
        (1.0, ["0", "1", "2"]),
        (0.5, ["0", "1", "2", "0", "1", "2"]),
        (0.4, ["0", "1", "2", "0", "1", "2"]),
        (1 / 3, ["0", "1", "2"] * 3),
        (2.0, ["0,1"]),
        (3.0, ["0,1,2"]),
    ],
)
def test_workers_are_spread_over_gpus(each: float, shares: list[str]) -> None:
    assert shares_of(["0", "1", "2"], each) == shares
    assert workers_on(3, each) == len(shares)


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch pretends to see two."""
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.mark.parametrize(
    ("said", "found"), [(None, ["0", "1"]), ("3, 5", ["3", "5"]), ("GPU-a,GPU-b,-1", ["GPU-a", "GPU-b"])]
)
def test_gpus_are_those_that_may_be_seen(
    two_gpus: None, monkeypatch: pytest.MonkeyPatch, said: str | None, found: list[str]
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if said is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", said)
    assert visible_gpus() == found


@pytest.mark.parametrize(
    ("workers", "gpus", "by_gpu"),
    [(None, 1.0, {"3": 1, "5": 1}), (3, 0.5, {"3": 2, "5": 1}), (9, 0.5, {"3": 2, "5": 2}), (2, 2.0, {"3,5": 1})],
)
def test_processes_see_a_gpu_each(
    two_gpus: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    workers: int | None,
    gpus: float,
    by_gpu: dict[str, int],
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    monkeypatch.setattr(local, "_processors", lambda: 1)
    executor = LocalExecutor(workers, gpus=gpus)
    given = stateful(executor, tmp_path, Needs(gpu=True))
    at_work = sum(by_gpu.values())
    assert max(result[3] for result in given.values()) <= at_work
    assert at_work <= len(list(tmp_path.glob("*.loaded"))) <= at_work + 1  # and one after the death
    processes = {result[1]: result[4] for result in given.values()}
    seen = Counter(processes.values())
    assert set(seen) == set(by_gpu)
    assert all(by_gpu[name] <= count <= by_gpu[name] + 1 for name, count in seen.items())
    assert not executor._pool  # a GPU's memory is given back


def test_more_gpus_than_this_machine_has(two_gpus: None) -> None:
    with pytest.raises(Unavailable) as caught:
        open_executor("local", None, gpus=4.0)
    told = caught.value.diagnostic
    assert told.code == "M537"
    about = "The machine has two GPUs."
    shown("M537", told, about=about, command="mixc score recipe.mix --device cuda --gpus 4")
    assert told.notes == ("GPUs: 2 here",)


def test_pytorch_without_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def refuse() -> None:
        raise RuntimeError("Found no NVIDIA driver on your system.\nPlease check")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "init", refuse)
    for work in (
        lambda: open_executor("local", None, gpus=1.0),
        lambda: LocalExecutor(1).map(works.square, [1], print, needs=Needs(gpu=True)),
    ):
        with pytest.raises(Unavailable) as caught:
            work()
        told = caught.value.diagnostic
        assert (told.code, told.message) == ("M536", "there is no GPU here that PyTorch can use")
        shown(
            "M536", told, about="The machine has no driver for its GPU.", command="mixc score recipe.mix --device cuda"
        )
        assert told.notes == (f"PyTorch {torch.__version__}: Found no NVIDIA driver on your system.",)
    monkeypatch.setitem(sys.modules, "torch", None)  # as if it were not installed
    with pytest.raises(Unavailable) as caught:
        visible_gpus()
    assert caught.value.diagnostic.notes == ("torch is not installed",)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--device", "cuda"], "error[M536]: there is no GPU here that PyTorch can use"),
        (["--device", "cuda", "--gpus", "0"], "`--gpus 0` gives a worker nothing"),
        (["--device", "cuda", "--gpus", "nan"], "`--gpus nan` gives a worker nothing"),
        (["--device", "cuda", "--gpus", "1.5"], "write `--gpus 1`"),
        (["--gpus", "1"], "`--gpus` is of use with `--device cuda` only"),
        (["--device", "cuda", "--engine", "ray", "--workers", "2"], "error[M537]: each worker is to have 1 GPU,"),
    ],
)
def test_what_the_command_line_says_of_gpus(
    tmp_path: Path, smollm: Path, with_ray: None, options: list[str], words: str
) -> None:
    """Nothing is done before: there is not even a model."""
    path = pool(tmp_path, tmp_path / "nowhere", RATED)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    ran = subprocess.run(
        [sys.executable, "-m", "mixc", "score", str(path), *options],
        env={**environment, "CUDA_VISIBLE_DEVICES": "", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert words in " ".join(ran.stderr.split())
    assert not (tmp_path / ".mixc" / "features").exists()


def test_a_model_is_not_put_on_a_gpu_that_is_not_there(tmp_path: Path, smollm: Path) -> None:
    import torch

    from mixc.backends.nag.model import load_model
    from mixc.compiler.documents.data import Unreadable

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(Unreadable) as caught:
        load_model(str(saved("Llama", tmp_path / "tiny", smollm)), device="cuda", precision="bfloat16")
    assert caught.value.diagnostic.code == "M536"
