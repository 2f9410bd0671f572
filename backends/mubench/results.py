"""A folder of results against a plan: samples of every task, aligned by item, with all that is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from mixc.backends.mubench import messages, result_messages
from mixc.backends.mubench.aligned import Aligned, align
from mixc.backends.mubench.plan import EvaluationPlan
from mixc.backends.mubench.samples import SampleFile, Samples, find, newest, read_guard, read_samples
from mixc.backends.mubench.tasks import DATASETS, PIVOT, is_guard, parsed
from mixc.compiler.documents.data import Unreadable
from mixc.dsl.diagnostics import Diagnostic, has_errors

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Guard:
    """A native benchmark, or a part of one: accuracy over items, and its standard error. It never sets weights."""

    task: str
    accuracy: float
    error: float
    items: int


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """What was evaluated of a plan: every dataset aligned over its languages, and the guards."""

    plan: EvaluationPlan
    datasets: tuple[Aligned, ...]
    guards: tuple[Guard, ...]


def read_results(folder: Path, plan: EvaluationPlan) -> tuple[Results | None, list[Diagnostic]]:
    """The newest samples of every task of the plan below a folder; None with the reasons where they cannot be used."""
    try:
        found_files = find(folder)
    except OSError:
        found_files = []
    chosen, found = newest(found_files)
    ours = {task: file for task, file in chosen.items() if plan.of(task) is not None}
    guards = {task: file for task, file in chosen.items() if is_guard(task)}
    if not ours and not guards:
        return None, [messages.no_results(folder.as_posix()), *found]
    unknown = sorted(chosen.keys() - ours.keys() - guards.keys())
    if unknown:
        found.append(messages.unknown_tasks(unknown))
    read, problems = _all(ours, lambda file: read_samples(file, DATASETS[_dataset(file.task)]))
    scores, more = _all(guards, read_guard)
    found += [*problems, *more]
    if has_errors(found):
        return None, found
    by_dataset: dict[str, dict[str, Samples]] = {}
    for task, samples in read.items():
        of = parsed(task)
        assert of is not None
        by_dataset.setdefault(of[0].name, {})[of[1]] = samples
    found += missing(plan, by_dataset)
    aligned: list[Aligned] = []
    for name, languages in sorted(by_dataset.items()):
        one, problems = align(name, languages)
        found += problems
        if one is not None:
            aligned.append(one)
            known = DATASETS[name].items
            if known is not None and max(len(samples.ids) for samples in languages.values()) < known[0]:
                found.append(result_messages.few_items(name, one.size, known[0]))
    if has_errors(found):
        return None, found
    told = tuple(Guard(task, float(s.mean()), _error(s), len(s)) for task, s in sorted(scores.items()))
    return Results(plan, tuple(aligned), told), found


def missing(plan: EvaluationPlan, read: Mapping[str, Mapping[str, Samples]]) -> list[Diagnostic]:
    """What the plan has and the results have not."""
    if plan.panel == "guard":
        return []
    without = [name for name in plan.datasets if name not in read]
    found = [result_messages.missing_datasets(without)] if without and read else []
    pivotless = [name for name in sorted(read) if PIVOT not in read[name]]
    if pivotless:
        return [*found, result_messages.no_pivot(pivotless)]
    for code in plan.languages:
        lacking = [name for name in sorted(read) if code not in read[name]]
        if lacking:
            found.append(result_messages.missing_results(code, lacking, len(read)))
    return found


def _all(files: Mapping[str, SampleFile], read: Callable[[SampleFile], T]) -> tuple[dict[str, T], list[Diagnostic]]:
    done: dict[str, T] = {}
    found: list[Diagnostic] = []
    for task, file in sorted(files.items()):
        try:
            done[task] = read(file)
        except Unreadable as error:
            found.append(error.diagnostic)
    return done, found


def _dataset(task: str) -> str:
    of = parsed(task)
    assert of is not None
    return of[0].name


def _error(right: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """The standard error of a mean of zeros and ones."""
    return float(np.sqrt(right.mean() * (1 - right.mean()) / len(right)))


def halves_missing(datasets: Sequence[Aligned], half: str) -> list[Diagnostic]:
    """Sets of which a half has no item."""
    return [result_messages.no_half(one.dataset, half) for one in datasets if not one.size]
