"""The optimality equations in prices (solver.md 3), and their derivatives.

Unknowns z: value m_i of a language's information, cost d_i of its share to others, price lambda_p of a token of phase
p, price nu_k of rule k, and one price per language for each `change` rule. Given them every cell is closed
(`response.py`). What remains: prices equal the derivatives of the loss, budgets hold, rules are complementary.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from mixc.compiler.solve.program import Floats, Program
from mixc.compiler.solve.response import Cellwise, Response

PRICE = 0.1  # an ordinary price, in loss per unit of share: what slacks are weighed against
SPARSE_FROM = 900  # unknowns from which the Newton system is solved sparse


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """Unknowns z, the cells' answer to them, and what is left of every equation."""

    z: Floats
    response: Response
    residual: Floats

    @property
    def x(self) -> Floats:
        """Tokens of every cell and phase [n, P], as fractions of the budget."""
        return self.response.x

    @property
    def error(self) -> float:
        """The largest residual (relative for values, in shares for budgets and rules)."""
        return float(np.abs(self.residual).max(initial=0.0))


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """Unknowns by meaning: `value` m [L], `cost` d [L], `phase` lambda [P], `rule` nu [R], `change` g [changes, L]."""

    value: Floats
    cost: Floats
    phase: Floats
    rule: Floats
    change: Floats


class Equations:
    """The equations of one program with a preference of strength `mu`.

    `softness` lets rule k give way by `softness * size_k * (nu_k - anchor_k)`: a proximal term that keeps prices unique
    and bounded on the way, and leaves the solution alone once nu = anchor.
    """

    def __init__(
        self, program: Program, mu: float | None = None, softness: float = 0.0, anchor: Floats | None = None
    ) -> None:
        self.program = program
        self.cellwise = Cellwise(program, mu)
        n, phases = program.shape
        count, rules, changes = len(program.laws), len(program.rules), len(program.rules.changes)
        ends = np.cumsum([count, count, phases, rules, changes * count])
        starts = np.concatenate([[0], ends[:-1]])
        self.value, self.cost, self.phase, self.rule, self.change = (
            slice(int(a), int(b)) for a, b in zip(starts, ends, strict=True)
        )
        self.size = int(ends[-1])
        self.spread = sparse.kron(sparse.eye_array(n), np.ones((phases, 1)), format="csr")
        self.gather = self.spread.T.tocsr()
        by_phase = sparse.kron(np.ones((n, 1)), sparse.eye_array(phases), format="csr")
        self.by_phase = by_phase.T.tocsr()
        self._price_maps(by_phase)
        self.chain = np.eye(count) + program.laws.transfer
        self.logged = np.flatnonzero(self.chain.T @ program.laws.weight > 0)
        sizes = self._rule_sizes()
        self.weigh = PRICE / sizes
        self.give = softness * sizes
        self.anchor = np.zeros(rules) if anchor is None else anchor

    def _price_maps(self, by_phase: sparse.csr_array) -> None:
        """q = to_cost z [n*P] and w = to_value z [n], linear in prices."""
        program = self.program
        n, phases = program.shape
        count, changes = len(program.laws), len(program.rules.changes)
        member = program.membership.T.tocsr()
        rows = self.spread @ member
        blocks = [sparse.csr_array((n * phases, count)), rows, by_phase, -program.rules.affine.T]
        self.to_cost = sparse.csr_array(sparse.hstack([*blocks, *[rows] * changes], format="csr"))
        gain = sparse.diags_array(program.cells.gain)
        blocks = [gain @ member, sparse.csr_array((n, count + phases)), gain @ program.rules.info.T]
        self.to_value = sparse.csr_array(sparse.hstack([*blocks, sparse.csr_array((n, changes * count))], format="csr"))

    def _rule_sizes(self) -> Floats:
        """By how much a rule's slack can move [R]."""
        program = self.program
        top = np.minimum(self.cellwise.limit[:, None] * program.cells.supply[:, None], program.phases)
        reach = abs(program.rules.affine) @ np.minimum(top, self.cellwise.cap).ravel()
        return np.where(reach > 0, np.clip(reach, 1e-9, 1.0), 1.0)

    def prices(self, z: Floats) -> Prices:
        """z by meaning, values as they are (not their logarithms)."""
        p = self.linear(z)
        change = p[self.change].reshape(-1, len(self.program.laws))
        return Prices(p[self.value], p[self.cost], p[self.phase], p[self.rule], change)

    def linear(self, z: Floats) -> Floats:
        """Prices from unknowns: values that cannot vanish are unknown by their logarithm.

        Value times information is nearly constant (beta is small), so Newton in logarithms hardly ever overshoots.
        """
        prices = z.copy()
        prices[self.logged] = np.exp(np.clip(z[self.logged], -200.0, 200.0))
        return prices

    def initial(self) -> Floats:
        """Unknowns at which everything is taken in proportion to what the limits allow."""
        program = self.program
        if program.target is not None:
            return np.zeros(self.size)
        cap = np.minimum(self.cellwise.limit * program.cells.supply, 1.0)
        x = cap[:, None] * program.phases / cap.sum()
        return self.starting(x)

    def starting(self, x: Floats, z: Floats | None = None) -> Floats:
        """z (or nothing) with values and costs replaced by the derivatives of the loss at a mixture x [n, P]."""
        z = np.zeros(self.size) if z is None else z.copy()
        value, cost, _, _ = self._marginals(z, x)
        z[self.value], z[self.cost] = value, cost
        z[self.logged] = np.log(np.maximum(value[self.logged], 1e-80))
        return z

    def _marginals(self, z: Floats, x: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """(-dL/dJ, dL/dr, D, rt): D_k = v_k scale_k beta_k eff_k^-beta_k, rt = (I + T) J."""
        laws = self.program.laws
        info, share = self.program.signals(x)
        received = np.maximum(self.chain @ info, 1e-300)
        weight = self._weights(z)
        log_effective = np.log(received) - laws.cost @ share
        pull = laws.scale * laws.exponent * np.exp(np.minimum(-laws.exponent * log_effective, 600.0))
        pull = np.where(weight > 0, weight * pull, 0.0)
        return self.chain.T @ (pull / received), laws.cost.T @ pull, pull, received

    def _weights(self, z: Floats) -> Floats:
        """v_i of the objective and of loss rules at their prices [L]."""
        return self.program.laws.weight + self.program.rules.loss.T @ z[self.rule]

    def at(self, z: Floats) -> Point:
        """The cells' answer to z and how far the equations are from holding."""
        program = self.program
        n, phases = program.shape
        prices = self.linear(z)
        w = np.maximum(self.to_value @ prices, 0.0)
        response = self.cellwise.answer(w, (self.to_cost @ prices).reshape(n, phases))
        x = response.x
        value, cost, _, _ = self._marginals(z, x)
        residual = np.empty(self.size)
        residual[self.value] = z[self.value] - value
        residual[self.logged] = z[self.logged] - np.log(np.maximum(value[self.logged], 1e-300))
        residual[self.cost] = z[self.cost] - cost
        residual[self.phase] = (self.by_phase @ x.ravel() - program.phases) / program.phases
        nu, moved, top = z[self.rule], self._moved(z, x), program.rules.weight
        residual[self.rule] = nu - np.where(program.rules.equality, moved, np.clip(moved, 0.0, top))
        share = program.membership @ x.sum(axis=1)
        for j, change in enumerate(program.rules.changes):
            g, bound = self._change_prices(z, j)
            residual[self._change_slice(j)] = g - np.clip(g + PRICE * (share - change.base), -bound, bound)
        return Point(z, response, residual)

    def _moved(self, z: Floats, x: Floats) -> Floats:
        """nu - weigh * (slack + proximal term): between 0 and the weight exactly where a rule binds."""
        nu = z[self.rule]
        return nu - self.weigh * (self.program.slacks(x) + self.give * (nu - self.anchor))

    def _change_slice(self, j: int) -> slice:
        count = len(self.program.laws)
        return slice(self.change.start + j * count, self.change.start + (j + 1) * count)

    def _change_prices(self, z: Floats, j: int) -> tuple[Floats, float]:
        change = self.program.rules.changes[j]
        return z[self._change_slice(j)], 0.5 * change.coefficient * max(z[self.rule][change.rule], 0.0)

    def jacobian(self, point: Point) -> sparse.csc_array:
        """d residual / dz at a point [size, size]."""
        program, response = self.program, point.response
        stiff = sparse.diags_array(response.stiff.ravel())
        by_cost = self.gather @ sparse.diags_array(response.by_cost.ravel())
        margin = sparse.diags_array(response.by_value) @ self.to_value + by_cost @ self.to_cost
        moves = sparse.csr_array(stiff @ (self.spread @ margin - self.to_cost))  # dx / d prices
        cell_moves = self.gather @ moves
        info_moves = sparse.diags_array(program.cells.gain * response.slope) @ cell_moves
        info = (program.membership @ info_moves).toarray()
        share = (program.membership @ cell_moves).toarray()
        head, log_eff = self._law_rows(point, info, share)
        phase = (self.by_phase @ moves).toarray() / program.phases[:, None]
        rules = self._rule_rows(point, moves, info_moves, share, log_eff)
        blocks = [sparse.csr_array(head), sparse.csr_array(phase), rules, self._change_rows(point, share)]
        scale = np.ones(self.size)
        scale[self.logged] = self.linear(point.z)[self.logged]
        matrix = sparse.vstack(blocks, format="csc") @ sparse.diags_array(scale)
        own = np.zeros(self.size)
        own[: self.cost.stop] = 1.0
        return sparse.csc_array(matrix + sparse.diags_array(own))

    def _law_rows(self, point: Point, info: Floats, share: Floats) -> tuple[Floats, Floats]:
        """Rows of values and costs, less their own unknown; and d log eff / d prices [L, size]."""
        laws = self.program.laws
        value, _, pull, received = self._marginals(point.z, point.x)
        weight = self._weights(point.z)
        log_eff = (self.chain @ info) / received[:, None] - laws.cost @ share
        push = -(laws.exponent * pull)[:, None] * log_eff
        by_weight = np.where(weight > 0, pull / np.where(weight > 0, weight, 1.0), 0.0)
        push[:, self.rule] += by_weight[:, None] * self.program.rules.loss.T
        moved = push / received[:, None] - (pull / received**2)[:, None] * (self.chain @ info)
        scale = np.ones(len(laws))
        scale[self.logged] = np.maximum(value[self.logged], 1e-300)
        return np.vstack([-(self.chain.T @ moved) / scale[:, None], -(laws.cost.T @ push)]), log_eff

    def _rule_rows(
        self,
        point: Point,
        moves: sparse.csr_array,
        info_moves: sparse.csr_array,
        share: Floats,
        log_eff: Floats,
    ) -> sparse.csr_array:
        program, rules = self.program, self.program.rules
        slack = rules.affine @ moves + rules.info @ info_moves
        if rules.loss.any():
            fall = program.laws.exponent * np.where(
                rules.loss.any(axis=0), program.losses(point.x) - program.laws.floor, 0.0
            )
            slack = slack + sparse.csr_array((rules.loss * fall) @ log_eff)
        for j, change in enumerate(rules.changes):
            row = -0.5 * change.coefficient * (self._direction(point, j) @ share)
            at = sparse.csr_array(([1.0], ([change.rule], [0])), shape=(len(rules), 1))
            slack = slack + at @ sparse.csr_array(row.reshape(1, -1))
        moved = self._moved(point.z, point.x)
        inside = (rules.equality | ((moved > 0) & (moved < rules.weight))).astype(float)
        own = sparse.diags_array(1.0 - inside + self.weigh * inside * self.give)
        left, right = self.rule.start, self.size - self.rule.stop
        lead, tail = sparse.csr_array((len(rules), left)), sparse.csr_array((len(rules), right))
        return sparse.csr_array(
            sparse.diags_array(self.weigh * inside) @ slack + sparse.hstack([lead, own, tail], format="csr")
        )

    def _direction(self, point: Point, j: int) -> Floats:
        """Slope of |r_l - base_l| [L]: its sign, and at the kink the slope that the language's price stands for."""
        g, bound = self._change_prices(point.z, j)
        off = self.program.membership @ point.x.sum(axis=1) - self.program.rules.changes[j].base
        inside = np.abs(g + PRICE * off) < bound
        return np.where(inside, g / (bound if bound > 0 else 1.0), np.sign(off))

    def _change_rows(self, point: Point, share: Floats) -> sparse.csr_array:
        program = self.program
        shares = program.membership @ point.x.sum(axis=1)
        matrix = np.zeros((self.size - self.rule.stop, self.size))
        for j, change in enumerate(program.rules.changes):
            g, bound = self._change_prices(point.z, j)
            moved = g + PRICE * (shares - change.base)
            inside = (np.abs(moved) < bound).astype(float)
            place = self._change_slice(j)
            rows = slice(place.start - self.rule.stop, place.stop - self.rule.stop)
            matrix[rows] = -PRICE * inside[:, None] * share
            matrix[rows, place] += np.diag(1.0 - inside)
            matrix[rows, self.rule.start + change.rule] -= (1 - inside) * np.sign(moved) * 0.5 * change.coefficient
        return sparse.csr_array(matrix)
