"""Selecting from metadata in several ways, each in a process of its own: `python -m tests.bench.selecting WAY FOLDER`.

Such a process prints one JSON object: CPU seconds and peak memory, with what it took before the work began apart. All
ways use one thread, read the same Parquet files and write which documents are taken, how often.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mixc.compiler.cli import ONE_THREAD

SEED = 17
CODES = ("en", "de", "fr", "es", "it", "nl", "pl", "pt", "ru", "ja", "zh", "sv", "da", "no", "fi", "cs", "tr")
WEIGHTS = ((0.5, 0.3, 0.2), (0.3, 0.5, 0.2), (0.2, 0.3, 0.5), (0.6, 0.4, 0.0))  # of domain m: m mod 4
CURVE = (12.0, 0.35, 1.0, 0.002)  # lambda, omega, eta, epsilon
QUARTER = 166  # tokens a document: a quarter of what one has on average


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds of the work, of starting up, of hashing ids (in `seconds` too), and peak memory in MB."""

    seconds: float
    start: float
    peak: float
    hashing: float = 0.0


def prepare(folder: Path, documents: int) -> None:
    """Metadata and recipes in a folder, compiled. Ids are shared: the other ways do not look for those that repeat."""
    from tests.bench.reference_selection import write_metadata

    write_metadata(folder / "data", documents, SEED)
    for name, ids in (("shared", "shared"), ("unique", "unique")):
        (folder / f"{name}.mix").write_text(recipe(documents, ids), encoding="utf-8")
    for command in ("scan", "compile"):
        subprocess.run(
            [sys.executable, "-m", "mixc", command, "shared.mix"], cwd=folder, check=True, capture_output=True
        )


def recipe(documents: int, ids: str) -> str:
    """A plan for `reference_selection.metadata`, of a quarter of its tokens."""
    from tests.bench.reference_selection import DOMAINS, RATERS

    aliases = ", ".join(f"lang{i:02}: {code}" for i, code in enumerate(CODES))
    lines = [
        "recipe bench",
        f'source crawl {{ path = "data/*.parquet", aliases = {{ {aliases} }}, ids = {ids}, epochs <= 4 }}',
        f"languages [{', '.join(CODES)}] {{ priority = 1.0 }}",
        f"budget {{ model = 120M params, tokens = {documents * QUARTER} tokens, seed = {SEED} }}",
        *(f'rater r{i} {{ column = "score{i}" }}' for i in range(RATERS)),
    ]
    for m in range(DOMAINS):
        weights = ", ".join(f"r{i}: {weight}" for i, weight in enumerate(WEIGHTS[m % len(WEIGHTS)]) if weight)
        lines.append(f"domain domain{m:02} {{ weights = {{ {weights} }} }}")
    return "\n".join(lines) + "\n"


def cost(way: str, folder: Path) -> Cost:
    """What a way costs here and now."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.bench.selecting", way, str(folder)]
    told = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    return Cost(**json.loads(told))


def decode(folder: Path) -> Callable[[], float]:
    """Every column of every row group, and nothing else."""
    import pyarrow.parquet as pq

    def work() -> float:
        for path in sorted((folder / "data").glob("*.parquet")):
            for _ in pq.ParquetFile(path).iter_batches(use_threads=False):
                pass
        return 0.0

    return work


def plain_numpy(folder: Path) -> Callable[[], float]:
    """The reference; what hashing the ids takes is told apart, as the equations only ask for something uniform."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq
    import xxhash

    from tests.bench.reference_selection import DOMAINS, select

    def work() -> float:
        paths = sorted((folder / "data").glob("*.parquet"))
        table = pa.concat_tables(pq.read_table(path, use_threads=False) for path in paths)
        table = table.unify_dictionaries().combine_chunks()
        domain, language = (table[name].chunk(0).indices.to_numpy().astype(np.int64) for name in ("domain", "language"))
        scores = np.stack([table[f"score{i}"].to_numpy() for i in range(3)], axis=1)
        tokens = table["tokens"].to_numpy().astype(np.int64)
        weights = np.array([WEIGHTS[m % len(WEIGHTS)] for m in range(DOMAINS)])
        began = time.process_time()
        keys = (b"17:draw:crawl:" + text.encode() for text in table["id"].to_pylist())
        u = np.fromiter((xxhash.xxh64_intdigest(key, 42) for key in keys), np.uint64, len(tokens)) / 2.0**64
        hashing = time.process_time() - began
        copies = select(domain, language, scores, tokens, weights, np.tile(CURVE, (DOMAINS, 1)), u)
        kept = np.flatnonzero(copies)
        taken = {"id": table["id"].take(pa.array(kept)), "copies": copies[kept], "tokens": tokens[kept]}
        pq.write_table(pa.table(taken), folder / "numpy.parquet", compression="zstd")
        return hashing

    return work


SQL = """
copy (
  with ranked as (
    select id, domain, language, tokens, {ranks} from read_parquet('{folder}/data/*.parquet')
  ), merged as (
    select id, domain, language, tokens, {weighed} as quality from ranked
  ), placed as (
    select id, tokens, sum(tokens) over (partition by language, domain order by quality desc)
      / sum(tokens) over (partition by language, domain) as r from merged
  ), expected as (
    select id, tokens, {epsilon} + case when r <= {omega}
      then pow(2 / (1 + exp(-{lam} * ({omega} - r))), {eta}) else 0 end as s from placed
  ), drawn as (
    select id, tokens, floor(s)::int + (hash(id) / 18446744073709551616.0 < s - floor(s))::int as copies from expected
  )
  select id, copies, tokens from drawn where copies > 0
) to '{folder}/duckdb.parquet' (format parquet, compression zstd)
"""


def duckdb_windows(folder: Path) -> Callable[[], float]:
    """The same plan as windows in SQL."""
    import duckdb

    within = "over (partition by language"
    ranks = ", ".join(f"(rank() {within} order by score{i}) - 1) / count(*) {within}) as r{i}" for i in range(3))
    sets = [" + ".join(f"{w} * r{i}" for i, w in enumerate(weights) if w) for weights in WEIGHTS]
    cases = " ".join(f"when {m} then {text}" for m, text in enumerate(sets))
    weighed = f"case right(domain, 2)::int % {len(WEIGHTS)} {cases} end"
    lam, omega, eta, epsilon = CURVE
    query = SQL.format(folder=folder, ranks=ranks, weighed=weighed, lam=lam, omega=omega, eta=eta, epsilon=epsilon)

    def work() -> float:
        duckdb.connect(config={"threads": 1}).execute(query)
        return 0.0

    return work


def mixc(command: str, name: str) -> Callable[[Path], Callable[[], float]]:
    """`mixc scan` from nothing, or `mixc run` into an empty folder, with one worker."""

    def prepared(folder: Path) -> Callable[[], float]:
        from mixc.backends.executors import local as local
        from mixc.backends.selection import backend as backend
        from mixc.compiler import pipeline as pipeline
        from mixc.compiler.cli.run import run_manifest
        from mixc.compiler.cli.scan import scan_recipe
        from mixc.compiler.scan import scan as scanning

        def work() -> float:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                if command == "scan":
                    shutil.rmtree(folder / scanning.Store(folder).folder.name, ignore_errors=True)
                    code = scan_recipe(folder / f"{name}.mix", workers=1)
                else:
                    shutil.rmtree(folder / "out", ignore_errors=True)
                    code = run_manifest(folder / f"{name}.manifest.json", folder / "out", workers=1)
            assert code == 0
            return 0.0

        return work

    return prepared


WAYS: dict[str, Callable[[Path], Callable[[], float]]] = {
    "decode": decode,
    "numpy": plain_numpy,
    "duckdb": duckdb_windows,
    "unique": mixc("scan", "unique"),
    "scan": mixc("scan", "shared"),
    "run": mixc("run", "shared"),
}


def main() -> None:
    """Work in one way; libraries are loaded before the clock starts."""
    way, folder = sys.argv[1], Path(sys.argv[2])
    for name in ONE_THREAD:
        os.environ[name] = "1"
    work = WAYS[way](folder)
    start = time.process_time()
    hashing = work()
    told: dict[str, Any] = {
        "seconds": time.process_time() - start,
        "start": start,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
        "hashing": hashing,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
