"""Documents of five kinds with a target to score them by, in a folder, and what scoring makes of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mixc.compiler.executor import Executor
from mixc.compiler.front.passes import load_recipe
from mixc.compiler.progress import Progress, Quiet
from mixc.compiler.score import Scored, score
from mixc.dsl.diagnostics import Diagnostic
from tests.nag.texts import KINDS

RATED = """recipe pool
budget { model = 10M params, tokens = 1M tokens, seed = 3 }
source crawl {
  path    = "data"
  columns = { id: "id", text: "text", language: "lang", tokens: "n" }
  domain  = web
  epochs  <= 4
}
target science { path = "science.jsonl", model = "model", top_k = 5, tokens = 40 }
domain web { weights = { science: 1.0 } }
languages [en, fr] { priority = 1.0 }
"""
GATED = RATED.replace("tokens = 40 }", "tokens = 40, fraction = 40% }").replace(
    "domain web { weights = { science: 1.0 } }\n", ""
)
CODE = """target code {
  path = "code.jsonl", model = "model", top_k = 5, tokens = 40, fraction = 40%, weight = 2
}
"""
TWO = GATED.replace("languages", CODE + "languages")


def rows(times: int = 3) -> list[dict[str, object]]:
    """Documents of all kinds, each several times with another ending; one is empty, one without text."""
    found: list[dict[str, object]] = [
        {"id": f"{i:03d}", "text": f"{text} {i}", "lang": "fr" if kind == "french" else "en", "n": 5000 + 100 * (i % 7)}
        for i, (kind, text) in enumerate((kind, text) for _ in range(times) for kind in KINDS for text in KINDS[kind])
    ]
    found[3]["text"], found[5]["text"] = "", None
    return found


def pool(folder: Path, model: Path, text: str, every: Sequence[dict[str, object]] | None = None) -> Path:
    """Documents, a model and a recipe in a folder."""
    every = rows() if every is None else every
    data = folder / "data"
    data.mkdir()
    half = len(every) // 2
    schema = pa.schema([("id", pa.string()), ("text", pa.string()), ("lang", pa.string()), ("n", pa.int64())])
    pq.write_table(pa.Table.from_pylist(list(every[:half]), schema), data / "a.parquet", row_group_size=40)
    (data / "b.jsonl").write_text("".join(json.dumps(row) + "\n" for row in every[half:]))
    for name in ("science", "code"):
        lines = "".join(json.dumps({"text": text}) + "\n" for text in KINDS[name][:6])
        (folder / f"{name}.jsonl").write_text(lines)
    (folder / "model").symlink_to(model)
    path = folder / "pool.mix"
    path.write_text(text)
    return path


def kept(folder: Path) -> dict[str, bytes]:
    """Everything that scoring made, by name."""
    made = [*(folder / ".mixc" / "scores").rglob("*"), *(folder / ".mixc" / "features").rglob("*")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(made) if path.is_file()}


def told(found: list[Diagnostic]) -> list[str]:
    """What diagnostics say, in short."""
    return [f"{one.code}: {one.message}" for one in found]


def scored_on(
    path: Path, executor: Executor, progress: Progress | None = None
) -> tuple[Scored | None, list[Diagnostic]]:
    """What scoring does."""
    recipe, found = load_recipe(path)
    assert recipe is not None, told(found)
    return score(recipe, executor, progress or Quiet())


class Shown:
    """Progress that is written down: (what, (done, documents) after every step) of the stages."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, int, list[tuple[int, int]]]] = []
        self.before: list[int] = []

    def begin(self, what: str, total: int) -> None:
        self.stages.append((what, total, [(0, 0)]))
        self.before.append(0)

    def advance(self, size: int, documents: int) -> None:
        self._add(size, documents)

    def kept(self, size: int) -> None:
        self.before[-1] += size
        self._add(size, 0)

    def end(self) -> None:
        what, total, steps = self.stages[-1]
        assert steps[-1][0] == total, what

    def _add(self, size: int, documents: int) -> None:
        _, total, steps = self.stages[-1]
        assert size >= 0 and documents >= 0
        steps.append((steps[-1][0] + size, steps[-1][1] + documents))
        assert steps[-1][0] <= total


def reading_of(progress: Shown) -> tuple[int, list[tuple[int, int]], int]:
    """(total, steps, what was kept) of the stage that reads."""
    index = next(i for i, (what, *_) in enumerate(progress.stages) if what.startswith("reading neurons"))
    _, total, steps = progress.stages[index]
    return total, steps, progress.before[index]
