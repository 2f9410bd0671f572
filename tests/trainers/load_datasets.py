"""Loads exports with the loader that they carry and `datasets` itself: how often each row comes, and in what order.

Arguments: a JSON file of what to do. Prints one line of JSON.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def loader(export: str) -> Any:
    spec = importlib.util.spec_from_file_location("load", f"{export}/load.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write(places: dict[str, int]) -> None:
    """Places of so many rows, in two files each."""
    for path, count in places.items():
        rows = [{"id": f"{path} {i}", "text": f"text {i}", "tokens": 1} for i in range(count)]
        for name, part in (("a", rows[: count // 2]), ("b", rows[count // 2 :])):
            if part:
                Path(path).mkdir(parents=True, exist_ok=True)
                pq.write_table(pa.Table.from_pylist(part), f"{path}/{name}.parquet")


def main() -> None:
    """Read every phase of every export."""
    asked = json.loads(Path(sys.argv[1]).read_text())
    write(asked["made"])
    found: dict[str, Any] = {}
    for name, (export, phases, streaming) in asked["read"].items():
        load = loader(export).load
        for phase in phases:
            rows = load(phase, columns=("id", "text", "tokens"), streaming=streaming)
            ids = [row["id"] for row in rows]
            again = ids if name != "run" else list(load(phase, columns=("id",))["id"])
            lengths = {row["id"]: row["tokens"] for row in rows}
            found[f"{name} {phase}"] = {
                "ids": Counter(ids),
                "half": Counter(ids[: len(ids) // 2]),
                "same": ids == again,
                "tokens": lengths,
                "columns": list(rows.column_names),
            }
    print(json.dumps(found))


main()
