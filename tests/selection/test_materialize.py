"""Texts of a selection: the same bytes however they are made, in order, resumable, as many as were selected."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from texts_pool import bytes_of, compiled, documents, performed, recipe, rows_of, write

from mixc.backends.selection import gather, spill
from mixc.backends.selection.backend import Form, Outcome, Run, Texts, materialize, verify
from mixc.backends.selection.kernel import key_prefix
from mixc.backends.selection.layout import escaped, leading_bits
from mixc.backends.selection.materialize import WANTED
from mixc.backends.selection.run import run
from mixc.backends.selection.shard import SELECTION
from mixc.compiler.documents.data import Part
from mixc.compiler.executor import run_on
from mixc.compiler.keyed_hash import hash60
from mixc.compiler.progress import Quiet
from tests.examples import shown

SMALL = 40_000  # bytes of a shard, so that cells have several
SEED = 17


@pytest.fixture(scope="module")
def output(job: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    done(job, folder)
    return folder


def done(job: Run, output: Path, workers: int = 1, form: Form | None = None) -> tuple[Outcome, Texts]:
    made, found = performed(job, output, workers, form=form or Form(shard_bytes=SMALL))
    assert made is not None and made[1] is not None and not found, [one.message for one in found]
    return made[0], made[1]


def faults(job: Run, output: Path) -> list[str]:
    report, _ = run_on("local", 1, lambda executor: verify(job, output, 1.0, executor, Quiet()))
    assert report is not None
    return list(report.faults)


def test_texts_are_those_selected(job: Run, output: Path) -> None:
    texts = {row["id"]: row["text"] for row in documents().to_pylist()}
    selected: Counter[tuple[str, str, str, int]] = Counter()
    for path in (output / SELECTION).rglob("*.parquet"):
        for row in pq.read_table(path).to_pylist():
            selected[row["phase"], row["cell"], row["id"], row["tokens"]] += row["copies"]
    written: Counter[tuple[str, str, str, int]] = Counter()
    for name in bytes_of(output):
        _, phase, *cell, _ = name.split("/")
        for row in rows_of(output, name):
            assert list(row) == ["id", "text", "copies", "tokens"]
            assert row["text"] == texts[row["id"]]
            written[phase, "/".join(cell), row["id"], row["tokens"]] += row["copies"]
    assert written == selected
    assert faults(job, output) == []


def test_rows_are_in_order_of_the_shuffle_hash(output: Path) -> None:
    shards: dict[str, list[np.ndarray]] = {}
    for name in bytes_of(output):
        rows = rows_of(output, name)
        hashes = hash60(key_prefix(SEED, "shuffle", "crawl"), pa.array([row["id"] for row in rows], pa.string()))
        keys = list(zip(hashes.tolist(), (row["id"] for row in rows), strict=True))
        assert keys == sorted(keys)
        shards.setdefault(name.rpartition("/")[0], []).append(hashes)
    assert max(map(len, shards.values())) > 1
    for hashes in shards.values():
        bits = len(hashes).bit_length() - 1
        assert len(hashes) == 1 << bits
        for i, held in enumerate(hashes):
            assert set((held >> np.uint64(60 - bits)).tolist()) <= {i}


@pytest.mark.parametrize(("form", "cuts", "groups"), [("parquet", [100, 101, 7000], 64), ("jsonl", [4000], 0)])
def test_bytes_depend_on_neither_sharding_nor_workers(
    output: Path, tmp_path: Path, form: str, cuts: list[int], groups: int
) -> None:
    write(tmp_path, documents(), cuts, groups, form)
    other = compiled(tmp_path, recipe(form))
    done(other, tmp_path / "out", workers=2)
    assert bytes_of(tmp_path / "out") == bytes_of(output)


def test_bytes_do_not_depend_on_runs(job: Run, output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "RUN_BYTES", 1000)
    monkeypatch.setattr(spill, "ROWS", 37)
    done(job, tmp_path)
    assert bytes_of(tmp_path) == bytes_of(output)


def test_row_groups_hold_the_same_rows(job: Run, output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "GROUP_BYTES", 2000)
    done(job, tmp_path)
    assert max(pq.ParquetFile(tmp_path / name).num_row_groups for name in bytes_of(tmp_path)) > 3
    assert all(rows_of(tmp_path, name) == rows_of(output, name) for name in bytes_of(output))


def test_resume_writes_what_is_missing_alone(job: Run, output: Path, tmp_path: Path) -> None:
    shutil.copytree(output, tmp_path / "out")
    folder, whole = tmp_path / "out", bytes_of(output)
    names = list(whole)
    (folder / names[0]).unlink()
    (folder / f"{names[5]}.done.json").unlink()
    (folder / names[9]).write_bytes(b"cut off")
    _, texts = done(job, folder)
    assert texts.before == len(names) - 3
    assert bytes_of(folder) == whole
    assert not (folder / spill.SPILL).exists()
    assert done(job, folder)[1].before == len(names)


def test_resume_after_an_interruption(job: Run, output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(gather, "write_runs", _full_disk)
        made, found = performed(job, tmp_path, form=Form(shard_bytes=SMALL))
        assert made is not None and made[1] is None
        assert [one.code for one in found] == ["M573"]
    with monkeypatch.context() as broken:
        broken.setattr(spill, "read", _full_disk)  # spilled texts are not read again
        done(job, tmp_path)
    assert bytes_of(tmp_path) == bytes_of(output)


def test_spills_of_other_outputs_are_not_used(
    job: Run, output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that outlived its run, as behind a cut cable, may still write what that run wanted."""
    with monkeypatch.context() as broken:
        broken.setattr(gather, "write_runs", _full_disk)
        performed(job, tmp_path, form=Form(shard_bytes=SMALL))
    (state,) = (tmp_path / spill.SPILL).iterdir()
    late = tmp_path / spill.SPILL / "late"
    shutil.copytree(state, late)
    wanted = json.loads((state / WANTED).read_text())
    (late / WANTED).write_text(json.dumps(wanted | {"shards": wanted["shards"][1:]}))
    (state / WANTED).write_text("[")
    read: list[object] = []

    def noted(part: Part, *rest: Any, **options: Any) -> Any:
        read.append(part)
        return reading(part, *rest, **options)

    reading = spill.read
    monkeypatch.setattr(spill, "read", noted)
    done(job, tmp_path)
    assert read == []  # what was spilled for the same outputs still serves
    assert bytes_of(tmp_path) == bytes_of(output)
    assert not (tmp_path / spill.SPILL).exists()


def _full_disk(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def test_repeat_writes_copies_out(job: Run, output: Path, tmp_path: Path) -> None:
    _, texts = done(job, tmp_path, form=Form(repeat=True, shard_bytes=SMALL))
    several = 0
    for name in bytes_of(output):
        expected = []
        for row in rows_of(output, name):
            copies = row.pop("copies")
            several += copies > 1
            expected += [row] * copies
        assert rows_of(tmp_path, name) == expected
    assert several
    assert all(marker.output.rows == marker.documents for marker in texts.markers)
    assert done(job, tmp_path)[1].before == 0  # another form is written anew
    assert bytes_of(tmp_path) == bytes_of(output)


def test_ties_are_in_order_of_their_texts(tmp_path: Path) -> None:
    table = documents(4000)
    shared = pa.array([f"doc-{i % 2000}" for i in range(4000)])
    table = table.set_column(0, "id", shared)
    text = recipe(tokens="1M").replace("epochs  <= 4", "epochs  <= 9\n  ids = shared")
    for folder, rows, cuts in (("a", table, [1500]), ("b", table.take(pa.array(range(3999, -1, -1))), [10, 3000])):
        write(tmp_path / folder, rows, cuts, 300)
        done(compiled(tmp_path / folder, text), tmp_path / folder / "out")
    assert bytes_of(tmp_path / "a" / "out") == bytes_of(tmp_path / "b" / "out")


def test_a_source_without_texts_is_refused(tmp_path: Path) -> None:
    write(tmp_path, documents().drop_columns(["text"]), [], 500)
    job = compiled(tmp_path, recipe(text=False))
    made, found = performed(job, tmp_path / "out", form=Form())
    assert made is None
    assert [(one.code, one.message) for one in found] == [("M576", "source `crawl` has no column of texts")]
    about = "The documents have the columns `id`, `lang`, `n` and `edu`."
    shown("M576", found, about=about, command="mixc run pool.manifest.json -o out --materialize")
    assert not (tmp_path / "out").exists()


def test_verify_finds_changed_texts(job: Run, output: Path, tmp_path: Path) -> None:
    shutil.copytree(output, tmp_path / "out")
    folder, names = tmp_path / "out", list(bytes_of(output))
    data = (folder / names[3]).read_bytes()
    (folder / names[3]).write_bytes(data[:50] + bytes([data[50] ^ 1]) + data[51:])
    (folder / names[8]).unlink()
    (folder / names[4]).with_name("foreign.parquet").write_bytes(data)
    said = faults(job, folder)
    assert any(fault == f"{names[3]} was changed after it was written" for fault in said)
    assert any(fault == f"{names[8]} is missing" for fault in said)
    assert any("foreign.parquet was not written by this run" in fault for fault in said)


def test_verify_misses_texts_that_are_gone(job: Run, output: Path, tmp_path: Path) -> None:
    shutil.copytree(output, tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / "texts")
    report, _ = run_on("local", 1, lambda executor: verify(job, tmp_path / "out", 0.0, executor, Quiet()))
    assert report is not None
    assert "texts is missing" in report.faults


def test_a_selection_that_lost_rows_is_noticed(job: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    outcome, _ = run_on("local", 1, lambda executor: run(job, out, executor, Quiet()))
    assert outcome is not None
    path = next((out / SELECTION).rglob("*.parquet"))
    table = pq.read_table(path)
    pq.write_table(table.slice(0, table.num_rows - 10), path)
    form = Form(shard_bytes=SMALL)
    texts, found = run_on("local", 1, lambda executor: materialize(job, out, outcome, executor, Quiet(), form))
    assert texts is None
    assert [one.code for one in found] == ["M577"]
    about = "A file of the selection lost its last rows."
    shown("M577", found, about=about, command="mixc run pool.manifest.json -o out --materialize", at=tmp_path)


def test_names_make_folders() -> None:
    assert escaped("news") == "news"
    assert escaped("a/b c") == "a%2Fb%20c"
    assert escaped("..") == "%2E."
    assert escaped("") == "%"
    long = [escaped(letter * 300) for letter in "ab"]
    assert len(set(long)) == 2
    assert max(map(len, long)) <= 200


@pytest.mark.parametrize(("size", "bits"), [(0, 0), (100, 0), (101, 1), (200, 1), (202, 2), (100 << 30, 20)])
def test_shards_follow_from_planned_bytes(size: int, bits: int) -> None:
    assert leading_bits(size, 100) == bits
