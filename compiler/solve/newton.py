"""The optimum by Newton's method on prices, from nothing: no cone solver is needed.

The dual function is concave and once differentiable, and Newton goes uphill on it (projected on the prices' bounds,
after Bertsekas): each step is searched by the slope alone, so every strength of the tie-break of solver.md 2 is solved
from any start. With a strong preference few steps do; the optimum then moves nearly linearly as the preference fades
to its final strength, so each strength starts at the tangent of the one before. Work per step is linear in cells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.sparse.linalg import splu

from mixc.compiler.solve.curvature import Matrix, curvature
from mixc.compiler.solve.dual import Multipliers, dual_value
from mixc.compiler.solve.equations import Anchor, Equations, Point
from mixc.compiler.solve.form import Form, form_of
from mixc.compiler.solve.program import Floats, Program

STRONG, PATIENT, WARM = 1.0, 10.0, 0.01  # preferences to start with: from nothing, again, from near the optimum
FAINTEST = 1e-6  # what softness fades to where there is no tie-break
SOFT = 0.01
FIRM = 1e-5  # softness of the last steps, until they stall: softer takes more of them, firmer leaves more rounding
CONVERGED = 1e-6  # rounding may leave this much; that the mixture is optimal is the certificate's to say
EXACT = 1e-12
JUST = 1e-7  # rules that miss each other by less are met, if only just
BUDGET = 1500
STAGE = 60
LONGEST = 4.0  # of logarithms, in one step
NEAR = 0.5  # error below which a predicted start is taken
TOLERANCE = 1e-3
FAIR = 0.01  # error with which a stage that ran out of steps still counts
BOLD, SHY = 0.02, 0.97  # ratio of one preference to the one before: the first tried, and where patience ends
ROUNDS = 30


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


QUIET = np.errstate(over="ignore", invalid="ignore", divide="ignore")  # far from the optimum prices may be absurd


@QUIET
def follow(
    program: Program, *, strength: float = STRONG, start: Floats | None = None, form: Form | None = None
) -> Solution:
    """The optimum of a program, from nothing or unknowns `start`: each starts the next, with a weaker preference."""
    form = form_of(program) if form is None else form
    point, taken = _fade(form, strength, start)
    return polish(program, point, taken, form) if np.isfinite(point.error) else Solution(program, point, taken)


def _fade(form: Form, strength: float, start: Floats | None) -> tuple[Point, int]:
    """Near the optimum, and steps taken: as the preference fades. The error is infinite where the rules contradict."""
    program = form.program
    last = FAINTEST if program.target is not None else program.mu
    mu = max(strength, last)
    equations = _equations(form, mu)
    point = equations.at(equations.within(equations.initial() if start is None else start))
    taken, ratio, solved = 0, BOLD, None
    while True:
        point, steps = ascend(equations, point.z, tolerance=TOLERANCE, steps=STAGE)
        taken += steps + 1
        if solved is None or point.error <= FAIR:
            ratio = ratio if solved is None else max(BOLD, (mu / solved[0]) ** 1.5)
            solved = mu, equations, point
        else:
            ratio = (mu / solved[0]) ** 0.5
        if solved[0] > last and contradictory(equations, point):
            return replace(point, error=np.inf), taken
        if solved[0] <= last or ratio > SHY or taken > BUDGET:
            return solved[2], taken
        mu, equations, point = _weaker(*solved, last, ratio)


def contradictory(equations: Equations, point: Point) -> bool:
    """Whether prices prove that no mixture obeys the hard rules, not even if all gave way by a little.

    The proof is a bound above zero on an objective that is zero.
    """
    program, prices = equations.program, equations.prices(point.z)
    nothing = replace(program.laws, weight=np.zeros(len(program.laws)))
    rule = np.where(np.isinf(program.rules.weight), prices.rule, 0.0)
    spoken = np.maximum(program.rules.loss.T @ rule, 0.0)
    laws = point.laws
    tried = Multipliers(spoken * laws.each, spoken * laws.pull, prices.phase, rule, prices.change)
    little = JUST * float(np.abs(rule).sum() + np.abs(prices.phase).sum() + np.abs(prices.change).sum())
    return dual_value(replace(program, laws=nothing, target=None), tried) > little


def _equations(form: Form, mu: float) -> Equations:
    """The equations at a strength of the preference, rules as soft in proportion; a target needs no preference."""
    return Equations(form.program, None if form.program.target is not None else mu, SOFT * mu, form=form)


def _weaker(mu: float, equations: Equations, point: Point, last: float, ratio: float) -> tuple[float, Equations, Point]:
    """The weakest preference to which the tangent still leads, its equations and the point there."""
    slight = 1e-4 * mu
    ahead = _equations(equations.form, mu - slight).at(point.z)
    tangent = solve_free(equations, point, (ahead.gradient - point.gradient) / slight, np.zeros(equations.size))
    while True:
        weaker = max(mu * ratio, last)
        following = _equations(equations.form, weaker)
        guesses = [following.at(following.within(z)) for z in (point.z + tangent * (mu - weaker), point.z)]
        guess = min(guesses, key=lambda candidate: candidate.error)
        if guess.error <= NEAR or ratio > NEAR:
            return weaker, following, guess
        ratio = ratio**0.5


def polish(program: Program, start: Point, taken: int = 0, form: Form | None = None) -> Solution:
    """Converge at the final preference; a start too far off for that is given up for one from nothing.

    So the optimum hangs on no digit of the start: where cells answer to a millionth part of a price, one that another
    machine rounded otherwise may lie beyond the reach of Newton's steps.
    """
    form = form_of(program) if form is None else form
    found = settle(program, start, taken, form)
    if found.converged:
        return found
    nearer, more = _fade(form, PATIENT, None)
    again = settle(program, nearer, found.steps + more, form) if np.isfinite(nearer.error) else found
    return min(found, again, key=lambda solution: solution.point.error)


@QUIET
def settle(program: Program, start: Point, taken: int = 0, form: Form | None = None) -> Solution:
    """Proximal steps at the final preference that give rules their hardness back, until rounding is the limit."""
    form = form_of(program) if form is None else form
    point = best = start
    error = strain = np.inf
    soft, stale = FIRM, 0
    for _ in range(ROUNDS):
        equations = Equations(program, None, soft, Anchor(point.z[form.every], point.columns), form)
        point, steps = ascend(equations, point.z, tolerance=max(EXACT, min(1e-10, 0.01 * strain)), steps=STAGE)
        taken += steps
        strain = equations.strain(point)
        left = max(point.error, strain)
        stale = 0 if left < 0.5 * error else stale + 1
        soft = soft if stale == 0 else 0.1 * soft
        best, error = (point, left) if left < error else (best, error)
        if strain <= EXACT or stale > 3:
            break
    return Solution(program, replace(best, error=error), taken)


def ascend(equations: Equations, z: Floats, *, tolerance: float, steps: int) -> tuple[Point, int]:
    """Newton from z: the best point found and the steps taken. The caller reads its error."""
    point = best = equations.at(equations.within(z))
    caution, stale = 1.0, 0
    for taken in range(steps):
        if best.error <= tolerance or not np.isfinite(point.error) or stale > 2:
            return best, taken
        step = newton_step(equations, point, caution)
        following, length = _search(equations, point, step, best.error)
        if not (following.z != point.z).any():
            return best, taken
        point = following
        caution = min(4.0 * caution, 1e4) if length < 0.1 else caution if length < 0.5 else max(caution / 4, 0.01)
        stale = stale + 1 if best.error < CONVERGED and point.error > 0.5 * best.error else 0
        best = point if point.error < best.error else best
    return best, steps


def newton_step(equations: Equations, point: Point, caution: float = 0.0) -> Floats:
    """The Newton step, regularised in proportion to the gradient so that flat directions give steps of known size."""
    form, gradient = equations.form, np.abs(point.gradient)
    size = _price_size(equations, point)
    damping = np.empty(equations.size)
    logs = slice(0, form.phase.start)
    damping[logs] = 0.1 * caution * gradient[logs]
    damping[form.phase] = caution * gradient[form.phase] / size
    damping[form.every] = caution * gradient[form.every] / size
    return solve_free(equations, point, point.gradient, damping)


def _price_size(equations: Equations, point: Point) -> float:
    """How large prices are: a limit to how far they can sensibly move at once."""
    phase = point.z[equations.form.phase]
    return max(float(point.laws.value.sum()), float(np.abs(phase).max(initial=0.0)), 0.01)


def solve_free(equations: Equations, point: Point, right: Floats, damping: Floats) -> Floats:
    """Curvature times the answer = right, over the prices that are not held at a bound; zero for those."""
    form = equations.form
    held = (point.z <= equations.low) & (point.gradient < 0) | (point.z >= equations.high) & (point.gradient > 0)
    free = np.flatnonzero(~held)
    least = np.zeros(equations.size)
    size = _price_size(equations, point)
    least[form.phase] = 1e-12 * equations.program.phases / size
    least[form.every] = 1e-12 * form.rows.size / size
    answer = np.zeros(equations.size)
    answer[free] = _solve(curvature(equations, point, ~held), (damping + least)[free], right[free])
    return answer


def _solve(matrix: Matrix, damping: Floats, right: Floats) -> Floats:
    """(matrix + damping)^-1 right, scaled to a unit diagonal; what rounding makes indefinite is damped more."""
    diagonal = np.maximum(matrix.diagonal() + damping, 1e-300)
    scale = 1.0 / np.sqrt(diagonal)
    extra = scale * scale * damping
    if sparse.issparse(matrix):
        by = sparse.diags_array(scale)
        scaled = by @ matrix @ by + sparse.diags_array(extra + 1e-14)
        return np.asarray(scale * splu(sparse.csc_array(scaled)).solve(scale * right))
    dense = np.asarray(matrix) * scale[:, None] * scale
    places = np.arange(len(scale))
    for more in 10.0 ** np.arange(-14, 1, 2):
        damped = dense.copy()
        damped[places, places] += extra + more
        try:
            return np.asarray(scale * cho_solve(cho_factor(damped, lower=True), scale * right))
        except (LinAlgError, ValueError):
            continue
    return scale * scale * right


def _search(equations: Equations, point: Point, step: Floats, best: float) -> tuple[Point, float]:
    """Along a step to where the function stops rising: its slope at the end, on the way there, is near zero.

    By concavity it has risen wherever that slope is not negative. A point that halves the least error is taken anyway.
    """
    longest = float(np.abs(step[: equations.form.phase.start]).max(initial=0.0))
    length = min(1.0, LONGEST / longest) if longest > 0 else 1.0
    low, high = 0.0, np.inf
    kept, candidate = point, point
    for attempt in range(25):
        candidate = equations.at(equations.within(point.z + length * step))
        moved = candidate.z - point.z
        before, after = float(point.gradient @ moved), float(candidate.gradient @ moved)
        if not np.isfinite(candidate.error):
            high, length = length, 0.1 * length
        elif candidate.error <= best * (0.5 if best > CONVERGED else 0.9):
            return candidate, length
        elif after < -0.1 * abs(before):
            guess = before / (before - after) if before > 0 and low == 0 else 0.5
            high, length = length, low + (length - low) * min(max(guess, 0.1), 0.8)
        elif high == np.inf or after <= 0.5 * before or attempt > 8:
            return candidate, length
        else:
            kept, low, length = candidate, length, 0.5 * (length + high)
    return (candidate if kept is point else kept), length
