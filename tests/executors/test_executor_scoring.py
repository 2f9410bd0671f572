"""Scores by a model are the same bytes on every engine."""

from __future__ import annotations

from pathlib import Path

from mixc.compiler.executor import Executor, run_on
from tests.nag.scoring_pool import TWO, kept, pool, scored_on, told
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
