"""Energon reads our metadatasets, at night: one epoch is the phase, to the sample."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

from mixc.backends.exporters.energon import export
from mixc.compiler.export import Settings
from tests.trainers.conftest import Pool
from tests.trainers.environments import ran
from tests.trainers.nightly import nightly
from tests.trainers.own import PHASES, places, plan, taken

DATA = "own/{source}/{language}/{domain}/{bucket}.jsonl"


def write(folder: Path, name: str, settings: Settings) -> None:
    """An export into the folder that its places are seen from."""
    made, found = export(plan(), settings)
    assert made is not None, found
    for phase in PHASES:
        (folder / f"{name}-{phase}.yaml").write_text(made[f"{phase}.yaml"])


@nightly
def test_energon_reads_what_was_decided(pool: Pool) -> None:
    """The texts of a run, with their copies; and data of one's own over two phases, counted and not."""
    run = pool.export("energon", "--run", "selection")
    (pool.folder / "main.yaml").write_text((run / "main.yaml").read_text())
    counts = places(DATA)
    write(pool.folder, "counted", Settings(data=DATA, counts=counts))
    write(pool.folder, "percent", Settings(data=DATA))
    read = {f"{name} {phase}": f"{name}-{phase}.yaml" for name in ("counted", "percent") for phase in PHASES}
    made = {path: one.documents for path, one in counts.items()}
    asked = {"run": str(run), "made": made, "read": {"run": "main.yaml", **read}}
    (pool.folder / "asked.json").write_text(json.dumps(asked))
    found = ran("energon", "load_energon.py", "asked.json", cwd=pool.folder)

    wanted: Counter[str] = Counter()
    for path in (pool.folder / "selection").glob("texts/**/*.parquet"):
        table = pq.read_table(path, columns=["text", "copies"])
        wanted.update(dict(zip(table["text"].to_pylist(), table["copies"].to_pylist(), strict=True)))
    assert sum(found["run"].values()) == sum(row["copies"] for row in pool.realised["selection"])
    assert set(found["run"]) == set(wanted)

    for name in ("counted", "percent"):
        seen: Counter[str] = Counter()
        for phase in PHASES:
            seen.update(found[f"{name} {phase}"])
            drawn: Counter[str] = Counter()
            for text, times in found[f"{name} {phase}"].items():
                drawn[text.split()[0]] += times
            for path, tokens in taken(DATA, phase).items():
                exact = made[path] * tokens / counts[path].tokens
                assert abs(drawn[path] - exact) < (1 if name == "counted" else 2), (name, phase, path)
        for path, count in made.items():
            times = [seen[f"{path} {i}"] for i in range(count)]
            assert max(times) - min(times) <= 1, (name, path)  # over both phases
