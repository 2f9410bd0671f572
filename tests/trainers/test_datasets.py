"""`datasets` reads what our loader asks of it: every decided row, so often, exactly; and evenly mixed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from mixc.backends.exporters.hf_datasets import export
from mixc.compiler.export import Settings
from tests.models import absent
from tests.trainers.conftest import Pool
from tests.trainers.own import PHASES, places, plan

LOADER = Path(__file__).parent / "load_datasets.py"
DATA = "own/{source}/{language}/{domain}/{bucket}"


def read(asked: dict[str, Any], folder: Path) -> Any:
    """What `load_datasets.py` finds, in a process of its own, whose cache is in the folder."""
    if find_spec("datasets") is None:
        absent("datasets is not installed: its export is NOT TESTED (pip install 'mixc[dev]')")
    (folder / "asked.json").write_text(json.dumps(asked))
    quiet = {"HF_HOME": str(folder / "cache"), "HF_HUB_OFFLINE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
    command = [sys.executable, str(LOADER), "asked.json"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=600, env={**os.environ, **quiet}
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def own(folder: Path) -> dict[str, int]:
    """An export of two phases, of places whose rows are counted; how many rows lie where."""
    counts = places(DATA)
    made, found = export(plan(), Settings(data=DATA, counts=counts))
    assert made is not None, found
    (folder / "for-own").mkdir()
    for name, text in made.items():
        (folder / "for-own" / name).write_text(text)
    return {path: one.documents for path, one in counts.items()}


def test_datasets_reads_what_was_decided(pool: Pool) -> None:
    """The texts of a run, with copies; and data of one's own over two phases, mapped and streamed."""
    pool.export("datasets", "--run", "selection")
    rows = own(pool.folder)
    asked = {
        "run": ("for-datasets", ["main"], False),
        "mapped": ("for-own", PHASES, False),
        "streamed": ("for-own", PHASES, True),
    }
    found = read({"made": rows, "read": asked}, pool.folder)
    assert all(one["same"] for one in found.values())
    assert all(one["columns"] == ["id", "text", "tokens"] for one in found.values())

    run = found["run main"]
    written = [
        pq.read_table(path).to_pylist() for path in sorted((pool.folder / "selection").glob("texts/**/*.parquet"))
    ]
    copies = {row["id"]: row["copies"] for table in written for row in table}
    assert run["ids"] == copies  # every document as often as it was selected
    selected = pool.realised["selection"]
    assert sum(run["ids"].values()) == sum(row["copies"] for row in selected)
    assert sum(run["tokens"][id] * times for id, times in run["ids"].items()) == sum(row["tokens"] for row in selected)
    once = sum(1 for id in run["half"] if copies[id] > 1 and run["half"][id] <= copies[id] / 2 + 1)
    assert once > 0.9 * sum(1 for id in run["half"] if copies[id] > 1)  # copies lie apart

    for form in ("mapped", "streamed"):
        seen: Counter[str] = Counter()
        for phase in PHASES:
            one = found[f"{form} {phase}"]
            seen.update(one["ids"])
            wanted = {
                place["path"]: place
                for place in json.loads((pool.folder / f"for-own/{phase}.json").read_text())["places"]
            }
            taken = Counter(id.split()[0] for id in one["ids"] for _ in range(one["ids"][id]))
            assert taken == {path: place["rows"] for path, place in wanted.items()}
            half = Counter(id.split()[0] for id in one["half"] for _ in range(one["half"][id]))
            total = sum(half.values())
            for path, place in wanted.items():
                share = place["probability"]
                assert abs(half[path] / total - share) <= 4 * (share * (1 - share) / total) ** 0.5, path
        for path, count in rows.items():
            times = [seen[f"{path} {i}"] for i in range(count)]
            assert max(times) - min(times) <= 1, path  # over both phases
