"""Benchmark items as local files hold them, and the index of the runs of words that betray them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mixc.backends.mubench import contamination_messages as messages
from mixc.backends.mubench.ngrams import Words, gram_length, hashed, tokens
from mixc.backends.mubench.plan import EvaluationPlan, PlannedTask
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.documents.storage import told
from mixc.compiler.plain_json import loads
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.reading import file_bytes

FILE: Final = "test.jsonl"
COMMON: Final = 10
"""Items of one task that share a run of words before it is no sign of any: instructions stand in all of them."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item: its task, language, id, and the text of the question with its right answer."""

    task: str
    language: str
    id: str
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """Runs of words by length: sorted hashes [g], and the number of the item that each is of [g].

    `checked` [items] says which items have any run that tells them.
    """

    lengths: tuple[int, ...]
    hashes: tuple[Words, ...]
    items: tuple[NDArray[np.int64], ...]
    checked: NDArray[np.bool_]


def read_items(root: Path, plan: EvaluationPlan) -> tuple[list[Item], list[Diagnostic]]:
    """All items of the plan that lie below a root, by task; what is missing or damaged is reported."""
    found: list[Diagnostic] = []
    items: list[Item] = []
    planned = [one for one in plan.tasks if one.config is not None]
    without = []
    for one in planned:
        path = root / str(one.config) / FILE
        if not path.is_file():
            without.append(one.task)
            continue
        try:
            items += _items(one, path, f"{one.config}/{FILE}")
        except Unreadable as error:
            found.append(error.diagnostic)
    if len(without) == len(planned):
        example = f"{planned[0].config}/{FILE}" if planned else "CONFIG/test.jsonl"
        return [], [*found, messages.no_items(root.as_posix(), example)]
    if without:
        found.append(messages.missing_items(without, len(planned)))
    return items, found


def index(items: Sequence[Item]) -> Index:
    """The runs of words of all items, without those that many items of a task share."""
    by_length: dict[int, list[int]] = {}
    for number, item in enumerate(items):
        length = gram_length(tokens(item.text))
        if length is not None:
            by_length.setdefault(length, []).append(number)
    names = {task: i for i, task in enumerate(sorted({item.task for item in items}))}
    tasks = np.array([names[item.task] for item in items], dtype=np.int64)
    checked = np.zeros(len(items), dtype=bool)
    hashes, numbers = [], []
    lengths = sorted(by_length)
    for length in lengths:
        members = np.array(by_length[length], dtype=np.int64)
        grams, texts = hashed(items[number].text for number in by_length[length]).grams(length)
        pairs = np.unique(np.stack([grams, members[texts].astype(np.uint64)], axis=1), axis=0)
        kept = _telling(pairs[:, 0], tasks[pairs[:, 1].astype(np.int64)])
        hashes.append(pairs[kept, 0])
        numbers.append(pairs[kept, 1].astype(np.int64))
        checked[numbers[-1]] = True
    return Index(tuple(lengths), tuple(hashes), tuple(numbers), checked)


def _telling(grams: Words, tasks: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which (run, task) stand in at most `COMMON` items [g]."""
    _, inverse, counts = np.unique(
        np.stack([grams, tasks.astype(np.uint64)], axis=1), axis=0, return_inverse=True, return_counts=True
    )
    return np.asarray(counts[inverse.ravel()] <= COMMON)


def _items(one: PlannedTask, path: Path, name: str) -> Iterator[Item]:
    with told(name, remote=False):
        data = file_bytes(path)
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = loads(line)
        except ValueError:
            raise Unreadable(messages.broken_item(name, number, "is not JSON")) from None
        yield _item(one, name, number, row)


def _item(one: PlannedTask, name: str, number: int, row: Any) -> Item:
    if not isinstance(row, dict):
        raise Unreadable(messages.broken_item(name, number, "is no JSON object"))
    prompt, choices, label, id = (row.get(key) for key in ("prompt", "choices", "label", "_id"))
    if not isinstance(prompt, str) or isinstance(id, bool) or not isinstance(id, str | int):
        raise Unreadable(messages.broken_item(name, number, "has no `prompt` or no `_id`"))
    if isinstance(label, str) and label.isdecimal():
        label = int(label)
    options = choices if isinstance(choices, list) else []
    right = label if isinstance(label, int) and not isinstance(label, bool) else -1
    if not 0 <= right < len(options) or not isinstance(options[right], str):
        raise Unreadable(messages.broken_item(name, number, "says of no option that it is the right one"))
    return Item(one.task, one.language, str(id), f"{prompt} {options[right]}")
