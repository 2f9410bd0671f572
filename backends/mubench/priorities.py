"""Proposed weights of languages from their gaps: one bounded mirror step, then the nearest weights that are allowed.

C3 of the method. With weights w (the shares of tokens that the declared priorities led to), lower bounds LCB(g) of
the gaps and their mean gbar = sum w g:

    v_l ∝ w_l exp(eta clip(LCB(g_l) - gbar, -0.5, 0.5)),    eta = 0.5
    w' = the x nearest to v in relative entropy with lo <= x <= hi, sum x = sum w, |x - w|_1 <= 0.15

hi_l is what supply allows, sum over sources of passes x unique tokens over the budget; English has a floor in tokens,
for its cost is dilution. The nearest x has a closed form for two multipliers: one for the sum, which is solved for,
one for the distance, found by bisection (it pulls every weight back towards w, as soft thresholding does). Where every
interval of a gap holds gbar, nothing moves. The constants are proposals of this project, untested on trained models.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from mixc.backends.mubench.bootstrap import Real
from mixc.backends.mubench.gaps import Evidence
from mixc.backends.mubench.tasks import PIVOT

ETA: Final = 0.5
CLIP: Final = 0.5
RADIUS: Final = 0.15
EPOCHS: Final = 4.0
"""Passes over a source whose recipe states no limit."""
FLOOR: Final = 0.9
"""The part of its tokens that English keeps."""
_STEPS: Final = 64
_LARGEST: Final = 64.0
_CLOSE: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Bounds:
    """What weights may be: `low` and `high` by language, as shares of the budget."""

    low: Mapping[str, float]
    high: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Update:
    """Weights before and after, by language; `moved` says whether any did, `mean_gap` is gbar."""

    before: Mapping[str, float]
    after: Mapping[str, float]
    mean_gap: float
    moved: bool

    def factor(self, code: str) -> float:
        """By how much the weight of a language changes: 1.0 where it stays."""
        return self.after[code] / self.before[code] if self.before[code] > 0 else 1.0


def update(weights: Mapping[str, float], found: Mapping[str, Evidence], bounds: Bounds) -> Update | tuple[str, ...]:
    """The step and its projection; or the languages whose limits leave no weights near enough.

    Languages without complete evidence keep their weight, and so do those of weight 0.
    """
    moving = tuple(code for code in sorted(weights) if weights[code] > 0 and _counts(found.get(code)))
    total = sum(weights[code] for code in moving)
    gaps = {code: found[code].gap or 0.0 for code in moving}
    mean = sum(weights[code] * gaps[code] for code in moving) / total if total else 0.0
    if len(moving) < 2 or all(_holds(found[code], mean) for code in moving if code != PIVOT):
        return Update(dict(weights), dict(weights), mean, moved=False)
    w = np.array([weights[code] for code in moving])
    lower = np.array([(found[code].gap_interval or (0.0, 0.0))[0] for code in moving])
    v = w * np.exp(ETA * np.clip(lower - mean, -CLIP, CLIP))
    low = np.array([bounds.low.get(code, 0.0) for code in moving])
    high = np.array([bounds.high.get(code, 1.0) for code in moving])
    projected = project(v * (total / v.sum()), w, low, high, RADIUS)
    if projected is None:
        tight = tuple(code for code in moving if not bounds.low.get(code, 0.0) <= weights[code] <= bounds.high[code])
        return tight or moving
    after = dict(weights) | dict(zip(moving, projected.tolist(), strict=True))
    return Update(dict(weights), after, mean, moved=any(abs(after[code] - weights[code]) > 1e-9 for code in moving))


def project(v: Real, w: Real, low: Real, high: Real, radius: float) -> Real | None:
    """argmin of sum x log(x / v) - x + v over low <= x <= high, sum x = sum w, |x - w|_1 <= radius; all [L], w, v > 0.

    None where no x is allowed.
    """
    total = float(w.sum())
    if (low > high + _CLOSE).any() or low.sum() > total + _CLOSE or high.sum() < total - _CLOSE:
        return None
    free = _at(0.0, v, w, low, high, total)
    if np.abs(free - w).sum() <= radius:
        return free
    if np.abs(_at(_LARGEST, v, w, low, high, total) - w).sum() > radius + 1e-9:
        return None
    loose, tight = 0.0, _LARGEST
    for _ in range(_STEPS):
        middle = (loose + tight) / 2
        far = np.abs(_at(middle, v, w, low, high, total) - w).sum() > radius
        loose, tight = (middle, tight) if far else (loose, middle)
    return _at(tight, v, w, low, high, total)


def _at(pull: float, v: Real, w: Real, low: Real, high: Real, total: float) -> Real:
    """The x of a multiplier of the distance, with that of the sum solved for.

    Between two scales where a weight meets a bound or w, every weight is constant or grows as e^scale.
    """
    with np.errstate(divide="ignore"):
        meets = [np.log(value / v) + shift for value in (low, w, high) for shift in (-pull, pull)]
    ends = np.unique(np.concatenate(meets))
    ends = ends[np.isfinite(ends)]
    ends = np.concatenate([[ends[0] - _LARGEST], ends, [ends[-1] + _LARGEST]])
    values = _response(ends[:, None], pull, v, w, low, high)
    after = int(np.clip(np.searchsorted(values.sum(axis=1), total), 1, len(ends) - 1))
    bottom, top = values[after - 1], values[after]
    middle = _response((ends[after - 1] + ends[after]) / 2, pull, v, w, low, high)
    grows = (middle > bottom) & (middle < top) & (middle != low) & (middle != w) & (middle != high)
    if not grows.any():
        return np.asarray(top)
    scale = (total - bottom[~grows].sum()) / middle[grows].sum()
    return np.asarray(np.where(grows, np.clip(middle * scale, bottom, top), bottom))


def _response(scale: Real | float, pull: float, v: Real, w: Real, low: Real, high: Real) -> Real:
    """v e^scale, drawn towards w by a factor of at most e^pull, within the bounds."""
    wanted = v * np.exp(scale)
    drawn = np.where(wanted > w, np.maximum(wanted * math.exp(-pull), w), np.minimum(wanted * math.exp(pull), w))
    return np.asarray(np.clip(drawn, low, high))


def _counts(found: Evidence | None) -> bool:
    return found is not None and found.complete and found.gap is not None and found.gap_interval is not None


def _holds(found: Evidence, mean: float) -> bool:
    low, high = found.gap_interval or (0.0, 1.0)
    return low <= mean <= high
