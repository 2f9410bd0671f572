"""Hashes and parts of many files, found by workers: the same as here, and what they could not do is done here."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from mixc.backends.selection.backend import run
from mixc.compiler.documents.data import DataFile, Unreadable, Wanted
from mixc.compiler.documents.reading import identity, parts
from mixc.compiler.executor import Failure, failure_from
from mixc.compiler.progress import Quiet
from mixc.compiler.scan import spread
from mixc.compiler.scan.scan import scan
from mixc.compiler.scan.store import Store
from tests.selection.pool import compiled, loaded, plain_pool, told, write_file

FILES = 5
IDS = Wanted(id="id")


class Elsewhere:
    """An engine that cannot do some of its tasks."""

    name = "elsewhere"

    def __init__(self, *failing: int) -> None:
        self.failing, self.tasks, self.given = failing, list[int](), Counter[object]()

    def map(
        self, work: Callable[[Any], Any], tasks: Sequence[Any], done: Callable[[int, Any], None], **_: object
    ) -> None:
        self.tasks.append(len(tasks))
        self.given[getattr(work, "__name__", work)] += len(tasks)
        for index, task in enumerate(tasks):
            done(index, Failure(index, "its machine died", None, 3) if index in self.failing else _done(work, task))

    def close(self) -> None: ...


def _done(work: Callable[[Any], Any], task: Any) -> Any:
    try:
        return work(task)
    except Unreadable as error:
        return failure_from(0, error)


@pytest.fixture
def spread_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "LARGE", 0)
    monkeypatch.setattr(spread, "MANY", 1)


@pytest.fixture
def files(tmp_path: Path, spread_out: None) -> list[DataFile]:
    found = []
    for number in range(FILES):
        path = tmp_path / f"{number}.parquet"
        write_file(path, pa.table({"id": [f"{number}-{i}" for i in range(100)]}), group=10)
        found.append(DataFile("web", path.name, str(path), "parquet", path.stat().st_size, "1"))
    return found


@pytest.mark.parametrize("failing", [(), (0, 3), tuple(range(FILES))])
def test_hashes_by_workers_are_those_made_here(files: list[DataFile], tmp_path: Path, failing: tuple[int, ...]) -> None:
    store, engine = Store(tmp_path), Elsewhere(*failing)
    pairs = [(file, IDS) for file in files]
    spread.learn(store, pairs, engine)
    assert [store.knows(*pair) for pair in pairs] == [i not in failing for i in range(FILES)]
    assert [store.identity(*pair) for pair in pairs] == [identity(*pair) for pair in pairs]
    spread.learn(store, pairs, engine)
    assert engine.tasks == [FILES]  # all are known now


@pytest.mark.parametrize("failing", [(), (0, 3)])
def test_parts_by_workers_are_those_found_here(files: list[DataFile], failing: tuple[int, ...]) -> None:
    engine = Elsewhere(*failing)
    assert spread.parts_of(files, engine) == [parts(file) for file in files]
    assert engine.tasks == [FILES]


def test_a_damaged_file_is_told_as_ever(files: list[DataFile]) -> None:
    Path(files[2].path).write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(Unreadable) as alone:
        parts(files[2])
    with pytest.raises(Unreadable) as spread_out:
        spread.parts_of(files, Elsewhere())
    assert spread_out.value.diagnostic == alone.value.diagnostic


def test_few_files_are_looked_at_here(files: list[DataFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "LARGE", 64_000_000)
    monkeypatch.setattr(spread, "MANY", 64)
    engine = Elsewhere()
    spread.learn(Store(tmp_path), [(file, IDS) for file in files], engine)
    assert spread.parts_of(files, engine) == [parts(file) for file in files]
    assert engine.tasks == []


def test_a_scan_lets_workers_hash_and_divide_files(tmp_path: Path, spread_out: None) -> None:
    engine = Elsewhere()
    catalog, found = scan(loaded(plain_pool(tmp_path)), engine)
    assert catalog is not None, told(found)
    assert engine.given["_identity"] == len(catalog.files) == 4
    assert engine.given["parts"] == 3 * 4  # for scores, ids, levels


def test_so_does_a_run_where_nothing_was_scanned(tmp_path: Path, spread_out: None) -> None:
    job, engine = compiled(plain_pool(tmp_path)), Elsewhere()
    shutil.rmtree(tmp_path / ".mixc")
    outcome, found = run(job, tmp_path / "out", engine, Quiet())
    assert outcome is not None, told(found)
    assert (engine.given["_identity"], engine.given["parts"]) == (4, 4)
