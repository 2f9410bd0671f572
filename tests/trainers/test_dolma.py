"""dolma's mixer writes every document of the run as often as it is to be read."""

from __future__ import annotations

import sys

import pyarrow.parquet as pq

from tests.trainers.conftest import Pool
from tests.trainers.environments import ran


def test_dolma_writes_every_document_with_its_copies(pool: Pool) -> None:
    # a place below a folder named as dolma's own is found all the same
    pattern = "corpus/documents/{phase}/{source}/{language}/{domain}"
    folder = pool.export("dolma", "--run", "selection", "--data", pattern)
    found = ran("dolma", "load_dolma.py", str(folder), sys.executable, cwd=pool.folder)

    rows = [
        row
        for file in sorted((pool.folder / "selection" / "texts").rglob("*.parquet"))
        for row in pq.ParquetFile(file).read(columns=["id", "text", "copies"]).to_pylist()
    ]
    assert {row["id"]: row["copies"] for row in rows} == {name: len(copies) for name, copies in found.items()}
    assert sum(row["copies"] for row in rows) == sum(one["copies"] for one in pool.realised["selection"])
    assert max(row["copies"] for row in rows) > 2
    for row in rows:
        copies = [["main", f"copy-{copy}", True, len(row["text"])] for copy in range(1, row["copies"] + 1)]
        assert found[row["id"]] == copies
