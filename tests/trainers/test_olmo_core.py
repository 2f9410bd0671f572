"""OLMo-core takes of every source the sequences that were decided, and building a mixture never fails by rounding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xxhash
import yaml
from tokenizers import Tokenizer

from mixc.backends.exporters.leaves import Leaf, Mixture, Stage
from mixc.backends.exporters.olmo_core import sources
from mixc.backends.exporters.steps import by_pass, scheduled
from tests.trainers.conftest import MIXC, Pool
from tests.trainers.environments import ran

LENGTH, BATCH = 256, 16


def drawn(*key: object) -> int:
    """A number of 32 bits, the same on every machine."""
    return xxhash.xxh64_intdigest("/".join(map(str, key)).encode()) % 2**32


def case(number: int, whole: bool) -> tuple[dict[str, Any], list[int]]:
    """Sources of any size, each read up to six times, as OLMo-core is asked for them; and the sequences to come."""
    length = (16, 100, 256)[number % 3]
    leaves = []
    for i in range(1 + drawn(number, "sources") % 7):
        available = length * (1 + drawn(number, i, "size") % (3, 50, 4000)[drawn(number, i, "scale") % 3])
        available += 0 if whole else drawn(number, i, "rest") % length
        tokens = available * (1 + drawn(number, i, "passes") % 60) // 10
        leaves.append(Leaf(f"case-{number}-{whole}-{i}.npy", f"s{i}", max(tokens, 8 * length), available, None, None))
    mixed = Mixture("cases", (Stage("main", 0, tuple(leaves)),), selected=False)
    mixed, schedules, found = scheduled(mixed, length, 1 + drawn(number, "batch") % 4, by_pass)
    assert schedules is not None, found
    stage, schedule, batch = mixed.stages[0], schedules[0], 1 + drawn(number, "batch") % 4
    return {
        "sizes": {leaf.path: leaf.available for leaf in stage.leaves},
        "sources": sources(stage, schedule, length),
        "tokens": schedule.read * length,
        "batch": batch * length,
        "length": length,
        "passes": [leaf.passes for leaf in stage.leaves],
    }, list(schedule.sequences)


def test_olmo_core_takes_what_was_decided(pool: Pool, smollm: Path) -> None:
    options = ["--run", "selection", "--sequence-length", str(LENGTH), "--batch", str(BATCH)]
    options += ["--tokenizer", str(smollm)]
    real = pool.export("olmo-core", *options)
    command = [str(MIXC), "export", "docs.manifest.json", "--to", "olmo-core", "-o", str(real), *options]
    cases = [case(number, whole) for number in range(40) for whole in (True, False)]
    tokenizer = Tokenizer.from_file(str(smollm / "tokenizer.json"))
    asked = {
        "real": str(real),
        "again": [*command, "--counts", "counts.json"],
        "vocabulary": tokenizer.get_vocab_size(),
        "end": tokenizer.token_to_id(json.loads((smollm / "tokenizer_config.json").read_text())["eos_token"]),
        "cases": [one for one, _ in cases],
    }
    (pool.folder / "asked.json").write_text(json.dumps(asked))
    found = ran("torch", "load_olmo_core.py", "asked.json", cwd=pool.folder)

    entries = yaml.safe_load((real / "main.yaml").read_text())["sources"]
    counts = json.loads((pool.folder / "counts.json").read_text())["places"]
    total = sum(found["taken"].values())
    assert total == found["length"] * LENGTH
    assert total % (BATCH * LENGTH) == 0
    for one in entries:
        taken = found["taken"][one["source_name"]]
        assert taken == pytest.approx(total * one["target_ratio"], abs=1e-6)  # in whole sequences, and exact
        assert taken <= counts[one["paths"][0]]["tokens"]
        assert found["reads"][one["paths"][0]] * LENGTH == taken
    # what it reads are the tokens of the texts, the file's first
    assert found["dtype"] == "uint16"
    for path, ids in found["first"].items():
        assert ids == np.fromfile(pool.folder / path, dtype=np.uint16)[:LENGTH].tolist()
        assert counts[path]["tokens"] == (pool.folder / path).stat().st_size // 2

    for (asked_of, sequences), read in zip(cases, found["cases"], strict=True):
        assert isinstance(read, dict), read  # the build did not fail
        got = [read[one["source_name"]] // asked_of["length"] for one in asked_of["sources"]]
        whole = all(size % asked_of["length"] == 0 for size in asked_of["sizes"].values())
        slack = 0 if whole else sum(int(passes) + 1 for passes in asked_of["passes"])
        assert max(abs(a - b) for a, b in zip(got, sequences, strict=True)) <= slack
        if whole:
            assert sum(got) == sum(sequences)
