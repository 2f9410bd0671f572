"""A domain sampled by a temperature: every document once at most, better ones more often, as many tokens as planned."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mixc.compiler.laws.sampling import kappa_for_budget, temperature_copies
from tests.examples import shown

RECIPE = """recipe warm
budget { model = 10M params, tokens = 4M tokens }
source web { path = "data/*.parquet", domain = news, epochs <= 4 }
rater edu { column = "edu" }
domain news { weights = { edu: 1 }, sampling = { temperature: 0.5 } }
phase one { budget = 60% * budget.tokens }
phase two { after = one, budget = 40% * budget.tokens }
"""
ROWS = 20_000


def mixc(folder: Path, *arguments: str, code: int = 0) -> str:
    ran = subprocess.run([sys.executable, "-m", "mixc", *arguments], cwd=folder, capture_output=True, text=True)
    assert ran.returncode == code, ran.stderr
    return ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("warm")
    (folder / "data").mkdir()
    chance = np.random.default_rng(0)
    data = {
        "id": [f"d{i}" for i in range(ROWS)],
        "language": ["en"] * ROWS,
        "tokens": chance.integers(100, 700, ROWS),
        "edu": chance.normal(size=ROWS).astype(np.float32),
    }
    pq.write_table(pa.table(data), folder / "data" / "a.parquet")
    (folder / "warm.mix").write_text(RECIPE)
    mixc(folder, "compile", "warm.mix")
    mixc(folder, "run", "warm.manifest.json", "-o", "out", "--workers", "1")
    return folder


def test_it_is_one_cell_of_one_pass(folder: Path) -> None:
    manifest = json.loads((folder / "warm.manifest.json").read_text())
    (row,) = manifest["supply"]
    assert (row["once"], len(row["tokens"])) == (True, 1)


def test_documents_are_taken_once_and_by_their_score(folder: Path) -> None:
    (path,) = (folder / "out" / "selection" / "web").glob("*.parquet")
    taken, data = pq.read_table(path), pq.read_table(folder / "data" / "a.parquet")
    assert set(taken["copies"].to_pylist()) == {1}
    rows = taken["row"].to_numpy()
    assert len(np.unique(rows)) == len(rows), "the second phase takes other documents than the first"
    # Ranks are uniform, so their z-scores are: copies as QuRating's curve has them, to four standard deviations.
    rank = data["edu"].to_numpy().argsort().argsort() / ROWS
    z = (rank - 0.5) * np.sqrt(12)
    tokens = data["tokens"].to_numpy()
    expected = temperature_copies(kappa_for_budget(tokens, z, 0.5, 4e6), 0.5, z)
    for part in np.array_split(np.argsort(z), 10):
        count, mean = np.isin(part, rows).sum(), expected[part].sum()
        assert abs(count - mean) < 4 * np.sqrt(mean) + 5
    assert tokens[rows].sum() == pytest.approx(4e6, rel=0.03)


def test_it_is_verified_and_cannot_be_cut_exactly(folder: Path) -> None:
    assert "is the one that the manifest says" in mixc(
        folder, "verify", "warm.manifest.json", "out", "--recompute", "100%"
    )
    said = mixc(folder, "run", "warm.manifest.json", "-o", "exact", "--exact", code=1)
    assert "error[M579]: `--exact` cannot cut domain `news`, which is sampled by a temperature" in said
    about = "The recipe has `domain news { sampling = { temperature: … } }`."
    shown("M579", said, about=about, command="mixc run warm.manifest.json -o exact --exact")
