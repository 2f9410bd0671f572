"""Killed at any moment and resumed, a run ends as if nothing had happened."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path

import pytest

from mixc.backends.selection.backend import run
from mixc.backends.selection.cuts import CUT
from mixc.backends.selection.layout import TEXTS
from mixc.backends.selection.markers import SUFFIX
from mixc.backends.selection.spill import SPILL
from mixc.compiler.executor import Failure, run_on
from mixc.compiler.progress import Quiet
from tests.selection.kill import (
    EXACT,
    MATERIALIZE,
    SHARDS,
    Target,
    go_on,
    kill,
    resumed,
    stage_of,
    target,
    temporaries,
)
from tests.selection.pool import bytes_below, selected, told, verified


@pytest.fixture(scope="module")
def aim(tmp_path_factory: pytest.TempPathFactory) -> Target:
    return target(tmp_path_factory.mktemp("target"))


@pytest.mark.parametrize("group", [False, True])
@pytest.mark.parametrize("after", [-1, 1, 12, 30])
def test_killed_and_resumed(tmp_path: Path, aim: Target, after: int, group: bool) -> None:
    kill(aim, tmp_path / "out", after, 0.0, group)
    resumed(aim, tmp_path / "out")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A run of all that there is."""
    return target(tmp_path_factory.mktemp("whole"), EXACT, MATERIALIZE)


@pytest.mark.parametrize(("after", "group"), [(0, True), (1, False), (3 * SHARDS // 2, True), (2 * SHARDS + 10, False)])
def test_killed_and_resumed_with_exact_cuts_and_texts(tmp_path: Path, whole: Target, after: int, group: bool) -> None:
    kill(whole, tmp_path / "out", after, 0.0, group)
    resumed(whole, tmp_path / "out")
    report, found = verified(whole.job, tmp_path / "out")
    assert report is not None and not found, told(found)


def test_kills_are_told_apart(tmp_path: Path, whole: Target) -> None:
    """The stages of a run, by what lies in its folder: else the script could not say where it killed."""
    output = tmp_path / "out"
    assert stage_of(output, whole.options) == "starting"
    go_on(whole, output)
    assert stage_of(output, whole.options) == "ending"
    spilled = output / SPILL / "state"
    spilled.mkdir(parents=True)
    assert stage_of(output, whole.options) == "writing texts"
    for path in (output / TEXTS).rglob("*" + SUFFIX):
        path.unlink()
    assert stage_of(output, whole.options) == "reading texts"
    next((output / "selection").rglob("*" + SUFFIX)).unlink()
    assert stage_of(output, whole.options) == "selecting"
    (output / CUT).unlink()
    assert stage_of(output, whole.options) == "cutting"
    resumed(whole, output)


def test_what_is_finished_is_not_done_again(tmp_path: Path, aim: Target) -> None:
    output = tmp_path / "out"
    selected(aim.job, output)
    names = sorted(name for name in bytes_below(output) if name.endswith(".parquet"))
    for name in names[3:]:
        (output / (name + SUFFIX)).unlink()
    before = {name: (output / name).stat().st_mtime_ns for name in names[:3]}
    assert selected(aim.job, output).before == 3
    assert {name: (output / name).stat().st_mtime_ns for name in names[:3]} == before
    resumed(aim, output)
    assert selected(aim.job, output).before == SHARDS + 1


def states_of_a_shard(output: Path, name: str) -> dict[str, Sequence[Path]]:
    """What a shard's files may be when its worker is killed: everything but what the last step left is missing."""
    folder, place = (output / name).parent, output / name
    data = folder / f".{place.name}.{uuid.uuid4().hex}.tmp"
    marker = folder / f".{place.name}{SUFFIX}.{uuid.uuid4().hex}.tmp"
    return {"temporary output": [data], "output alone": [place], "temporary marker": [place, marker]}


@pytest.mark.parametrize("state", ["temporary output", "output alone", "temporary marker"])
@pytest.mark.parametrize("part", [0.0, 0.5, 1.0])
def test_every_state_that_a_killed_worker_can_leave(tmp_path: Path, aim: Target, state: str, part: float) -> None:
    output = tmp_path / "out"
    selected(aim.job, output)
    name = sorted(bytes_below(output))[4].removesuffix(SUFFIX)
    data, marker = (output / name).read_bytes(), (output / (name + SUFFIX)).read_bytes()
    (output / name).unlink()
    (output / (name + SUFFIX)).unlink()
    for path in states_of_a_shard(output, name)[state]:
        whole = marker if path.name.endswith(".tmp") and SUFFIX in path.name else data
        path.write_bytes(whole[: int(part * len(whole))] if path.name.endswith(".tmp") else whole)
    resumed(aim, output)


def test_a_kill_between_the_claim_and_the_first_shard(tmp_path: Path, aim: Target) -> None:
    output = tmp_path / "out"
    output.mkdir()
    (output / ".lock").touch()
    (output / ".run.json.tmp").write_text('{"manif')
    (output / f".cut.json.{uuid.uuid4().hex}.tmp").write_text("{")
    resumed(aim, output)


def test_shards_that_fail_do_not_lose_the_others(tmp_path: Path, aim: Target) -> None:
    output = tmp_path / "out"
    selected(aim.job, output)
    markers = sorted(name for name in bytes_below(output) if name.endswith(SUFFIX))[10:14]
    for name in markers:
        (output / name).unlink()
    (output / markers[0]).mkdir()  # in the way of the marker
    outcome, found = run_on("local", 1, lambda executor: run(aim.job, output, executor, Quiet()))
    assert outcome is None
    assert [one.code for one in found] == ["M575"]
    place = f"`crawl/{int(Path(markers[0]).name[:6]):03d}.parquet`, row group 0"
    assert found[0].message.startswith(f"1 shard failed, the first is {place}: ")
    assert found[0].message.endswith("directory")
    (output / markers[0]).rmdir()
    assert temporaries(output) == []
    assert selected(aim.job, output).before == SHARDS
    resumed(aim, output)


class Losing:
    """An engine that loses every third task, as when its worker dies four times."""

    name = "losing"

    def map(self, work, tasks, done) -> None:  # type: ignore[no-untyped-def]
        for index, task in enumerate(tasks):
            done(
                index,
                Failure(index, "its worker was ended by SIGKILL, 4 times", None, 3) if index % 3 == 0 else work(task),
            )

    def close(self) -> None: ...


def test_shards_lost_by_their_workers_are_told_and_done_the_next_time(tmp_path: Path, aim: Target) -> None:
    outcome, found = run(aim.job, tmp_path / "out", Losing(), Quiet())
    assert outcome is None
    assert [(one.code, one.message.partition(",")[0]) for one in found] == [("M575", "14 shards failed")]
    assert found[0].notes[0].startswith("also `crawl/003.parquet`, row group 0; `crawl/006.parquet`, row group 0; ")
    assert found[0].notes[0].endswith(" and 6 more")
    assert selected(aim.job, tmp_path / "out").before == SHARDS + 1 - 14
    resumed(aim, tmp_path / "out")
