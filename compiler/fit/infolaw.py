"""The fit of InfoLaw to runs: starts by rank correlation, least squares, outliers weighed down, intervals.

Residuals are those of ln L, so that they are relative errors of the loss. Where one is far outside of what the others
are (`FAR` robust standard deviations), Huber's weights replace equal ones, and the run is named.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixc.compiler.fit.infolaw_model import (
    CONSTANTS,
    Chart,
    Constant,
    Constants,
    Evidence,
    Fit,
    Floats,
    evidence,
    log_info,
    predicted,
    solve,
)
from mixc.compiler.fit.infolaw_profile import Interval, Profile, interval, unbounded
from mixc.compiler.fit.infolaw_runs import InfoRuns

HUBER = 1.345  # 95 % as efficient as least squares where all is normal
FAR = 5.0
STARTS = 6
ROUGH = 1e-10
EXACT = 1e-13  # residuals below this are rounding
THETAS = np.linspace(0.0, 3.0, 13)
RATES = np.geomspace(0.2, 20.0, 9)
GROWTHS = (0.0, 0.1, 0.5)


@dataclass(frozen=True, slots=True)
class Outlier:
    """A run far from the law: its relative error, and how many robust standard deviations that is."""

    run: str
    error: float
    deviations: float


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Errors of runs of one size, predicted by a fit without them; relative to the loss."""

    params: float
    runs: int
    mean_error: float
    largest_error: float


@dataclass(frozen=True, slots=True)
class InfoLawFit:
    """What was fitted: constants, their 90 % intervals (None = open), errors, outliers."""

    constants: Constants
    intervals: dict[Constant, Interval]
    edges: tuple[float, ...]
    deviation: float  # standard deviation of the residuals of ln L
    mean_error: float
    largest_error: float
    left_out: tuple[LeftOut, ...]
    outliers: tuple[Outlier, ...]
    correlation: float  # Spearman's, of loss with information


def fit_infolaw(runs: InfoRuns, edges: Sequence[float], intervals: bool = True) -> InfoLawFit:
    """Fit the law with buckets of these upper ranks to runs that identify it (`infolaw_checks.check`)."""
    data = evidence(runs.runs, edges)
    best, weights, outlying = best_fit(data)
    scale = deviation(best, weights)
    found: dict[Constant, Interval] = {}
    if intervals:
        free = unbounded(data, chart(data), best, weights)
        profile = Profile(data, chart(data), free, weights, deviation(free, weights))
        found = {name: interval(profile, name) for name in CONSTANTS}
    errors = np.abs(np.expm1(-best.residuals))
    law = best.constants
    x, _ = log_info(data, law.theta, law.a, law.b)
    return InfoLawFit(
        law,
        found,
        tuple(edges),
        scale,
        float(errors.mean()),
        float(errors.max()),
        left_out(data) if intervals else (),
        tuple(
            Outlier(runs.runs[i].name, float(np.expm1(best.residuals[i])), float(abs(best.residuals[i]) / spread))
            for i, spread in outlying
        ),
        round(float(_ranks(x) @ _ranks(data.log_loss)), 6),
    )


def chart(data: Evidence) -> Chart:
    """The chart of all sizes of the runs."""
    return Chart(math.log(data.params.min()), math.log(data.params.max()))


def best_fit(data: Evidence) -> tuple[Fit, Floats | None, list[tuple[int, float]]]:
    """Least squares, or Huber's where runs are far off: the fit, the weights, (run, robust deviation) of each."""
    where = chart(data)
    plain = solve(data, where, starts(data, where))
    fit, weights = plain, np.ones(len(data.log_loss))
    spread = robust_deviation(plain.residuals)
    if spread < EXACT:
        return plain, None, []
    for _ in range(30):
        renewed = np.minimum(1.0, HUBER * spread / np.maximum(np.abs(fit.residuals), 1e-300))
        if np.abs(renewed - weights).max() < 1e-6:
            break
        weights = renewed
        fit = solve(data, where, [fit.at], weights, ROUGH)
        spread = robust_deviation(fit.residuals)
    far = np.flatnonzero(np.abs(fit.residuals) > FAR * max(spread, EXACT))
    if not len(far):
        return plain, None, []
    return fit, weights, [(int(i), max(spread, EXACT)) for i in far]


def robust_deviation(residuals: Floats) -> float:
    """1.4826 times the median absolute residual, corrected for the constants that were fitted."""
    freedom = max(len(residuals) - len(CONSTANTS), 1)
    return 1.4826 * float(np.median(np.abs(residuals))) * math.sqrt(len(residuals) / freedom)


def deviation(fit: Fit, weights: Floats | None) -> float:
    """The standard deviation of residuals; of a weighted fit the robust one."""
    if weights is not None:
        return robust_deviation(fit.residuals)
    return math.sqrt(fit.squares / max(len(fit.residuals) - len(CONSTANTS), 1))


def starts(data: Evidence, where: Chart) -> list[list[float]]:
    """Points where information ranks the runs of each size as their losses do, the best first, and the published."""
    groups = [np.flatnonzero(data.params == size) for size in np.unique(data.params)]
    ranked = [(rows, _ranks(data.log_loss[rows])) for rows in groups if len(rows) > 2]
    scored = []
    for theta in THETAS:
        for rate in RATES:
            x, _ = log_info(data, float(theta), 0.0, float(rate))
            found = [float(_ranks(x[rows]) @ ranks) for rows, ranks in ranked]
            scored.append((round(float(np.mean(found)), 9) if found else 0.0, float(theta), float(rate)))
    best = sorted(scored)[: STARTS - 1]
    points = []
    for i, (_, theta, rate) in enumerate(best):
        a = rate * GROWTHS[i % len(GROWTHS)] / (where.high - where.low)
        points.append(where.start(theta, a, rate - a * where.low))
    return [*points, where.start(0.922, 0.14, 0.018)]


def _ranks(values: Floats) -> Floats:
    """Ranks, centred and of length 1, so that a product of two is Spearman's correlation; ties have no order."""
    _, place, counts = np.unique(np.round(values, 12), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    centred = ranks - ranks.mean()
    unit: Floats = centred / max(float(np.linalg.norm(centred)), 1e-300)
    return unit


def left_out(data: Evidence) -> tuple[LeftOut, ...]:
    """Each size predicted from the others, where two or more remain and enough runs to fit."""
    found = []
    for size in np.unique(data.params):
        drop = data.params == size
        rest = data.without(drop)
        if len(np.unique(rest.params)) < 2 or len(rest.params) < len(CONSTANTS):
            continue
        fit, _, _ = best_fit(rest)
        errors = np.abs(np.expm1(predicted(data, fit.constants) - data.log_loss))[drop]
        found.append(LeftOut(float(size), int(drop.sum()), float(errors.mean()), float(errors.max())))
    return tuple(found)
