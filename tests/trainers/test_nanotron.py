"""The data that we write for nanotron are read by datatrove's dataset, which is nanotron's; nanotron is not run."""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Tokenizer

from tests.trainers.conftest import Pool
from tests.trainers.environments import ran

LENGTH = 255


def test_datatrove_reads_what_is_written_for_nanotron(pool: Pool, smollm: Path) -> None:
    options = ["--run", "selection", "--sequence-length", str(LENGTH), "--batch", "8", "--tokenizer", str(smollm)]
    real = pool.export("nanotron", *options)
    asked = json.loads((real / "places.json").read_text())
    asked["places"] = [one for one in asked["places"] if "/declaration/" in one["path"]]
    (real / "places.json").write_text(json.dumps(asked))
    places = [one["path"] for one in asked["places"]]
    (pool.folder / "asked.json").write_text(json.dumps({"real": str(real), "places": places, "length": LENGTH}))
    found = ran("torch", "load_nanotron.py", "asked.json", cwd=pool.folder)

    counts = json.loads((pool.folder / "counts.json").read_text())["places"]
    end = Tokenizer.from_file(str(smollm / "tokenizer.json")).token_to_id("<|im_end|>")
    assert set(found) == set(places)
    for path, one in found.items():
        assert one["items"] == counts[path]["tokens"] // (LENGTH + 1)
        assert (one["documents"], one["tokens"]) == (counts[path]["documents"], counts[path]["tokens"])
        assert one["metadata"] == f"{smollm}|2"
        after = [0] + [i + 1 for i, token in enumerate(one["ids"][:-1]) if token == end]
        assert [i for i, position in enumerate(one["positions"]) if position == 0] == after
