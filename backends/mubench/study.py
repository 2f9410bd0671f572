"""What results say of every language, on one half of the items: accuracy, agreement, gaps, evidence of transfer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mixc.backends.mubench.agreement import Pairs, pairs
from mixc.backends.mubench.aligned import Half, halved
from mixc.backends.mubench.bootstrap import REPLICATES
from mixc.backends.mubench.gaps import Evidence, evidence, usable
from mixc.backends.mubench.measure import Measured, measure
from mixc.backends.mubench.result_messages import nothing_measured
from mixc.backends.mubench.results import Results, halves_missing
from mixc.backends.mubench.tasks import DATASETS, Metric
from mixc.dsl.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """All statistics of one half: by dataset under the metric that decides, pairs, and evidence by language.

    `accuracies` are (dataset, metric, language) to accuracy, for every metric of the harness. `unusable` are sets on
    which English does not stand out from guessing. `weights` are those of the plan, by dataset.
    """

    half: Half
    measured: tuple[Measured, ...]
    pairs: tuple[Pairs, ...]
    accuracies: Mapping[tuple[str, Metric, str], float]
    evidence: Mapping[str, Evidence]
    unusable: tuple[str, ...]
    weights: Mapping[str, float]


def study(results: Results, half: Half, replicates: int = REPLICATES) -> tuple[Study, list[Diagnostic]]:
    """The statistics of a half, with bootstrap intervals."""
    parts = [halved(one, half) for one in results.datasets]
    found = halves_missing(parts, half)
    parts = [one for one in parts if one.size]
    weights = {one.dataset: one.weight for one in results.plan.tasks}
    measured = tuple(measure(one, DATASETS[one.dataset].metric, replicates) for one in parts)
    accuracies: dict[tuple[str, Metric, str], float] = {
        (one.dataset, metric, code): float(value)
        for one in parts
        for metric in DATASETS[one.dataset].metrics
        for code, value in zip(one.languages, one.right(metric).mean(axis=1), strict=True)
    }
    chosen, others = usable(measured)
    unusable = tuple(one.dataset for one in others)
    if unusable:
        found.append(nothing_measured(unusable, deciding=not chosen))
    every = tuple(pairs(one, DATASETS[one.dataset].metric) for one in parts)
    return Study(half, measured, every, accuracies, evidence(chosen, weights), unusable, weights), found
