"""What killed scans and killed workers leave is removed by the next scan, unless somebody is still at work."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mixc.compiler.executor import Executor, run_on
from mixc.compiler.scan import leftovers
from mixc.compiler.scan.scan import scan
from mixc.compiler.scan.store import Store, read_numbers
from tests.selection.pool import documents, loaded, plain_pool, scanned, write_file

SHARDS = 30
TRIES = 20
HOLDER = """
import sys
from pathlib import Path
from mixc.compiler.scan.store import Store
store = Store(Path(sys.argv[1]))
folder = store.folder_of("spills")
(folder / "1234.ids").write_bytes(b"half")
print("held", flush=True)
sys.stdin.read()
store.save()
"""


def there(recipe: Path) -> set[str]:
    return {path.name for path in recipe.with_name(".mixc").joinpath("spills").glob("*.ids")}


def named(recipe: Path) -> set[str]:
    tables = recipe.with_name(".mixc").joinpath("ids").glob("*.parquet")
    return {name for path in tables for name in pq.read_table(path)["spill"].to_pylist()}


def temporaries(recipe: Path) -> list[Path]:
    return sorted(recipe.with_name(".mixc").rglob(".*.tmp"))


def marks(recipe: Path) -> list[Path]:
    return sorted(recipe.with_name(".mixc").joinpath("open").iterdir())


def assert_tidy(recipe: Path) -> None:
    assert there(recipe) == named(recipe)
    assert temporaries(recipe) == []
    assert marks(recipe) == []


def killed(recipe: Path, when: Callable[[], bool]) -> None:
    """`mixc scan` with two workers, killed as soon as something is so."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mixc", "scan", str(recipe), "--workers", "2"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not when() and process.poll() is None:
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_killed_scan_leaves_nothing_to_the_next_but_one(tmp_path: Path) -> None:
    path = plain_pool(tmp_path, shards=SHARDS)
    for tried in range(TRIES):
        before = there(path)
        killed(path, lambda before=before: len(there(path) - before) > 2)  # type: ignore[misc]
        if there(path) - named(path):
            break
        for file in (tmp_path / "crawl").iterdir():  # other documents, so that they are read again
            write_file(file, documents(800, seed=100 * tried + int(file.stem), prefix=f"{tried}-{file.stem}-"))
    assert there(path) - named(path)
    assert len(marks(path)) >= 1
    scanned(path)
    assert_tidy(path)
    scanned(path)
    assert_tidy(path)


def test_a_killed_worker_leaves_nothing_to_the_next_scan(tmp_path: Path) -> None:
    path = plain_pool(tmp_path, shards=SHARDS)

    class Killing:
        """An engine that loses what a worker wrote, as when it dies after that, and has it done again."""

        name = "killing"

        def map(self, work, tasks, done) -> None:  # type: ignore[no-untyped-def]
            for index, task in enumerate(tasks):
                work(task)
                done(index, work(task))

        def close(self) -> None: ...

    catalog, found = scan(loaded(path), Killing())
    assert catalog is not None and not found
    assert len(there(path)) == 2 * len(named(path))
    assert len(marks(path)) == 1
    scanned(path)
    assert_tidy(path)


def test_what_a_live_scan_writes_is_left_alone(tmp_path: Path) -> None:
    path = plain_pool(tmp_path)
    store = tmp_path / ".mixc"
    (store / "open").mkdir(parents=True)
    (store / "open" / "of-a-killed-one").touch()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as live:
        assert live.stdout is not None
        assert live.stdout.readline() == "held\n"
        assert not (store / "open" / "of-a-killed-one").exists()  # it looked, and nobody was at work
        killed_one = store / "open" / "of-another-killed-one"
        killed_one.touch()
        temporary = store / "profiles" / ".x.parquet.0.tmp"
        temporary.parent.mkdir()
        temporary.touch()
        scanned(path)
        assert "1234.ids" in there(path)
        assert temporary.exists() and killed_one.exists()
    scanned(path)
    assert_tidy(path)


@pytest.mark.parametrize("damage", [b"", b"PAR1"])
def test_spills_of_a_kept_table_that_cannot_be_read(tmp_path: Path, damage: bytes) -> None:
    path = plain_pool(tmp_path)
    scanned(path)
    table = next((tmp_path / ".mixc" / "ids").iterdir())
    table.write_bytes(damage)
    (tmp_path / ".mixc" / "open" / "of-a-killed-one").touch()
    scanned(path)
    assert_tidy(path)


def test_spills_stay_where_the_system_does_not_let_their_table_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = plain_pool(tmp_path)
    scanned(path)
    before = there(path)
    (tmp_path / ".mixc" / "open" / "of-a-killed-one").touch()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as patched, pytest.raises(OSError, match="open files"):
        patched.setattr("mixc.compiler.scan.leftovers.pq.read_table", refuse)
        leftovers.begin(tmp_path / ".mixc")
    assert there(path) == before != set()
    scanned(path)
    assert_tidy(path)


def test_a_scan_that_cannot_leave_a_mark_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(OSError, match="No space"):
        Store(tmp_path).folder_of("spills")
    assert not (tmp_path / ".mixc" / "spills").exists()


def test_a_spill_whose_table_was_not_kept_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    store = Store(tmp_path)
    (store.folder_of("spills") / "1234.ids").touch()
    with monkeypatch.context() as patched, pytest.raises(OSError, match="Input/output"):
        patched.setattr("mixc.compiler.scan.store.write_numbers", refuse)
        store.keep("ids", "some", pa.table({"spill": ["1234.ids"]}))
    store.save()
    assert list((tmp_path / ".mixc" / "open").iterdir())
    again = Store(tmp_path)
    again.folder_of("spills")
    again.save()
    assert not list((tmp_path / ".mixc" / "spills").iterdir()) and not list((tmp_path / ".mixc" / "open").iterdir())


@pytest.mark.parametrize("damage", [b"", b"PAR1", bytes(500)])
def test_a_table_for_workers_that_lost_its_bytes_is_written_again(tmp_path: Path, damage: bytes) -> None:
    table = pa.table({"level": [1, 2, 3]})
    path = Store(tmp_path).path_of("normalisers", "some", table)
    path.write_bytes(damage)
    assert read_numbers(Store(tmp_path).path_of("normalisers", "some", table)) == table


def test_failed_scans_leave_nothing(tmp_path: Path) -> None:
    path = plain_pool(tmp_path, shards=6)
    broken = tmp_path / "crawl" / "005.parquet"
    data = broken.read_bytes()
    middle = len(data) // 3
    broken.write_bytes(data[:middle] + bytes(64) + data[middle + 64 :])

    def once(executor: Executor) -> tuple[object, list[object]]:
        return scan(loaded(path), executor)  # type: ignore[return-value]

    catalog, found = run_on("local", 1, once)  # type: ignore[arg-type]
    assert catalog is None and found
    broken.write_bytes(data)
    scanned(path)
    assert_tidy(path)


def test_where_nothing_can_be_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", refuse)
    path = plain_pool(tmp_path)
    (tmp_path / ".mixc" / "open").mkdir(parents=True)
    (tmp_path / ".mixc" / "open" / "of-a-killed-one").touch()
    scanned(path)
    store = Store(tmp_path)
    store.folder_of("spills")
    store.save()
    assert [path.name for path in marks(path)] == ["of-a-killed-one"]
