"""The evaluation plan of a mixture: which tasks judge its languages, with which metric and weight (C1).

A plan depends on the recipe alone, never on what is installed or on the network.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mixc.backends.mubench import tasks
from mixc.backends.mubench.messages import nothing_covered, uncovered_languages
from mixc.backends.mubench.tasks import DATASET_PATH, DATASETS, PIVOT, Dataset, Metric, Panel
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.text import Span

SUITE: Final = "mubench"
FORMULA: Final = "mubench-1"
HARNESS: Final = "lm-eval==0.4.13"
"""What exported tasks are tested with, where a recipe names no harness."""
INCLUDE_PATH: Final = "tasks"
SMALL: Final = 2e9
"""Parameters up to which the panel is `early` where a recipe names none."""
NGRAM: Final = 13
SOURCES: Final = ("MuBench items", "the English items they were translated from")


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """One task of the plan.

    `items` are the lowest and highest number of items that are known, `options` those per item; None: not known.
    `weight` is the task's part in what is said of its language: it sums to 1 over a language, and is 0 for a guard.
    `revision` is the commit of the dataset; None: not known, and so not pinned.
    """

    task: str
    dataset: str
    language: str
    dataset_path: str | None
    config: str | None
    revision: str | None
    metric: Metric
    items: tuple[int, int] | None
    options: tuple[int, int | None]
    panel: Panel
    family: str
    weight: float


@dataclass(frozen=True, slots=True)
class Decontamination:
    """What must not be trained on: texts that share `ngram` words in a row with what is named."""

    ngram: int = NGRAM
    against: tuple[str, ...] = SOURCES
    command: str = "mixc contamination"


@dataclass(frozen=True, slots=True)
class EvaluationPlan:
    """All tasks of a panel, sorted by dataset and language, and the languages that it covers or does not.

    `notes` are what is not known or not done, in sentences.
    """

    panel: Panel
    covered: tuple[str, ...]
    uncovered: tuple[str, ...]
    tasks: tuple[PlannedTask, ...]
    harness: str
    notes: tuple[str, ...]
    suite: str = SUITE
    pivot: str = PIVOT
    log_samples: bool = True
    include_path: str = INCLUDE_PATH
    formula: str = FORMULA
    decontamination: Decontamination = Decontamination()

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages with tasks, the pivot among them."""
        return tuple(sorted({one.language for one in self.tasks}))

    @property
    def datasets(self) -> tuple[str, ...]:
        """Datasets of the plan, sorted by name."""
        return tuple(sorted({one.dataset for one in self.tasks}))

    def of(self, task: str) -> PlannedTask | None:
        """The task of that name."""
        return next((one for one in self.tasks if one.task == task), None)


def default_panel(params: float) -> Panel:
    """`early` for models of up to 2B parameters, on which the other tasks show little; else `full`."""
    return "early" if params <= SMALL else "full"


def plan(
    languages: Sequence[str], panel: Panel | None, params: float, harness: str | None, place: Span | None = None
) -> tuple[EvaluationPlan, list[Diagnostic]]:
    """The plan for the canonical codes that a recipe declares; what it does not cover is a warning at `place`.

    The pivot, English, is always part of a plan: gaps and transfer are measured against it.
    """
    chosen: Panel = panel or default_panel(params)
    declared = sorted(set(languages))
    known = _guarded() if chosen == "guard" else frozenset(tasks.LANGUAGES)
    covered = tuple(code for code in declared if code in known)
    uncovered = tuple(code for code in declared if code not in known)
    rows = _guards(covered) if chosen == "guard" else _rows(sorted({*covered, PIVOT}), chosen)
    found: list[Diagnostic] = []
    if uncovered:
        found.append(uncovered_languages(uncovered, chosen, place))
    if not covered:
        found.append(nothing_covered(chosen, place))
    made = EvaluationPlan(chosen, covered, uncovered, rows, harness or HARNESS, _notes(chosen, panel is None))
    return made, found


def of_panel(panel: Panel) -> tuple[Dataset, ...]:
    """The datasets of a panel of MuBench."""
    return tuple(one for one in DATASETS.values() if one.early or panel == "full")


def weights(datasets: Sequence[Dataset]) -> dict[str, float]:
    """The weight of each dataset: families weigh the same and share their weight among members; they sum to 1."""
    members = Counter(one.family for one in datasets)
    return {one.name: 1 / (len(members) * members[one.family]) for one in datasets}


def _rows(languages: Sequence[str], panel: Panel) -> tuple[PlannedTask, ...]:
    chosen = of_panel(panel)
    weight = weights(chosen)
    return tuple(
        PlannedTask(
            one.task(language), one.name, language, DATASET_PATH, one.config(language), None, one.metric,
            one.items, one.options, panel, one.family, weight[one.name],
        )
        for one in chosen
        for language in languages
    )  # fmt: skip


def _guards(languages: Sequence[str]) -> tuple[PlannedTask, ...]:
    """Tasks that the harness has itself; English only where a guard has it."""
    names = [("include", code, tasks.include_task(code)) for code in languages if code in tasks.INCLUDE]
    lite = sorted({*languages, PIVOT})
    names += [("global_mmlu", code, tasks.global_mmlu_task(code)) for code in lite if code in tasks.GLOBAL_MMLU]
    return tuple(
        PlannedTask(task, dataset, code, None, None, None, "acc", None, (4, 4), "guard", dataset, 0.0)
        for dataset, code, task in sorted(names)
    )


def _guarded() -> frozenset[str]:
    return frozenset((*tasks.INCLUDE, *tasks.GLOBAL_MMLU))


def _notes(panel: Panel, by_default: bool) -> tuple[str, ...]:
    said = [f"the panel `{panel}` is the default for a model of this size"] if by_default else []
    if panel == "guard":
        said.append("guards are reported and never set weights")
        said.append(
            "Global-MMLU-Lite mixes culturally sensitive and agnostic questions: the harness has no task of the "
            "sensitive ones alone"
        )
    else:
        said.append(f"the revision of {DATASET_PATH} is not known, so it is not pinned")
        said.append("the harness has no MuBench tasks of its own: `mixc export --to lm-eval` writes them")
    return tuple(said)
