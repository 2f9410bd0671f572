"""The decision to make, and the decision made: the two types between the front, the solver and the manifest.

A `Problem` is complete and small: names and numbers, no spans needed, no arrays. It is rebuilt from a manifest alone,
which is how `mixc diff` re-solves with one changed input. `solve/program.py` turns it into arrays.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from mixc.compiler.recipe import Limit, Order, Rule, Strategy


@dataclass(frozen=True, slots=True)
class InfoLaw:
    """Constants of InfoLaw (arXiv 2605.02364): lam = a ln N + b, L = alpha info^-beta, info in 1e9 tokens.

    `edges` are the upper ranks of the calibration's own buckets (0.05, 0.2, … 1); bucket d has density exp(-theta d).
    """

    name: str
    theta: float
    a: float
    b: float
    alpha: float
    beta: float
    edges: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ProblemLanguage:
    """A language: weight in the objective, what it receives (T) and what it pays (V), and its loss law.

    loss = floor + scale * eff^-exponent. `assumed` when the law is InfoLaw's own for want of a fitted one.
    `transfer[j]` is T[this, j], `cost[j]` is V[this, j]. `past` is what earlier mixtures taught of it from pools that
    this one does not have: information in 1e9 tokens, or tokens where these are the signal.
    """

    code: str
    priority: float
    transfer: tuple[tuple[str, float], ...]
    cost: tuple[tuple[str, float], ...]
    floor: float
    scale: float
    exponent: float
    assumed: bool
    past: float = 0.0


@dataclass(frozen=True, slots=True)
class Bucket:
    """An interval [low, high) of quality ranks, 0 = best, with its supply in tokens and InfoLaw density.

    An unrated pool has the one bucket [0, 1). `taken` tokens of it were read before, by the mixtures that this one
    continues; repetitions count.
    """

    low: float
    high: float
    tokens: int
    density: float
    taken: int = 0


@dataclass(frozen=True, slots=True)
class Pool:
    """The supply of one (source, language, domain), cut into buckets, best first.

    A domain with a sampling curve S ties its buckets: they are taken in proportion to `copies`, the mean of S over each
    bucket's tokens, with S(best) = `peak`. Both are empty and zero where buckets are free of each other. A pool that is
    sampled by a temperature is one bucket, of which every document is read `once` at most.
    """

    source: str
    language: str
    domain: str
    rated: bool
    buckets: tuple[Bucket, ...]
    copies: tuple[float, ...] = ()
    peak: float = 0.0
    once: bool = False

    @property
    def tokens(self) -> int:
        """Unique tokens of all buckets."""
        return sum(bucket.tokens for bucket in self.buckets)


@dataclass(frozen=True, slots=True)
class ProblemSource:
    """What limits a source: passes over every cell, in all (`limit`) or inside one phase; where it may be used."""

    name: str
    limit: Limit | None
    phase_limits: tuple[tuple[str, Limit], ...] = ()
    phases: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ProblemPhase:
    """A phase and its budget in tokens. A recipe without phases has one, named `main`."""

    name: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Problem:
    """All that decides the mixture. Everything is sorted by name (phases: by time), so order of text never matters.

    `before` are the tokens of the mixtures that this one continues (`compile --after`).
    """

    params: float
    tokens: int
    flops: float
    phases: tuple[ProblemPhase, ...]
    languages: tuple[ProblemLanguage, ...]
    sources: tuple[ProblemSource, ...]
    pools: tuple[Pool, ...]
    rules: tuple[Rule, ...]
    order: Order
    strategy: Strategy
    law: InfoLaw
    form: Literal["isolated", "linear", "logc"] = "logc"
    signal: Literal["info", "tokens"] = "info"
    baselines: tuple[tuple[str, tuple[tuple[str, float], ...]], ...] = ()  # change("M"): language shares of M
    edges: tuple[float, ...] = ()  # upper ranks of the buckets of rated pools
    before: int = 0
    gone: tuple[Pool, ...] = ()  # that earlier mixtures took of, and this one does not have

    @property
    def horizon(self) -> int:
        """K of InfoLaw: all tokens that the model will have read."""
        return self.before + self.tokens


@dataclass(frozen=True, slots=True)
class CellChoice:
    """What was decided for one bucket of a pool, per phase; `grid` in millionths of the phase's budget.

    `binds` says why no more is taken: "" (interior), "kink" (the end of the first pass), "limit", "zero", or a rule.
    """

    grid: tuple[int, ...]
    tokens: tuple[int, ...]
    epochs: float
    binds: str


@dataclass(frozen=True, slots=True)
class LanguageOutcome:
    """Figures of a language: share of the budget, effective information (1e9 tokens), predicted loss (nats per token).

    `benefit`: fall of the weighted loss for one more percent of its information, for the marginal view of `explain`.
    """

    code: str
    share: float
    effective: float
    loss: float
    benefit: float


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """A rule after rounding: value and slack in the bound's units, and its one-sided prices.

    `tighten` is the rise of the loss per point of share (per 1 % of the bound elsewhere) when the rule is tightened a
    little, `loosen` the fall when it is loosened; equal where the optimum is smooth. `shortfall` is for `prefer`.
    """

    rule: Rule
    value: float
    bound: float
    slack: float
    active: bool
    tighten: float
    loosen: float
    shortfall: float = 0.0


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was proved: `bound` <= the least possible loss; `gap` = (loss - bound) / loss of the rounded mixture.

    `tie_break` is what the stated preference cost in loss; `residual` the largest violated optimality equation.
    """

    loss: float
    bound: float
    gap: float
    tie_break: float
    residual: float


@dataclass(frozen=True, slots=True)
class Decision:
    """A decided mixture: `cells[i][j]` belongs to `problem.pools[i].buckets[j]`."""

    problem: Problem
    cells: tuple[tuple[CellChoice, ...], ...]
    languages: tuple[LanguageOutcome, ...]
    rules: tuple[RuleOutcome, ...]
    certificate: Certificate
    loss: float
    information: float
    distance: float | None = None  # strategies with target shares: relative entropy from the target
    notes: tuple[str, ...] = field(default=())
