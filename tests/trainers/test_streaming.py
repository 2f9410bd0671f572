"""Streaming reads our streams: one epoch is the phase, to the sample, and no sample oftener than decided."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

from mixc.compiler import registry
from mixc.compiler.review.reading import read_manifest
from tests.trainers.conftest import MIXC, Pool
from tests.trainers.environments import ran

LENGTH = 256


def selected(pool: Pool) -> dict[str, int]:
    """Tokens that the run counts at every place."""
    manifest, _ = read_manifest(str(pool.folder / "docs.manifest.json"))
    texts, _ = registry.load("selection").texts_of(pool.folder / "selection", manifest)
    made: dict[str, int] = {}
    for one in texts:
        path = f"data/{one.phase}/{one.source}/{one.language}/{one.domain}"
        made[path] = made.get(path, 0) + one.tokens
    return made


def test_streaming_reads_what_was_decided(pool: Pool, smollm: Path) -> None:
    """Real text, tokenised by the export's script and counted; and data of one's own, read by passes."""
    options = ["--run", "selection", "--sequence-length", str(LENGTH), "--tokenizer", str(smollm)]
    real = pool.export("streaming", *options)
    command = ["export", "docs.manifest.json", "--to", "streaming"]
    again = [str(MIXC), *command, "-o", str(real), *options, "--counts", "counts.json"]
    pool.mixc(*command, "-o", "own", "--data", "own/{source}/{language}/{domain}/{bucket}")
    manifest, _ = read_manifest(str(pool.folder / "docs.manifest.json"))
    assert manifest is not None
    cells = {
        f"own/{row.source}/{row.language}/{row.domain}/{bucket}": (tokens, row.supply_by_bucket[bucket])
        for row in manifest.mixture
        for bucket, tokens in enumerate(row.tokens_by_bucket)
        if tokens
    }
    made = {path: max(1, supply // LENGTH) for path, (_, supply) in cells.items()}
    read = {"real": f"{real}/main.yaml", "own": "own/main.yaml"}
    asked = {"real": str(real), "again": again, "made": made, "length": LENGTH, "read": read}
    (pool.folder / "asked.json").write_text(json.dumps(asked))
    found = ran("streaming", "load_streaming.py", "asked.json", cwd=pool.folder)

    assert found["real"]["lengths"] == found["own"]["lengths"] == [LENGTH]
    counts = json.loads((pool.folder / "counts.json").read_text())["places"]
    there = {path: one["documents"] for path, one in counts.items() if one["documents"]}
    assert {path: one[0] for path, one in found["real"]["places"].items()} == there
    taken = selected(pool)
    scale = min(Fraction(counts[path]["tokens"], taken[path]) for path in there)
    for place, (_, read, _, most) in found["real"]["places"].items():
        assert read == taken[place] * scale // LENGTH, place
        assert most <= 1, place
    assert any(one[1] == one[0] for one in found["real"]["places"].values())  # the one that is short is read whole
    assert [one["epoch"] for one in found.values()] == [
        sum(place[1] for place in one["places"].values()) for one in found.values()
    ]

    for place, (size, read, least, most) in found["own"]["places"].items():
        tokens, supply = cells[place]
        assert size == made[place]
        assert read == tokens * size // supply, place
        assert (least, most) == (read // size, -(-read // size)), place
    assert {most for _, _, _, most in found["own"]["places"].values()} > {1}  # some places are read several times
