"""torchtitan takes our configurations, at night: counted rows to the last sequence, weights within chance."""

from __future__ import annotations

import json
from pathlib import Path

from mixc.backends.exporters.torchtitan import export
from mixc.compiler.export import Settings
from tests.trainers.environments import ran
from tests.trainers.nightly import nightly
from tests.trainers.own import PHASES, places, plan

DATA = "own/{source}/{language}/{domain}/{bucket}"
LENGTH, TOKENS, BATCHES = 64, 16, 4000  # a row of 17 tokens gives 16 inputs


@nightly
def test_torchtitan_reads_what_was_decided(tmp_path: Path) -> None:
    counts = places(DATA)
    made, found = export(plan(), Settings(data=DATA, counts=counts))
    assert made is not None, found
    (tmp_path / "export").mkdir()
    for name, text in made.items():
        (tmp_path / "export" / name).write_text(text)
    asked = {
        "export": "export",
        "phases": PHASES,
        "batches": BATCHES,
        "made": {p: c.documents for p, c in counts.items()},
    }
    (tmp_path / "asked.json").write_text(json.dumps(asked))
    read = ran("torchtitan", "load_torchtitan.py", "asked.json", cwd=tmp_path)

    number = {path: str(i) for i, path in enumerate(counts)}
    for phase in PHASES:
        there = json.loads(made[f"{phase}.json"])["places"]
        wanted = {number[one["path"]]: one["rows"] * TOKENS for one in there}
        for ranks in (1, 2):
            seen, sequences = read[f"counted {phase} {ranks}"]
            lost = sum(wanted.values()) - sum(seen.values())
            assert 0 <= lost < LENGTH * ranks  # the last sequence of a rank is not full
            assert sequences == sum(seen.values()) // LENGTH
            assert all(0 <= wanted[one] - seen.get(one, 0) <= lost for one in wanted)
            assert set(seen) <= set(wanted)
        seen, sequences = read[f"weighted {phase}"]
        assert sequences == BATCHES
        for one in there:
            share, drawn = one["weight"], seen.get(number[one["path"]], 0) / LENGTH / BATCHES
            assert abs(drawn - share) <= 4 * (share * (1 - share) / BATCHES) ** 0.5, one["path"]
