"""Runs simulated from known laws: what the fits are measured by.

InfoLaw's setting: 27 runs of three sizes from 252M to 1.2B parameters, 72 tokens per parameter (3.6 times Chinchilla's
20), a pool of 3.2e11 tokens in the published buckets, recipes drawn from Dirichlet(1) and sorted, noise relative to the
loss; targets of 1.5B to 7B parameters at 100B to 425B tokens, recipes drawn the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixc.compiler.fit.infolaw_model import Constants, evidence, predicted
from mixc.compiler.fit.infolaw_runs import PUBLISHED_EDGES, InfoRun, RunCell

Floats = NDArray[np.float64]
TRUTH = Constants(0.922, 0.140, 0.018, 3.7373, 0.0441)
POOL = 3.2e11
SIZES = (252e6, 550e6, 1.2e9)
OVERTRAINED = 72.0


def infolaw_rows(
    sizes: Sequence[float],
    tokens: Sequence[float],
    shares: Floats,
    noise: Floats,
    truth: Constants = TRUTH,
    pool: float = POOL,
    edges: Sequence[float] = PUBLISHED_EDGES,
) -> list[InfoRun]:
    """Runs of these sizes, budgets and shares [n, D], with relative noise [n] on the loss of a law."""
    made = []
    for i, (params, total, share) in enumerate(zip(sizes, tokens, shares, strict=True)):
        lows = (0.0, *edges[:-1])
        cells = tuple(
            RunCell(("", "", ""), low, high, float(part * total), (high - low) * pool)
            for low, high, part in zip(lows, edges, share, strict=True)
        )
        made.append(InfoRun(f"r{i:03}", float(params), float(total), 1.0, cells))
    losses = np.exp(predicted(evidence(made, edges), truth)) * (1 + noise)
    return [InfoRun(r.name, r.params, r.tokens, float(loss), r.cells) for r, loss in zip(made, losses, strict=True)]


def sorted_dirichlet(random: np.random.Generator, runs: int, buckets: int = 6) -> Floats:
    """Shares that fall from the best bucket to the worst."""
    return -np.sort(-random.dirichlet(np.ones(buckets), runs), axis=1)


def infolaw_setting(seed: int, noise: float, runs: int = 27) -> list[InfoRun]:
    """InfoLaw's runs with relative noise of this standard deviation."""
    random = np.random.default_rng(seed)
    sizes = np.repeat(SIZES, -(-runs // len(SIZES)))[:runs]
    shares = sorted_dirichlet(random, runs)
    return infolaw_rows(sizes, sizes * OVERTRAINED, shares, noise * random.standard_normal(runs))


def infolaw_targets(seed: int, targets: int = 50) -> list[InfoRun]:
    """Larger models that a fit is extrapolated to, without noise."""
    random = np.random.default_rng([seed, 1])
    sizes = np.exp(random.uniform(np.log(1.5e9), np.log(7e9), targets))
    tokens = np.exp(random.uniform(np.log(1e11), np.log(4.25e11), targets))
    return infolaw_rows(sizes, tokens, sorted_dirichlet(random, targets), np.zeros(targets))


THREE = ("de", "en", "zh")
SEVENTEEN = (
    "cs", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "no", "pl", "pt", "ro", "ru", "sv", "uk", "zh",
)  # fmt: skip
BUDGETS = (1e10, 3e10, 1e11)


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """A transfer law at the largest budget: a, b, beta [L]; T, V [L, L]; p, q; and g of the budget itself."""

    languages: tuple[str, ...]
    floor: Floats
    scale: Floats
    exponent: Floats
    transfer: Floats
    cost: Floats
    fade: float = 0.3
    growth: float = 0.2
    budget: float = 0.0

    def losses(self, shares: Floats, tokens: Floats) -> Floats:
        """Losses [n, L] of shares [n, L] at budgets [n]."""
        s = (np.asarray(tokens) / BUDGETS[-1])[:, None]
        received = shares + s**-self.fade * (shares @ self.transfer.T)
        level = np.log(received) - s**self.growth * (shares @ self.cost.T) + self.budget * np.log(s)
        return self.floor + self.scale * np.exp(-self.exponent * level)


def three() -> Truth:
    """Three languages: English gives most, Chinese takes least."""
    transfer = np.array([[0.0, 0.35, 0.05], [0.10, 0.0, 0.06], [0.03, 0.12, 0.0]])
    cost = np.array([[0.0, 0.10, 0.30], [0.15, 0.0, 0.20], [0.25, 0.30, 0.0]])
    return Truth(
        THREE, np.array([1.5, 1.6, 1.8]), np.array([0.9, 0.8, 1.0]), np.array([0.35, 0.3, 0.4]), transfer, cost
    )


def seventeen(seed: int = 17) -> Truth:
    """Seventeen languages: terms of a family, of a script and of none, spread by a lognormal factor."""
    from mixc.compiler.fit.transfer_model import kind

    random = np.random.default_rng(seed)
    kinds = np.array([[kind(i, j) for j in SEVENTEEN] for i in SEVENTEEN])
    n = len(SEVENTEEN)

    def terms(by_kind: tuple[float, float, float]) -> Floats:
        drawn = np.array(by_kind)[np.maximum(kinds, 0)] * np.exp(0.4 * random.standard_normal((n, n)))
        return np.where(kinds < 0, 0.0, drawn)

    return Truth(
        SEVENTEEN,
        random.uniform(1.4, 2.0, n),
        random.uniform(0.5, 0.8, n),
        random.uniform(0.25, 0.45, n),
        terms((0.25, 0.08, 0.03)),
        terms((0.10, 0.25, 0.40)),
    )


def transfer_setting(truth: Truth, runs: int, seed: int, noise: float = 0.01, tokens: float | None = None) -> list[Any]:
    """Runs with shares from Dirichlet(1) at three budgets in turn, or at one, and noise in nats on every loss."""
    from mixc.compiler.fit.transfer_runs import TransferRun

    random = np.random.default_rng(seed)
    shares = random.dirichlet(np.ones(len(truth.languages)), runs)
    budgets = np.full(runs, tokens) if tokens else np.resize(BUDGETS, runs)
    losses = truth.losses(shares, budgets) + noise * random.standard_normal((runs, len(truth.languages)))
    return [
        TransferRun(
            f"r{k:03}",
            1e9,
            float(budgets[k]),
            tuple(zip(truth.languages, (shares[k] * budgets[k]).tolist(), strict=True)),
            tuple(zip(truth.languages, losses[k].tolist(), strict=True)),
        )
        for k in range(runs)
    ]
