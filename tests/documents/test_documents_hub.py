"""`hf://`, by the hub's own driver against a hub on this machine."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from documents_builder import batches, rows_of, source
from documents_hub import COMMIT, serving

from mixc.compiler.documents.reading import Wanted, columns_of, find_files, identity

fsspec = pytest.importorskip("fsspec")
hub = pytest.importorskip("huggingface_hub", reason="pip install 'mixc[remote]'")
IDS = Wanted("id")
TEXT = np.random.default_rng(0).bytes(1_000_000).hex()


def parquet() -> bytes:
    """A file whose texts are much larger than the rest."""
    sink = io.BytesIO()
    table = pa.table({"id": ["a", "b"], "text": [TEXT[:1_000_000], TEXT[1_000_000:]]})
    pq.write_table(table, sink, row_group_size=1, compression="none")
    return sink.getvalue()


FILES = {
    "README.md": b"# pool",
    "data/en/1.parquet": parquet(),
    "data/en/2 of 2.jsonl": b'{"id": "c"}\n',
    "data/de/1.jsonl": b'{"id": "d"}\n{"id": "e"}\n',
}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, int]]]:
    with serving(FILES) as (address, ranges):
        monkeypatch.setitem(fsspec.config.conf, "hf", {"endpoint": address, "token": False})
        hub.HfFileSystem.clear_instance_cache()
        yield ranges
        hub.HfFileSystem.clear_instance_cache()


@pytest.mark.parametrize(
    ("path", "ids"),
    [
        ("hf://datasets/maker/pool", ["d", "e", "a", "b", "c"]),
        ("hf://datasets/maker/pool/data/en", ["a", "b", "c"]),
        ("hf://datasets/maker/pool/data/*/*.jsonl", ["d", "e", "c"]),
        ("hf://datasets/maker/pool/data/**/1.parquet", ["a", "b"]),
        ("hf://datasets/maker/pool/data/de/1.jsonl", ["d", "e"]),
        (f"hf://datasets/maker/pool@{COMMIT}/data/de", ["d", "e"]),
    ],
)
def test_reading_a_hub(read: list[tuple[str, int]], path: str, ids: list[str], tmp_path: Path) -> None:
    files, found = find_files(source(path), tmp_path)
    assert found == []
    assert [row[0] for file in files for row in rows_of(batches(file, IDS))] == ids
    assert all(file.stamp and file.size == len(FILES["data/" + file.name.partition("/data/")[2]]) for file in files)


def test_columns_that_nobody_wants_are_not_fetched(read: list[tuple[str, int]], tmp_path: Path) -> None:
    (file,), _ = find_files(source("hf://datasets/maker/pool/data/en/1.parquet"), tmp_path)
    assert columns_of(file) == ("id", "text")
    assert [row[0] for row in rows_of(batches(file, IDS))] == ["a", "b"]
    assert sum(size for _, size in read) < len(TEXT) // 4


def test_a_file_of_a_hub_has_the_identity_of_its_content(read: list[tuple[str, int]], tmp_path: Path) -> None:
    for name in ("data/en/1.parquet", "data/de/1.jsonl"):
        place = tmp_path / Path(name).name
        place.write_bytes(FILES[name])
        (there,), _ = find_files(source(f"hf://datasets/maker/pool/{name}"), tmp_path)
        (here,), _ = find_files(source(place.name), tmp_path)
        assert identity(there, IDS) == identity(here, IDS)


@pytest.mark.parametrize("path", ["hf://datasets/maker/pool/data/fr", "hf://datasets/maker/nosuch/data"])
def test_what_is_not_there(read: list[tuple[str, int]], path: str, tmp_path: Path) -> None:
    files, found = find_files(source(path), tmp_path)
    assert files == ()
    assert [one.code for one in found] == ["M500"]
