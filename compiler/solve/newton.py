"""The optimum by semismooth Newton on prices, from nothing: no cone solver is needed.

The tie-break of solver.md 2 is also what makes Newton global: with a strong preference the problem is nearly
quadratic, and its solution moves nearly linearly as the preference fades to its final strength. Work per step is
linear in cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lstsq
from scipy.sparse.linalg import splu

from mixc.compiler.solve.equations import SPARSE_FROM, Equations, Point
from mixc.compiler.solve.program import Floats, Program

STRONG = 3.0
SOFT = 0.01
CONVERGED = 1e-7  # prices; that the mixture is optimal is the certificate's to say
BUDGET = 900
BOLD = 12


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Where Newton ended. It is an optimum exactly when `point.error` is small: callers check, always."""

    program: Program
    point: Point
    steps: int

    @property
    def converged(self) -> bool:
        """Whether every optimality equation holds."""
        return self.point.error <= CONVERGED


def newton_step(equations: Equations, point: Point) -> Floats:
    """The Newton step; by least squares where prices are not unique, NaN where there is none."""
    matrix = equations.jacobian(point)
    size = np.maximum(abs(matrix).max(axis=1).toarray().ravel(), 1e-300)
    if not np.isfinite(size).all():
        return np.full(equations.size, np.nan)
    right = -point.residual / size
    if equations.size >= SPARSE_FROM:
        try:
            step: Floats = splu((matrix.T / size).T.tocsc()).solve(right)
        except RuntimeError:
            return np.full(equations.size, np.nan)
        return step
    scaled = matrix.toarray() / size[:, None]
    try:
        step = np.linalg.solve(scaled, right)
    except np.linalg.LinAlgError:
        step = np.full(equations.size, np.nan)
    if np.isfinite(step).all() and float(np.abs(scaled @ step - right).max()) <= 1e-6 * float(np.abs(right).max()):
        return step
    return np.asarray(lstsq(scaled, right, cond=1e-13)[0])


def converge(
    equations: Equations, z: Floats, *, tolerance: float, steps: int = 40, boldness: int = BOLD
) -> tuple[Point, int]:
    """Newton with a line search from z: the best point found and the steps taken. The caller reads its error.

    The equations have kinks, and the residual may have to rise on the way over one: a few bold steps are allowed,
    counted from the best point so far.
    """
    point = best = equations.at(z)
    bold = 0
    for taken in range(steps):
        if best.error <= tolerance or not np.isfinite(point.error):
            return best, taken
        direction = newton_step(equations, point)
        if not np.isfinite(direction).all():
            return best, taken
        point, fell = _search(equations, point, direction)
        if point.error < best.error:
            best, bold = point, 0
        elif not fell:
            bold += 1
            if bold > boldness:
                return best, taken
    return best, steps


def _search(equations: Equations, point: Point, direction: Floats) -> tuple[Point, bool]:
    """The longest step that lowers the residual; without one, the least bad of the long ones."""
    size, merit = 1.0, float(np.linalg.norm(point.residual))
    least, rescue = np.inf, point
    for attempt in range(20):
        candidate = equations.at(point.z + size * direction)
        norm = float(np.linalg.norm(candidate.residual))
        if norm <= (1 - 1e-4 * size) * merit:
            return candidate, True
        if attempt < 4 and norm < least:
            least, rescue = norm, candidate
        size *= 0.5
    return rescue, False


def follow(program: Program, *, strength: float = STRONG) -> Solution:
    """The optimum of a program from nothing: each optimum starts the next, with a weaker preference.

    Prices are nearly linear in the preference's strength, so a secant through the last two optima predicts the next.
    """
    trail: list[tuple[float, Floats]] = []
    z = Equations(program, strength, SOFT).initial()
    taken, ratio, mu = 0, 0.5, strength
    while True:
        equations = Equations(program, mu, SOFT * min(mu, 1.0))
        point, steps = converge(equations, _predict(equations, trail, mu, z), tolerance=1e-7)
        taken += steps
        if point.error <= 1e-6:
            trail, z = [*trail[-1:], (mu, point.z)], point.z
            if mu <= program.mu:
                return polish(program, z, taken)
            ratio = max(ratio * 0.8, 0.25) if steps <= 5 else min(ratio * 1.2, 0.8)
        elif ratio > 0.97 or taken > BUDGET:
            return Solution(program, Equations(program).at(z), taken)
        else:
            ratio = ratio**0.5
        mu = max((trail[-1][0] if trail else strength / ratio) * ratio, program.mu)


def _predict(equations: Equations, trail: list[tuple[float, Floats]], mu: float, z: Floats) -> Floats:
    if len(trail) < 2:
        return z
    (far, before), (near, now) = trail
    guess = now + (now - before) * ((mu - near) / (near - far))
    return guess if equations.at(guess).error < equations.at(now).error else now


def polish(program: Program, z: Floats, taken: int = 0) -> Solution:
    """Converge at the final preference: proximal steps give rules their hardness back, until rounding is the limit."""
    exact = Equations(program)
    best = exact.at(z)
    soft = SOFT * program.mu
    for _ in range(20):
        equations = Equations(program, None, soft, best.z[exact.rule])
        point, steps = converge(equations, best.z, tolerance=min(1e-10, 0.1 * best.error), steps=25, boldness=1)
        taken += steps
        candidate = exact.at(point.z)
        if not candidate.error < 0.5 * best.error:
            return Solution(program, min(best, candidate, key=lambda p: p.error), taken)
        best = candidate
    return Solution(program, best, taken)
