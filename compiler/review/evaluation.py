"""The evaluation in the manifest: the plan that a suite's backend makes, as rows; and what changed in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mixc.compiler import registry
from mixc.compiler.recipe import Evaluation
from mixc.compiler.review.plan_rows import EvaluationRow, TaskRow
from mixc.compiler.review.schema import Manifest
from mixc.compiler.supply.languages import UNDETERMINED
from mixc.dsl.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class Planned:
    """How the trained model is evaluated: a row per `evaluate` block, and its tasks."""

    evaluations: tuple[EvaluationRow, ...] = ()
    tasks: tuple[TaskRow, ...] = ()


def evaluation_rows(
    evaluations: Sequence[Evaluation], languages: Sequence[str], params: float
) -> tuple[Planned, list[Diagnostic]]:
    """The plan of every `evaluate` block, for these languages (canonical codes) and a model of so many parameters."""
    rows: list[EvaluationRow] = []
    tasks: list[TaskRow] = []
    found: list[Diagnostic] = []
    spoken = [code for code in languages if code not in UNDETERMINED]
    for one in evaluations:
        suite: Any = registry.load(f"evaluation-{one.suite}")
        stated, mine, more = suite.planned(spoken, one.panel, params, one.harness, one.span)
        rows.append(EvaluationRow.model_validate(stated | {"suite": one.suite, "holdout": one.holdout}))
        tasks += [TaskRow.model_validate(task | {"suite": one.suite}) for task in mine]
        found += more
    return Planned(tuple(rows), tuple(tasks)), found


def evaluation_changes(old: Manifest, new: Manifest) -> list[str]:
    """How the trained model is evaluated otherwise."""
    before, after = ({one.suite: one for one in manifest.evaluations} for manifest in (old, new))
    return [
        line
        for suite in sorted(before.keys() | after.keys())
        for line in _changes(suite, before.get(suite), after.get(suite))
    ]


def _changes(suite: str, old: EvaluationRow | None, new: EvaluationRow | None) -> list[str]:
    if old is None or new is None:
        return [f"evaluation by {suite}: {_brief(old)} -> {_brief(new)}"]
    keys = ("panel", "harness", "holdout", "formula", "covered", "uncovered")
    return [
        f"evaluation by {suite}, {key}: {_told(getattr(old, key))} -> {_told(getattr(new, key))}"
        for key in keys
        if getattr(old, key) != getattr(new, key)
    ]


def _brief(row: EvaluationRow | None) -> str:
    return "none" if row is None else f"panel {row.panel}, {len(row.covered)} languages"


def _told(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(value) or "none"
    return "none" if value is None else str(value)
