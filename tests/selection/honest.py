"""Honest selections from a sparse pool under many seeds: `python -m tests.selection.honest 1000` runs and verifies all.

Many cells hold few documents, and tokens have a heavy tail: where a rule of so many standard deviations fails.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from mixc.backends.executors.local import LocalExecutor
from mixc.backends.selection.backend import Run
from mixc.backends.selection.checks import CellCheck, checks
from mixc.backends.selection.run import found_files, tasks_of, work_of
from mixc.backends.selection.shard import Selection, loaded_by
from mixc.backends.selection.sums import expectations, total
from mixc.compiler.review.manifest import content, digest, manifest_text
from mixc.compiler.review.plan import plan_from_manifest
from mixc.compiler.review.schema import Manifest
from tests.selection.pool import compiled, open_run, recipe, selected, told, verified, write

CODES = ("en", "de", "fr", "es", "it", "pl")
COUNT = 3000
RECIPE = f"""recipe sparse
source crawl {{
  path = "crawl", epochs <= 4
  columns = {{ id: "id", language: "lang", domain: "domain", tokens: "n" }}
}}
rater fine {{ column = "fine" }}
domain news   {{ weights = {{ fine: 1.0 }} }}
domain forums {{
  weights = {{ fine: 1.0 }}, sampling = {{ lambda: 12, omega: 35%, eta: 1.0, epsilon: 0.002 }}
}}
languages [{", ".join(CODES)}] {{ priority = 1.0 }}
budget {{ model = 1M params, tokens = 3M tokens }}
phase a {{ budget = 60% * budget.tokens }}
phase b {{ after = a, budget = 40% * budget.tokens }}
"""


def sparse(folder: Path) -> Run:
    """The pool, compiled."""
    random = np.random.default_rng(11)
    share = 0.5 ** np.arange(len(CODES))
    table = pa.table(
        {
            "id": [f"d{i}" for i in range(COUNT)],
            "lang": random.choice(CODES, COUNT, p=share / share.sum()),
            "domain": random.choice(["news", "forums", "books"], COUNT, p=[0.7, 0.2, 0.1]),
            "n": np.minimum(random.pareto(1.2, COUNT) * 200 + 1, 400_000).astype(int),
            "fine": random.lognormal(0, 1, COUNT).astype(np.float32),
        }
    )
    write(folder / "crawl", table, shards=2)
    return compiled(recipe(folder, RECIPE))


def with_seed(manifest: Manifest, seed: int) -> Manifest:
    """The same plan under another seed."""
    other = manifest.model_copy(update={"selection": manifest.selection.model_copy(update={"seed": seed})})
    return other.model_copy(update={"integrity": digest(content(other))})


def draws(job: Run, seeds: range) -> list[tuple[CellCheck, ...]]:
    """What verification says of every cell, for runs under each seed; nothing is written."""
    files, found = found_files(plan_from_manifest(job.manifest), job)
    assert not found, told(found)
    ready, tasks = loaded_by(work_of(job, job.folder / "nowhere")), tasks_of(files, LocalExecutor(1))
    every = []
    for seed in seeds:
        drawn = [Selection(replace(ready, manifest=with_seed(job.manifest, seed)), task) for task in tasks]
        for one in drawn:
            one.run()
        sums = total(part for one in drawn for part in (expectations(ready.slots, one.drawer.seen), one.taken))
        every.append(checks(ready.slots, sums))
    return every


def main(count: int) -> None:
    """Run and verify so many seeds."""
    with tempfile.TemporaryDirectory() as name:
        job = sparse(Path(name))
        worst = 0.0
        for seed in range(count):
            job.path.write_text(manifest_text(with_seed(job.manifest, seed)))
            one, output = open_run(job.path), Path(name) / f"out{seed}"
            selected(one, output)
            report, found = verified(one, output)
            assert report is not None, (seed, told(found))
            assert not found, (seed, told(found))
            worst = max(worst, *(abs(cell.z) for cell in report.cells))
            print(f"\r{seed + 1} of {count} verified, largest |z| {worst:.1f}", end="", flush=True)
        print()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
