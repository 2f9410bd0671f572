"""LitData draws our sets by their shares, within four standard errors, and none of their sequences too often."""

from __future__ import annotations

import json
import math
from pathlib import Path

from tests.trainers.conftest import MIXC, Pool
from tests.trainers.environments import ran

LENGTH = 256


def test_litdata_draws_what_was_decided(pool: Pool, smollm: Path) -> None:
    options = ["--run", "selection", "--sequence-length", str(LENGTH), "--tokenizer", str(smollm)]
    real = pool.export("litdata", *options)
    command = [str(MIXC), "export", "docs.manifest.json", "--to", "litdata", "-o", str(real), *options]
    (pool.folder / "asked.json").write_text(
        json.dumps({"real": str(real), "again": [*command, "--counts", "counts.json"]})
    )
    found = ran("torch", "load_litdata.py", "asked.json", cwd=pool.folder)

    made = json.loads((real / "main.json").read_text())
    many, weights = made["sequences_for_sure"], [one["weight"] for one in made["sets"]]
    assert math.fsum(weights) == 1
    assert 1000 < many <= made["sequences"]
    assert sum(found["main"]["first"]) == many  # no set ended before that
    for taken, weight in zip(found["main"]["first"], weights, strict=True):
        assert abs(taken - many * weight) <= 4 * math.sqrt(many * weight * (1 - weight))
    for one in found.values():
        assert one["length"]
        assert one["never too often"]
        assert all(taken <= size for taken, size in zip(one["all"], one["sizes"], strict=True))
        assert any(taken == size for taken, size in zip(one["all"], one["sizes"], strict=True))
    counts = json.loads((pool.folder / "counts.json").read_text())["places"]
    assert found["main"]["sizes"] == [counts[one["input_dir"]]["documents"] for one in made["sets"]]
    assert found["main"]["sizes"] == [counts[one["input_dir"]]["tokens"] // LENGTH for one in made["sets"]]
    assert len(found["several"]["sizes"]) == 1 + 2 + 3 + 1 + 2 + 3 + 1 + 2 + 3 + 1
