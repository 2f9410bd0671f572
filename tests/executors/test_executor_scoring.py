"""Scores by a model are the same bytes on every engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixc.compiler.executor import Executor, run_on
from tests.nag.scoring_pool import TWO, Shown, kept, pool, reading_of, rows, scored_on, told
from tests.nag.tiny import saved


def test_every_engine_makes_the_same_scores(tmp_path: Path, smollm: Path, executor: Executor) -> None:
    model = saved("Llama", tmp_path / "tiny", smollm)
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
    first, second = pool(here, model, TWO), pool(there, model, TWO)
    done, found = run_on("local", 1, lambda alone: scored_on(first, alone))
    assert done is not None, told(found)
    done, found = scored_on(second, executor)
    assert done is not None, told(found)
    assert kept(here) == kept(there)


@pytest.mark.parametrize("executor", ["ray"], indirect=True)
def test_ray_tells_how_many_documents_are_read(tmp_path: Path, smollm: Path, executor: Executor) -> None:
    progress = Shown()
    path = pool(tmp_path, saved("Llama", tmp_path / "tiny", smollm), TWO, rows(100))
    done, found = scored_on(path, executor, progress)
    assert done is not None, told(found)
    total, steps, before = reading_of(progress)
    assert steps[-1] == (total, len(rows(100)) + 12)
    assert before == 0
    assert len(steps) > 8  # of four tasks
