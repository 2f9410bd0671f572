"""The largest recipes: so many languages, domains and sources, from the files to the report.

`python -m tests.scale.largest LANGUAGES DOMAINS SOURCES` prints a JSON object: CPU seconds, memory and bytes of every
command. A document of each source, language and domain is there `EACH` times on average, in sizes that differ.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mixc.compiler.cli import ONE_THREAD
from tests.bench.measure import load
from tests.scale.measured import cost_of

SEED = 9
EACH = 60  # documents of a source, language and domain
RATERS = 3
PHASES = ("warmup", "pretrain", "anneal")
LANGUAGES = [
    "en",
    "zh",
    "es",
    "fr",
    "de",
    "ru",
    "ja",
    "ar",
    "hi",
    "pt",
    "bn",
    "cs",
    "el",
    "fa",
    "he",
    "id",
    "it",
    "ko",
    "nl",
    "pl",
    "ro",
    "sv",
    "th",
    "tr",
    "uk",
    "ur",
    "vi",
    "af",
    "bg",
    "ca",
    "da",
    "et",
    "fi",
    "ga",
    "hr",
    "hu",
    "is",
    "lt",
    "lv",
    "no",
    "sk",
    "sl",
    "sq",
    "sr",
    "az",
    "ceb",
    "gu",
    "jv",
    "kk",
    "km",
    "kn",
    "ml",
    "mr",
    "ms",
    "my",
    "pa",
    "sw",
    "ta",
    "te",
    "tl",
    "uz",
]


def prepare(folder: Path, languages: int, domains: int, sources: int) -> None:
    """Metadata of every source in a file, a recipe, and the same with one bound changed."""
    (folder / "data").mkdir()
    for number in range(sources):
        pq.write_table(_table(number, languages, domains), folder / "data" / f"s{number:02}.parquet")
    text = recipe(languages, domains, sources)
    (folder / "old.mix").write_text(text.replace("recipe new", "recipe old").replace("3% .. 5%", "3% .. 4.9%"))
    (folder / "new.mix").write_text(text)


def _table(number: int, languages: int, domains: int) -> pa.Table:
    groups = languages * domains
    random = np.random.default_rng([SEED, number])
    size = random.dirichlet(np.full(groups, 0.7)) * groups * EACH
    group = np.repeat(np.arange(groups), np.maximum(1, size.astype(np.int64)))
    n = len(group)
    names = [pa.array(LANGUAGES[:languages]), pa.array([f"d{i:02}" for i in range(domains)])]
    quality = random.standard_normal((n, 1)) + random.standard_normal((n, RATERS))
    columns = {
        "id": pa.array(np.arange(n)).cast(pa.string()),
        "language": pa.DictionaryArray.from_arrays((group // domains).astype(np.int32), names[0]),
        "domain": pa.DictionaryArray.from_arrays((group % domains).astype(np.int32), names[1]),
        **{f"r{i}": quality[:, i].astype(np.float32) for i in range(RATERS)},
        # As if every row stood for a thousand documents: mixtures of this size are of trillions of tokens.
        "tokens": (1000 * random.lognormal(6.0, 1.0, n)).astype(np.int64) + 1,
    }
    return pa.table(columns)


def recipe(languages: int, domains: int, sources: int) -> str:
    """Three phases, six buckets, rules on languages, sources and domains."""
    tokens = languages * domains * sources * EACH * 400_000
    lines = [
        "recipe new",
        f"budget {{ model = 7B params, tokens = {tokens} tokens, seed = {SEED} }}",
        "quality { buckets = [5%, 10%, 20%, 40%, 70%, 100%] }",
        *(f'rater r{i} {{ column = "r{i}" }}' for i in range(RATERS)),
        *(f'source s{i:02} {{ path = "data/s{i:02}.parquet", epochs <= {2 + i % 4} }}' for i in range(sources)),
        *(f"domain d{i:02} {{ weights = {{ r{i % RATERS}: 0.7, r{(i + 1) % RATERS}: 0.3 }} }}" for i in range(domains)),
        "language en { priority = 6.0 }",
        f"languages [{', '.join(LANGUAGES[1:languages])}] {{ priority = 1.0 }}",
        "phase warmup { budget = 10% * budget.tokens }",
        "phase pretrain { after = warmup, budget = 80% * budget.tokens }",
        "phase anneal { after = pretrain, budget = 10% * budget.tokens }",
        "require share(en) within 3% .. 5%",
        "require share(each(language)) >= 0.1%",
        "require share(d01) <= 6%",
        "require quality(anneal) >= quality(pretrain) + 5%",
        "law transfer { calibration = family(2%) }",
    ]
    return "\n".join(lines) + "\n"


COMMANDS = {
    "scan": ["scan", "new.mix", "--workers", "1"],
    "compile": ["compile", "new.mix"],
    "old": ["compile", "old.mix"],
    "diff": ["diff", "old.manifest.json", "new.manifest.json"],
    "report": ["report", "new.manifest.json"],
    "explain": ["explain", "new.manifest.json", "--of", "de"],
}


def measured(folder: Path, commands: list[str]) -> dict[str, Any]:
    """What commands cost."""
    environment = {**os.environ, **dict.fromkeys(ONE_THREAD, "1")}
    found: dict[str, Any] = {}
    for name in commands:
        cost = cost_of(folder, COMMANDS[name], environment)
        found[name] = {"cpu": cost.driver.cpu, "wall": cost.wall, "mb": cost.driver.peak}
        print(name, found[name], file=sys.stderr, flush=True)
    found["bytes"] = {path.name: path.stat().st_size for path in folder.glob("new.*")}
    return {**found, "load": load()}


def main() -> None:
    """Print what was measured."""
    languages, domains, sources = map(int, sys.argv[1:4])
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name), languages, domains, sources)
        print(json.dumps({"shape": [languages, domains, sources], **measured(Path(name), list(COMMANDS))}))


if __name__ == "__main__":
    main()
