"""`python -m tests.fit.recovery [SEEDS]`: how well fits recover known laws, as a table; 100 seeds by default.

InfoLaw: the mean error of 50 extrapolations per seed, as medians of blocks of 20 seeds, at four noises; at 0.2 % how
often each 90 % interval holds the truth. Transfer: R2 on 200 unseen mixtures at the largest budget, with transfer and
without, by number of runs; how often intervals of terms hold the truth.
"""

from __future__ import annotations

import sys

import numpy as np

from mixc.compiler.fit.infolaw import fit_infolaw
from mixc.compiler.fit.infolaw_model import CONSTANTS, evidence, predicted
from mixc.compiler.fit.infolaw_runs import PUBLISHED_EDGES, InfoRuns
from mixc.compiler.fit.transfer import NORMAL_90, fit_transfer, score
from mixc.compiler.fit.transfer_model import FIRST, transfer_data
from tests.fit.runs import (
    BUDGETS,
    TRUTH,
    Truth,
    infolaw_setting,
    infolaw_targets,
    seventeen,
    three,
    transfer_setting,
)

BLOCK = 20
NOISES = (0.0, 0.0005, 0.001, 0.002)


def infolaw_seed(seed: int, noise: float, intervals: bool = False) -> tuple[float, list[bool]]:
    """The mean relative error of the targets, and whether each constant lies in its interval."""
    fit = fit_infolaw(InfoRuns("simulated", tuple(infolaw_setting(seed, noise)), ""), PUBLISHED_EDGES, intervals)
    targets = evidence(infolaw_targets(seed), PUBLISHED_EDGES)
    error = float(np.abs(np.expm1(predicted(targets, fit.constants) - targets.log_loss)).mean())
    held = [
        (low is None or low <= getattr(TRUTH, name)) and (high is None or getattr(TRUTH, name) <= high)
        for name, (low, high) in fit.intervals.items()
    ]
    return error, held


def transfer_seed(truth: Truth, runs: int, seed: int, noise: float = 0.01) -> tuple[float, float, list[float]]:
    """R2 with and without transfer on 200 unseen mixtures at the largest budget; the share of T, of V in intervals."""

    def data(of: list) -> object:  # type: ignore[type-arg]
        return transfer_data(of, truth.languages, None, BUDGETS[-1], 1e9)

    seen = data(transfer_setting(truth, runs, seed, noise))
    unseen = data(transfer_setting(truth, 200, 10_000 + seed, 0.0, BUDGETS[-1]))
    fit, isolated = fit_transfer(seen), fit_transfer(seen, "isolated", 3)  # type: ignore[arg-type]
    many = len(truth.languages)
    off = ~np.eye(many, dtype=bool)
    held = []
    for true, value, at in ((truth.transfer, fit.point.transfer, 0), (truth.cost, fit.point.cost, many)):
        spread = NORMAL_90 * fit.errors[:, FIRST + at : FIRST + at + many]
        held.append(float((np.abs(true - value) <= spread)[off].mean()))
    scores = [score(unseen, one.point).r2 for one in (fit, isolated)]  # type: ignore[arg-type]
    return scores[0], scores[1], held


def main(seeds: int) -> None:
    """Print the table."""
    for noise in NOISES:
        found = [infolaw_seed(seed, noise, intervals=noise == NOISES[-1]) for seed in range(seeds if noise else 5)]
        errors = np.array([error for error, _ in found])
        blocks = [float(np.median(errors[i : i + BLOCK])) for i in range(0, len(errors), BLOCK)]
        listed = " ".join(f"{100 * block:.3g}%" for block in blocks)
        print(f"InfoLaw, noise {100 * noise:g}%: median of mean errors {100 * np.median(errors):.3g}%; by 20: {listed}")
        if noise == NOISES[-1]:
            share = np.mean([held for _, held in found], axis=0)
            words = ", ".join(f"{name} {100 * part:.0f}%" for name, part in zip(CONSTANTS, share, strict=True))
            print(f"InfoLaw, noise {100 * noise:g}%: 90% intervals hold {words}", flush=True)
    for truth, counts, few in ((three(), (12, 24, 48), seeds), (seventeen(), (60, 150, 500), max(1, seeds // 20))):
        for runs in counts:
            rows = [transfer_seed(truth, runs, seed) for seed in range(few)]
            held = np.mean([row[2] for row in rows], axis=0)
            print(
                f"transfer, {len(truth.languages)} languages, {runs} runs: median R2 "
                f"{np.median([row[0] for row in rows]):.4f}, without {np.median([row[1] for row in rows]):.3f}; "
                f"90% intervals hold {100 * held[0]:.0f}% of T, {100 * held[1]:.0f}% of V",
                flush=True,
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
