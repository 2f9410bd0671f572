"""The convex program as arrays: cells x phases, laws, rules in one normal form.

Unknowns are `x[c, p]`, tokens of cell c in phase p as a fraction of the recipe's tokens K (solver.md 1). A rule is

    s(x) = A.x + H.info(x) - C.loss(x) - sum_j w_j max(|S_j.x - base_j|) - bound  >= 0   (== 0 for equalities)

with C, w >= 0 and H >= 0, so that every s is concave and the program convex whatever rules meet.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Key = tuple[str, str, str, int]

ABUNDANT = 100.0  # budgets; of a language with more, the preference minds a part, or rare reads drown in rounding


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The n cells. `keys` (language, source, domain, bucket) name them and break ties in rounding.

    `supply` [n] is a fraction of K; `gain` [n] is information (1e9 tokens, or share of K) per unit of supply and fill;
    `limit` [n] bounds passes over all phases, `phase_limit` [n, P] inside each (0: the cell is not in that phase);
    `start` [n] passes were taken before, by earlier mixtures, and count towards information, not towards the limits.
    """

    keys: tuple[Key, ...]
    language: Ints
    supply: Floats
    gain: Floats
    limit: Floats
    phase_limit: Floats
    start: Floats = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        if not len(self.start):
            object.__setattr__(self, "start", np.zeros(len(self.keys)))

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True, slots=True, eq=False)
class Ties:
    """Cells that are taken in fixed proportion: of the tokens of column `column` [n], cell c gets the part `part` [n].

    Parts of a column add up to one; columns are numbered from zero. A cell of its own is a column with the part one.
    """

    column: Ints
    part: Floats


@dataclass(frozen=True, slots=True, eq=False)
class LanguageLaws:
    """loss_i = floor + scale * eff_i^-exponent, eff = ((I + T) J) exp(-V r); `weight` sums to one (or is zero).

    `past` [L] is the part of J that is not of these cells: what earlier mixtures taught.
    """

    weight: Floats
    floor: Floats
    scale: Floats
    exponent: Floats
    transfer: Floats
    cost: Floats
    past: Floats = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        if not len(self.past):
            object.__setattr__(self, "past", np.zeros(len(self.weight)))

    def __len__(self) -> int:
        return len(self.weight)


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """`coefficient * 1/2 sum_l |r_l - base_l|` taken off rule `rule`; r are language shares of the budget."""

    rule: int
    coefficient: float
    base: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """R rules in normal form. `affine` [R, n*P], `info` [R, n], `loss` [R, L]; `weight` [R] is inf for hard rules.

    `scale` [R] is what each row was divided by: a price of this program times `1/scale` is per unit of the bound.
    """

    names: tuple[str, ...]
    affine: sparse.csr_array
    info: sparse.csr_array
    loss: Floats
    bound: Floats
    equality: NDArray[np.bool_]
    weight: Floats
    scale: Floats
    changes: tuple[Change, ...] = ()

    def __len__(self) -> int:
        return len(self.bound)


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """Everything the solver sees. `target` [n, P] switches the objective to relative entropy from it (solver.md 8).

    With `ties` only mixtures that obey them are in the program, x [n, P] still being tokens of every cell.

    `curvature` is c = lam / ln K of InfoLaw, or 0 when the signal is tokens (every pass is worth as much as the first).
    `spread` [n, P] is U b of the tie-break: what x is in proportion to where nothing else decides.
    """

    cells: Cells
    laws: LanguageLaws
    phases: Floats
    rules: Rules
    curvature: float
    mu: float = 1e-4
    target: Floats | None = None
    ties: Ties | None = None
    membership: sparse.csr_array = field(init=False)
    spread: Floats = field(init=False)

    def __post_init__(self) -> None:
        n, count = len(self.cells), len(self.laws)
        rows = sparse.csr_array((np.ones(n), (self.cells.language, np.arange(n))), shape=(count, n))
        object.__setattr__(self, "membership", rows)
        plenty = np.maximum(rows @ self.cells.supply / ABUNDANT, 1.0)[self.cells.language]
        minded = np.maximum(self.cells.supply / plenty, np.minimum(self.cells.supply, 1.0))
        object.__setattr__(self, "spread", minded[:, None] * self.phases)

    @property
    def shape(self) -> tuple[int, int]:
        """(cells, phases)."""
        return len(self.cells), len(self.phases)

    def fill(self, passes: Floats) -> Floats:
        """g(e) [n]: the part of a cell's gain that e passes in all realise; linear up to one, then exponential."""
        if self.curvature == 0:
            return passes
        first = -np.expm1(-self.curvature) * passes
        return np.where(passes <= 1, first, -np.expm1(-self.curvature * passes))

    def information(self, x: Floats) -> Floats:
        """Information of every cell [n], from x [n, P] and what was taken before."""
        passes = self.cells.start + x.sum(axis=1) / self.cells.supply
        return self.cells.supply * self.cells.gain * self.fill(passes)

    def signals(self, x: Floats) -> tuple[Floats, Floats]:
        """(J, r): information and share of the budget of every language [L], [L]."""
        return self.laws.past + self.membership @ self.information(x), self.membership @ x.sum(axis=1)

    def effective(self, x: Floats) -> Floats:
        """eff [L] of every language."""
        info, share = self.signals(x)
        laws = self.laws
        return (info + laws.transfer @ info) * np.exp(-(laws.cost @ share))

    def losses(self, x: Floats) -> Floats:
        """Predicted loss of every language [L], nats per token; inf where nothing is learnt of it."""
        laws = self.laws
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return np.asarray(laws.floor + laws.scale * self.effective(x) ** -laws.exponent)

    def slacks(self, x: Floats) -> Floats:
        """s(x) [R] of every rule; negative where it is violated."""
        rules = self.rules
        if not len(rules):
            return np.zeros(0)
        value = rules.affine @ x.ravel() + rules.info @ self.information(x) - rules.bound
        if rules.loss.any():
            value = value - rules.loss @ np.where(rules.loss.any(axis=0), self.losses(x), 0.0)
        share = self.membership @ x.sum(axis=1)
        for change in self.rules.changes:
            value[change.rule] -= change.coefficient * 0.5 * np.abs(share - change.base).sum()
        return np.asarray(value)

    def preference(self, x: Floats) -> float:
        """The tie-break mu/2 sum U b (x / (U b))^2, or the relative entropy from the target."""
        if self.target is not None:
            return relative_entropy(x, self.target)
        return float(0.5 * self.mu * (x * x / self.spread).sum())

    def shortfall(self, x: Floats) -> float:
        """Priced shortfall of the soft rules."""
        soft = np.isfinite(self.rules.weight)
        return float(self.rules.weight[soft] @ np.maximum(0.0, -self.slacks(x)[soft]))

    def objective(self, x: Floats) -> float:
        """Weighted loss plus priced shortfall: what is certified. Without the preference."""
        weighted = self.laws.weight > 0
        loss = float(self.laws.weight[weighted] @ self.losses(x)[weighted]) if weighted.any() else 0.0
        return loss + self.shortfall(x)


def relative_entropy(x: Floats, target: Floats) -> float:
    """sum x log(x / t) - x + t, in nats; inf where x > 0 = t."""
    from scipy.special import kl_div

    return float(kl_div(x, target).sum())
