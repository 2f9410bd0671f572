"""How far scoring is: it never goes back, never beyond the end, and what was kept says nothing of the speed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixc.backends.nag import extracting, watching
from mixc.backends.nag.watching import Reading, Teller, Watch
from mixc.compiler.cli.progress import Lines, Pace
from mixc.compiler.executor import heard_by, run_on
from tests.nag.scoring_pool import RATED, Shown, kept, pool, reading_of, rows, scored_on, told


def shown(path: Path, workers: int = 1) -> Shown:
    """Progress of scoring."""
    progress = Shown()
    done, found = run_on("local", workers, lambda executor: scored_on(path, executor, progress))
    assert done is not None, told(found)
    return progress


readings = st.tuples(st.integers(0, 400), st.integers(0, 400), st.sampled_from([None, 1, 300, 500]))


@given(st.lists(st.tuples(st.integers(0, 2), readings)), st.lists(st.integers(0, 1000), min_size=3, max_size=3))
def test_nothing_goes_back_or_beyond_the_end(said: list[tuple[int, Any]], sizes: list[int]) -> None:
    progress = Shown()
    watch = Watch(progress, sizes)
    progress.begin("reading", sum(sizes))
    for index, reading in said:
        watch.said(index, Reading(*reading))
    for index in range(3):
        watch.done(index, Reading(100, 300, 400))
    progress.end()
    read = [max([300, *(of for i, (a, b, _) in said if i == index for of in [a + b])]) for index in range(3)]
    assert progress.stages[0][2][-1][1] <= sum(read) + 300


def test_what_was_kept_is_done_at_once_and_not_read() -> None:
    progress = Shown()
    watch = Watch(progress, [1000])
    progress.begin("reading", 1000)
    watch.said(0, Reading(600, 0, 800))
    watch.said(0, Reading(600, 100, 800))
    assert progress.stages[0][2][-1] == (875, 100)
    watch.said(0, Reading(600, 20, 800))  # its worker died
    watch.done(0, Reading(600, 200, 800))
    assert progress.stages[0][2][-1] == (1000, 200)
    assert progress.before == [750]


def test_a_part_that_another_process_read_is_kept() -> None:
    progress = Shown()
    progress.begin("reading", 7)
    Watch(progress, [7]).done(0, Reading(0, 0, 0))
    assert progress.before == [7]


def test_messages_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Reading] = []
    with heard_by(said.append):
        teller = Teller(100)
        for _ in range(50):
            teller.passed(1)
        teller.ended(60)
        assert said == [Reading(0, 1, 100)]
        monkeypatch.setattr(watching, "EVERY", 0.0)
        teller.had(10)
        teller.passed(5)
    assert said[1:] == [Reading(10, 60, 100), Reading(10, 65, 100)]


def test_speed_and_time_left_are_of_what_is_done_now() -> None:
    pace = Pace(total=1000, done=600, kept=400, documents=50, start=100.0)
    assert pace.rate(110.0) == 5
    assert pace.left(110.0) == 20
    assert pace.share == 0.6
    assert Pace(10, done=5, kept=5).left(200.0) == float("inf")
    assert Pace(10, done=10, kept=10).left(200.0) == 0
    assert Pace(0).share == 1.0


def test_plain_lines_say_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    lines = Lines()
    lines.begin("reading", 1000)
    lines.kept(400)
    now[0] = 105.0
    lines.advance(100, 40)
    assert capsys.readouterr().err == ""
    now[0] = 110.0
    lines.advance(100, 10)
    lines.end()
    assert capsys.readouterr().err == "reading: 60%, 5 documents/s, 20 s left\n" * 2


@pytest.mark.parametrize("workers", [1, 2])
def test_documents_are_counted_as_they_are_read(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr(watching, "EVERY", 0.0)  # in this process; others tell twice a second
    path = pool(tmp_path, tiny, RATED, rows(60))
    total, steps, before = reading_of(shown(path, workers))
    assert steps[-1] == (total, len(rows(60)) + 6)
    assert before == 0
    assert len(steps) > (300 if workers == 1 else 8)  # of three tasks: examples, lines, row groups


def stopped(path: Path, until: Callable[[], bool]) -> None:
    """Score in another process that is killed."""
    command = [sys.executable, "-m", "mixc", "score", str(path), "--workers", "1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not until() and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_after_a_kill_it_begins_where_it_was(tmp_path: Path, tiny: Path) -> None:
    path = pool(tmp_path, tiny, RATED, rows(60))
    stopped(path, lambda: bool(list((tmp_path / ".mixc" / "features").rglob("steps/*.3.arrow"))))
    total, steps, before = reading_of(shown(path))
    assert 0.2 * total < before < total
    first = next(i for i, (_, documents) in enumerate(steps) if documents)
    assert steps[first - 1][0] > 0
    assert steps[-1][1] < len(rows(60))


def test_two_at_once_make_what_one_makes(tmp_path: Path, tiny: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
    shown(pool(one, tiny, RATED, rows(60)))
    path = pool(two, tiny, RATED, rows(60))
    command = [sys.executable, "-m", "mixc", "score", str(path), "--workers", "1"]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True, stdout=subprocess.PIPE) for _ in range(2)]
    for process in both:
        out, errors = process.communicate(timeout=300)
        assert (process.returncode, "error" in errors) == (0, False), out + errors
    assert kept(one) == kept(two)


@pytest.mark.parametrize("moment", ["as a step is read", "as the output is written"])
def test_another_process_may_be_sooner(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Another process puts the output in its place, and removes the steps, at the worst moment."""
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
    shown(pool(one, tiny, RATED, rows(15)))
    path = pool(two, tiny, RATED, rows(15))
    genuine, others = extracting.write_features, set[Path]()

    def write(target: Path, origin: Any, batches: Any) -> int:
        is_step = target.parent.name == "steps"
        output = target.parent.parent / f"{target.stem.rpartition('.')[0]}.arrow" if is_step else target
        if is_step == (moment == "as a step is read") and output not in others:
            others.add(output)
            output.write_bytes((one / output.relative_to(two)).read_bytes())
            for step in (output.parent / "steps").glob(f"{output.stem}.*"):
                step.unlink()
        return genuine(target, origin, batches)

    monkeypatch.setattr(extracting, "write_features", write)
    shown(path)
    assert len(others) == 3
    assert kept(one) == kept(two)


def test_steps_that_are_gone_are_read_again(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
    shown(pool(one, tiny, RATED, rows(15)))
    path = pool(two, tiny, RATED, rows(15))
    genuine, removed = extracting.write_features, list[Path]()

    def write(target: Path, origin: Any, batches: Any) -> int:
        if target.parent.name != "steps" and not removed:
            removed.extend((target.parent / "steps").glob(f"{target.stem}.*"))
            removed[-1].unlink()
        return genuine(target, origin, batches)

    monkeypatch.setattr(extracting, "write_features", write)
    shown(path)
    assert removed
    assert kept(one) == kept(two)
