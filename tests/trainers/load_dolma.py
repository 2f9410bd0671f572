"""Runs in dolma's environment: makes documents of a run, mixes every phase, and reads what the mixer wrote.

Arguments: the folder of the export, and the interpreter that has pyarrow. Prints one line of JSON.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path


def main() -> None:
    """By document, the copies that were written, in order of the output, and the length of each."""
    folder, python = sys.argv[1:]
    subprocess.run([python, f"{folder}/prepare.py"], check=True, capture_output=True)
    dolma = Path(sys.executable).parent / "dolma"
    for config in sorted(Path(folder).glob("*.json")):
        if config.stem not in ("export", "places"):
            subprocess.run([str(dolma), "-c", str(config), "mix"], check=True, capture_output=True)
    found: dict[str, list[object]] = {}
    for file in sorted(Path("mixed").rglob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for one in map(json.loads, lines):
                phase, copy, place = file.parts[1:4]
                found.setdefault(one["id"], []).append([phase, copy, place == one["source"], len(one["text"])])
    print(json.dumps(found))


main()
