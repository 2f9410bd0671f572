"""Results as the harness writes them, made from numbers: which option each language takes of every item."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mixc.backends.mubench.aligned import Aligned

TIME = "2026-11-27T05-57-26.123456"


def sample(id: str, gold: int, chosen: int, options: int, **changed: Any) -> dict[str, Any]:
    """One line: the chosen option is likeliest, and choices are equally long so that `acc_norm` takes it too."""
    scores = [[str(-1.5 if option == chosen else -4.25), "False"] for option in range(options)]
    right = float(chosen == gold)
    line = {
        "doc_id": 0,
        "doc": {"prompt": "p", "choices": [f"option {i:03}" for i in range(options)], "label": gold, "_id": id},
        "target": str(gold),
        "arguments": {},
        "resps": [[score] for score in scores],
        "filtered_resps": scores,
        "filter": "none",
        "metrics": ["acc", "acc_norm"],
        "acc": right,
        "acc_norm": right,
    }
    return line | changed


def write(
    folder: Path,
    task: str,
    lines: Sequence[Mapping[str, Any] | str],
    *,
    time: str = TIME,
    model: str = "model",
) -> Path:
    """A file of samples of a task; lines that are texts are written as they stand."""
    path = folder / model / f"samples_{task}_{time}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines))
    return path


def drawn(
    languages: Mapping[str, float], items: int, options: int, seed: int = 0, shared: float = 0.5
) -> tuple[list[int], dict[str, list[int]]]:
    """Right options, and by language the chosen ones: right with about that probability, partly on the same items."""
    random = np.random.default_rng(seed)
    gold = random.integers(0, options, items)
    common = random.random(items)
    chosen = {}
    for code, accuracy in languages.items():
        level = np.where(random.random(items) < shared, common, random.random(items))
        wrong = (gold + random.integers(1, options, items)) % options
        chosen[code] = np.where(level < accuracy, gold, wrong).tolist()
    return gold.tolist(), chosen


def results(
    folder: Path, dataset: str, languages: Mapping[str, float], items: int = 600, options: int = 4, seed: int = 0
) -> None:
    """Files of samples of a dataset in all languages."""
    gold, chosen = drawn(languages, items, options, seed)
    for code, answers in chosen.items():
        pairs = zip(gold, answers, strict=True)
        lines = [sample(f"{dataset}-{i:05}", right, answer, options) for i, (right, answer) in enumerate(pairs)]
        write(folder, f"{dataset}_{code}_mubench", lines)


def aligned(gold: Sequence[int], chosen: Mapping[str, Sequence[int]], options: Sequence[int] | int = 4) -> Aligned:
    """Predictions side by side, the same under both metrics."""
    codes = tuple(sorted(chosen))
    predicted = np.array([chosen[code] for code in codes], dtype=np.int8)
    counts = np.full(len(gold), options) if isinstance(options, int) else np.array(options)
    ids = tuple(f"{i:05}" for i in range(len(gold)))
    right = np.array(gold, dtype=np.int8)
    return Aligned("hellaswag", codes, ids, counts.astype(np.int8), right, {"acc": predicted, "acc_norm": predicted})
