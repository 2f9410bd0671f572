"""The process that gives out work holds the sums of one shard at a time, whatever their number."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from mixc.backends.selection.backend import Run, run, verify
from mixc.backends.selection.markers import Marker
from mixc.compiler.executor import run_on
from mixc.compiler.progress import Quiet
from tests.selection.pool import compiled, plain_pool, told

SHARDS = 12


class Counting(Quiet):
    """Counts at every step the markers in memory that have their sums; `most` is the largest count."""

    def __init__(self) -> None:
        self.most, self.steps = 0, 0

    def begin(self, what: str, total: int) -> None:
        self.advance(0, 0)

    def advance(self, size: int, documents: int) -> None:
        self.steps += 1
        held = sum(1 for found in gc.get_objects() if type(found) is Marker and found.sums)
        self.most = max(self.most, held)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return compiled(plain_pool(tmp_path_factory.mktemp("many"), shards=SHARDS))


def test_sums_are_added_up_as_shards_end(many: Run, tmp_path: Path) -> None:
    """By a run, by one that goes on where all is done, and by verification."""
    for fewest in (SHARDS, 0):
        progress = Counting()
        outcome, found = run_on("local", 2, lambda executor, to=progress: run(many, tmp_path, executor, to))
        assert outcome is not None and not any(marker.sums for marker in outcome.markers), told(found)
        assert progress.most <= 1 and progress.steps > fewest
    progress = Counting()
    report, found = run_on("local", 2, lambda executor: verify(many, tmp_path, 0.5, executor, progress))
    assert report is not None and report.faults == (), told(found)
    assert progress.most <= 1 and progress.steps > SHARDS // 2
