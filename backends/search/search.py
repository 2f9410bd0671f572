"""The search: surrogates of proxy runs, what is best by them, and what to hold it against.

Two surrogates see the same runs: LightGBM on parameters and features, as the papers have it, and a smooth process that
can be descended. How far each is trusted follows from what they predict of runs that they were not shown. The smooth
one is descended from many starts, doubt added; of where these end, the best by both is the answer. Beside it stand the
best run, the mean of the distribution that runs were drawn from, and the paper's own search: the mean of the best TOP
of DRAWS candidates by LightGBM. On a convex truth much of what that search gains is the pull of any mean to the middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from mixc.backends.search.boosted import Boosted, fit_boosted
from mixc.backends.search.descent import descend, settled, spread_out
from mixc.backends.search.loglinear import best_mixture, fit_log_linear
from mixc.backends.search.smooth import Smooth, fit_smooth
from mixc.backends.search.space import Floats, MixtureSpace, Space

DRAWS, TOP = 100_000, 10
SHORTLIST, STARTS = 200, 6
WORSE = 8  # one in so many draws is predicted by all models
CAUTION = 1.0  # standard deviations, for all free parameters at once: times the root of their number (Scheffe)
SLICE = 20_000  # candidates at once: features of 100,000 in 182 dimensions would take 300 MB


@dataclass(frozen=True, slots=True)
class Skill:
    """What a surrogate predicts of runs that it was not shown: mean absolute error, R2, rank correlation."""

    name: str
    mae: float
    r2: float
    spearman: float


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """A point [d] with what the surrogates predict for it, and how sure they are."""

    name: str
    u: Floats
    predicted: float
    deviation: float
    measured: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The answer, what it is held against, and how good the surrogates are. `trust` is the smooth one's part."""

    best: Point
    baselines: tuple[Point, ...]
    skills: tuple[Skill, ...]
    trust: float
    noise: float
    runs: int


@dataclass(frozen=True, slots=True, eq=False)
class _Judge:
    """Both surrogates as one prediction with its doubt."""

    space: Space
    smooth: Smooth
    boosted: Boosted
    trust: float
    strain: float  # how much larger errors are than the smooth surrogate says of itself

    def both(self, u: Floats) -> float:
        """The sum of both predictions: what is least by one of them alone is least by its errors too."""
        features = self.space.features(u[None])
        return float((self.smooth.predict(features) + self.boosted.predict(features))[0])

    def point(self, name: str, u: Floats, measured: float | None = None) -> Point:
        features = self.space.features(u[None])
        mean = self.trust * self.smooth.predict(features) + (1 - self.trust) * self.boosted.predict(features)
        own = self.smooth.deviation(features) * self.strain
        apart = (1 - self.trust) * (self.smooth.predict(features) - self.boosted.predict(features))
        return Point(name, u, float(mean[0]), float(np.hypot(own, apart)[0]), measured)


def search(
    space: Space,
    u: Floats,
    losses: Floats,
    parts: Sequence[Floats] = (),
    weights: Sequence[float] = (),
    *,
    seed: int = 0,
    draws: int = DRAWS,
) -> Found:
    """The best point by runs u [n, d] of `losses` [n]; `parts` are the losses that `losses` is the weighted mean of.

    The same for the same arguments. Raises ImportError where LightGBM is not installed.
    """
    features = space.features(u)
    boosted = fit_boosted(features, losses, seed)
    smooth = fit_smooth(features, losses, space.blocks, space.kinds, seed)
    fresh = smooth.fresh
    told = losses[fresh], smooth.left_out[fresh], boosted.left_out[fresh]
    trust = _trust(*told)
    strain = max(1.0, float(np.sqrt(np.mean(((told[0] - told[1]) / smooth.doubt[fresh]) ** 2))))
    judge = _Judge(space, smooth, boosted, trust, strain)
    shortlist, top = _candidates(space, boosted, draws, seed)
    middle = settled(space, space.draw(2000, seed + 1).mean(axis=0))
    caution = CAUTION * strain * float(np.sqrt(u.shape[1] - len(space.groups)))
    order = np.argsort(smooth.predict(space.features(shortlist)), kind="stable")
    best_run = int(losses.argmin())
    starts = [*spread_out(shortlist, order[: SHORTLIST // 4], STARTS), u[int(smooth.left_out.argmin())], top, middle]
    baselines = [
        judge.point("best run", u[best_run], float(losses[best_run])),
        judge.point(f"LightGBM, mean of the best {TOP} of {draws:,}", top),
        judge.point("mean of all draws", middle),
    ]
    if isinstance(space, MixtureSpace):
        each = list(parts) or [losses]
        laws = [fit_log_linear(u, one) for one in each]
        convex = best_mixture(laws, list(weights) or [1.0] * len(each), np.array(space.caps))
        baselines.append(judge.point("log-linear law c + k exp(t r), best", convex))
        starts.append(convex)
    ends = [judge.point("found", descend(space, smooth, start, caution)) for start in starts]
    best = min(ends, key=lambda point: judge.both(point.u))
    skills = (skill("smooth", told[0], told[1]), skill("LightGBM", told[0], told[2]))
    return Found(best, tuple(baselines), skills, trust, smooth.noise, len(losses))


def _candidates(space: Space, boosted: Boosted, draws: int, seed: int) -> tuple[Floats, Floats]:
    """The best SHORTLIST of all draws by LightGBM, and the mean of the best TOP; one model alone drops the worse."""
    u = space.draw(draws, seed + 2)
    first = [boosted.first(space.features(u[i : i + SLICE])) for i in range(0, draws, SLICE)]
    likely = u[np.argsort(np.concatenate(first), kind="stable")[: max(draws // WORSE, SHORTLIST)]]
    order = np.argsort(boosted.predict(space.features(likely)), kind="stable")
    return likely[order[:SHORTLIST]], settled(space, likely[order[:TOP]].mean(axis=0))


def _trust(losses: Floats, smooth: Floats, boosted: Floats) -> float:
    """The part of the smooth prediction, 0 to 1, in the mean of both that errs least on runs left out."""
    apart = smooth - boosted
    square = float(apart @ apart)
    return float(np.clip((losses - boosted) @ apart / square, 0.0, 1.0)) if square > 0 else 1.0


def skill(name: str, losses: Floats, predicted: Floats) -> Skill:
    """How good predictions [n] of losses [n] are."""
    error = losses - predicted
    spread = float(((losses - losses.mean()) ** 2).sum())
    ranks: NDArray[np.float64] = np.corrcoef(rankdata(losses), rankdata(predicted))
    return Skill(name, float(np.abs(error).mean()), 1 - float(error @ error) / spread, float(ranks[0, 1]))
