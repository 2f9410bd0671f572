"""From texts to a verified selection with a real model, all by the command line, and stopped once on the way."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.nag.texts import KINDS

RECIPE = """recipe pool
budget { model = 10M params, tokens = 1M tokens, seed = 3 }
source crawl {
  path    = "data"
  columns = { id: "id", text: "text", language: "lang", tokens: "n" }
  domain  = web
  epochs  <= 4
}
target science { path = "targets/science.jsonl", model = "model", top_k = 20, tokens = 120 }
domain web { weights = { science: 1.0 } }
languages [en, fr] { priority = 1.0 }
"""
COPIES = 2  # of every text, with another ending: 36 documents


@pytest.fixture
def recipe(tmp_path: Path, smollm: Path) -> Path:
    """Science, stories and code in English, and French; a target of other texts of science."""
    pools = {"en": [*KINDS["science"][6:], *KINDS["stories"][:6], *KINDS["code"][:3]], "fr": KINDS["french"][:3]}
    rows = [
        {"id": f"{kind}-{copy}-{i:02d}", "text": f"{text} {copy}", "lang": kind, "n": 30_000}
        for copy in range(COPIES)
        for kind, texts in pools.items()
        for i, text in enumerate(texts)
    ]
    (tmp_path / "data").mkdir()
    half = len(rows) // 2
    pq.write_table(pa.Table.from_pylist(rows[:half]), tmp_path / "data" / "a.parquet")
    (tmp_path / "data" / "b.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[half:]))
    (tmp_path / "targets").mkdir()
    examples = "".join(json.dumps({"text": text}) + "\n" for text in KINDS["science"][:6])
    (tmp_path / "targets" / "science.jsonl").write_text(examples)
    (tmp_path / "model").symlink_to(smollm)
    path = tmp_path / "pool.mix"
    path.write_text(RECIPE)
    return path


def mixc(*words: str) -> str:
    """What a command prints that succeeds."""
    ran = subprocess.run([sys.executable, "-m", "mixc", *words], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_a_killed_score_goes_on_to_a_selection_that_prefers_the_target(recipe: Path, tmp_path: Path) -> None:
    score = ["score", str(recipe), "--workers", "1"]
    features = tmp_path / ".mixc" / "features"
    with subprocess.Popen([sys.executable, "-m", "mixc", *score], stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while len(list(features.glob("*/*.arrow"))) < 2 and time.monotonic() < deadline:  # examples, and one file
            assert process.poll() is None
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
    kept = {path: path.read_bytes() for path in features.glob("*/*.arrow")}
    assert len(kept) == 2
    said = mixc(*score)
    assert "model read 18 documents\n" in said
    assert all(path.read_bytes() == data for path, data in kept.items())
    mixc("scan", str(recipe), "--workers", "1")
    mixc("compile", str(recipe))
    manifest, output = str(recipe.with_suffix(".manifest.json")), tmp_path / "out"
    mixc("run", manifest, "-o", str(output), "--workers", "1")
    mixc("verify", manifest, str(output), "--recompute", "100%", "--workers", "1")
    tables = [pq.read_table(file) for file in (output / "selection").rglob("*.parquet")]
    taken = {name: n for t in tables for name, n in zip(t["id"].to_pylist(), t["copies"].to_pylist(), strict=True)}

    def mean(numbers: range) -> float:
        return (
            sum(taken.get(f"en-{copy}-{i:02d}", 0) for copy in range(COPIES) for i in numbers) / COPIES / len(numbers)
        )

    science, stories, code = mean(range(6)), mean(range(6, 12)), mean(range(12, 15))
    assert science > 2 * stories
    assert science > 2 * code
