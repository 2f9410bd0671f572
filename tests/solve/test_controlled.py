"""Of very many cells only the steps near the margin are weighed: so many a phase, and enough to meet its sum."""

from __future__ import annotations

import numpy as np
import pytest
from test_rounding import binding_case

from mixc.compiler.solve import controlled
from mixc.compiler.solve.controlled import unit_steps
from mixc.compiler.solve.task import plain_task


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("phases", [1, 2, 3])
def test_no_more_steps_than_were_asked_for_are_weighed(
    monkeypatch: pytest.MonkeyPatch, phases: int, width: int
) -> None:
    """With all steps rounding comes out as well, only that millions of cells make a huge program."""
    program, x, budgets, caps = binding_case(0, languages=(40, 50), buckets=(5, 6), phases=(phases, phases))
    task, most = plain_task(program, x, budgets, caps), 40 * width
    every = unit_steps(task, task.floor(), width)
    assert (np.bincount(every.entry % phases) > 2 * most).all()
    monkeypatch.setattr(controlled, "NEAREST", 40)
    near = unit_steps(task, task.floor(), width)
    assert np.bincount(near.entry % phases).tolist() == [most] * phases
    lack = task.need - near.low.sum(axis=0)
    assert ((lack >= 0) & (lack <= most)).all()
