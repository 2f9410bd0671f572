"""Levanter reads our weights: of every place what was decided, to the sequence, and never a pass too many."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import xxhash
import yaml

from mixc.backends.exporters.blocks import Amounts, Blocks, in_blocks, wanted
from mixc.backends.exporters.leaves import Leaf, Mixture, Stage
from mixc.backends.exporters.levanter import LARGEST, weights
from mixc.compiler.review.reading import read_manifest
from tests.corpus.present import corpus
from tests.trainers.conftest import MIXC, ROOT, Pool
from tests.trainers.environments import ran

LENGTH, BATCH = 64, 4


def drawn(*key: object) -> int:
    """A number of 32 bits, the same on every machine."""
    return xxhash.xxh64_intdigest("/".join(map(str, key)).encode()) % 2**32


def case(number: int) -> tuple[dict[str, Any], tuple[Amounts, ...], Blocks] | None:
    """Two or three phases over a few places of any size, each of which may be read four times in all.

    None where a phase is shorter than a step, or gives half a sequence of a place to a block as long as itself.
    """
    length, batch = 10, (1, 6, 8, 25)[number % 4]
    phases = 2 + number % 2
    leaves: list[list[Leaf]] = [[] for _ in range(phases)]
    lengths = {}
    for i in range(2 + drawn(number, "places") % 9):
        available = 300 + drawn(number, i, "size") % (900, 5_000)[drawn(number, i, "scale") % 2]
        lengths[f"p{i}"] = available // length
        for phase in range(phases):
            tokens = available * (1 + drawn(number, i, phase, "passes") % (400 // phases)) // 100
            if drawn(number, i, phase, "read") % 5:
                leaves[phase].append(Leaf(f"p{i}", f"p{i}", tokens, available, None, 4.0))
    stages = tuple(Stage(str(phase), 0, tuple(one)) for phase, one in enumerate(leaves))
    mixed, amounts, _ = wanted(Mixture("case", stages, selected=False), length)
    blocks, found = in_blocks(mixed, amounts, batch, LARGEST, weights)
    if blocks is None:
        assert {one.code for one in found} <= {"M800", "M818"}
        return None
    steps = [many * blocks.size // batch for many in blocks.numbers]
    staged = []
    for phase, (stage, counts) in enumerate(zip(mixed.stages, blocks.counts, strict=True)):
        told = weights(counts)
        assert told is not None
        order = sorted(range(len(counts)), key=lambda i: (-counts[i], i))
        staged.append([sum(steps[:phase]), {stage.leaves[i].path: told[i] for i in order}])
    return (
        {"lengths": lengths, "weights": staged, "batch": batch, "size": blocks.size, "steps": sum(steps)},
        amounts,
        blocks,
    )


def selected_tokens(folder: Path) -> int:
    """Tokens of texts, as the run counted them."""
    return sum(sum(pq.ParquetFile(file).read()["tokens"].to_pylist()) for file in folder.rglob("*.parquet"))


def test_levanter_reads_what_was_decided(tmp_path: Path, smollm: Path) -> None:
    pool = Pool(tmp_path)
    shutil.copy(ROOT / "tests" / "trainers" / "two.mix", tmp_path)
    root = ("--param", f"root={os.path.relpath(corpus(), tmp_path)}")
    pool.mixc("compile", "two.mix", *root)
    pool.mixc("run", "two.manifest.json", "-o", "texts", "--materialize", "--repeat", *root)
    command = ["export", "two.manifest.json", "--to", "levanter", "-o", "real", "--run", "texts"]
    command += ["--sequence-length", str(LENGTH), "--batch", str(BATCH), "--tokenizer", str(smollm)]
    pool.mixc(*command)
    two = ROOT / "recipes" / "pretrain-anneal.manifest.json"
    own = ["--data", "tok/{source}/{language}", "--sequence-length", "4096", "--batch", "512", "--tokenizer", "org/t"]
    pool.mixc("export", str(two), "--to", "levanter", "-o", "own", *own)
    cases = [made for number in range(10) if (made := case(number)) is not None]
    assert len(cases) > 6
    again = [str(MIXC), *command, "--counts", "counts.json"]
    asked = {"real": "real", "again": again, "own": "own", "cases": [one for one, _, _ in cases]}
    (tmp_path / "asked.json").write_text(json.dumps(asked))
    found = ran("levanter", "load_levanter.py", "asked.json", cwd=tmp_path)

    # texts of a run in two phases, in caches that Levanter built
    config = yaml.safe_load((tmp_path / "real" / "train.yaml").read_text())
    counts = json.loads((tmp_path / "counts.json").read_text())["places"]
    selected = json.loads((tmp_path / "texts" / "run.json").read_text())["selection"]
    documents: Counter[str] = Counter()
    for path, one in counts.items():
        documents[path.split("/")[2]] += one["documents"]
    assert documents == {one["phase"]: one["copies"] for one in selected}
    *phases, most = found["real"]
    staged, size = config["data"]["train_weights"], config["data"]["mixture_block_size"]
    steps = [staged[1][0], config["trainer"]["num_train_steps"] - staged[1][0]]
    for (_, told), count, read in zip(staged, steps, phases, strict=True):
        assert read == {name: int(weight) * (count * BATCH // size) for name, weight in told.items()}
    for phase, read in zip(("first", "second"), phases, strict=True):
        places = {path: one["tokens"] // LENGTH for path, one in counts.items() if path.split("/")[2] == phase}
        tokens = {path: selected_tokens(tmp_path / path) for path in places}
        used = []
        for name, count in read.items():
            (path,) = [path for path in places if f"-{path.split('/')[4]}-" in name]
            assert count / sum(read.values()) == pytest.approx(tokens[path] / sum(tokens.values()), abs=1 / size)
            used.append(count / places[path])
        assert 0.98 < max(used) <= 1  # as far as the first place reaches, in the tokenizer's tokens
    assert set(most.values()) == {1}
    assert found["tokens"][0] == LENGTH
    assert 0 <= found["tokens"][1] < found["tokens"][2] < 49_152

    # weights in two phases, as the training program reads them
    plan, _ = read_manifest(str(two))
    assert plan is not None
    config = yaml.safe_load((tmp_path / "own" / "train.yaml").read_text())
    assert found["own"]["stop"] == "restart"
    assert found["own"]["steps"] == config["trainer"]["num_train_steps"]
    assert found["own"]["weights"] == config["data"]["train_weights"]
    *firsts, last = found["own"]["blocks"]
    for phase, block in zip(plan.phases, firsts, strict=True):
        shares: Counter[str] = Counter()
        for row in plan.mixture:
            if row.phase == phase.name:
                shares[f"tok/{row.source}/{row.language}"] += row.share
        places = found["own"]["components"]
        for name, count in block.items():
            assert count / sum(block.values()) == pytest.approx(shares[places[name]], abs=1 / 32_768)
        assert sum(block.values()) == config["data"]["mixture_block_size"]
    assert last == firsts[-1]

    for (asked_of, amounts, made), (*phases, most) in zip(cases, found["cases"], strict=True):
        assert max(most.values()) <= 4
        for i, (phase, one) in enumerate(zip(phases, amounts, strict=True)):
            names = sorted(asked_of["weights"][i][1])
            assert [phase[name] for name in names] == [count * made.numbers[i] for count in made.counts[i]]
            assert sum(phase.values()) % asked_of["batch"] == 0
            assert sum(phase.values()) <= sum(one.wanted)
