"""Runs in Data-Juicer's environment: processes exports and reads what came of them.

Arguments: a JSON file of what to do. Prints one line of JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def main() -> None:
    """Of every export the documents that were written, and how often each."""
    asked = json.loads(Path(sys.argv[1]).read_text())
    for path, count in asked["made"].items():
        Path(path).mkdir(parents=True, exist_ok=True)
        rows = {"id": [f"{path}#{i}" for i in range(count)], "text": [f"document {i}" for i in range(count)]}
        pq.write_table(pa.table(rows), f"{path}/0.parquet")
    found = {}
    for name, config in asked["configs"].items():
        command = [str(Path(sys.executable).parent / "dj-process"), "--config", config]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        written = Path("mixed/main.jsonl").read_text(encoding="utf-8").splitlines()
        found[name] = Counter(json.loads(line)["id"] for line in written)
    print(json.dumps(found))


main()
