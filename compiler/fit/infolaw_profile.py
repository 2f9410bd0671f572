"""Intervals of the constants of InfoLaw, by profiles of the sum of squares.

An interval holds every value at which the best fit of all other constants is not significantly worse:
S(value) <= S (1 + t^2 / (n - 5)) with Student's t at 95 %. Unlike a covariance it follows the curved valley between
a, b and alpha, and it may be open: None where no value is too far.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from scipy.optimize import brentq
from scipy.special import stdtrit

from mixc.compiler.fit.infolaw_model import (
    CONSTANTS,
    LEAST_BETA,
    MOST_RATE,
    MOST_THETA,
    Chart,
    Constant,
    Evidence,
    Fit,
    Floats,
    solve,
)

Interval: TypeAlias = tuple[float | None, float | None]
LEVEL = 0.9
LOOSE = 1e-7
NOISELESS = 1e-24  # mean square of residuals that are rounding


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """What a profile starts from: evidence, chart, the best fit with its weights, the deviation of residuals."""

    data: Evidence
    chart: Chart
    best: Fit
    weights: Floats | None
    deviation: float

    @property
    def room(self) -> float:
        """How much larger than the least the weighted sum of squares may be."""
        freedom = max(len(self.data.log_loss) - len(CONSTANTS), 1)
        return float(stdtrit(freedom, (1 + LEVEL) / 2)) ** 2 * self.deviation**2


def interval(profile: Profile, name: Constant) -> Interval:
    """The interval of a constant; None where it does not end inside what the constant may be.

    Profiles start from the best fit whose lam may fall with the size; what a law may not be is cut off afterwards.
    """
    value: float = getattr(profile.best.constants, name)
    if profile.deviation**2 < NOISELESS:
        return value, value
    least, most = limits(profile, name)
    low, high = _end(profile, name, value, least), _end(profile, name, value, most)
    if name in ("theta", "a"):
        low = 0.0 if low is None else max(low, 0.0)
        high = None if high is None else max(high, 0.0)
    return low, high


def unbounded(data: Evidence, chart: Chart, best: Fit, weights: Floats | None) -> Fit:
    """The best fit whose lam may fall with the size; `best` itself where its lam rises."""
    if best.constants.a > 0:
        return best
    law = best.constants
    where = Chart(chart.low, chart.high, falling=True)
    found = solve(data, where, [where.start(law.theta, law.a, law.b)], weights)
    return found if found.squares < best.squares else best


def limits(profile: Profile, name: Constant) -> tuple[float, float]:
    """How far a constant is followed."""
    low, high = profile.chart.low, profile.chart.high
    if name == "theta":
        return 0.0, MOST_THETA
    if name == "a":
        return -MOST_RATE / (high - low), MOST_RATE / (high - low)
    if name == "b":
        return -MOST_RATE * high / (high - low), MOST_RATE * high / (high - low)
    if name == "alpha":
        centre = profile.best.constants.alpha
        return centre * 1e-3, centre * 1e3
    return LEAST_BETA, 10.0


def _end(profile: Profile, name: Constant, value: float, limit: float) -> float | None:
    """Where the profile leaves the room between a value and a limit; None where it does not."""
    start = [profile.best.constants]

    def excess(at: float) -> float:
        where = Chart(profile.chart.low, profile.chart.high, (name, at), falling=True)
        law = start[0]
        points = [where.start(law.theta, law.a, law.b)]
        fit = solve(profile.data, where, points, profile.weights, LOOSE)
        start[0] = fit.constants
        return math.sqrt(max(fit.squares - profile.best.squares, 0.0) / profile.room) - 1

    inner, step = value, max(abs(value) * 1e-3, 1e-6)
    for _ in range(60):
        outer = min(value + step, limit) if limit > value else max(value - step, limit)
        found = excess(outer)
        if found > 0:
            before = excess(inner) if inner != value else -1.0
            return _root(excess, inner, outer, before, found)
        if outer == limit:
            return None
        inner, step = outer, step * max(2.0, min(10.0, 0.8 / max(found + 1, 1e-3)))
    return None


def _root(excess: Callable[[float], float], inner: float, outer: float, before: float, after: float) -> float:
    """Where the excess is 0 between an inner value below it and an outer one above it, to four digits of the step."""
    if before >= 0:
        return inner
    known = {inner: before, outer: after}
    tolerance = 1e-4 * abs(outer - inner)
    found: Any = brentq(lambda at: known[at] if at in known else excess(at), inner, outer, xtol=tolerance)
    return float(found)
