"""How well the transfer law predicts runs that it has not seen, beside languages that learn from themselves alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from mixc.compiler.fit.transfer import Form, Scores, fit_transfer, score
from mixc.compiler.fit.transfer_model import Flags, TransferData
from mixc.compiler.fit.transfer_runs import TransferRun

What: TypeAlias = Literal["largest budget", "unseen mixtures"]
STARTS = 2
PART = 5  # one mixture in five is held out
FEWEST = 4  # losses of each language that must remain


@dataclass(frozen=True, slots=True)
class HeldOutRuns:
    """What was held out, how many runs, and the scores there with transfer and without."""

    what: What
    runs: int
    fitted: Scores
    isolated: Scores


def held_out(data: TransferData, runs: tuple[TransferRun, ...], form: Form) -> tuple[HeldOutRuns, ...]:
    """The runs of the largest budget, and a fifth of the mixtures, each predicted from the others."""
    largest = np.isclose(data.log_budget, data.log_budget.max(), rtol=0, atol=1e-9)
    found = []
    cases: tuple[tuple[What, Flags], ...] = (("largest budget", largest), ("unseen mixtures", unseen(runs)))
    for what, out in cases:
        rest, aside = data.take(~out), data.take(out)
        counted = (~np.isnan(rest.loss)).sum(axis=0)
        if not out.any() or out.all() or counted.min() < FEWEST:
            continue
        scores = [score(aside, fit_transfer(rest, way, STARTS).point) for way in (form, "isolated")]
        found.append(HeldOutRuns(what, int(out.sum()), scores[0], scores[1]))
    return tuple(found)


def unseen(runs: tuple[TransferRun, ...]) -> Flags:
    """A fifth of the mixtures with all their runs, whatever the order of the runs."""
    mixtures = [repr([(code, round(value / run.tokens, 6)) for code, value in run.taken]) for run in runs]
    ordered = sorted(set(mixtures), key=lambda text: hashlib.sha256(text.encode()).hexdigest())
    chosen = set(ordered[: max(1, len(ordered) // PART)] if len(ordered) > 1 else [])
    return np.array([mixture in chosen for mixture in mixtures])
