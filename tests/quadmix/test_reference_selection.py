"""The benchmark's metadata: what its figures rest on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.bench.reference_selection import DOMAINS, LANGUAGES, metadata, write_metadata

SCORES = ("score0", "score1", "score2")


def test_metadata_has_the_stated_shape(tmp_path: Path) -> None:
    paths = write_metadata(tmp_path / "pool", 70_000, seed=1, chunk=30_000)
    assert [pq.read_metadata(path).num_rows for path in paths] == [30_000, 30_000, 10_000]
    table = pa.concat_tables(pq.read_table(path) for path in paths).unify_dictionaries().combine_chunks()
    assert table["id"].to_pylist() == [str(i) for i in range(70_000)]
    assert all(table.schema.field(name).type == pa.float32() for name in SCORES)
    for name, kinds in (("domain", DOMAINS), ("language", LANGUAGES)):
        sizes = np.sort(np.unique(table[name].to_numpy().astype(str), return_counts=True)[1])
        assert len(sizes) == kinds and sizes[-1] > 3 * sizes[0]
    scores = np.stack([table[name].to_numpy() for name in SCORES])
    assert np.isfinite(scores).all() and table["tokens"].to_numpy().min() >= 1
    ranked = scores.argsort(axis=1).argsort(axis=1)
    assert np.corrcoef(ranked).min() > 0.15


def test_metadata_follows_from_the_seed() -> None:
    def columns(seed: int) -> pa.Table:
        return pa.concat_tables(metadata(500, seed, chunk=200))

    assert columns(1).equals(columns(1))
    assert not columns(1).equals(columns(2))
