"""The optimum by semismooth Newton on prices (solver.md 3).

Unknowns z: value m_i of a language's information, cost d_i of its share to others, price lambda_p of a token of phase
p, price nu_k of rule k, and one price per language for each `change` rule. Given them every cell is closed
(`response.py`); what remains is that prices equal the derivatives of the loss, budgets hold and rules are
complementary. Work per step is linear in cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lstsq
from scipy.sparse.linalg import splu

from mixc.compiler.solve.program import Floats, Program
from mixc.compiler.solve.response import Cellwise, Response

DENSE = 1200


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """The unknowns, by meaning: `value` m [L], `cost` d [L], `phase` lambda [P], `rule` nu [R], `change` g [changes, L]."""

    value: Floats
    cost: Floats
    phase: Floats
    rule: Floats
    change: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """Prices z, the cells' answer, and the residual of the optimality equations (scaled; largest is `error`)."""

    z: Floats
    response: Response
    residual: Floats

    @property
    def error(self) -> float:
        """The largest scaled residual."""
        return float(np.abs(self.residual).max(initial=0.0))


class PriceSystem:
    """The equations of one program at one strength of preference."""

    def __init__(self, program: Program, mu: float | None = None) -> None:
        self.program = program
        self.cellwise = Cellwise(program, mu)
        n, phases = program.shape
        count, rules = len(program.laws), len(program.rules)
        changes = len(program.rules.changes)
        sizes = [count, count, phases, rules, changes * count]
        ends = np.cumsum(sizes)
        self.value, self.cost, self.phase, self.rule, self.change = (
            slice(int(end - size), int(end)) for size, end in zip(sizes, ends, strict=True)
        )
        self.size = int(ends[-1])
        repeat = sparse.kron(sparse.eye_array(n), np.ones((phases, 1)), format="csr")
        self.spread = repeat  # [nP, n] copies a cell's figure to its phases
        self.gather = repeat.T.tocsr()  # [n, nP] sums a cell's phases
        member = program.membership.T.tocsr()
        rows = self.spread @ member
        by_phase = sparse.kron(np.ones((n, 1)), sparse.eye_array(phases), format="csr")
        blocks = [sparse.csr_array((n * phases, count)), rows, by_phase, -program.rules.affine.T]
        blocks += [rows] * changes
        self.to_cost = sparse.hstack(blocks, format="csr")  # q = to_cost z
        gain = sparse.diags_array(program.cells.gain)
        blocks = [gain @ member, sparse.csr_array((n, count + phases)), gain @ program.rules.info.T]
        blocks += [sparse.csr_array((n, changes * count))]
        self.to_value = sparse.hstack(blocks, format="csr")  # w = to_value z
        self.by_phase = by_phase.T.tocsr()
        self.chain = np.eye(count) + program.laws.transfer
        self.rule_scale = 0.1

    def prices(self, z: Floats) -> Prices:
        """z by meaning."""
        count = len(self.program.laws)
        change = z[self.change].reshape(-1, count)
        return Prices(z[self.value], z[self.cost], z[self.phase], z[self.rule], change)

    def weights(self, z: Floats) -> Floats:
        """v_i of the objective and of the loss rules at their prices [L]."""
        return self.program.laws.weight + self.program.rules.loss.T @ z[self.rule]

    def marginals(self, z: Floats, x: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """(-dL/dJ, dL/dr, D, rt): D_k = v_k scale_k beta_k eff_k^-beta_k, rt = (I + T) J."""
        laws = self.program.laws
        info, share = self.program.signals(x)
        received = self.chain @ info
        weight = self.weights(z)
        used = weight > 0
        safe = np.where(received > 0, received, 1e-300)
        log_effective = np.log(safe) - laws.cost @ share
        pull = np.where(used, weight * laws.scale * laws.exponent * np.exp(-laws.exponent * log_effective), 0.0)
        return self.chain.T @ (pull / safe), laws.cost.T @ pull, pull, safe

    def at(self, z: Floats) -> Point:
        """The cells' answer to z and how far the equations are from holding."""
        program = self.program
        n, phases = program.shape
        w = np.maximum(self.to_value @ z, 0.0)
        q = (self.to_cost @ z).reshape(n, phases)
        response = self.cellwise.answer(w, q)
        x = response.x
        value, cost, _, _ = self.marginals(z, x)
        residual = np.empty(self.size)
        residual[self.value] = (z[self.value] - value) / self._value_scale(value)
        residual[self.cost] = z[self.cost] - cost
        residual[self.phase] = (self.by_phase @ x.ravel() - program.phases) / program.phases
        residual[self.rule] = self._complementarity(z, x)[0]
        share = program.membership @ x.sum(axis=1)
        for j, change in enumerate(program.rules.changes):
            g, bound = self._change_prices(z, j)
            moved = g + self.rule_scale * (share - change.base)
            residual[self._change_slice(j)] = g - np.clip(moved, -bound, bound)
        return Point(z, response, residual)

    def _value_scale(self, value: Floats) -> Floats:
        return np.maximum(value, 1e-3 * value.max(initial=0.0)) + 1e-12

    def _complementarity(self, z: Floats, x: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Residual of nu >= 0, s >= 0, nu s = 0 (nu <= weight; s = 0 for equalities), and which rules bind."""
        rules, nu = self.program.rules, z[self.rule]
        slack = self.program.slacks(x)
        moved = nu - self.rule_scale * slack
        inside = (moved > 0) & (moved < rules.weight) | rules.equality
        clipped = np.where(rules.equality, moved, np.clip(moved, 0.0, rules.weight))
        return nu - clipped, inside

    def _change_slice(self, j: int) -> slice:
        count = len(self.program.laws)
        return slice(self.change.start + j * count, self.change.start + (j + 1) * count)

    def _change_prices(self, z: Floats, j: int) -> tuple[Floats, float]:
        change = self.program.rules.changes[j]
        return z[self._change_slice(j)], 0.5 * change.coefficient * max(z[self.rule][change.rule], 0.0)

    def jacobian(self, point: Point) -> Floats | sparse.csc_array:
        """d residual / dz at a point [size, size]."""
        program, response, z = self.program, point.response, point.z
        laws, rules = program.laws, program.rules
        n, phases = program.shape
        stiff = sparse.diags_array(response.stiff.ravel())
        by_cost = self.gather @ sparse.diags_array(response.by_cost.ravel())
        margin = sparse.diags_array(response.by_value) @ self.to_value + by_cost @ self.to_cost
        moves = stiff @ (self.spread @ margin - self.to_cost)  # dx [nP, size]
        cell_moves = self.gather @ moves
        info_moves = sparse.diags_array(program.cells.gain * response.slope) @ cell_moves
        info = (program.membership @ info_moves).toarray()
        share = (program.membership @ cell_moves).toarray()

        value, _, pull, received = self.marginals(z, response.x)
        log_eff = (self.chain @ info) / received[:, None] - laws.cost @ share
        push = -(laws.exponent * pull)[:, None] * log_eff
        weight = self.weights(z)
        by_weight = np.where(weight > 0, pull / np.where(weight > 0, weight, 1.0), 0.0)
        push[:, self.rule] += by_weight[:, None] * rules.loss.T
        value_moves = self.chain.T @ (push / received[:, None])
        value_moves -= self.chain.T @ ((pull / received**2)[:, None] * (self.chain @ info))

        matrix = np.zeros((self.size, self.size)) if self.size <= DENSE else None
        if matrix is None:
            return self._sparse_jacobian(point, moves, info_moves, info, share, push, value_moves, log_eff)
        scale = self._value_scale(value)[:, None]
        matrix[self.value] = -value_moves / scale
        matrix[self.value, self.value] += np.eye(len(laws)) / scale
        matrix[self.cost] = -(laws.cost.T @ push)
        matrix[self.cost, self.cost] += np.eye(len(laws))
        matrix[self.phase] = (self.by_phase @ moves).toarray() / program.phases[:, None]
        if len(rules):
            matrix[self.rule] = self._rule_rows(point, moves, info_moves, share, log_eff)
        self._change_rows(matrix, point, share)
        return matrix

    def _rule_rows(self, point: Point, moves: object, info_moves: object, share: Floats, log_eff: Floats) -> Floats:
        program, rules = self.program, self.program.rules
        slack = (rules.affine @ moves + rules.info @ info_moves).toarray()
        if rules.loss.any():
            losses = program.laws.scale * program.laws.exponent
            fall = (
                losses
                * np.where(rules.loss.any(axis=0), program.effective(point.response.x), 1.0) ** -program.laws.exponent
            )
            slack += (rules.loss * fall) @ log_eff
        shares = program.membership @ point.response.x.sum(axis=1)
        for change in rules.changes:
            slack[change.rule] -= 0.5 * change.coefficient * (np.sign(shares - change.base) @ share)
        _, inside = self._complementarity(point.z, point.response.x)
        rows = np.zeros((len(rules), self.size))
        rows[inside] = self.rule_scale * slack[inside]
        off = np.flatnonzero(~inside)
        rows[off, self.rule.start + off] = 1.0
        return rows

    def _change_rows(self, matrix: Floats, point: Point, share: Floats) -> None:
        program = self.program
        shares = program.membership @ point.response.x.sum(axis=1)
        for j, change in enumerate(program.rules.changes):
            g, bound = self._change_prices(point.z, j)
            moved = g + self.rule_scale * (shares - change.base)
            rows = np.arange(self._change_slice(j).start, self._change_slice(j).stop)
            inside = np.abs(moved) < bound
            matrix[rows[inside]] = -self.rule_scale * share[inside]
            out = ~inside
            matrix[rows[out], rows[out]] = 1.0
            matrix[rows[out], self.rule.start + change.rule] -= np.sign(moved[out]) * 0.5 * change.coefficient

    def step(self, point: Point) -> Floats:
        """The Newton step, by least squares where prices are not unique."""
        matrix = self.jacobian(point)
        size = np.abs(matrix).max(axis=1)
        size = np.where(size > 0, size, 1.0)
        try:
            with np.errstate(all="raise"):
                step = np.linalg.solve(matrix / size[:, None], -point.residual / size)
            if np.isfinite(step).all():
                return step
        except (np.linalg.LinAlgError, FloatingPointError):
            pass
        return lstsq(matrix / size[:, None], -point.residual / size, cond=1e-13)[0]


def converge(system: PriceSystem, z: Floats, *, tolerance: float = 1e-12, steps: int = 60) -> tuple[Point, int]:
    """Newton with a line search from z; the best point found and the steps taken. The caller reads its error."""
    point = system.at(z)
    best = point
    for taken in range(steps):
        if point.error <= tolerance:
            return point, taken
        direction = system.step(point)
        size, merit = 1.0, float(np.linalg.norm(point.residual))
        candidate = point
        for _ in range(24):
            candidate = system.at(point.z + size * direction)
            if float(np.linalg.norm(candidate.residual)) <= (1 - 1e-4 * size) * merit:
                break
            size *= 0.5
        else:
            return best, taken
        point = candidate
        if point.error < best.error:
            best = point
    return best, steps
