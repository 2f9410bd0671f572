"""Verification: honest selections stand, whatever the seed; each kind of tampering is found and named."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mixc.backends.selection.backend import Run
from mixc.backends.selection.markers import SUFFIX
from mixc.backends.selection.outputs import content_hash
from mixc.compiler.cli.guard import guarded
from mixc.compiler.review.manifest import manifest_text
from tests.examples import shown
from tests.selection.honest import draws, sparse, with_seed
from tests.selection.pool import (
    bytes_below,
    compiled,
    documents,
    open_run,
    plain_pool,
    selected,
    told,
    verified,
    write_file,
)

FIRST = "selection/crawl/000001-00000.parquet"


@pytest.fixture(scope="module")
def scarce(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return sparse(tmp_path_factory.mktemp("sparse"))


def test_honest_draws_of_200_seeds_stand(scarce: Run) -> None:
    """The bound holds in every cell; the draws themselves have the mean and the spread that it assumes."""
    cells = draws(scarce, range(200))
    assert all(check.within for one in cells for check in one)
    assert len(cells[0]) > 50
    z = np.array([[check.z for check in one] for one in cells])
    many = np.mean([[check.documents for check in one] for one in cells], axis=0) >= 20
    assert many.sum() > 10
    assert np.abs(z[:, many].mean(axis=0)).max() < 5 / np.sqrt(len(z))
    assert np.std(z[:, many], axis=0) == pytest.approx(1.0, abs=0.3)
    assert np.abs(z).max() > 5  # a rule of five standard deviations would call this a fault


def test_five_of_them_run_and_verified_in_full(scarce: Run, tmp_path: Path) -> None:
    kept = scarce.path.read_text()
    for seed in range(5):
        scarce.path.write_text(manifest_text(with_seed(scarce.manifest, seed)))
        job = open_run(scarce.path)
        selected(job, tmp_path / str(seed))
        report, found = verified(job, tmp_path / str(seed))
        assert report is not None
        assert (report.faults, told(found)) == ((), [])
        assert report.recomputed == report.shards == 2
    scarce.path.write_text(kept)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, recipe, manifest, tables, and a selection in `out`."""
    folder = tmp_path_factory.mktemp("pristine")
    job = compiled(plain_pool(folder, shards=4))
    selected(job, folder / "out")
    return folder


@pytest.fixture
def folder(pristine: Path, tmp_path: Path) -> Path:
    shutil.copytree(pristine, tmp_path / "pool")
    return tmp_path / "pool"


def edit_marker(output: Path, change: Callable[[dict], None], name: str = FIRST) -> None:  # type: ignore[type-arg]
    path = output / (name + SUFFIX)
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data, sort_keys=True) + "\n")


def forge(output: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    """Another output, with a marker that vouches for its bytes and is otherwise as it was."""
    table = change(pq.read_table(output / FIRST))
    pq.write_table(table, output / FIRST)
    size, hashed = (output / FIRST).stat().st_size, content_hash(output / FIRST)
    edit_marker(output, lambda data: data["output"].update(size=size, hash=hashed, rows=table.num_rows))


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))


def no_row(table: pa.Table) -> pa.Table:
    return table.slice(0, table.num_rows - 1)


def another_id(table: pa.Table) -> pa.Table:
    ids = table["id"].to_pylist()
    return table.set_column(0, table.schema.field("id"), [[*ids[:-1], "doc-x"]])


def remove_shard(output: Path) -> None:
    (output / FIRST).unlink()
    (output / (FIRST + SUFFIX)).unlink()


def empty_shard(output: Path) -> None:
    """A shard that says it saw and took nothing."""
    forge(output, lambda table: table.slice(0, 0))
    edit_marker(output, lambda data: data.update(documents=0, tokens=0, sums=[]))


def fewer_tokens(data: dict) -> None:  # type: ignore[type-arg]
    data["sums"][0][-1] -= 1


TAMPERINGS: dict[str, tuple[Callable[[Path], None], str]] = {
    "an output byte": (lambda out: flip(out / FIRST, 100), f"{FIRST} was changed after it was written"),
    "a cut output": (
        lambda out: (out / FIRST).write_bytes((out / FIRST).read_bytes()[:-9]),
        f"{FIRST} was changed after it was written",
    ),
    "a missing output": (lambda out: (out / FIRST).unlink(), f"{FIRST} is missing"),
    "a missing shard": (remove_shard, f"{FIRST} is missing, or its marker cannot be read"),
    "a missing marker": (
        lambda out: (out / (FIRST + SUFFIX)).unlink(),
        f"{FIRST} is missing, or its marker cannot be read",
    ),
    "a broken marker": (
        lambda out: (out / (FIRST + SUFFIX)).write_text("{"),
        f"{FIRST} is missing, or its marker cannot be read",
    ),
    "a foreign shard": (
        lambda out: shutil.copy(out / FIRST, out / "selection" / "crawl" / "000099-00000.parquet"),
        "selection/crawl/000099-00000.parquet was not written by this run",
    ),
    "a shard in another's place": (
        lambda out: shutil.copy(out / (FIRST + SUFFIX), out / (FIRST.replace("000001", "000002") + SUFFIX)),
        "selection/crawl/000002-00000.parquet was selected by another manifest",
    ),
    "a shard of another manifest": (
        lambda out: edit_marker(out, lambda data: data.update(manifest="0" * 64)),
        f"{FIRST} was selected by another manifest",
    ),
    "a shard of another file": (
        lambda out: edit_marker(out, lambda data: data.update(identity="0" * 32)),
        f"{FIRST} was selected from another file than crawl/001.parquet",
    ),
    "a marker that saw less": (
        lambda out: edit_marker(out, lambda data: data.update(documents=data["documents"] - 1)),
        "of crawl/001.parquet, 5,999 documents were seen and 6,000 scanned",
    ),
    "a marker with other sums": (lambda out: edit_marker(out, fewer_tokens), f"{FIRST} holds "),
    "a marker with another digest": (
        lambda out: edit_marker(out, lambda data: data.update(digests=["0" * 32] * 2)),
        f"{FIRST}: its marker says other than its documents give",
    ),
    "a forged output without its last row": (lambda out: forge(out, no_row), f"{FIRST} holds "),
    "a forged output with another id": (
        lambda out: forge(out, another_id),
        f"{FIRST}: its documents are not those that are drawn",
    ),
    "a shard that saw nothing": (empty_shard, "of crawl/001.parquet, 0 documents were seen and 6,000 scanned"),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_tampering_is_found_and_mended_once_what_is_named_is_removed(folder: Path, what: str) -> None:
    output, (tamper, sentence) = folder / "out", TAMPERINGS[what]
    whole = bytes_below(output)
    tamper(output)
    job = open_run(folder / "pool.manifest.json")
    report, found = verified(job, output)
    assert report is not None
    assert [one.code for one in found] == ["M580"]
    assert any(fault.startswith(sentence) for fault in report.faults), report.faults
    if what == "a missing output":
        about = "A file of the selection was deleted."
        shown("M580", found, about=about, command="mixc verify pool.manifest.json out", at=folder)
    for fault in report.faults:
        name = fault.split()[0].rstrip(":,")
        if name.startswith("selection/"):
            for path in (output / name, output / (name + SUFFIX)):
                path.unlink(missing_ok=True)
    selected(job, output)
    assert told(verified(job, output)[1]) == []
    assert bytes_below(output) == whole


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = guarded([*arguments, "--workers", "1", "--diagnostics", "concise"])
    return code, capsys.readouterr().err


def verify_in(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    return said(capsys, "verify", str(folder / "pool.manifest.json"), str(folder / "out"), "--recompute", "100%")


def test_an_honest_selection_is_told_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = guarded(["verify", str(folder / "pool.manifest.json"), str(folder / "out"), "--format", "json"])
    report = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (report["shards"], report["recomputed"], report["faults"]) == (5, 1, [])
    assert all(cell["within"] for cell in report["cells"])


def test_an_edited_manifest_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "pool.manifest.json"
    path.write_text(path.read_text().replace('"seed": 17', '"seed": 18'))
    code, err = verify_in(folder, capsys)
    assert code == 1
    assert ": M456 " in err


def test_a_manifest_of_another_seed_is_another_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "pool.manifest.json"
    path.write_text(manifest_text(with_seed(open_run(path).manifest, 18)))
    code, err = verify_in(folder, capsys)
    assert code == 1
    assert ": M571 " in err


def test_tables_of_another_compilation_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = folder / "pool.tables.parquet"
    changed = pq.read_table(tables)
    values = changed["values"].to_pylist()
    values[-1][-1] += 1
    column = pa.array(values, pa.list_(pa.int64()))
    pq.write_table(changed.set_column(3, changed.schema.field("values"), column), tables)
    code, err = verify_in(folder, capsys)
    assert code == 1
    assert ": M475 " in err


@pytest.mark.parametrize("keep_time", [False, True])
def test_an_edited_input_is_refused(folder: Path, capsys: pytest.CaptureFixture[str], keep_time: bool) -> None:
    file = folder / "crawl" / "001.parquet"
    before = file.stat()
    table = documents().slice(6000, 6000)
    edu = table["edu"].to_numpy().copy()
    edu[5] = 5 - edu[5]
    write_file(file, table.set_column(4, "edu", pa.array(edu)))
    if keep_time:  # and so does the size, most likely; the cache of identities is a copy of another folder's
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    code, err = verify_in(folder, capsys)
    assert code == 1
    assert err == "crawl/001.parquet: M572 file `crawl/001.parquet` of source `crawl` is not what was scanned\n"


def test_a_folder_without_a_selection(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(folder / "out")
    code, err = verify_in(folder, capsys)
    assert code == 1
    assert ": M581 " in err
