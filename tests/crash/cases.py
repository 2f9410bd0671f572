"""The commands that write: what lies in the folder before, what is run, and who reads what was written."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa

from tests.cli import forked
from tests.models import smollm_folder, smollm_gguf
from tests.nag import scoring_pool
from tests.selection.pool import documents, recipe, unrated, with_texts, write

COUNT = 900
TEXTS = """recipe pool
source crawl {
  path    = "crawl"
  columns = { id: "id", text: "text", language: "lang", tokens: "n" }
  domain  = news
  epochs  <= 4
}
source library {
  path    = "library"
  domain  = books
  columns = { id: "id", text: "text", language: "lang", tokens: "n" }
  epochs  <= 4
}
rater fine { column = "fine", better = lower }
domain news { weights = { fine: 1.0 } }
languages [en, de] { priority = 1.0 }
quality { buckets = 2 }
budget { model = 1M params, tokens = 1M tokens, seed = 17 }
phase a { budget = 60% * budget.tokens }
phase b { after = a, budget = 40% * budget.tokens }
"""
PLANNED = """recipe plan
budget { model = 1B params, tokens = 10B tokens }
source web { supply = { de: 6B tokens, en: 90B tokens, sv: 2B tokens }, assume = rated, epochs <= 4 }
languages [de, en, sv] { priority = 1.0 }
require share(en) >= 60%
"""
MANIFEST = "pool.manifest.json"
SCAN = ("scan", "pool.mix", "--workers")
COMPILE = ("compile", "pool.mix", "-o", "x.manifest.json")
DESIGN = ("design", "quadmix", "pool.mix", "-o", "proxies", "--runs", "2", "--mixtures")
RUN = ("run", MANIFEST, "-o", "out", "--workers")
VERIFY = ("verify", MANIFEST, "out", "--recompute", "100%", "--workers", "1")


@dataclass(frozen=True)
class Case:
    """A command, the folder it starts from, and commands that read what it writes; `once`: it does not replace that."""

    name: str
    prepare: Callable[[Path], None]
    command: tuple[str, ...]
    readers: tuple[tuple[str, ...], ...] = ()
    workers: int = 1
    once: bool = False


def mixc(folder: Path, *words: str) -> None:
    """A command that has to succeed."""
    ran = forked.run(words, folder)
    assert ran.code == 0, ran.err


def planned(folder: Path) -> None:
    """A recipe without documents."""
    (folder / "plan.mix").write_text(PLANNED)


def replanned(folder: Path) -> None:
    """A manifest and a lock of another budget."""
    planned(folder)
    mixc(folder, "compile", "plan.mix")
    (folder / "plan.mix").write_text(PLANNED.replace("10B tokens", "20B tokens"))


def pool(folder: Path) -> None:
    """Documents in three files, and their recipe."""
    write(folder / "crawl", with_texts(documents(COUNT)), shards=2)
    write(folder / "library", with_texts(unrated(COUNT // 3)), shards=1)
    recipe(folder, TEXTS)


def scanned(folder: Path) -> None:
    """A catalog, and documents in a file more than it counts."""
    pool(folder)
    mixc(folder, "scan", "pool.mix", "--workers", "1")
    more: pa.Table = with_texts(documents(COUNT // 3, seed=9, prefix="more-"))
    write(folder / "crawl", more, shards=1, names=["more"])


def compiled(folder: Path) -> None:
    """A manifest with its tables."""
    pool(folder)
    mixc(folder, "compile", "pool.mix")


def ran(folder: Path) -> None:
    """A selection without texts."""
    compiled(folder)
    mixc(folder, *RUN, "1")


def exported(folder: Path) -> None:
    """Texts, and an export of another program."""
    compiled(folder)
    mixc(folder, *RUN, "1", "--materialize")
    mixc(folder, "export", MANIFEST, "--to", "datatrove", "--run", "out", "-o", "made")


def losses(folder: Path) -> None:
    """A table of training runs."""
    lines = ["params,tokens,share.en,share.de,loss.en,loss.de"]
    for params in (1e8, 3e8, 1e9):
        for share in (0.2, 0.35, 0.5, 0.65, 0.8):
            for tokens in (2e9, 1e10):
                en, de = (1.5 + 2.5 * (params / 1e8) ** -0.1 - 0.1 * _log(tokens * one) for one in (share, 1 - share))
                lines.append(f"{params},{tokens},{share},{1 - share},{en:.6f},{de:.6f}")
    (folder / "runs.csv").write_text("\n".join(lines) + "\n")


def _log(tokens: float) -> float:
    import math

    return math.log(tokens / 1e8)


def unformatted(folder: Path) -> None:
    """A recipe that `mixc fmt` rewrites."""
    (folder / "plan.mix").write_text(PLANNED.replace("{ model", "{   model"))


def scorable(folder: Path) -> None:
    """A few documents, a target, and a small model that lies elsewhere."""
    scoring_pool.pool(folder, model(), scoring_pool.RATED, scoring_pool.rows(1))


@cache
def model() -> Path:
    """A small Llama with random weights, made once; skips where its tokenizer cannot be had."""
    from tests.nag.tiny import saved

    return saved("Llama", Path(tempfile.mkdtemp(prefix="mixc-crash-")) / "model", smollm_folder(smollm_gguf()))


CASES: tuple[Case, ...] = (
    Case("compile", planned, ("compile", "plan.mix"), (("explain", "plan.manifest.json"),)),
    Case("compile again", replanned, ("compile", "plan.mix"), (("explain", "plan.manifest.json"),)),
    Case("compile documents", pool, ("compile", "pool.mix"), ((*RUN[:2], "-o", "made", "--workers", "1"),)),
    Case("scan", pool, (*SCAN, "1"), (COMPILE,)),
    Case("scan more", scanned, (*SCAN, "2"), (COMPILE,), 2),
    Case("run", compiled, (*RUN, "1"), (VERIFY,)),
    Case("run, two workers", compiled, (*RUN, "2"), (VERIFY,), 2),
    Case("run --exact --materialize", compiled, (*RUN, "1", "--exact", "--materialize"), (VERIFY,)),
    Case("run --materialize, two workers", ran, (*RUN, "2", "--materialize"), (VERIFY,), 2),
    Case("score", scorable, ("score", "pool.mix", "--workers", "1"), ((*SCAN, "1"),)),
    Case("export", exported, ("export", MANIFEST, "--to", "datasets", "--run", "out", "-o", "made")),
    Case("fit transfer", losses, ("fit", "transfer", "runs.csv", "-o", "law.json")),
    Case("design quadmix", compiled, DESIGN, once=True),
    Case("fmt", unformatted, ("fmt", "plan.mix"), (("check", "plan.mix"),)),
    Case("new", planned, ("new", "first.mix"), (("check", "first.mix"),), once=True),
)  # fmt: skip
NAMES = tuple(case.name for case in CASES)
