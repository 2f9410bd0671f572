"""The report for people: sets, languages, pairs, every set in every language, guards, and what is proposed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from mixc.backends.mubench.agreement import relative
from mixc.backends.mubench.bootstrap import LEVEL, Real, interval
from mixc.backends.mubench.measure import Measured
from mixc.backends.mubench.proposal import Proposal, written
from mixc.backends.mubench.results import Guard, Results
from mixc.backends.mubench.study import Study
from mixc.backends.mubench.tasks import DATASETS, PIVOT, Metric
from mixc.compiler.review.words import share, table

NONE: Final = "-"
SHOWN: Final = 5
HALVES: Final = {
    "report": "the half of the items that sets no weights",
    "weights": "the half of the items that sets weights",
    "all": "all items, those that set weights among them",
}


def report(results: Results, study: Study, proposal: Proposal | None) -> str:
    """The whole report."""
    parts: list[str] = []
    if results.plan.uncovered:
        parts.append(f"not evaluated, for want of tasks: {', '.join(results.plan.uncovered)}\n")
    if study.measured:
        parts += [_sets(study), _languages(study), _pairs(study), _details(study)]
    if results.guards:
        parts.append(_guards(results.guards))
    if proposal is not None:
        parts.append(_proposal(proposal))
    return "\n".join(part for part in parts if part)


def figure(value: float | None, digits: int = 3) -> str:
    """A number, or a dash where it is undefined."""
    return NONE if value is None or np.isnan(value) else f"{value:.{digits}f}"


def spanned(value: float | None, bounds: tuple[float, float] | None) -> str:
    """A number with its interval: `0.412 [0.380, 0.447]`."""
    if value is None or np.isnan(value):
        return NONE
    return figure(value) if bounds is None else f"{value:.3f} [{bounds[0]:.3f}, {bounds[1]:.3f}]"


def replicated(values: Real) -> str:
    """A statistic [R] with its interval."""
    return spanned(float(values[0]), interval(values))


def _sets(study: Study) -> str:
    lines = []
    for one in study.measured:
        english = one.languages.index(PIVOT) if PIVOT in one.languages else None
        mlc = one.overall("mlc")
        ratio = relative(None if np.isnan(mlc[0]) else float(mlc[0]), one.accuracy[0])
        lines.append([
            one.dataset, one.metric, f"{one.items:,}", str(len(one.languages)),
            NONE if english is None else figure(float(one.accuracy[0, english])), figure(float(one.accuracy[0].mean())),
            figure(float(one.null[0].mean())), replicated(mlc), replicated(one.overall("kappa")),
            figure(float(one.overall("both_right")[0])), figure(float(one.overall("same_wrong")[0])), figure(ratio),
        ])  # fmt: skip
    header = (
        "set", "metric", "items", "languages", "acc en", "acc mean", "null", "MLC", "kappa", "both right",
        "same wrong", "Rel-MLC",
    )  # fmt: skip
    unusable = (
        f"English does not stand out from guessing on {', '.join(study.unusable)}: no gap is measured there\n"
        if study.unusable
        else ""
    )
    return (
        f"{table(header, lines, left=(0, 1))}"
        f"on {HALVES[study.half]}; [{LEVEL:.0%} interval of a paired bootstrap over items]\n"
        "null: what guessing with the same habits would score; MLC: same option in both languages, mean over pairs; "
        "kappa: MLC beyond chance\n"
        "Rel-MLC = MLC / accuracy is 1 for guessing and for perfection alike: it decides nothing\n"
        f"{unusable}"
    )


def _languages(study: Study) -> str:
    lines = [
        [
            code,
            f"{one.items:,}",
            spanned(one.gap, one.gap_interval),
            spanned(one.transfer, one.transfer_interval),
            figure(_mean_lift(study, code)),
            "" if one.complete else f"only {', '.join(one.datasets)}",
        ]
        for code, one in study.evidence.items()
    ]
    if not lines:
        return ""
    header = ("language", "items", "gap", "transfer", "lift", "")
    return (
        f"{table(header, lines, left=(0, 5))}"
        "gap: the part of English's lead over guessing that is missing; transfer: kappa with English\n"
        "lift: how much likelier right where English is right; 1 is independent\n"
    )


def _mean_lift(study: Study, code: str) -> float | None:
    """The transfer lift over usable sets, by their weights; None where it is defined on none, and for English."""
    if code == PIVOT:
        return None
    own = [
        (study.weights[one.dataset], float(one.lift[0, one.languages.index(code)]))
        for one in study.measured
        if code in one.languages and one.dataset in study.evidence[code].datasets
    ]
    known = [(weight, lift) for weight, lift in own if not np.isnan(lift)]
    return sum(weight * lift for weight, lift in known) / sum(weight for weight, _ in known) if known else None


def mean_kappas(study: Study) -> list[tuple[str, str, float]]:
    """(a, b, mean kappa over sets that both have, by their weights) of every pair, the most alike first."""
    sums: dict[tuple[str, str], tuple[float, float]] = {}
    for one in study.pairs:
        weight = study.weights[one.dataset]
        for i, a in enumerate(one.languages):
            for j in range(i + 1, len(one.languages)):
                total, over = sums.get((a, one.languages[j]), (0.0, 0.0))
                sums[a, one.languages[j]] = total + weight * float(one.kappa[i, j]), over + weight
    means = [(a, b, total / over) for (a, b), (total, over) in sums.items() if over]
    return sorted(means, key=lambda pair: (-round(pair[2], 9), pair[0], pair[1]))


def _pairs(study: Study) -> str:
    means = mean_kappas(study)
    if len(means) < 2:
        return ""
    shown = means if len(means) <= 2 * SHOWN else [*means[:SHOWN], *means[-SHOWN:]]
    lines = [[f"{a}-{b}", figure(kappa)] for a, b, kappa in shown]
    rest = f"the {SHOWN} most and the {SHOWN} least alike of {len(means):,} pairs\n" if len(shown) < len(means) else ""
    return f"{table(('pair', 'kappa'), lines)}{rest}"


def _details(study: Study) -> str:
    lines = [line for one in study.measured for line in _of_set(study, one)]
    header = ("set", "language", "acc", "acc_norm", "null", "headroom", "MLC", "kappa en", "lift")
    return table(header, lines, left=(0, 1))


def _of_set(study: Study, one: Measured) -> Iterable[list[str]]:
    def accuracy(metric: Metric, code: str) -> str:
        known = metric in DATASETS[one.dataset].metrics
        return figure(study.accuracies[one.dataset, metric, code]) if known else NONE

    for row, code in enumerate(one.languages):
        pivot = code == PIVOT
        yield [
            one.dataset, code, accuracy("acc", code), accuracy("acc_norm", code), figure(float(one.null[0, row])),
            figure(float(one.headroom[0, row])), figure(float(one.mlc[0, row])),
            NONE if pivot else replicated(one.kappa_pivot[:, row]), NONE if pivot else replicated(one.lift[:, row]),
        ]  # fmt: skip


def _guards(guards: Sequence[Guard]) -> str:
    lines = [[one.task, f"{one.items:,}", figure(one.accuracy), figure(one.error)] for one in guards]
    header = ("guard", "items", "acc", "s.e.")
    return f"{table(header, lines)}guards set no weights; a fall by more than one s.e. is a reason to step back\n"


def _proposal(proposal: Proposal) -> str:
    if not proposal.moved:
        return f"nothing is proposed: no gap differs from the mean of {proposal.mean_gap:.3f} beyond its interval\n"
    lines = [
        [
            one.language, written(one.priority), written(one.proposed), share(one.share), share(one.proposed_share),
            NONE if one.parallel is None else share(one.parallel),
        ]
        for one in proposal.changes
    ]  # fmt: skip
    header = ("language", "priority", "proposed", "share", "proposed", "parallel")
    return (
        f"{table(header, lines)}"
        "a proposal from the half that sets weights, to be reviewed: nothing is changed by itself\n"
        "parallel: the part of the language's tokens that parallel or translated text could be\n"
    )
