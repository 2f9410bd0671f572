"""What lm-evaluation-harness logged of every item: `samples_TASK_TIME.jsonl`, found and read.

Predictions are counted again from the log-likelihoods, with ties to the first option as in the harness: `acc` takes
the likeliest option, `acc_norm` the likeliest per character.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mixc.backends.mubench.messages import broken_sample, empty_samples, option_count, repeated_items, several_runs
from mixc.backends.mubench.result_messages import other_metric
from mixc.backends.mubench.tasks import Dataset, Metric
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.documents.storage import told
from mixc.compiler.plain_json import as_float, loads
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.reading import check_plain

Small = NDArray[np.int8]

METRICS: Final[tuple[Metric, ...]] = ("acc", "acc_norm")
MOST_OPTIONS: Final = 127
_NAME: Final = re.compile(r"samples_(?P<task>.+)_(?P<time>\d{4}-\d\d-\d\dT[\d.-]+)\.jsonl")


@dataclass(frozen=True, slots=True)
class SampleFile:
    """A file of samples: the task, when it was run, its path, and its name as messages say it."""

    task: str
    time: str
    path: Path
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """One task's items in the order of the file: ids, numbers of options, right options, predicted options [n]."""

    ids: tuple[str, ...]
    options: Small
    gold: Small
    predicted: Mapping[Metric, Small]


@dataclass(frozen=True, slots=True)
class _Item:
    id: str
    options: int
    gold: int
    predicted: tuple[int, int]


def find(folder: Path) -> list[SampleFile]:
    """Every file of samples below a folder, sorted by task, time and name."""
    found = []
    for path in folder.rglob("samples_*.jsonl"):
        match = _NAME.fullmatch(path.name)
        if match is not None:
            found.append(SampleFile(match["task"], match["time"], path, path.relative_to(folder).as_posix()))
    return sorted(found, key=lambda one: (one.task, one.time, one.name))


def newest(found: Sequence[SampleFile]) -> tuple[dict[str, SampleFile], list[Diagnostic]]:
    """The newest file of every task; all have to be of one model, which names their folder."""
    by_task: dict[str, list[SampleFile]] = {}
    for one in found:
        by_task.setdefault(one.task, []).append(one)
    problems = [
        several_runs(task, [one.name for one in files])
        for task, files in sorted(by_task.items())
        if len({one.path.parent for one in files}) > 1
    ]
    chosen = {task: files[-1] for task, files in by_task.items()}
    models = sorted({one.path.parent.name for one in chosen.values()})
    if not problems and len(models) > 1:
        firsts = [next(one for one in chosen.values() if one.path.parent.name == model) for model in models]
        problems.append(several_runs(firsts[0].task, [one.name for one in firsts]))
    return chosen, problems


def read_samples(file: SampleFile, dataset: Dataset) -> Samples:
    """All items of a file. Raises `Unreadable`."""
    items: list[_Item] = []
    seen: set[str] = set()
    repeated: list[str] = []
    for number, sample in _lines(file):
        item = _item(file, number, sample, dataset)
        if item.id in seen:
            repeated.append(item.id)
        seen.add(item.id)
        items.append(item)
    if repeated:
        raise Unreadable(repeated_items(file.name, repeated[0], len(repeated)))
    return Samples(
        tuple(one.id for one in items),
        np.array([one.options for one in items], dtype=np.int8),
        np.array([one.gold for one in items], dtype=np.int8),
        {metric: np.array([one.predicted[i] for one in items], dtype=np.int8) for i, metric in enumerate(METRICS)},
    )


def read_guard(file: SampleFile) -> NDArray[np.float64]:
    """Whether each item of a guard was answered right [n]. Raises `Unreadable`."""
    right: list[float] = []
    for number, sample in _lines(file):
        value = sample.get("acc")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise Unreadable(broken_sample(file.name, number, "has no `acc` between 0 and 1"))
        right.append(float(value))
    return np.array(right, dtype=np.float64)


def _lines(file: SampleFile) -> Iterator[tuple[int, dict[str, Any]]]:
    """(number from 1, object) of every line. Raises `Unreadable`."""
    count = 0
    with told(file.name, remote=False):
        check_plain(file.path)
    with told(file.name, remote=False), file.path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                sample = loads(line)
            except ValueError:
                why = "is blank" if not line.strip() else "is not JSON" if line.endswith(b"\n") else "is cut short"
                raise Unreadable(broken_sample(file.name, number, why)) from None
            if not isinstance(sample, dict):
                raise Unreadable(broken_sample(file.name, number, "is no JSON object"))
            count += 1
            yield number, sample
    if not count:
        raise Unreadable(empty_samples(file.name))


def _item(file: SampleFile, number: int, sample: dict[str, Any], dataset: Dataset) -> _Item:
    """What a line says. Raises `Unreadable`."""

    def broken(why: str) -> Unreadable:
        return Unreadable(broken_sample(file.name, number, why))

    doc = sample.get("doc")
    if not isinstance(doc, dict):
        raise broken("has no `doc`")
    id, choices = doc.get("_id"), doc.get("choices")
    if isinstance(id, bool) or not isinstance(id, str | int) or id == "":
        raise broken("has no `_id` in its `doc`")
    if not isinstance(choices, list) or not all(isinstance(one, str) for one in choices):
        raise broken("has no list of texts `choices` in its `doc`")
    low, high = dataset.options
    if not low <= len(choices) <= (high or MOST_OPTIONS):
        raise Unreadable(option_count(file.name, str(id), len(choices), low, high))
    scores = _scores(sample.get("filtered_resps"))
    if scores is None:
        raise broken("has no log-likelihoods in `filtered_resps`")
    if len(scores) != len(choices):
        raise broken(f"has {len(scores)} log-likelihoods for {len(choices)} options")
    if not all(choices):
        raise broken("has an empty option")
    gold = _gold(sample.get("target", doc.get("label")), choices)
    if gold is None:
        raise broken("says of no option that it is the right one")
    normed = [score / len(choice) for score, choice in zip(scores, choices, strict=True)]
    predicted = scores.index(max(scores)), normed.index(max(normed))
    for metric, option in zip(METRICS, predicted, strict=True):
        stated = sample.get(metric)
        if isinstance(stated, int | float) and (value := as_float(stated)) != float(option == gold):
            raise Unreadable(other_metric(file.name, number, metric, value, float(option == gold)))
    return _Item(str(id), len(choices), gold, predicted)


def _scores(found: object) -> list[float] | None:
    """One log-likelihood per option: `[[ll, is_greedy], …]`, which the harness writes as texts."""
    if not isinstance(found, list) or not found:
        return None
    try:
        scores = [float(one[0]) for one in found]
    except (TypeError, ValueError, LookupError, OverflowError):
        return None
    return None if any(math.isnan(one) for one in scores) else scores


def _gold(target: object, choices: Sequence[str]) -> int | None:
    """The number of the right option, which may be stated as a number, as its digits, or as the option itself."""
    if isinstance(target, bool):
        return None
    if isinstance(target, str):
        if target.isdecimal() and len(target) < 4:
            target = int(target)
        elif target in choices:
            return choices.index(target)
    return target if isinstance(target, int) and 0 <= target < len(choices) else None
