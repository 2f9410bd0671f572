"""Data-Juicer draws as many samples of every place as decided; nightly, for it takes torch and Ray along."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mixc.compiler.review.reading import read_manifest
from tests.corpus.present import corpus
from tests.trainers.conftest import Pool
from tests.trainers.environments import ran


@pytest.mark.skipif(os.environ.get("MIXC_NIGHTLY") != "1", reason="nightly: `make test-trainers-nightly`")
def test_data_juicer_draws_what_was_decided(pool: Pool) -> None:
    root = f"root={Path(corpus()).resolve()}"
    pool.mixc("run", "docs.manifest.json", "-o", "texts", "--materialize", "--repeat", "--param", root)
    real = pool.export("data-juicer", "--run", "texts")
    manifest, _ = read_manifest(str(pool.folder / "docs.manifest.json"))
    assert manifest is not None
    cells = {
        f"own/{row.source}/{row.language}/{row.domain}/{bucket}": (tokens, row.supply_by_bucket[bucket])
        for row in manifest.mixture
        for bucket, tokens in enumerate(row.tokens_by_bucket)
        if tokens
    }
    made = {path: max(1, supply // 300) for path, (_, supply) in cells.items()}
    counts = {path: {"documents": made[path], "tokens": supply} for path, (_, supply) in cells.items()}
    (pool.folder / "counts.json").write_text(json.dumps({"places": counts}))
    own = ["--data", "own/{source}/{language}/{domain}/{bucket}", "--counts", "counts.json"]
    pool.mixc("export", "docs.manifest.json", "--to", "data-juicer", "-o", "own-export", *own)
    configs = {"real": f"{real}/main.yaml", "own": "own-export/main.yaml"}
    (pool.folder / "asked.json").write_text(json.dumps({"made": made, "configs": configs}))
    found = ran("data-juicer", "load_data_juicer.py", "asked.json", cwd=pool.folder)

    rows = Counter(
        name
        for file in sorted((pool.folder / "texts" / "texts").rglob("*.parquet"))
        for name in pq.ParquetFile(file).read(columns=["id"])["id"].to_pylist()
    )
    assert found["real"] == rows
    assert sum(found["real"].values()) == sum(one["copies"] for one in pool.realised["selection"])
    for path, (tokens, supply) in cells.items():
        times = [found["own"].get(f"{path}#{i}", 0) for i in range(made[path])]
        assert sum(times) == made[path] * tokens // supply  # exact
        assert max(times) - min(times) <= 1
