"""Small pools of documents without texts, made from a seed: written in any form, scanned, compiled, run, verified.

`crawl` is rated, with one coarse rater (integers 0 .. 5) and one fine one (whole numbers below 2,048, which scanning
does not round); `library` is a source of its own that nobody rates.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mixc.backends.selection.backend import Outcome, Report, Run, run, verify
from mixc.compiler.cli.compile import artefacts
from mixc.compiler.cli.run import opened
from mixc.compiler.executor import run_on
from mixc.compiler.front.passes import load_recipe
from mixc.compiler.pipeline import COMPILE, Artefacts, run_passes
from mixc.compiler.progress import Quiet
from mixc.compiler.recipe import Recipe
from mixc.compiler.scan.catalog import Catalog
from mixc.compiler.scan.scan import scan
from mixc.dsl.diagnostics import Diagnostic, has_errors

SEED = 17
HEAD = """recipe pool
source crawl {
  path    = "crawl"
  columns = { id: "id", language: "lang", domain: "domain", tokens: "n" }
  epochs  <= 4
}
"""
BOOKS = """source library {
  path    = "library"
  domain  = books
  columns = { id: "id", language: "lang", tokens: "n" }
  epochs  <= 4
}
"""
RATERS = """rater edu  { column = "edu", range = 0 .. 5 }
rater fine { column = "fine", better = lower }
"""
DOMAINS = """domain news   { weights = { edu: 1.0 } }
domain forums { weights = { edu: 0.35, fine: 0.65 } }
"""
LANGUAGES = "languages [en, de] { priority = 1.0 }\n"
BUDGET = f"budget {{ model = 1M params, tokens = 9M tokens, seed = {SEED} }}\n"
PHASES = "phase a { budget = 60% * budget.tokens }\nphase b { after = a, budget = 40% * budget.tokens }\n"
RECIPE = HEAD + BOOKS + RATERS + DOMAINS + LANGUAGES + BUDGET + PHASES


def documents(count: int = 24_000, seed: int = 3, prefix: str = "") -> pa.Table:
    """Documents of `crawl`."""
    random = np.random.default_rng(seed)
    return pa.table(
        {
            "id": [f"{prefix}doc-{i}" for i in range(count)],
            "lang": random.choice(["en", "de"], count, p=[0.8, 0.2]),
            "domain": random.choice(["news", "forums"], count, p=[0.6, 0.4]),
            "n": random.integers(20, 900, count),
            "edu": random.choice(np.arange(6), count, p=[0.1, 0.3, 0.3, 0.15, 0.1, 0.05]).astype(np.float32),
            "fine": random.integers(0, 2048, count).astype(np.float32),
        }
    )


def unrated(count: int = 4_000, seed: int = 4) -> pa.Table:
    """Documents of `library`."""
    random = np.random.default_rng(seed)
    return pa.table(
        {
            "id": [f"book-{i}" for i in range(count)],
            "lang": random.choice(["en", "de"], count, p=[0.8, 0.2]),
            "n": random.integers(20, 900, count),
        }
    )


def write(
    folder: Path, table: pa.Table, shards: int = 3, form: str = "parquet", group: int = 2500, names: Sequence[str] = ()
) -> None:
    """The documents in so many files of a form: `parquet`, `jsonl`, `jsonl.gz` or `jsonl.zst`."""
    folder.mkdir(parents=True, exist_ok=True)
    edges = np.linspace(0, table.num_rows, shards + 1).astype(int).tolist()
    for i, (low, high) in enumerate(pairwise(edges)):
        name = names[i] if names else f"{i:03d}"
        write_file(folder / f"{name}.{form}", table.slice(low, high - low), group)


def write_file(path: Path, table: pa.Table, group: int = 2500) -> None:
    """One file, in the form that its name says."""
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=group)
        return
    data = "".join(json.dumps(row) + "\n" for row in table.to_pylist()).encode()
    if path.suffix == ".gz":
        data = gzip.compress(data, 1)
    elif path.suffix == ".zst":
        data = pa.compress(data, "zstd", asbytes=True)
    path.write_bytes(data)


def plain_pool(folder: Path, text: str = RECIPE, texts: bool = False, **form: Any) -> Path:
    """The pool, if asked for with texts, and a recipe for it in a folder; the recipe's path."""
    made = with_texts if texts else lambda table: table
    write(folder / "crawl", made(documents()), **form)
    if "source library" in text:
        write(folder / "library", made(unrated()), shards=1)
    return recipe(folder, text)


def with_texts(table: pa.Table) -> pa.Table:
    """The documents with texts, a byte or so per token."""
    rows = zip(table["id"].to_pylist(), table["n"].to_pylist(), strict=True)
    return table.append_column("text", pa.array([f"{name} " * (n // 10) for name, n in rows]))


def recipe(folder: Path, text: str = RECIPE) -> Path:
    """A recipe in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pool.mix"
    path.write_text(text)
    return path


def loaded(path: Path) -> Recipe:
    """A recipe, checked."""
    found, problems = load_recipe(path)
    assert found is not None, told(problems)
    return found


def scanned(path: Path, workers: int = 1, refit: bool = False) -> tuple[Catalog, list[Diagnostic]]:
    """The catalog of a recipe's documents, and what was said of them."""
    read = loaded(path)
    catalog, found = run_on("local", workers, lambda executor: scan(read, executor, refit=refit))
    assert catalog is not None, told(found)
    return catalog, found


def compiled(path: Path) -> Run:
    """A recipe compiled in its folder, ready to run."""
    made, found = run_passes(COMPILE, Artefacts(path))
    assert not has_errors(found), told(found)
    manifest = path.parent / "pool.manifest.json"
    for name, data in artefacts(made, manifest).items():
        name.write_bytes(data)
    return open_run(manifest)


def open_run(manifest: Path) -> Run:
    """A manifest, ready to run."""
    job, found = opened(manifest)
    assert job is not None, told(found)
    return job


def selected(job: Run, output: Path, workers: int = 1) -> Outcome:
    """What a run selects."""
    outcome, found = run_on("local", workers, lambda executor: run(job, output, executor, Quiet()))
    assert outcome is not None, told(found)
    return outcome


def verified(job: Run, output: Path, share: float = 1.0) -> tuple[Report | None, list[Diagnostic]]:
    """What verification says."""
    return run_on("local", 1, lambda executor: verify(job, output, share, executor, Quiet()))


def digests(job: Run, outcome: Outcome) -> dict[tuple[str, str], str]:
    """The selection digest by phase and source."""
    sources = sorted({row.source for row in job.manifest.supply})
    phases = [phase.name for phase in job.manifest.phases]
    return {(name, source): outcome.digest(p, source) for p, name in enumerate(phases) for source in sources}


def told(found: list[Diagnostic]) -> list[str]:
    """What diagnostics say, in short."""
    return [f"{one.code}: {one.message}" for one in found]


def rows_of(output: Path) -> pa.Table:
    """The whole selection, sorted by source, phase and id."""
    tables = [
        pq.read_table(path).append_column("source", _named(path))
        for path in sorted((output / "selection").rglob("*.parquet"))
    ]
    plain = [table.cast(pa.schema([(f.name, _plain(f.type)) for f in table.schema])) for table in tables]
    return pa.concat_tables(plain).sort_by([("source", "ascending"), ("phase", "ascending"), ("id", "ascending")])


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def bytes_below(output: Path) -> dict[str, bytes]:
    """Every file below a selection's folder, by name."""
    folder = output / "selection"
    return {p.relative_to(output).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def _named(path: Path) -> pa.Array:
    return pa.array([path.parent.name] * pq.read_metadata(path).num_rows, pa.string())
