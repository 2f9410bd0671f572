"""Exact budgets: every cell within one document of its target after each phase, the same however it is run."""

from __future__ import annotations

import json
from collections import Counter
from itertools import accumulate
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from texts_pool import compiled, documents, performed, recipe, write

from mixc.backends.selection.backend import Outcome, Run, run, verify
from mixc.backends.selection.cuts import CUT, SCALE, position, read_cuts
from mixc.backends.selection.cutting import find_cuts
from mixc.backends.selection.exact import bin_of, grid
from mixc.backends.selection.run import work_of
from mixc.backends.selection.slots import Slots, build_slots
from mixc.backends.selection.sums import CellSums
from mixc.compiler.executor import run_on
from mixc.compiler.progress import Quiet
from tests.examples import shown
from tests.selection import pool


@pytest.fixture(scope="module")
def output(job: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    done(job, folder)
    return folder


def done(job: Run, output: Path, workers: int = 1, exact: bool = True) -> Outcome:
    made, found = performed(job, output, workers, exact)
    assert made is not None, [one.message for one in found]
    return made[0]


def faults(job: Run, output: Path) -> list[str]:
    report, _ = run_on("local", 1, lambda executor: verify(job, output, 1.0, executor, Quiet()))
    assert report is not None
    return list(report.faults)


def slots_of(job: Run) -> Slots:
    return build_slots(job.manifest, job.tables)


def within_a_document(job: Run, outcome: Outcome, output: Path) -> tuple[float, int]:
    """Asserts it of every cell; the most copies that a cell plans of a document, and cells of a curve."""
    slots = slots_of(job)
    cuts = read_cuts(output / CUT, job.integrity)
    assert cuts is not None
    largest = {cut.cell: cut.largest for cut in cuts.cells}
    ended = set(cuts.ended(slots))
    for c, cell in enumerate(slots.cells):
        realised = accumulate(outcome.sums.get((p, c), CellSums()).tokens for p in range(len(slots.phases)))
        for target, tokens in zip(accumulate(cell.tokens), realised, strict=True):
            if cell.name not in ended:
                assert abs(tokens - target) < max(1, largest.get(cell.name, 0)), cell.name
    fractions = [sum(cell.tokens) / cell.supply for cell in slots.cells if cell.supply]
    return max(fractions), int(slots.curved.sum())


def test_cells_are_within_one_document(job: Run, output: Path) -> None:
    copies, curved = within_a_document(job, done(job, output), output)
    assert copies > 1
    assert curved
    assert any(slots_of(job).high - slots_of(job).low < 1 << 60)  # levels that are divided over buckets
    assert faults(job, output) == []


@pytest.mark.parametrize(("form", "cuts", "groups"), [("parquet", [100, 101, 7000], 64), ("jsonl", [4000], 0)])
def test_cuts_depend_on_neither_sharding_nor_workers(
    job: Run, output: Path, tmp_path: Path, form: str, cuts: list[int], groups: int
) -> None:
    write(tmp_path, documents(), cuts, groups, form)
    other = compiled(tmp_path, recipe(form))
    outcome = done(other, tmp_path / "out", workers=2)
    before = done(job, output)
    held = [json.loads((folder / CUT).read_text())["cells"] for folder in (output, tmp_path / "out")]
    assert held[0] == held[1]
    assert [outcome.digest(p, "crawl") for p in (0, 1)] == [before.digest(p, "crawl") for p in (0, 1)]


def test_resume_keeps_the_cuts(job: Run, output: Path, tmp_path: Path) -> None:
    first = done(job, tmp_path)
    name = first.markers[1].name
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).unlink()
    again = done(job, tmp_path)
    assert again.before == len(first.markers) - 1
    assert (tmp_path / name).read_bytes() == data
    assert again.cut == first.cut


def test_other_cuts_are_other_shards(job: Run, tmp_path: Path) -> None:
    exact = done(job, tmp_path)
    plain = done(job, tmp_path, exact=False)
    assert plain.before == 0
    assert not (tmp_path / CUT).exists()
    assert faults(job, tmp_path) == []
    assert done(job, tmp_path).markers == exact.markers


def test_changed_cuts_are_found(job: Run, tmp_path: Path) -> None:
    done(job, tmp_path)
    text = (tmp_path / CUT).read_text()
    (tmp_path / CUT).write_text(text.replace('"largest": 1', '"largest": 2', 1))
    assert any("other cuts" in fault for fault in faults(job, tmp_path))
    done(job, tmp_path)
    assert (tmp_path / CUT).read_text() == text
    (tmp_path / CUT).unlink()
    assert any("other cuts" in fault for fault in faults(job, tmp_path))


@pytest.mark.parametrize("seed", range(3))
def test_sparse_pools_reach_their_targets(tmp_path: Path, seed: int) -> None:
    """Cells of a handful of documents, whose cuts lie far from what is expected."""
    random = np.random.default_rng(seed)
    table = documents(400).set_column(4, "n", pa.array(random.integers(500, 40_000, 400)))
    write(tmp_path, table, [100], 50)
    job = compiled(tmp_path, recipe())
    outcome = done(job, tmp_path / "out")
    slots = slots_of(job)
    cuts = read_cuts(tmp_path / "out" / CUT, job.integrity)
    assert cuts is not None
    lost = {*cuts.unreachable, *cuts.ended(slots)}
    for c, cell in enumerate(slots.cells):
        for phase in range(2):
            tokens = sum(outcome.sums.get((p, c), CellSums()).tokens for p in range(phase + 1))
            target = sum(cell.tokens[: phase + 1])
            most = next((cut.largest for cut in cuts.cells if cut.cell == cell.name), 0)
            assert cell.name in lost or abs(tokens - target) < max(1, most)
    assert faults(job, tmp_path / "out") == []


def test_cells_without_a_document_are_told(tmp_path: Path) -> None:
    """One level over all buckets, of so few documents that some bucket gets none."""
    table = documents(60).set_column(4, "n", pa.array([20_000] * 60))
    table = table.set_column(5, "edu", pa.array([3.0] * 60, pa.float32()))
    write(tmp_path, table, [], 50)
    job = compiled(tmp_path, recipe())
    made, found = performed(job, tmp_path / "out", exact=True)
    assert made is not None
    assert {(one.code, one.severity) for one in found} == {("M578", "warning")}
    about = "The pool holds sixty documents of 20,000 tokens, of one quality."
    shown("M578", found, about=about, command="mixc run pool.manifest.json -o out --exact", numbers=False)
    cuts = read_cuts(tmp_path / "out" / CUT, job.integrity)
    assert cuts is not None and cuts.unreachable
    assert set(cuts.unreachable) >= set(found[0].notes[0].replace("`", "").split(", "))
    assert faults(job, tmp_path / "out") == []


def test_cuts_do_not_depend_on_bins(job: Run, output: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("mixc.backends.selection.exact.ENTRIES", 7)
    done(job, tmp_path)
    assert (tmp_path / CUT).read_text() == (output / CUT).read_text()


def test_bins_are_those_of_whole_numbers(job: Run) -> None:
    slots = slots_of(job)
    made = grid(slots)
    random = np.random.default_rng(1)
    usable = np.flatnonzero((made.index[slots.cell] >= 0) & (slots.value > 0))
    segment = random.choice(usable, 3000)
    low, width = slots.low[segment], slots.high[segment] - slots.low[segment]
    share = np.where(random.random(3000) < 0.5, random.random(3000), random.integers(0, made.bins, 3000) / made.bins)
    hashes = low + np.minimum((share * width).astype(np.uint64), width - np.uint64(1))
    for copy in (0, 1):
        bins = bin_of(made, segment, hashes, copy)
        for i in range(3000):
            s, cell = int(segment[i]), int(made.index[slots.cell[segment[i]]])
            at = position(copy, int(hashes[i] - low[i]) + 1, int(width[i]), int(slots.value[s]))
            assert bins[i] == min((at - 1) // made.step[cell], made.bins)


@given(
    copy=st.integers(0, 60),
    width=st.integers(1, 1 << 60),
    above=st.integers(1, 1 << 60),
    value=st.integers(1, 1 << 34),
)
def test_a_position_is_the_least_that_gives_the_copy(copy: int, width: int, above: int, value: int) -> None:
    above = min(above, width)

    def copies(at: int) -> int:
        scaled = at * value
        return (scaled >> SCALE) + (above - 1 < (width * (scaled & ((1 << SCALE) - 1))) >> SCALE)

    at = position(copy, above, width, value)
    assert copies(at) >= copy + 1
    assert copies(at - 1) <= copy


def test_finding_cuts_tells_what_failed(job: Run) -> None:
    class Broken:
        name = "broken"

        def map(self, work: object, tasks: list[object], done: object) -> None:
            from mixc.compiler.executor import Failure

            for i in range(len(tasks)):
                done(i, Failure(i, "out of memory", None, 0))  # type: ignore[operator]

        def close(self) -> None: ...

    tasks = [type("T", (), {"name": "part"})()]
    cuts, found = find_cuts(work_of(job, Path()), tasks, Broken(), Quiet())  # type: ignore[arg-type]
    assert cuts is None
    assert [one.code for one in found] == ["M575"]
    about = "A worker had no memory left, again and again."
    shown("M575", found, about=about, command="mixc run pool.manifest.json -o out --exact")


def test_limits_hold_where_a_bucket_has_fewer_documents_than_supply(tmp_path: Path) -> None:
    job = pool.compiled(pool.plain_pool(tmp_path, pool.RECIPE.replace("epochs  <= 4", "epochs  <= 1")))
    output = tmp_path / "out"
    outcome, found = run_on("local", 1, lambda executor: run(job, output, executor, Quiet(), exact=True))
    assert outcome is not None
    assert [one.code for one in found] == ["M582"]
    about = "The source has `epochs <= 1`."
    shown("M582", found, about=about, command="mixc run pool.manifest.json -o out --exact", numbers=False)
    copies: Counter[tuple[str, str]] = Counter()
    rows = pool.rows_of(output)
    for source, name, count in zip(*(rows[key].to_pylist() for key in ("source", "id", "copies")), strict=True):
        copies[source, name] += count
    assert set(copies.values()) == {1}
    assert faults(job, output) == []
