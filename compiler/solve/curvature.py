"""How the dual function bends: minus its Hessian, over the prices that are free to move (solver.md 3).

Each cell bends by a few numbers in the local prices that reach it (its language's m and d, phases, rules); their sum is
carried over to the unknowns by the chain rule. Where a logarithm of a price would bend the function the wrong way far
from the optimum, the safe side is taken: the matrix is positive semidefinite everywhere and exact at the optimum.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mixc.compiler.solve.equations import Equations, Point
from mixc.compiler.solve.form import Form
from mixc.compiler.solve.program import Floats

SPARSE_FROM = 1200  # free unknowns from which the matrix is sparse
CANCELLED = 1e-13
UNIQUE = 1e-9  # of a price's own curvature; below, in some mix of prices, nothing says what they are
MANY = 2000
ACTIVE = 1e-9  # slack of a rule that holds with nothing to spare

Matrix: TypeAlias = Floats | sparse.csc_array


def curvature(equations: Equations, point: Point, free: NDArray[np.bool_]) -> Matrix:
    """Minus the Hessian at a point over the unknowns `free` (those of laws and phases are): dense, sparse when many."""
    form, first = equations.form, equations.form.rule.start
    rows = np.flatnonzero(free[form.every])
    lift = _lift(form, point, rows)
    own, tied = _own_laws(form, point), _tied(equations, point, rows)
    local = _local(form, point, rows)
    matrix = sparse.csr_array(lift.T @ (local @ lift)) + sparse.block_diag([own, tied], format="csr")
    return matrix.toarray() if first + len(rows) < SPARSE_FROM else sparse.csc_array(matrix)


def undetermined(equations: Equations, point: Point) -> NDArray[np.bool_]:
    """Rules [R] whose price is not unique at an optimum: the equations hold for other prices too.

    Assumed unique when there are too many unknowns to tell.
    """
    form, slack = equations.form, -point.gradient[equations.form.every]
    row = point.z[form.every]
    tight = np.isinf(form.rows.low) | (row > 0) | (np.abs(slack) <= ACTIVE)
    free = np.concatenate([np.ones(form.rule.start, dtype=bool), tight])
    found = np.zeros(len(form.program.rules), dtype=bool)
    rules = np.flatnonzero(tight[: len(found)])
    if free.sum() > MANY or not len(rules):
        return found
    bend = curvature(equations, point, free)
    matrix = bend if isinstance(bend, np.ndarray) else bend.toarray()
    places = form.rule.start + np.arange(int(tight.sum()))
    matrix[places, places] -= equations.give[tight]
    unit = np.maximum(matrix.diagonal(), UNIQUE)
    values, vectors = np.linalg.eigh(matrix / np.sqrt(unit) / np.sqrt(unit)[:, None])
    idle = np.linalg.norm(vectors[:, values < UNIQUE], axis=1)
    found[rules] = idle[form.rule.start : form.rule.start + len(rules)] > np.sqrt(UNIQUE)
    return found


def _local(form: Form, point: Point, rows: NDArray[np.intp]) -> sparse.csr_array:
    """Sum over columns in local prices (m, d, lambda, and of the rules only `rows`)."""
    response, reach = point.response, form.map
    n, phases = response.stiff.shape
    stiff, relief = response.stiff, response.relief
    if phases == 1:
        rest = 1.0 - relief[:, None] * stiff
        stiff, relief = np.where(rest > CANCELLED, stiff * rest, 0.0), np.zeros(n)
    moved = reach.fixed.data - response.slope[reach.cell] * reach.valued.data
    stiffness = stiff.ravel()
    keep = np.flatnonzero(stiffness > 0)
    first = 2 * len(form.chain) + phases
    margin = sparse.csr_array((moved, reach.fixed.indices, reach.fixed.indptr), shape=reach.fixed.shape)
    margin = sparse.csr_array((margin if reach.columns is None else reach.columns @ margin)[keep])
    if len(rows) < len(form.rows):
        margin = sparse.csr_array(margin[:, np.concatenate([np.arange(first), first + rows])])
    pushed = sparse.csr_array(sparse.diags_array(stiffness[keep]) @ margin)
    total = margin.T @ pushed
    if relief.any():
        cell = keep // phases
        gather = sparse.csr_array((np.sqrt(relief[cell]), (cell, np.arange(len(keep)))), shape=(n, len(keep)))
        held = gather @ pushed
        total = total - held.T @ held
    return sparse.csr_array(total)


def _lift(form: Form, point: Point, rows: NDArray[np.intp]) -> sparse.csr_array:
    """d local prices / d unknowns [2L + P + rows, laws + rows], in numbers of the free rules only."""
    laws, chain, cost = point.laws, form.chain, form.program.laws.cost
    count, phases = len(chain), len(form.program.phases)
    base = np.zeros((2 * count + phases, form.rule.start))
    base[:count, form.received] = (chain.T * laws.price)[:, form.used]
    base[count : 2 * count, form.dilution] = (cost.T * laws.value)[:, form.diluted]
    base[2 * count :, form.phase] = np.eye(phases)
    spoken = form.rows.loss[rows].T
    by_weight = np.zeros((2 * count + phases, len(rows)))
    if spoken.any():
        by_weight[:count] = chain.T @ (laws.each[:, None] * spoken)
        by_weight[count : 2 * count] = cost.T @ (laws.pull[:, None] * spoken)
    own = sparse.eye_array(len(rows), format="csr")
    return sparse.csr_array(sparse.block_array([[sparse.csr_array(base), sparse.csr_array(by_weight)], [None, own]]))


def _own_laws(form: Form, point: Point) -> Floats:
    """What the losses themselves bend by, over prices of laws and phases."""
    laws, beta = point.laws, form.program.laws.exponent
    matrix = np.zeros((form.rule.start, form.rule.start))
    used, diluted = form.used, form.diluted
    one = np.arange(form.received.start, form.received.stop)
    bend = laws.price * laws.wanted / (1 + beta)
    bend[diluted] = laws.value[diluted]
    safe = np.maximum(laws.price * (laws.received - laws.wanted), 0.0)
    matrix[one, one] = (bend + safe)[used]
    two = np.arange(form.dilution.start, form.dilution.stop)
    pair = one[np.searchsorted(used, diluted)]
    value = laws.value[diluted]
    safe = np.maximum(value * (laws.thinning - laws.diluted)[diluted], 0.0)
    matrix[two, two] = value * (1 + 1 / beta[diluted]) + safe
    matrix[pair, two] = matrix[two, pair] = -value
    return matrix


def _tied(equations: Equations, point: Point, rows: NDArray[np.intp]) -> sparse.csr_array:
    """What proximal terms bend by, over the free rules: their own, and the columns that move."""
    columns = equations.form.columns
    moving = np.flatnonzero(point.columns > columns.lower)
    entries = sparse.csr_array(columns.entries[rows])[:, moving]
    give = sparse.diags_array(equations.give[rows])
    return sparse.csr_array(give + (entries @ entries.T) / equations.tie)
