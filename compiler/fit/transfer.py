"""The fit of the transfer law: starts, Huber's weights, and how strongly terms are drawn to what their kind shares.

The strength is taken from the runs themselves (empirical Bayes, MacKay's fixed point): lam = sigma^2 / tau^2 with
tau^2 the mean square distance of terms from their common value, counted over as many terms as the runs determine. Terms
of which the runs say less than that are called not identified: their value is the common one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from mixc.compiler.fit.arrow import descend, drawn, movable, normal, variances
from mixc.compiler.fit.transfer_model import (
    BETA,
    COMMON,
    FIRST,
    FLOOR,
    LEAST_BETA,
    LOWER,
    MOST_BETA,
    MOST_COST,
    MOST_TRANSFER,
    SCALE,
    UPPER,
    Floats,
    Room,
    TransferData,
    TransferPoint,
    groups_of,
    levels,
    losses_at,
)

Form: TypeAlias = Literal["isolated", "linear", "logc"]
HUBER = 1.345
STARTS = tuple((beta, t, v) for beta in (0.15, 0.4, 0.9) for t, v in ((0.05, 0.05), (0.3, 0.3)))
FIRST_STEPS, STEPS, ROUNDS, LAST_STEPS = 15, 20, 8, 60
FADE = 0.3  # p and q at the start
FIRST_SPREADS = np.array([0.2] * 6 + [0.5, 0.2])  # tau of T and V by kind, of a, of beta
LEAST_SPREAD, MOST_SPREAD = 0.03, 1.0
LEAST_NOISE = 1e-9
DETERMINED = 0.5
CAUTION = np.array([0.25] * 6 + [1.0] * 2)
NORMAL_90 = 1.6448536269514722


@dataclass(frozen=True, slots=True, eq=False)
class TransferFit:
    """A fitted point; `noise` is sigma of a loss; `errors` and `shared_errors` are standard errors of each constant.

    `determined` [L, 2 M] is, for each term, how much of what is known of it comes from the runs: 0 nothing, 1 all.
    """

    form: Form
    point: TransferPoint
    room: Room
    noise: float
    errors: Floats
    shared_errors: Floats
    determined: Floats
    weights: Floats  # Huber's, of each loss [L, n]


def fit_transfer(data: TransferData, form: Form = "logc", starts: int = len(STARTS)) -> TransferFit:
    """The best fit of a form of the law from several starts."""
    room, ones = room_for(data, form), (~np.isnan(data.loss.T)).astype(np.float64)
    spread = float(np.nanstd(data.loss, axis=0).mean())
    penalty, noise = _penalty(0.1 * spread, FIRST_SPREADS), 0.1 * spread
    tried = [
        descend(data, start(data, room, *STARTS[i]), room, penalty, ones, FIRST_STEPS, 1e-6) for i in range(starts)
    ]
    found = [(_refined(data, room, point, penalty, noise), i) for i, (point, _) in _two_best(tried)]
    (point, penalty, noise, weights), _ = min(found, key=lambda one: (one[0][2], one[1]))
    point, _ = descend(data, point, room, penalty, weights, LAST_STEPS, 1e-13)
    return _judged(data, form, room, point, penalty, noise, weights)


def _two_best(tried: list[tuple[TransferPoint, float]]) -> list[tuple[int, tuple[TransferPoint, float]]]:
    """The two starts that came furthest, with their numbers."""
    order = sorted(range(len(tried)), key=lambda i: (tried[i][1], i))[:2]
    return [(i, tried[i]) for i in order]


def room_for(data: TransferData, form: Form) -> Room:
    """Bounds: a form without terms holds them at 0; what the runs do not vary is held where it says nothing."""
    many, n = data.own.shape[1], len(data.kind)
    low = np.zeros((n, FIRST + 2 * many))
    high = np.full_like(low, MOST_TRANSFER)
    high[:, FIRST + many :] = MOST_COST if form == "logc" else 0.0
    low[:, SCALE], high[:, SCALE] = -30.0, 30.0
    low[:, BETA], high[:, BETA] = LEAST_BETA, MOST_BETA
    high[:, FLOOR] = np.nanmin(data.loss, axis=0)
    if form == "isolated":
        high[:, FIRST : FIRST + many] = 0.0
    own = np.arange(n)
    high[own, FIRST + own] = high[own, FIRST + many + own] = 0.0
    budgets, sizes = float(np.ptp(data.log_budget)) > 1e-9, float(np.ptp(data.log_size)) > 1e-9
    there = [bool((data.kind == k).any()) and form != "isolated" for k in range(3)]
    tokens = data.signal == "tokens"
    moves = [
        budgets and form != "isolated",
        budgets and form == "logc",
        budgets and tokens,
        sizes and tokens,
        *there,
        *(one and form == "logc" for one in there),
        len(data.kind) > 1,
        len(data.kind) > 1,
    ]
    return Room(low, high, np.where(moves, LOWER, 0.0), np.where(moves, UPPER, 0.0))


def start(data: TransferData, room: Room, beta: float, transfer: float, cost: float) -> TransferPoint:
    """A point with these values everywhere; a and c of each language by least squares."""
    many = data.own.shape[1]
    each = np.zeros_like(room.low)
    each[:, BETA] = beta
    each[:, FIRST : FIRST + many], each[:, FIRST + many :] = transfer, cost
    each = np.clip(each, room.low, room.high)
    shared = np.array([FADE, FADE, 0.5, 0.3, *[transfer] * 3, *[cost] * 3, 1.0, beta])
    point = TransferPoint(each, np.clip(shared, room.shared_low, room.shared_high))
    level = levels(data, point)[0]
    for i in range(len(each)):
        measured = ~np.isnan(data.loss[:, i])
        x, y = np.exp(-beta * level[i, measured]), data.loss[measured, i]
        spread = float(((x - x.mean()) ** 2).sum())
        b = float(((x - x.mean()) * (y - y.mean())).sum()) / spread if spread > 0 else 0.0
        a = float(y.mean() - b * x.mean())
        if b <= 0 or a < 0:
            a, b = (0.0, float((x * y).sum() / (x * x).sum())) if b > 0 else (0.5 * y.min(), 0.5 * y.min() / x.mean())
        each[i, FLOOR], each[i, SCALE] = min(a, 0.99 * float(y.min())), math.log(max(b, 1e-12))
    shared[-2] = each[:, FLOOR].mean()
    return TransferPoint(np.clip(each, room.low, room.high), np.clip(shared, room.shared_low, room.shared_high))


def _penalty(noise: float, spreads: Floats) -> Floats:
    """lam = (sigma / tau)^2 for the spread tau of each group [8], a quarter of it for terms.

    At full strength the common values of V come out too small, and intervals miss them: every language's a, c and beta
    are fitted beside, as in Neyman and Scott's example. At a quarter intervals hold, and losses are predicted as well.
    """
    lam: Floats = (max(noise, LEAST_NOISE) / spreads) ** 2 * CAUTION
    return lam


def _refined(
    data: TransferData, room: Room, point: TransferPoint, penalty: Floats, noise: float
) -> tuple[TransferPoint, Floats, float, Floats]:
    """Descend, and set the weights, sigma and the strength of the penalty anew, in turn."""
    measured = ~np.isnan(data.loss.T)
    weights = measured.astype(np.float64)
    for _ in range(ROUNDS):
        point, _ = descend(data, point, room, penalty, weights, STEPS, 1e-8)
        residual = np.where(measured, losses_at(data, point).T - data.loss.T, 0.0)
        noise, spreads = _strength(data, room, point, penalty, weights, residual)
        penalty = _penalty(noise, spreads)
        robust = max(1.4826 * float(np.median(np.abs(residual[measured]))), LEAST_NOISE)
        weights = measured * np.minimum(1.0, HUBER * max(robust, noise / 2) / np.maximum(np.abs(residual), 1e-300))
    return point, penalty, noise, weights


def _strength(
    data: TransferData, room: Room, point: TransferPoint, penalty: Floats, weights: Floats, residual: Floats
) -> tuple[float, Floats]:
    """sigma, and tau of each group [8], from how many constants the runs determine."""
    gamma = determined(data, room, point, penalty, weights)
    free, shared_free = movable(point, room)
    used = float(gamma[free].sum()) + float(shared_free[:COMMON].sum())
    total = float((weights > 0).sum())
    inside = float((weights == 1).sum()) / total
    noise = math.sqrt(float(((weights * residual) ** 2).sum()) / max(total - used, total / 5)) / max(inside, 0.5)
    groups = groups_of(data)
    _, away, _ = drawn(data, point, penalty)
    spreads = FIRST_SPREADS.copy()
    for k in range(len(spreads)):
        of = (groups == k) & free
        if of.any():
            spreads[k] = math.sqrt(float((away[of] ** 2).sum()) / max(float(gamma[of].sum()), 1.0))
    return max(noise, LEAST_NOISE), np.clip(spreads, LEAST_SPREAD, MOST_SPREAD)


def determined(data: TransferData, room: Room, point: TransferPoint, penalty: Floats, weights: Floats) -> Floats:
    """How much of each own constant the runs determine [L, m], the rest being what it is drawn to."""
    equations = normal(data, point, penalty, weights)
    each, _ = variances(equations, *movable(point, room))
    lam = drawn(data, point, penalty)[2]
    return np.clip(1 - lam * each, 0.0, 1.0)


def _judged(
    data: TransferData,
    form: Form,
    room: Room,
    point: TransferPoint,
    penalty: Floats,
    noise: float,
    weights: Floats,
) -> TransferFit:
    """The fit with its errors."""
    equations = normal(data, point, penalty, weights)
    each, shared = variances(equations, *movable(point, room))
    gamma = determined(data, room, point, penalty, weights)
    return TransferFit(
        form, point, room, noise, noise * np.sqrt(np.maximum(each, 0.0)), noise * np.sqrt(np.maximum(shared, 0.0)),
        gamma[:, FIRST:], weights,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scores:
    """R2 of losses around the mean of each language, and the mean absolute error in nats."""

    r2: float
    mae: float


def score(data: TransferData, point: TransferPoint) -> Scores:
    """How well a point predicts runs."""
    error = losses_at(data, point) - data.loss
    centred = data.loss - np.nanmean(data.loss, axis=0)
    return Scores(1 - float(np.nansum(error**2) / max(np.nansum(centred**2), 1e-300)), float(np.nanmean(np.abs(error))))
