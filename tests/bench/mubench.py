"""`python -m tests.bench.mubench`: agreement of 61 languages on 9,000 items against a plain loop, in one run.

Ours: MLC, kappa, both right, same wrong of every pair, then all statistics with 1,000 bootstrap replicates. The loop
counts, pair by pair in Python, the same four figures; it does so for PAIRS of the 1,830 pairs and is scaled. Reading:
lines of samples as the harness writes them, READ a language. CPU seconds on one thread, after the imports.
"""

from __future__ import annotations

import os

from mixc.compiler.cli import ONE_THREAD

for name in ONE_THREAD:  # as `mixc` itself runs; before numpy is loaded
    os.environ[name] = "1"

import json  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections import Counter  # noqa: E402
from itertools import combinations, islice  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

from mixc.backends.mubench.agreement import pairs  # noqa: E402
from mixc.backends.mubench.aligned import Aligned, align  # noqa: E402
from mixc.backends.mubench.bootstrap import REPLICATES  # noqa: E402
from mixc.backends.mubench.measure import measure  # noqa: E402
from mixc.backends.mubench.samples import find, read_samples  # noqa: E402
from mixc.backends.mubench.tasks import DATASETS, LANGUAGES  # noqa: E402

ITEMS, OPTIONS, SEED = 9000, 4, 2506
PAIRS, READ = 60, 2000


def answers() -> Aligned:
    """Synthetic answers: 40 % right, the rest guessed."""
    random = np.random.default_rng(SEED)
    gold = random.integers(0, OPTIONS, ITEMS).astype(np.int8)
    shape = (len(LANGUAGES), ITEMS)
    chosen = np.where(random.random(shape) < 0.4, gold, random.integers(0, OPTIONS, shape)).astype(np.int8)
    ids = tuple(f"{i:05}" for i in range(ITEMS))
    return Aligned("hellaswag", LANGUAGES, ids, np.full(ITEMS, OPTIONS, np.int8), gold, {"acc": chosen})


def loop(made: Aligned) -> tuple[float, list[tuple[float, float, float, float]]]:
    """(seconds for all pairs, scaled; figures of the first PAIRS pairs) of the reference."""
    chosen = [row.tolist() for row in made.predicted["acc"]]
    gold = made.gold.tolist()
    couples = list(combinations(range(len(chosen)), 2))
    began = time.process_time()
    found = []
    for a, b in islice(couples, PAIRS):
        same = both = 0
        for right, one, other in zip(gold, chosen[a], chosen[b], strict=True):
            same += one == other
            both += one == other == right
        first, second = Counter(chosen[a]), Counter(chosen[b])
        chance = sum(first[c] * second[c] for c in first) / ITEMS**2
        found.append((same / ITEMS, chance, both / ITEMS, (same - both) / ITEMS))
    return (time.process_time() - began) / PAIRS * len(couples), found


def reading(folder: Path) -> float:
    """Seconds a line of reading samples of four options and some 2 kB."""
    text = "word " * 80
    path = folder / "model" / "samples_hellaswag_de_mubench_2026-01-01T00-00-00.1.jsonl"
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="utf-8") as sink:
        for i in range(READ):
            scores = [[str(-float(1 + (i + k) % OPTIONS)), "False"] for k in range(OPTIONS)]
            choices = [f"{text}{k}" for k in range(OPTIONS)]
            doc = {"prompt": text, "choices": choices, "label": 0, "_id": str(i)}
            arguments = {f"gen_args_{k}": {"arg_0": text, "arg_1": choices[k]} for k in range(OPTIONS)}
            line = {"doc": doc, "target": "0", "arguments": arguments, "resps": [scores], "filtered_resps": scores}
            sink.write(json.dumps(line) + "\n")
    began = time.process_time()
    read = read_samples(find(folder)[0], DATASETS["hellaswag"])
    seconds = time.process_time() - began
    assert align("hellaswag", {"de": read})[0] is not None
    return seconds / READ


def main() -> None:
    """Print the report."""
    made = answers()
    began = time.process_time()
    found = pairs(made, "acc")
    ours = time.process_time() - began
    began = time.process_time()
    measure(made, "acc")
    whole = time.process_time() - began
    plain, figures = loop(made)
    for (a, b), expected in zip(combinations(range(len(LANGUAGES)), 2), figures, strict=False):
        mine = (found.mlc[a, b], found.chance[a, b], found.both_right[a, b], found.same_wrong[a, b])
        assert np.allclose(mine, expected)
    with tempfile.TemporaryDirectory() as folder:
        line = reading(Path(folder))
    size = f"{len(LANGUAGES)} languages x {ITEMS:,} items"
    print(f"MuBench agreement, {size}: {ours:.3f} CPU s for all pairs, {plain / ours:,.0f} x faster than a loop")
    print(f"MuBench statistics, {size}, {REPLICATES:,} replicates: {whole:.2f} CPU s; target 5 s with the pairs")
    print(f"MuBench reading: {line * 1e6:.0f} µs a line, {line * len(LANGUAGES) * ITEMS:.1f} CPU s for {size}")


if __name__ == "__main__":
    main()
