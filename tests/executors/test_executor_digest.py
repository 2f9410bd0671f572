"""A manifest gives the same bytes on every engine, also where workers die in the middle."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mixc.backends.selection.backend import Form, Run, perform
from mixc.compiler.executor import Executor, Failure, open_executor
from mixc.compiler.progress import Quiet
from mixc.dsl.diagnostics import Diagnostic, has_errors
from tests.selection.kill import bytes_of
from tests.selection.pool import compiled, plain_pool, told

SHARDS = 8
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "exact": {"exact": True},
    "materialize": {"form": Form(shard_bytes=300_000)},
    "both": {"exact": True, "form": Form(repeat=True, shard_bytes=300_000)},
}


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return compiled(plain_pool(tmp_path_factory.mktemp("pool"), shards=SHARDS, texts=True))


@pytest.fixture(scope="module")
def alone(job: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """What one process writes, by option."""
    found = {}
    with closing(open_executor("local", 1)) as executor:
        for name in OPTIONS:
            output = tmp_path_factory.mktemp(name)
            assert performed(job, output, executor, name) == []
            found[name] = bytes_of(output)
    assert len({data["run.json"] for data in found.values()}) == 4  # exact or not, with texts or without
    assert len(found["both"]) > len(found["exact"]) + 40
    return found


@pytest.fixture(scope="module")
def four() -> Iterator[Executor]:
    with closing(open_executor("local", 4)) as engine:
        yield engine


def performed(job: Run, output: Path, executor: Executor, option: str) -> list[Diagnostic]:
    done, found = perform(job, output, executor, Quiet(), **OPTIONS[option])
    found = [one for one in found if has_errors([one])]
    assert (done is None) == bool(found), told(found)
    return found


@pytest.mark.parametrize("option", OPTIONS)
def test_four_processes_write_the_same_bytes(job: Run, alone: Any, four: Executor, tmp_path: Path, option: str) -> None:
    assert performed(job, tmp_path, four, option) == []
    assert bytes_of(tmp_path) == alone[option]


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("executor", ["ray"], indirect=True)
def test_ray_writes_the_same_bytes(job: Run, alone: Any, executor: Executor, tmp_path: Path, option: str) -> None:
    assert performed(job, tmp_path, executor, option) == []
    assert bytes_of(tmp_path) == alone[option]


@dataclass(frozen=True)
class Deadly:
    """Work that kills its process at some tasks: the first time, some before and some after it is done; or always."""

    work: Callable[[Any], Any]
    marks: str
    once: tuple[str, ...]
    always: tuple[str, ...]

    def __call__(self, task: Any) -> Any:
        mark = Path(self.marks) / f"{type(self.work).__name__}-{task.name.replace('/', '-')}"
        dies = any(name in task.name for name in self.once) and not mark.exists()
        if any(name in task.name for name in self.always) or (dies and self.once[0] in task.name):
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        result = self.work(task)
        if dies:
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return result


@dataclass(frozen=True)
class Poisoned:
    """An engine whose work is deadly."""

    engine: Executor
    marks: str
    once: tuple[str, ...] = ()
    always: tuple[str, ...] = ()
    name: str = "poisoned"

    def map(self, work: Callable[[Any], Any], tasks: Sequence[Any], done: Callable[[int, Any | Failure], None]) -> None:
        self.engine.map(Deadly(work, self.marks, self.once, self.always), tasks, done)

    def close(self) -> None: ...


def test_workers_that_die_in_every_map(job: Run, alone: Any, executor: Executor, tmp_path: Path) -> None:
    (tmp_path / "marks").mkdir()
    poisoned = Poisoned(executor, str(tmp_path / "marks"), once=("crawl/000001", "crawl/000004"))
    assert performed(job, tmp_path / "out", poisoned, "exact") == []
    assert len(list((tmp_path / "marks").iterdir())) == 3 * 2  # two maps find the cuts
    assert bytes_of(tmp_path / "out") == alone["exact"]


def test_a_shard_that_always_kills_its_worker_is_told_and_loses_no_other(
    job: Run, alone: Any, executor: Executor, tmp_path: Path
) -> None:
    (tmp_path / "marks").mkdir()
    poisoned = Poisoned(executor, str(tmp_path / "marks"), always=("crawl/000003",))
    found = performed(job, tmp_path / "out", poisoned, "materialize")
    assert [one.code for one in found] == ["M575"]
    assert found[0].message.startswith(
        "1 shard failed, the first is `crawl/003.parquet`, row groups 0 to 1: its worker "
    )
    assert found[0].message.endswith(", 4 times")
    written = bytes_of(tmp_path / "out")
    kept = {name for name in alone["materialize"] if name.startswith("selection/") and "/crawl/000003" not in name}
    assert {name for name in written if name.endswith(".done.json")} == {n for n in kept if n.endswith(".done.json")}
    assert all(written[name] == alone["materialize"][name] for name in kept)
    assert performed(job, tmp_path / "out", executor, "materialize") == []
    assert bytes_of(tmp_path / "out") == alone["materialize"]
