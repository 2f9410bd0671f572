"""The same results for programs: one JSON object, figures rounded to six digits, None where undefined."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from mixc.backends.mubench.agreement import Pairs, relative
from mixc.backends.mubench.aligned import Half
from mixc.backends.mubench.bootstrap import LEVEL, REPLICATES, SEED, Real, interval
from mixc.backends.mubench.gaps import Evidence
from mixc.backends.mubench.measure import Measured
from mixc.backends.mubench.plan import FORMULA, EvaluationPlan
from mixc.backends.mubench.proposal import Proposal
from mixc.backends.mubench.results import Guard
from mixc.backends.mubench.study import Study
from mixc.backends.mubench.tasks import DATASETS

CAVEAT = "MLC / mean accuracy is 1 for guessing and for perfection alike; it decides nothing"
BY_LANGUAGE = (
    "accuracy", "null", "headroom", "mlc", "kappa", "both_right", "same_wrong", "with_pivot", "kappa_pivot", "lift",
)  # fmt: skip


def as_json(plan: EvaluationPlan, study: Study, guards: Sequence[Guard], proposal: Proposal | None) -> str:
    """The whole report."""
    data: dict[str, Any] = {
        "formula": FORMULA,
        "panel": plan.panel,
        "pivot": plan.pivot,
        "half": study.half,
        "bootstrap": {"replicates": REPLICATES, "seed": SEED, "level": LEVEL},
        "covered": list(plan.covered),
        "uncovered": list(plan.uncovered),
        "sets": [_set(study, one, two) for one, two in zip(study.measured, study.pairs, strict=True)],
        "unusable": list(study.unusable),
        "languages": {code: _evidence(one) for code, one in study.evidence.items()},
        "guards": [{key: _rounded(value) for key, value in asdict(one).items()} for one in guards],
        "rel_mlc": CAVEAT,
    }
    if proposal is not None:
        half: Half = "weights"
        changes = [{key: _rounded(value) for key, value in asdict(one).items()} for one in proposal.changes]
        data["proposal"] = {"half": half, "mean_gap": _rounded(proposal.mean_gap), "languages": changes}
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def _set(study: Study, one: Measured, two: Pairs) -> dict[str, Any]:
    mlc = one.overall("mlc")
    summary = {name: _with_interval(one.overall(name)) for name in ("mlc", "kappa", "both_right", "same_wrong")}
    languages = {
        code: {name: _with_interval(getattr(one, name)[:, row]) for name in BY_LANGUAGE}
        | {metric: _rounded(study.accuracies[one.dataset, metric, code]) for metric in DATASETS[one.dataset].metrics}
        for row, code in enumerate(one.languages)
    }
    ratio = relative(None if np.isnan(mlc[0]) else float(mlc[0]), one.accuracy[0])
    return {
        "set": one.dataset,
        "metric": one.metric,
        "weight": study.weights[one.dataset],
        "items": one.items,
        **summary,
        "rel_mlc": _rounded(ratio),
        "languages": languages,
        "pairs": [_pair(two, i, j) for i in range(len(two.languages)) for j in range(i + 1, len(two.languages))],
    }


def _pair(two: Pairs, i: int, j: int) -> dict[str, Any]:
    figures: Mapping[str, Real] = {
        "mlc": two.mlc, "chance": two.chance, "kappa": two.kappa, "both_right": two.both_right,
        "same_wrong": two.same_wrong,
    }  # fmt: skip
    named = {"languages": [two.languages[i], two.languages[j]]}
    return named | {name: _rounded(float(values[i, j])) for name, values in figures.items()}


def _evidence(one: Evidence) -> dict[str, Any]:
    return {
        "gap": _rounded(one.gap),
        "gap_interval": _bounds(one.gap_interval),
        "transfer": _rounded(one.transfer),
        "transfer_interval": _bounds(one.transfer_interval),
        "sets": list(one.datasets),
        "items": one.items,
        "complete": one.complete,
    }


def _with_interval(values: Real) -> dict[str, Any]:
    return {"value": _rounded(float(values[0])), "interval": _bounds(interval(values))}


def _bounds(found: tuple[float, float] | None) -> list[Any] | None:
    return None if found is None else [_rounded(found[0]), _rounded(found[1])]


def _rounded(value: Any) -> Any:
    """Six digits; None for what is undefined; anything but a float as it is."""
    if not isinstance(value, float):
        return value
    return None if np.isnan(value) else round(value, 6) + 0.0
