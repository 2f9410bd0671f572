"""Object stores, by fsspec's in-memory one and an address nobody answers at."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from documents_builder import batches, complaint, rows_of, source

from mixc.compiler.documents import objects
from mixc.compiler.documents.reading import DataFile, Wanted, columns_of, find_files, identity
from mixc.dsl.render import render
from tests.examples import shown

fsspec = pytest.importorskip("fsspec")
IDS = Wanted("id")


@pytest.fixture
def memory() -> Iterator[Any]:
    system = fsspec.filesystem("memory")
    table = pa.table({"id": ["a", "b", "c"], "text": ["x"] * 3})
    with system.open("/crawl/1.parquet", "wb") as file:
        pq.write_table(table, file, row_group_size=2)
    system.pipe("/crawl/2.jsonl", b'{"id": "d"}\n')
    with system.open("/crawl/3.arrow", "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    system.pipe("/crawl/_SUCCESS", b"")
    yield system
    system.rm("/crawl", recursive=True)


@pytest.mark.parametrize("path", ["memory://crawl", "memory://crawl/*", "memory://crawl/**"])
def test_reading_an_object_store(memory: Any, path: str, tmp_path: Path) -> None:
    files, found = find_files(source(path), tmp_path)
    assert found == []
    assert [file.name for file in files] == [f"memory://crawl/{name}" for name in ("1.parquet", "2.jsonl", "3.arrow")]
    ids = [[row[0] for row in rows_of(batches(file, IDS))] for file in files]
    assert ids == [["a", "b", "c"], ["d"], ["a", "b", "c"]]
    assert [columns_of(file) for file in files] == [("id", "text"), ("id",), ("id", "text")]
    assert all(file.stamp and file.size for file in files)


def test_an_object_has_the_identity_of_its_content(memory: Any, tmp_path: Path) -> None:
    for name in ("1.parquet", "2.jsonl", "3.arrow"):
        (tmp_path / name).write_bytes(memory.cat_file(f"/crawl/{name}"))
        (there,), _ = find_files(source(f"memory://crawl/{name}"), tmp_path)
        (here,), _ = find_files(source(name), tmp_path)
        assert identity(there, IDS) == identity(here, IDS)


def test_an_object_that_is_gone(memory: Any, tmp_path: Path) -> None:
    (file,), _ = find_files(source("memory://crawl/2.jsonl"), tmp_path)
    memory.rm("/crawl/2.jsonl")
    assert complaint(file, IDS).startswith(
        "error[M502]: `memory://crawl/2.jsonl` cannot be read: it is not there (any more)\n"
    )
    _, found = find_files(source("memory://crawl/2.jsonl"), tmp_path)
    assert [d.code for d in found] == ["M500"]


def test_reading_s3(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server_module = pytest.importorskip("moto.server")
    s3fs = pytest.importorskip("s3fs")
    server = server_module.ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        s3fs.S3FileSystem.clear_instance_cache()
        system = s3fs.S3FileSystem()
        system.mkdir("pool")
        with system.open("pool/a/1.parquet", "wb") as file:
            pq.write_table(pa.table({"id": ["a", "b"]}), file)
        system.pipe("pool/a/2.jsonl", b'{"id": "c"}\n')
        for path in ("s3://pool/a", "s3://pool/*/*"):
            files, found = find_files(source(path), tmp_path)
            assert found == [] and all(file.stamp for file in files)
            assert [row[0] for file in files for row in rows_of(batches(file, IDS))] == ["a", "b", "c"]
        _, found = find_files(source("s3://nosuch/a"), tmp_path)
        assert [d.code for d in found] == ["M500"]
    finally:
        s3fs.S3FileSystem.clear_instance_cache()
        server.stop()


def test_a_store_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(objects, "PATIENCE", 1.0)
    pytest.importorskip("s3fs").S3FileSystem.clear_instance_cache()
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    _, found = find_files(source("s3://bucket/*.parquet"), tmp_path)
    report = render(found, "full")
    assert report.startswith("error[M503]: `s3://bucket/*.parquet` cannot be reached\n")
    assert "= note: the store says: " in report and "127.0.0.1:9" in report
    assert "= help: check the address, the network and the credentials of this shell\n" in report
    about = 'The source of the recipe has `path = "s3://bucket/*.parquet"`; nothing listens at its address.'
    shown("M503", report, about=about, command="mixc scan recipe.mix")


def test_a_store_that_breaks_while_it_is_read(memory: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(objects, "PATIENCE", 1.0)
    files, _ = find_files(source("memory://crawl"), tmp_path)

    class Broken:
        closed = False

        def __getattr__(self, name: str) -> Any:
            raise ConnectionResetError(104, "connection reset by peer")

    monkeypatch.setattr(type(memory), "open", lambda *_, **__: Broken())
    for file in files:
        assert "error[M503]" in complaint(file, IDS)


def test_without_the_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    expected = (
        "error[M504]: `gs://b/a.jsonl` cannot be opened: nothing is installed for `gs://`\n"
        " --> gs://b/a.jsonl\n"
        '  = help: `pip install "mixc[remote]"`\n'
    )
    _, found = find_files(source("gs://b/a.jsonl"), tmp_path)
    assert render(found, "full") == expected
    about = 'The source of the recipe has `path = "gs://b/a.jsonl"`.'
    shown("M504", found, about=about, command="mixc scan recipe.mix")
    assert complaint(DataFile("web", "gs://b/a.jsonl", "gs://b/a.jsonl", "jsonl", 1, ""), IDS) == expected
    monkeypatch.undo()
    _, found = find_files(source("nosuch://b/a.jsonl"), tmp_path)
    assert [d.code for d in found] == ["M504"]
