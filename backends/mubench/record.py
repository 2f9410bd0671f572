"""An evaluation plan as a manifest states it, a row per dataset, and read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from mixc.backends.mubench.plan import Decontamination, EvaluationPlan, PlannedTask, plan
from mixc.backends.mubench.tasks import DATASETS, Panel
from mixc.compiler.review.plan_rows import EvaluationRow, TaskRow
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.text import Span

ANY = "{language}"


def planned(
    languages: Sequence[str], panel: Panel | None, params: float, harness: str | None, place: Span | None
) -> tuple[dict[str, Any], list[dict[str, Any]], list[Diagnostic]]:
    """The plan for these languages as the fields of an `EvaluationRow`, and of a `TaskRow` per dataset; warnings."""
    made, found = plan(languages, panel, params, harness, place)
    duty = made.decontamination
    stated = {
        "panel": made.panel,
        "harness": made.harness,
        "formula": made.formula,
        "pivot": made.pivot,
        "covered": made.covered,
        "uncovered": made.uncovered,
        "include_path": made.include_path,
        "log_samples": made.log_samples,
        "decontamination": {"ngram": duty.ngram, "against": duty.against},
        "notes": made.notes,
    }
    return stated, _rows(made), found


def recorded(row: EvaluationRow, rows: Sequence[TaskRow]) -> EvaluationPlan:
    """The plan that a row of a manifest states, with the rows of its tasks."""
    panel: Any = row.panel
    every = tuple(sorted({*row.covered, row.pivot}))
    tasks = [_task(one, language, panel) for one in rows for language in one.languages or every]
    return EvaluationPlan(
        panel,
        row.covered,
        row.uncovered,
        tuple(sorted(tasks, key=lambda one: (one.dataset, one.language))),
        row.harness,
        row.notes,
        row.suite,
        row.pivot,
        row.log_samples,
        row.include_path,
        row.formula,
        Decontamination(row.decontamination.ngram, row.decontamination.against),
    )


def _rows(made: EvaluationPlan) -> list[dict[str, Any]]:
    found = []
    every = sorted({*made.covered, made.pivot})
    for name, members in groupby(made.tasks, lambda one: one.dataset):
        mine = list(members)
        dataset = DATASETS.get(name)
        if dataset is None:  # names of other suites follow no pattern
            found += [_row(one, one.task, one.config, [one.language]) for one in mine]
        else:
            languages = [one.language for one in mine]
            found.append(_row(mine[0], dataset.task(ANY), dataset.config(ANY), [] if languages == every else languages))
    return found


def _row(one: PlannedTask, task: str, config: str | None, languages: list[str]) -> dict[str, Any]:
    options = tuple(number for number in one.options if number is not None)
    stated = {key: value for key, value in asdict(one).items() if key in ("dataset", "metric", "family", "weight")}
    return stated | {
        "task": task,
        "languages": tuple(languages) or None,
        "options": options,
        "items": one.items,
        "path": one.dataset_path,
        "config": config,
        "revision": one.revision,
    }


def _task(row: TaskRow, language: str, panel: Panel) -> PlannedTask:
    metric: Any = row.metric
    return PlannedTask(
        row.task.replace(ANY, language),
        row.dataset,
        language,
        row.path,
        None if row.config is None else row.config.replace(ANY, language),
        row.revision,
        metric,
        None if row.items is None else (row.items[0], row.items[-1]),
        (row.options[0], row.options[1] if len(row.options) > 1 else None),
        panel,
        row.family,
        row.weight,
    )
