"""Megatron reads our blends: the shares to one sequence, and no token of a place twice that is read once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mixc.compiler import registry
from mixc.compiler.review.reading import read_manifest
from tests.trainers.conftest import MIXC, Pool
from tests.trainers.environments import ran

LENGTH = 256


def places(pool: Pool) -> dict[str, int]:
    """Tokens that the run counts at every place."""
    manifest, _ = read_manifest(str(pool.folder / "docs.manifest.json"))
    texts, _ = registry.load("selection").texts_of(pool.folder / "selection", manifest)
    made: dict[str, int] = {}
    for one in texts:
        path = f"data/{one.phase}/{one.source}/{one.language}/{one.domain}"
        made[path] = made.get(path, 0) + one.tokens
    return {path: tokens for path, tokens in made.items() if tokens}


@pytest.fixture
def options(smollm: Path) -> list[str]:
    return ["--run", "selection", "--sequence-length", str(LENGTH), "--tokenizer", str(smollm)]


def test_megatron_reads_what_was_decided(pool: Pool, options: list[str]) -> None:
    """Real text, tokenised by the export's script; and data of known size, of which every place is read whole.

    The second has places of one and of two sequences, and one of a whole number of sequences, which gives one less:
    the last label of a sequence lies in the next.
    """
    real = pool.export("megatron", *options)
    command = ["export", "docs.manifest.json", "--to", "megatron"]
    again = [str(MIXC), *command, "-o", str(real), *options, "--counts", "counts.json", "--batch", "16"]
    taken = places(pool)
    exact = max(taken, key=taken.__getitem__)
    part = (taken[exact] - taken[exact] % LENGTH) / taken[exact]
    taken[exact] -= taken[exact] % LENGTH
    counts = {path.replace("data/", "whole/"): {"documents": 1, "tokens": tokens} for path, tokens in taken.items()}
    (pool.folder / "whole.json").write_text(json.dumps({"places": counts}))
    pattern = "whole/{phase}/{source}/{language}/{domain}"
    pool.mixc(*command, "-o", "whole", *options, "--counts", "whole.json", "--data", pattern)
    made = {path: one["tokens"] for path, one in counts.items()}
    asked = {"real": str(real), "again": again, "whole": "whole", "made": made}
    (pool.folder / "asked.json").write_text(json.dumps(asked))
    found = ran("torch", "load_megatron.py", "asked.json", cwd=pool.folder)

    for name, folder in (("real", real), ("whole", pool.folder / "whole")):
        lines = [line.split() for line in (folder / "main.args").read_text().splitlines()]
        asked_of = {path: int(weight) for weight, path in lines}
        samples = json.loads((folder / "samples.json").read_text())["train_samples"]["main"]
        assert found[f"{name} parsed"] == [[path for _, path in lines], [float(weight) for weight, _ in lines]]
        assert found[f"{name} same"]  # `--data-args-path` and `--per-split-data-args-path`
        assert found[f"{name} sample"] == [LENGTH, samples + 1]
        assert sum(asked_of.values()) == samples + 1
        for surplus in ("0.0", "0.005"):
            read = found[f"{name} {surplus}"]
            assert set(read) == set(asked_of)
            assert sum(one[0] for one in read.values()) == samples
            assert all(asked_of[path] - one[0] in (0, 1) for path, one in read.items())
            assert all(one[2] == one[0] * LENGTH for one in read.values())
        assert {path: one[1] for path, one in found[f"{name} 0.0"].items() if one[1] != 1} == {}
        assert {one[3] for one in found[f"{name} 0.0"].values()} == {1}  # no second pass is even built
    whole = exact.replace("data/", "whole/")
    read = {path: one[0] for path, one in found["whole 0.0"].items()}
    wanted = {path: tokens * (1 if tokens == made[whole] else part) for path, tokens in made.items()}
    short = {path: tokens / LENGTH - read.get(path, 0) for path, tokens in wanted.items()}
    assert sum(one > 1 for one in short.values()) <= 2, short  # the whole number of sequences, and the one left unread
    assert all(0 < one <= 2 for one in short.values())
    assert short[whole] in (1, 2)
    # with the surplus a second pass is built of every place, and small ones are shuffled into it
    assert max(one[3] for one in found["whole 0.005"].values()) == 2
    assert all(one[1] == 1 for one in found["whole 0.005"].values() if one[0] > 2)
    assert any(one[1] == 2 for one in found["whole 0.005"].values())
