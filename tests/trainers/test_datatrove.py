"""datatrove runs our pipeline: every document of the run as often as it is to be read."""

from __future__ import annotations

import pyarrow.parquet as pq

from tests.trainers.conftest import Pool
from tests.trainers.environments import ran


def test_datatrove_writes_every_document_with_its_copies(pool: Pool) -> None:
    folder = pool.export("datatrove", "--run", "selection")
    found = ran("torch", "load_datatrove.py", str(folder), cwd=pool.folder)

    rows = [
        row
        for file in sorted((pool.folder / "selection" / "texts").rglob("*.parquet"))
        for row in pq.ParquetFile(file).read(columns=["id", "text", "copies"]).to_pylist()
    ]
    assert {row["id"]: row["copies"] for row in rows} == {
        name: len(copies) for name, copies in found["written"].items()
    }
    assert sum(row["copies"] for row in rows) == sum(one["copies"] for one in pool.realised["selection"])
    assert max(row["copies"] for row in rows) > 2
    for row in rows:
        expected = [[f"copy-{copy}", copy, len(row["text"])] for copy in range(1, row["copies"] + 1)]
        assert found["written"][row["id"]] == expected
    assert found["same"]  # what is finished is not done again
    assert "holds another run" in found["tasks"]
    assert found["phase"] == "there is no phase cooldown: there are main"
