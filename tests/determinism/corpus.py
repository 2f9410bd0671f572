"""What is compiled and run wherever determinism is tried: recipes by name, and a pool of documents.

The documents are JSON lines made from hashes, so that they are the same bytes whatever wrote them.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHIPPED = ("english-quality", "hello", "polyglot17", "polyglot61", "pretrain-anneal")
SEEDS = ("phases", "plain", "rules", "size", "strategies")
STRATEGIES = ("two_step", "unimax", "temperature", "natural", "uniform")
NAMES = (*SHIPPED, *SEEDS, *STRATEGIES)
QUICK = ("polyglot17", "rules", "two_step")
OLD = [{"code": "de", "share": 0.2}, {"code": "en", "share": 0.75}, {"code": "no", "share": 0.05}]
DOCUMENTS, SHARDS = 1500, 4
POOL = """recipe pool
budget { model = 1M params, tokens = 3M tokens, seed = 17 }
source crawl {
  path    = "crawl"
  columns = { id: "id", language: "lang", domain: "domain", tokens: "n" }
  epochs  <= 4
}
rater edu  { column = "edu", range = 0 .. 5 }
rater fine { column = "fine", better = lower, range = 0 .. 1 }
domain news   { weights = { edu: 1.0, fine: 0.3 } }
domain forums { weights = { edu: 0.35, fine: 0.65 } }
languages [en, de, tr] { priority = 1.0 }
phase a { budget = 60% * budget.tokens }
phase b { after = a, budget = 40% * budget.tokens }
require share(tr) >= 20%
"""


def recipes(folder: Path, names: Sequence[str] = NAMES) -> None:
    """The recipes of these names in a folder, with what they read."""
    for read in ("catalogs", "shared"):
        shutil.copytree(ROOT / "recipes" / read, folder / read)
    (folder / "old.manifest.json").write_text(json.dumps({"languages": OLD}), encoding="utf-8")
    plain = (ROOT / "recipes" / "polyglot17.mix").read_text(encoding="utf-8")
    for name in names:
        kept = ROOT / ("recipes" if name in SHIPPED else "tests/cases/fuzz") / f"{name}.mix"
        text = by_strategy(plain, name) if name in STRATEGIES else kept.read_text(encoding="utf-8")
        (folder / f"{name}.mix").write_text(text, encoding="utf-8")


def by_strategy(recipe: str, name: str) -> str:
    """A recipe that minimises the loss, by another strategy instead."""
    more = ", temperature = 3.3" if name == "temperature" else ""
    return recipe.replace("minimize loss", f"mixture {{ strategy = {name}{more} }}")


def pool(folder: Path, order: Sequence[int] = range(SHARDS)) -> None:
    """The pool's recipe and documents; its files are created in an order of their numbers."""
    (folder / "crawl").mkdir()
    (folder / "pool.mix").write_text(POOL, encoding="utf-8")
    lines = [json.dumps(document(i)) + "\n" for i in range(DOCUMENTS)]
    for shard in order:
        (folder / "crawl" / f"{shard:03d}.jsonl").write_text("".join(lines[shard::SHARDS]), encoding="utf-8")


def document(number: int) -> dict[str, object]:
    """A document: its id, language, domain, tokens and two scores."""
    chance = int.from_bytes(sha256(b"%d" % number).digest()[:8], "big")
    parts = [chance >> (8 * k) & 255 for k in range(8)]
    return {
        "id": f"doc-{number}-ı",
        "lang": ("en", "en", "de", "tr")[parts[0] % 4],
        "domain": ("news", "forums")[parts[1] % 2],
        "n": 20 + 25 * parts[2],
        "edu": parts[3] % 51 / 10,
        "fine": (256 * parts[4] + parts[5]) / 65536,
    }


def steady(name: str, text: str) -> str:
    """What is promised of a manifest: all of it, but of `two_step` prices, which are not unique, and their residual.

    Languages are held to the shares of its first step there, and shares add up: many prices prove the same optimum.
    """
    return re.sub(r'"(tighten|loosen|residual|integrity)": [^,}]+', "", text) if name == "two_step" else text
