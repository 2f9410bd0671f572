"""The optimality equations in prices (solver.md 3): the gradient of a concave function of them, and its curvature.

The dual function of `dual.py`, with the preference added to the cells, is concave and once differentiable. Its gradient
is what is left of the equations: what languages want to receive less what they get, budgets, slacks of rules. So
Newton's steps on the equations are steps uphill, and a line search on the slope cannot get stuck.

Prices of laws are unknown by their logarithm, and per unit of the weight of a language's loss: nearly constant
(beta is small), and well scaled even where a loss rule alone gives a language its weight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixc.compiler.solve.form import Form, form_of
from mixc.compiler.solve.program import Floats, Program
from mixc.compiler.solve.response import Cellwise, Response

PRICE = 0.1  # an ordinary price, in loss per unit of share: what slacks are weighed against
STEEP = 10.0  # columns give way this much more than rules
HUGE = 300.0  # largest logarithm that is raised


@dataclass(frozen=True, slots=True, eq=False)
class Laws:
    """The laws at some prices, per language: weight W of the loss, price of a unit received, value D of its logarithm.

    `wanted`, `thinning` minimise W loss + price rt - D k; `received` rt and `diluted` k = V r are what the cells give.
    `each` and `pull` are price and value per unit of weight.
    """

    weight: Floats
    each: Floats
    pull: Floats
    wanted: Floats
    thinning: Floats
    received: Floats
    diluted: Floats

    @property
    def price(self) -> Floats:
        """Value of a unit of rt [L]."""
        return self.weight * self.each

    @property
    def value(self) -> Floats:
        """Value of a unit of log rt, and cost of a unit of V r [L]."""
        return self.weight * self.pull


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """Unknowns z, columns y, the cells' answer, the gradient, and the largest equation left (relative, or in shares).

    `worth` [n] is the value of a unit of every cell's fill.
    """

    z: Floats
    columns: Floats
    response: Response
    worth: Floats
    laws: Laws
    gradient: Floats
    error: float

    @property
    def x(self) -> Floats:
        """Tokens of every cell and phase [n, P], as fractions of the budget."""
        return self.response.x


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """Prices by meaning: `value` m [L] of information, `cost` d [L] of a language's tokens to others, `phase` lambda
    [P], `rule` nu [R], `change` g [changes, L]."""

    value: Floats
    cost: Floats
    phase: Floats
    rule: Floats
    change: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Anchor:
    """Prices of rows and values of columns that a proximal step stays near."""

    row: Floats
    columns: Floats


class Equations:
    """The equations of one program with a preference of strength `mu`.

    `softness` lets rules give way by `softness * size * (nu - anchor)`, and ties columns to the anchor: a proximal term
    that keeps prices unique and bounded on the way, and leaves the solution alone once it is at the anchor.
    """

    def __init__(
        self,
        program: Program,
        mu: float | None = None,
        softness: float = 1e-9,
        anchor: Anchor | None = None,
        form: Form | None = None,
    ) -> None:
        self.program = program
        self.form = form = form_of(program) if form is None else form
        self.rule = form.rule
        self.size = form.size
        self.cellwise = Cellwise(program, mu)
        self.give = softness * form.rows.size
        self.tie = STEEP * softness
        at = form.columns.lower
        self.anchor = Anchor(np.zeros(len(form.rows)), np.where(np.isfinite(at), at, 0.0)) if anchor is None else anchor
        self.low, self.high = np.full(form.size, -np.inf), np.full(form.size, np.inf)
        self.low[form.every], self.high[form.every] = form.rows.low, form.rows.high

    def initial(self) -> Floats:
        """Unknowns at which everything is taken in proportion to what the limits allow."""
        cellwise = self.cellwise
        cap = np.minimum(cellwise.limit * cellwise.supply, 1.0)
        return self.starting(cellwise.demand.spread_out(cap[:, None] * self.program.phases / cap.sum()))

    def starting(self, x: Floats, z: Floats | None = None) -> Floats:
        """z (or nothing) with the prices of the laws replaced by the losses' derivatives at a mixture x [n, P]."""
        form, laws = self.form, self.program.laws
        z = np.zeros(self.size) if z is None else z.copy()
        info, share = self.program.signals(x)
        received = np.log(np.maximum(form.chain @ info, 1e-300))
        pull = np.log(_strength(self.program)) - laws.exponent * (received - laws.cost @ share)
        z[form.received], z[form.dilution] = (pull - received)[form.used], pull[form.diluted]
        return z

    def within(self, z: Floats) -> Floats:
        """The nearest unknowns that prices may be."""
        return np.asarray(np.minimum(np.maximum(z, self.low), self.high))

    def prices(self, z: Floats) -> Prices:
        """z by meaning."""
        form, laws = self.form, self._priced(z)[0]
        change = -z[form.change].reshape(-1, len(laws.weight))
        cost = self.program.laws.cost.T @ laws.value
        return Prices(form.chain.T @ laws.price, cost, z[form.phase], z[form.rule], change)

    def _priced(self, z: Floats) -> tuple[Laws, Floats]:
        """The laws at z before any cell has answered, and the losses [L] that these prices amount to."""
        form, laws = self.form, self.program.laws
        beta, strength = laws.exponent, _strength(self.program)
        weight = np.maximum(form.weight + form.rows.loss.T @ z[form.every], 0.0)
        unit = np.full(len(laws), -np.inf)
        unit[form.used] = np.minimum(z[form.received], HUGE)
        each = np.exp(unit)
        wanted = (np.log(strength) - unit) / (1 + beta)
        pull = np.exp(unit[form.used] + np.minimum(wanted[form.used], HUGE))
        pull, thinning = _placed(pull, form.used, len(laws)), np.zeros(len(laws))
        if len(at := form.diluted):
            pull[at] = np.exp(np.minimum(z[form.dilution], HUGE))
            wanted[at] = z[form.dilution] - unit[at]
            thinning[at] = (z[form.dilution] - np.log(strength[at])) / beta[at] + wanted[at]
        powers = beta > 0
        falls = np.where(powers, pull / np.where(powers, beta, 1.0), -laws.scale * np.where(each > 0, wanted, 0.0))
        losses = laws.floor + falls + pull - pull * thinning
        none = np.zeros(len(laws))
        return Laws(weight, each, pull, np.exp(np.minimum(wanted, HUGE)), thinning, none, none), losses

    def at(self, z: Floats) -> Point:
        """The cells' answer to z, and the gradient there."""
        program, form, rows = self.program, self.form, self.form.rows
        n, phases = program.shape
        language, count = program.cells.language, len(program.laws)
        priced, losses = self._priced(z)
        value, cost = form.chain.T @ priced.price, program.laws.cost.T @ priced.value
        row = z[form.every]
        worth = np.maximum(program.cells.gain * (value[language] + rows.info.T @ row), 0.0)
        costs = cost[language][:, None] + z[form.phase] - (rows.affine.T @ row).reshape(n, phases)
        response = self.cellwise.answer(worth, costs)
        info = program.information(response.x)
        received = form.chain @ (program.laws.past + np.bincount(language, info, count))
        diluted = program.laws.cost @ np.bincount(language, response.x.sum(axis=1), count)
        laws = Laws(priced.weight, priced.each, priced.pull, priced.wanted, priced.thinning, received, diluted)
        columns = form.columns
        y = np.maximum(columns.lower, self.anchor.columns - (columns.cost - columns.entries.T @ row) / self.tie)
        slack = rows.affine @ response.x.ravel() + rows.info @ info + columns.entries @ y - rows.bound
        if len(form.speaking):
            slack -= rows.loss @ (losses - laws.each * received + laws.pull * diluted)
        slack += self.give * (row - self.anchor.row)
        gradient = self._gradient(laws, response.x, slack)
        return Point(z, y, response, worth, laws, gradient, self._error(laws, gradient, row))

    def _gradient(self, laws: Laws, x: Floats, slack: Floats) -> Floats:
        form = self.form
        gradient = np.empty(self.size)
        gradient[form.received] = (laws.price * (laws.wanted - laws.received))[form.used]
        gradient[form.dilution] = (laws.value * (laws.diluted - laws.thinning))[form.diluted]
        gradient[form.phase] = x.sum(axis=0) - self.program.phases
        gradient[form.every] = -slack
        return gradient

    def _error(self, laws: Laws, gradient: Floats, row: Floats) -> float:
        """The largest equation left: relative for what is received and for budgets, in shares for rules."""
        form, rows = self.form, self.form.rows
        if not np.isfinite(gradient).all():
            return np.inf
        unit = rows.size / PRICE
        moved = np.clip(row * unit + gradient[form.every], rows.low * unit, rows.high * unit)
        with np.errstate(divide="ignore"):
            ratio = np.log(laws.wanted[form.used]) - np.log(np.maximum(laws.received[form.used], 1e-300))
        left = [
            ratio,
            (laws.diluted - laws.thinning)[form.diluted],
            gradient[form.phase] / self.program.phases,
            row * unit - moved,
        ]
        return float(np.abs(np.concatenate(left)).max(initial=0.0))

    def strain(self, point: Point) -> float:
        """How far a point is from its anchor: zero where the proximal terms change nothing."""
        rows = np.abs(self.give * (point.z[self.form.every] - self.anchor.row)).max(initial=0.0)
        return float(max(rows, np.abs(self.tie * (point.columns - self.anchor.columns)).max(initial=0.0) / PRICE))


def _strength(program: Program) -> Floats:
    """scale * exponent: fall of the loss per unit of log eff at eff = 1 [L]; laws of exponent 0 are logarithms."""
    laws = program.laws
    return np.asarray(laws.scale * np.where(laws.exponent > 0, laws.exponent, 1.0))


def _placed(values: Floats, at: np.ndarray, size: int) -> Floats:
    placed = np.zeros(size)
    placed[at] = values
    return placed
