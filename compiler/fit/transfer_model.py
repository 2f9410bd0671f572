"""The transfer law as a least-squares problem: arrays, residuals, slopes.

    L_ik = a_i + exp(c_i - beta_i z_ik)                                   c = ln b
    z_ik = ln(J_ik + s_k^-p sum_j T_ij J_jk) - s_k^q sum_j V_ij r_jk + g ln s_k + h ln n_k

with s = D / D0 and n = N / N0; J is the share r when the signal is tokens, and InfoLaw's information in 1e9 tokens when
it is info (then g = h = 0, J knows of D and N itself). Given the few constants that all languages share, a language's
own are independent of the others': the normal equations are an arrow, solved by its blocks.

Terms of one kind (same family; same script; neither) are drawn to their common value: lam_T (T_ij - t_kind)^2 and
lam_V (V_ij - v_kind)^2 are added to the squares; so are a_i and beta_i of all languages to theirs. All terms are
non-negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mixc.compiler.fit.transfer_runs import TransferRun
from mixc.compiler.supply.languages import family, script

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
KINDS = ("same family", "same script", "neither")
SHARED = ("p", "q", "g", "h", "t0", "t1", "t2", "v0", "v1", "v2", "a", "beta")
COMMON = 4  # where common values start among the shared: of T by kind, of V by kind, of a and of beta
LOWER = np.array([-0.5, -0.5, 0.0, 0.0, *[0.0] * 8])
UPPER = np.array([2.0, 2.0, 2.0, 3.0, *[5.0] * 3, *[10.0] * 3, 20.0, 3.0])
LEAST_LEVEL = 1e-9  # of what a language receives: below, its loss is as if it got this
LEAST_BETA, MOST_BETA = 0.01, 3.0
MOST_TRANSFER, MOST_COST = 5.0, 10.0
FLOOR, SCALE, BETA = 0, 1, 2
FIRST = 3  # a, c, beta; then T_i1 … T_iL, then V_i1 … V_iL


@dataclass(frozen=True, slots=True, eq=False)
class TransferData:
    """n runs of M languages, L of which have losses: own, share [n, M]; loss [n, L], NaN where not measured.

    `kind` [L, M] is 0, 1, 2 (`KINDS`), -1 for a language and itself. `log_budget`, `log_size` [n] are ln s and ln n.
    """

    own: Floats
    share: Floats
    loss: Floats
    log_budget: Floats
    log_size: Floats
    kind: NDArray[np.intp]
    signal: str

    def take(self, rows: Flags) -> TransferData:
        """Some of the runs."""
        return replace(
            self,
            own=self.own[rows],
            share=self.share[rows],
            loss=self.loss[rows],
            log_budget=self.log_budget[rows],
            log_size=self.log_size[rows],
        )


@dataclass(frozen=True, slots=True, eq=False)
class TransferPoint:
    """All constants: `each` [L, 3 + 2 M] as in `FIRST`, `shared` as in `SHARED`."""

    each: Floats
    shared: Floats

    @property
    def transfer(self) -> Floats:
        """T [L, M]."""
        return self.each[:, FIRST : FIRST + (self.each.shape[1] - FIRST) // 2]

    @property
    def cost(self) -> Floats:
        """V [L, M]."""
        return self.each[:, FIRST + (self.each.shape[1] - FIRST) // 2 :]


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """Which constants move and how far: bounds of `each` and of `shared`; equal bounds hold one."""

    low: Floats
    high: Floats
    shared_low: Floats
    shared_high: Floats


def groups_of(data: TransferData) -> NDArray[np.intp]:
    """For each constant of a language [L, 3 + 2 M] the common value it is drawn to, as a place from `COMMON`; or -1."""
    terms = np.hstack([data.kind, np.where(data.kind < 0, -1, data.kind + 3)])
    return np.hstack([np.tile(np.array([6, -1, 7]), (len(terms), 1)), terms])


def transfer_data(
    runs: Sequence[TransferRun], languages: Sequence[str], own: Floats | None, tokens: float, params: float
) -> TransferData:
    """Arrays for languages that have losses, then those that are only read; `own` [n, M] is None for signal tokens."""
    readable = columns(runs, languages)
    place = {code: i for i, code in enumerate(readable)}
    share, loss = np.zeros((len(runs), len(readable))), np.full((len(runs), len(languages)), np.nan)
    for k, run in enumerate(runs):
        total = sum(value for _, value in run.taken)
        for code, value in run.taken:
            share[k, place[code]] = value / total
        for code, value in run.losses:
            loss[k, place[code]] = value
    return TransferData(
        share if own is None else own,
        share,
        loss,
        np.log(np.array([run.tokens for run in runs]) / tokens),
        np.log(np.array([run.params for run in runs]) / params),
        np.array([[kind(i, j) for j in readable] for i in languages], dtype=np.intp),
        "tokens" if own is None else "info",
    )


def columns(runs: Sequence[TransferRun], languages: Sequence[str]) -> tuple[str, ...]:
    """All languages: those with losses first, then others that runs read, sorted."""
    others = {code for run in runs for code, _ in run.taken} - set(languages)
    return (*languages, *sorted(others))


def kind(one: str, other: str) -> int:
    """Which terms a pair shares its common value with."""
    if one == other:
        return -1
    if family(one) is not None and family(one) == family(other):
        return 0
    return 1 if script(one) == script(other) else 2


def levels(data: TransferData, point: TransferPoint) -> tuple[Floats, Floats, Floats, Floats]:
    """All [L, n]: z; s^-p / (J + s^-p sum T J), what a unit of T adds; s^-p sum T J over the same; s^q sum V r."""
    p, q, g, h = point.shared[:4]
    many = len(point.each)
    fade = np.exp(-p * data.log_budget)
    given = fade * (point.transfer @ data.own.T)
    total = np.maximum(data.own.T[:many] + given, LEAST_LEVEL)
    paid = np.exp(q * data.log_budget) * (point.cost @ data.share.T)
    return np.log(total) - paid + g * data.log_budget + h * data.log_size, fade / total, given / total, paid


def losses_at(data: TransferData, point: TransferPoint) -> Floats:
    """The law's losses [n, L]."""
    level = levels(data, point)[0]
    a, c, beta = (point.each[:, [i]] for i in (FLOOR, SCALE, BETA))
    return (a + np.exp(np.minimum(c - beta * level, 50.0))).T


def slopes(data: TransferData, point: TransferPoint) -> tuple[Floats, Floats, Floats]:
    """law - loss [L, n] (0 where not measured), its slopes by own constants [L, n, m] and by shared [L, n, 12]."""
    level, per_unit, given, paid = levels(data, point)
    a, c, beta = (point.each[:, [i]] for i in (FLOOR, SCALE, BETA))
    measured = ~np.isnan(data.loss.T)
    power = np.exp(np.minimum(c - beta * level, 50.0)) * measured
    residual = np.where(measured, a + power - data.loss.T, 0.0)
    down = -beta * power
    many = data.own.shape[1]
    own = np.empty((*residual.shape, FIRST + 2 * many))
    own[:, :, FLOOR], own[:, :, SCALE], own[:, :, BETA] = measured, power, -power * level
    np.multiply((down * per_unit)[:, :, None], data.own[None], out=own[:, :, FIRST : FIRST + many])
    growth = np.exp(point.shared[1] * data.log_budget)
    np.multiply((-down * growth)[:, :, None], data.share[None], out=own[:, :, FIRST + many :])
    shared = np.zeros((*residual.shape, len(SHARED)))
    shared[:, :, 0] = -down * data.log_budget * given
    shared[:, :, 1] = -down * data.log_budget * paid
    shared[:, :, 2] = down * data.log_budget
    shared[:, :, 3] = down * data.log_size
    return residual, own, shared
