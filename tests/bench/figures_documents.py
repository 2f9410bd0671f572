"""Figures of documents beyond scan and run: QuaDMix in memory, texts written, processes and memory.

`DOCUMENTS` says of how many, as for a selection: half as many in memory, four times as many with several processes.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.bench import emitting, scaling
from tests.bench.measure import Figure, in_turn

ROUNDS = 5
WORKERS = 2


def quadmix() -> Iterator[Figure]:
    """Merge, rank and sample, from the same arrays: production against the float64 reference."""
    from tests.bench.quadmixing import prepared, production, reference

    given = prepared(_documents() // 2)
    ours, plain = production(given), reference(given)
    differ = float((ours() != plain()).mean())
    seconds, slow = in_turn(3, ours, plain, clock=time.process_time)
    title = f"QuaDMix in memory, {len(given.uniform):,} documents, CPU"
    remark = f"{differ:.2%} of documents are taken otherwise (wanted <= 0.7 x)"
    yield Figure(title, seconds, None, slow, "float64 reference", remark)


def texts() -> Iterator[Figure]:
    """The second stage of `mixc run --materialize` against plain pyarrow, pair by pair."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        emitting.prepare(folder)
        rounds = [(emitting.cost("ours", folder), emitting.cost("plain", folder)) for _ in range(ROUNDS)]
    documents, size = rounds[0][0].documents, rounds[0][0].size
    pairs = [ours.seconds / plain.seconds for ours, plain in rounds]
    spread = f"pairs {min(pairs):.2f} to {max(pairs):.2f} (wanted <= 1.15 x), {size / 1e6:,.0f} MB written"
    for unit in ("CPU", "wall"):
        seconds = [(o.seconds, p.seconds) if unit == "CPU" else (o.wall, p.wall) for o, p in rounds]
        ours, plain = (median(each) for each in zip(*seconds, strict=True))
        title = f"texts of {documents:,} documents, {unit}"
        yield Figure(title, ours, None, plain, "plain pyarrow", spread if unit == "CPU" else "")


def processes() -> Iterator[Figure]:
    """Wall seconds with several processes against one, without starting up; and memory, which is to stay flat."""
    count = _documents()
    ((few,), (one, many)) = (
        _ran(documents, workers) for documents, workers in ((count, [1]), (4 * count, [1, WORKERS]))
    )
    remark = (
        f"starting up {many.start:.1f} s and {one.start:.1f} s not counted; {many.memory:,.0f} MB; "
        f"{many.busy}, with one process {one.busy}"
    )
    title = f"scan + run, {4 * count:,} documents, {WORKERS} processes"
    yield Figure(title, many.net, None, one.net, "one process, wall", remark)
    yield Figure(
        f"  memory of one process, {4 * count:,} documents",
        one.net,
        remark=f"{one.memory:,.0f} MB at the most, {few.memory:,.0f} MB for {count:,} (wanted <= 500 MB, flat)",
    )


def _ran(documents: int, workers: list[int]) -> list[scaling.Ran]:
    with tempfile.TemporaryDirectory() as name:
        scaling.prepare(Path(name), documents)
        return [scaling.ran(Path(name), count) for count in workers]


def _documents() -> int:
    return int(os.environ.get("DOCUMENTS", 1_000_000))
