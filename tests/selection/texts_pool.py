"""A small pool made from a seed, scanned, compiled and run in a folder: three domains, integer scores, one curve."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mixc.backends.selection.backend import Form, Outcome, Run, Texts, perform
from mixc.backends.selection.layout import TEXTS
from mixc.compiler.cli.compile import artefacts
from mixc.compiler.cli.run import opened
from mixc.compiler.executor import run_on
from mixc.compiler.pipeline import COMPILE, Artefacts, run_passes
from mixc.compiler.progress import Quiet
from mixc.dsl.diagnostics import Diagnostic, has_errors

RECIPE = """recipe pool
source crawl {
  path    = "data/*.PATTERN"
  columns = { id: "id", TEXTlanguage: "lang", domain: "domain", tokens: "n" }
  epochs  <= 4
}
rater edu  { column = "edu", range = 0 .. 5 }
rater fine { column = "fine" }
domain news   { weights = { edu: 1.0 } }
domain forums { weights = { fine: 1.0 }, sampling = { lambda: 12, omega: 35%, eta: 1.0, epsilon: 0.002 } }
domain books  { weights = { fine: 0.5, edu: 0.5 } }
languages [en, de] { priority = 1.0 }
budget { model = 1M params, tokens = TOKENS tokens, seed = 17 }
require share(forums) >= 10%
phase a { budget = 60% * budget.tokens }
phase b { after = a, budget = 40% * budget.tokens }
"""
DOCUMENTS = 8000


def documents(count: int = DOCUMENTS) -> pa.Table:
    """Documents with texts; some texts are absent or long."""
    random = np.random.default_rng(3)
    tokens = random.integers(5, 200, count)
    texts: list[str | None] = [f"document {i} " * int(n % 40) for i, n in enumerate(tokens)]
    texts[7] = None
    return pa.table(
        {
            "id": [f"doc-{i}" for i in range(count)],
            "text": texts,
            "lang": random.choice(["en", "de"], count, p=[0.7, 0.3]),
            "domain": random.choice(["news", "forums", "books"], count),
            "n": tokens,
            "edu": random.integers(0, 6, count).astype(np.float32),
            "fine": random.lognormal(0, 1, count).astype(np.float32),
        }
    )


def recipe(form: str = "parquet", tokens: str = "1M", text: bool = True) -> str:
    """The recipe, for files of a format and a budget."""
    named = RECIPE.replace("PATTERN", form).replace("TOKENS", tokens)
    return named.replace("TEXT", 'text: "text", ' if text else "")


def write(folder: Path, table: pa.Table, cuts: Sequence[int], groups: int, form: str = "parquet") -> None:
    """The documents in files that end at `cuts`."""
    (folder / "data").mkdir(parents=True)
    edges = [0, *cuts, table.num_rows]
    for i, (low, high) in enumerate(pairwise(edges)):
        part = table.slice(low, high - low)
        if form == "parquet":
            pq.write_table(part, folder / "data" / f"{i}.parquet", row_group_size=groups)
        else:
            lines = "".join(json.dumps(row) + "\n" for row in part.to_pylist())
            (folder / "data" / f"{i}.jsonl").write_text(lines)


def compiled(folder: Path, text: str) -> Run:
    """The recipe compiled in its folder."""
    path = folder / "pool.mix"
    path.write_text(text)
    made, found = run_passes(COMPILE, Artefacts(path))
    assert not has_errors(found), [one.message for one in found]
    manifest = folder / "pool.manifest.json"
    for name, data in artefacts(made, manifest).items():
        name.write_bytes(data)
    job, found = opened(manifest)
    assert job is not None, [one.message for one in found]
    return job


def performed(
    job: Run, output: Path, workers: int = 1, exact: bool = False, form: Form | None = None
) -> tuple[tuple[Outcome, Texts | None] | None, list[Diagnostic]]:
    """A run with so many worker processes."""
    return run_on("local", workers, lambda executor: perform(job, output, executor, Quiet(), exact=exact, form=form))


def bytes_of(output: Path) -> dict[str, bytes]:
    """Every text output by name."""
    return {p.relative_to(output).as_posix(): p.read_bytes() for p in sorted((output / TEXTS).rglob("*.parquet"))}


def rows_of(output: Path, name: str) -> list[dict[str, Any]]:
    """The rows of a Parquet file below a folder."""
    return pq.read_table(output / name).to_pylist()
