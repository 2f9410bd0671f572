"""axolotl takes our configuration, at night: its schema, and every row of the run."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow.parquet as pq

from tests.corpus.present import corpus
from tests.trainers.conftest import Pool
from tests.trainers.environments import ran
from tests.trainers.nightly import nightly


@nightly
def test_axolotl_reads_what_was_selected(pool: Pool, smollm: Path) -> None:
    copies = {
        row["id"]: row["copies"]
        for path in (pool.folder / "selection").glob("texts/**/*.parquet")
        for row in pq.read_table(path, columns=["id", "copies"]).to_pylist()
    }
    said = pool.mixc("export", "docs.manifest.json", "--to", "axolotl", "-o", "early", "--run", "selection", code=1)
    assert "M803" in said
    root = ("--param", f"root={os.path.relpath(corpus(), pool.folder)}")
    pool.mixc("run", "docs.manifest.json", "-o", "repeated", "--materialize", "--repeat", *root)
    export = pool.export("axolotl", "--run", "repeated")
    found = ran("axolotl", "load_axolotl.py", str(export / "main.yaml"), str(smollm), cwd=pool.folder)
    assert all(found["kept"].values())
    assert found["ids"] == copies
    assert sum(found["rows"]) == sum(row["copies"] for row in pool.realised["selection"])
    assert found["longest"] == 256
    assert found["apart"] < 10  # merged and shuffled as a whole
