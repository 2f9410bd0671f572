"""Tiny local files of all ten datasets: the same items in every language, with their numbers of options."""

from __future__ import annotations

import json
from pathlib import Path

from mixc.backends.mubench.plan import EvaluationPlan

OPTIONS = {
    "arc_challenge": (4, 5, 3),
    "arc_easy": (3, 4, 5),
    "bmlama": (2, 10, 7),
    "gpqa": (4, 4, 4),
    "hellaswag": (4, 4, 4),
    "multinli": (3, 3, 3),
    "snli": (3, 3, 3),
    "truthfulqa": (4, 2, 5),
    "winogrande": (2, 2, 2),
    "xstorycloze": (2, 2, 2),
}
WORDS = {
    "en": ["the", "a", "of", "river", "stone", "bread", "winter", "garden", "seven", "letter", "window", "road"],
    "de": ["der", "ein", "von", "Fluss", "Stein", "Brot", "Winter", "Garten", "sieben", "Brief", "Fenster", "Weg"],
    "zh": ["河", "石头", "面包", "冬天", "花园", "七", "信", "窗户", "路", "山", "云", "水"],
}


def write_items(root: Path, plan: EvaluationPlan) -> None:
    """A file of three items for every task of the plan."""
    for one in plan.tasks:
        words = WORDS[one.language]
        join = "" if one.language == "zh" else " "
        rows = [
            {
                "prompt": join.join(words[(i + k) % 12] for k in range(6)) + ".",
                "choices": [join.join(words[(i + 3 * k + j) % 12] for j in range(1 + k % 3)) for k in range(count)],
                "label": (i + 1) % count,
                "_id": f"{one.dataset}-{i}",
            }
            for i, count in enumerate(OPTIONS[one.dataset])
        ]
        assert one.config is not None
        path = root / one.config / "test.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
