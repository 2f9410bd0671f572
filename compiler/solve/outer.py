"""A polyhedron around the convex program: every curved piece replaced by tangents, which rounds make closer.

Information of a cell is filled along a polygon above g: its exact first pass, then tangents of the exponential. Losses
and `change` get one column per language, above their tangents. So every feasible point of the program is one of the
polyhedron, with at least its information and at most its losses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mixc.compiler.solve.linear import Linear, Optimum, diagonal, identity, kron
from mixc.compiler.solve.program import Floats, Program

Blocks: TypeAlias = dict[str, sparse.csr_array]

SAME = 1e-6  # passes this close share a tangent
EXHAUSTED = 30.0  # c e from which another pass brings nothing: e^-30
RATIOS = np.exp(np.array([-1.0, -0.3, -0.1, -0.03, -0.01, 0.0, 0.01, 0.03, 0.1, 0.3, 1.0]))


@dataclass(frozen=True, slots=True, eq=False)
class Tangents:
    """Where curves are touched: `passes` [n, K] per cell, (received rt, dilution V r) [cuts, L] per language.

    `reference` [L] is an ordinary amount of information, the unit in which the linear program counts it.
    """

    reference: Floats
    passes: Floats
    received: Floats
    dilution: Floats

    def also(self, program: Program, info: Floats, share: Floats, passes: Floats) -> Tangents:
        """These and one more, at information and shares [L] and passes [n]."""
        laws = program.laws
        received = np.maximum(info + laws.transfer @ info, 1e-6 * self.reference)
        return Tangents(
            self.reference,
            np.column_stack([self.passes, np.maximum(passes, 1.0)]),
            np.vstack([self.received, received]),
            np.vstack([self.dilution, laws.cost @ share]),
        )


def tangents_at(program: Program, x: Floats, ratios: Floats = RATIOS) -> Tangents:
    """Tangents at a point [n, P], and at `ratios` of what its languages receive."""
    laws = program.laws
    info, share = program.signals(x)
    received = info + laws.transfer @ info
    known = received[received > 0]
    received = np.where(received > 0, received, known.min(initial=1.0))
    passes = np.maximum(program.cells.start + x.sum(axis=1) / program.cells.supply, 1.0)
    dilution = np.repeat((laws.cost @ share)[None], len(ratios), axis=0)
    begun = np.maximum(program.cells.start, 1.0)
    return Tangents(received, np.column_stack([begun, passes]), ratios[:, None] * received, dilution)


@dataclass(frozen=True, slots=True, eq=False)
class Polyhedron:
    """The linear program under construction, and the maps that rules and objectives are written with.

    `tokens` sends columns to x [n * P], `info` to what they add to the information of every cell [n], and `bound` [R]
    are the rules' less what it was before; `reference` [L] is the unit of column `J`; `losses` are the languages of
    column `loss`.
    """

    program: Program
    linear: Linear
    tokens: Blocks
    info: Blocks
    bound: Floats
    reference: Floats
    losses: tuple[int, ...]
    tangents: Tangents

    def x(self, optimum: Optimum) -> Floats:
        """Tokens [n, P] in a solution."""
        return apply(self.tokens, optimum).reshape(self.program.shape)

    def touch(self, optimum: Optimum) -> Tangents:
        """The tangents with those at a solution added."""
        info = optimum.values["J"] * self.reference
        cells = self.program.cells
        passes = cells.start + self.x(optimum).sum(axis=1) / cells.supply
        return self.tangents.also(self.program, info, optimum.values["r"], passes)


def apply(blocks: Blocks, optimum: Optimum) -> Floats:
    """What a linear map of the columns comes to in a solution."""
    return np.asarray(sum(block @ optimum.values[name] for name, block in blocks.items()))


def after(matrix: sparse.csr_array, blocks: Blocks) -> Blocks:
    """matrix @ blocks."""
    return {name: sparse.csr_array(matrix @ block) for name, block in blocks.items()}


def polyhedron(program: Program, tangents: Tangents, cap: Floats, limit: Floats) -> Polyhedron:
    """Cells within `cap` [n, P] and `limit` [n] passes (both may be infinite), information, shares and losses.

    No budgets and no rules yet.
    """
    linear = Linear()
    tokens, info = _cells(program, linear, tangents, cap, limit)
    reference, laws = tangents.reference, program.laws
    count, one = len(laws), identity(len(laws))
    linear.column("J", count)
    linear.column("r", count)
    per_unit = sparse.csr_array(diagonal(-1.0 / reference) @ program.membership)
    known = program.information(np.zeros(program.shape))
    before = laws.past / reference - per_unit @ known
    linear.row("J is information", after(per_unit, info) | {"J": one}, before, equality=True)
    by_language = sparse.csr_array(-(program.membership @ gathering(program)))
    linear.row("r is shares", after(by_language, tokens) | {"r": one}, 0.0, equality=True)
    losses = _losses(program, linear, tangents, reference)
    _changes(program, linear)
    if program.ties is not None:
        linear.row("tied", after(tied(program), tokens), 0.0, equality=True)
    bound = program.rules.bound - program.rules.info @ known
    return Polyhedron(program, linear, tokens, info, bound, reference, losses, tangents)


def tied(program: Program) -> sparse.csr_array:
    """[k * P, n * P]: zero of x exactly where tied cells have their parts of what the first of their column has."""
    n, phases = program.shape
    if program.ties is None:
        return sparse.csr_array((0, n * phases))
    column, part = program.ties.column, program.ties.part
    first = np.zeros(column.max() + 1, dtype=np.int64)
    first[column[::-1]] = np.arange(n)[::-1]
    cells = np.flatnonzero(first[column] != np.arange(n))
    others, row = first[column[cells]], np.arange(len(cells))
    largest = np.maximum(part[cells], part[others])
    entries = np.concatenate([part[others] / largest, -part[cells] / largest])
    places = (np.concatenate([row, row]), np.concatenate([cells, others]))
    return kron(sparse.csr_array((entries, places), shape=(len(cells), n)), identity(phases))


def gathering(program: Program) -> sparse.csr_array:
    """[n, n * P]: sums a cell's phases."""
    n, phases = program.shape
    return kron(identity(n), np.ones((1, phases)))


def _cells(program: Program, linear: Linear, tangents: Tangents, cap: Floats, limit: Floats) -> tuple[Blocks, Blocks]:
    """Column `x`, tokens, and for repeating cells `s`, tokens along their polygon; the maps to x and to information.

    With one phase a repeating cell's tokens are its segments; with several, rows tie the two.
    """
    cells, c = program.cells, program.curvature
    n, phases = program.shape
    gather = gathering(program)
    bent = (cells.start + np.minimum(limit, cap.sum(axis=1) / cells.supply) > 1) & (c > 0)
    bends, straight = np.flatnonzero(bent), np.flatnonzero(~bent)
    plain = straight if phases == 1 else np.arange(n)
    linear.column("x", len(plain) * phases, upper=cap[plain].ravel())
    pick = sparse.csr_array(identity(n)[:, plain])
    tokens: Blocks = {"x": kron(pick, identity(phases))}
    gain = diagonal(cells.gain * (-np.expm1(-c) if c else 1.0) * ~bent)
    info: Blocks = {"x": sparse.csr_array(gain @ gather @ tokens["x"])}
    ended = straight[np.isfinite(limit[straight])]
    if len(ended):
        taken = sparse.csr_array(gather @ tokens["x"])
        linear.row("limit", {"x": sparse.csr_array(-taken[ended])}, -limit[ended] * cells.supply[ended])
    if len(bends):
        along, info["s"] = _segments(program, linear, tangents, cap, limit, bends)
        if phases == 1:
            tokens["s"] = along
        else:
            tie = {"x": sparse.csr_array(gather[bends]), "s": sparse.csr_array(-along[bends])}
            linear.row("s is tokens", tie, 0.0, equality=True)
    return tokens, info


def _segments(
    program: Program, linear: Linear, tangents: Tangents, cap: Floats, limit: Floats, bends: NDArray[np.intp]
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Column `s`: the stretches of the polygons of the cells `bends`; its maps to tokens and to information [n]."""
    supply, gain, n = program.cells.supply[bends], program.cells.gain[bends], len(program.cells)
    length, slope = _polygon(program.curvature, tangents.passes[bends], limit[bends], program.cells.start[bends])
    room = cap[bends].sum(axis=1) / supply
    length[:, -1] = np.minimum(length[:, -1], np.maximum(room - length[:, :-1].sum(axis=1), 0.0))
    cell, segment = np.nonzero(length > 0)
    size = len(cell)
    linear.column("s", size, upper=length[cell, segment] * supply[cell])
    place = (bends[cell], np.arange(size))
    along = sparse.csr_array((np.ones(size), place), shape=(n, size))
    return along, sparse.csr_array((slope[cell, segment] * gain[cell], place), shape=(n, size))


def _polygon(c: float, touched: Floats, limit: Floats, start: Floats) -> tuple[Floats, Floats]:
    """Lengths in passes and slopes [n, K + 1] of the polygon above g beyond `start` passes, `limit` of them at most:
    the first pass, then tangents at `touched` (with max(1, start))."""
    touched = np.minimum(np.sort(touched, axis=1), EXHAUSTED / c)
    height = -np.expm1(-c * touched) - c * touched * np.exp(-c * touched)
    slope = c * np.exp(-c * touched)
    fall = slope[:, :-1] - slope[:, 1:]
    near = np.diff(touched, axis=1) < SAME
    corner = np.where(near, touched[:, 1:], np.diff(height, axis=1) / np.where(near, 1.0, fall))
    ends = np.column_stack([np.ones(len(limit)), corner, np.full(len(limit), np.inf)])
    ends = np.minimum(np.maximum.accumulate(ends, axis=1), np.maximum(start + limit, 1.0)[:, None])
    ends = np.maximum(np.column_stack([start, ends]), start[:, None])
    with np.errstate(invalid="ignore"):
        length = np.diff(ends, axis=1)
    return np.nan_to_num(length, nan=0.0, posinf=np.inf), np.column_stack([np.full(len(limit), -np.expm1(-c)), slope])


def _losses(program: Program, linear: Linear, tangents: Tangents, reference: Floats) -> tuple[int, ...]:
    """Column `loss` of the languages whose loss anything speaks of, above its tangents."""
    laws = program.laws
    used = np.flatnonzero((laws.weight > 0) | program.rules.loss.any(axis=0))
    linear.column("loss", len(used), lower=laws.floor[used])
    if not len(used):
        return ()
    received, dilution = tangents.received[:, used], tangents.dilution[:, used]
    beta = laws.exponent[used]
    least = laws.scale[used] * np.exp(-beta * (np.log(received) - dilution))
    pull = beta * least
    price = pull / received
    rows = np.tile(np.arange(len(used)), len(received))
    chain = sparse.csr_array((np.eye(len(laws)) + laws.transfer)[used] * reference)
    bound = laws.floor[used] + least + pull - pull * dilution
    blocks = {
        "loss": sparse.csr_array((np.ones(len(rows)), (np.arange(len(rows)), rows)), shape=(len(rows), len(used))),
        "J": sparse.csr_array(diagonal(price.ravel()) @ chain[rows]),
    }
    if laws.cost.any():
        thinning = sparse.csr_array(laws.cost[used])[rows]
        blocks["r"] = sparse.csr_array(-(diagonal(pull.ravel()) @ thinning))
    linear.row("loss above tangents", blocks, bound.ravel())
    return tuple(int(i) for i in used)


def _changes(program: Program, linear: Linear) -> None:
    """Column `moved j`: |r - base| of every language."""
    count = len(program.laws)
    one = identity(count)
    for j, change in enumerate(program.rules.changes):
        linear.column(f"moved {j}", count)
        linear.row(f"more {j}", {f"moved {j}": one, "r": -one}, -change.base)
        linear.row(f"less {j}", {f"moved {j}": one, "r": one}, change.base)


def rule_blocks(shape: Polyhedron, chosen: NDArray[np.intp]) -> Blocks:
    """s(x) + bound of the rules `chosen` [k] as blocks over the columns."""
    rules = shape.program.rules
    blocks = after(rules.affine[chosen], shape.tokens)
    for name, block in after(rules.info[chosen], shape.info).items():
        blocks[name] = sparse.csr_array(blocks[name] + block) if name in blocks else block
    if shape.losses:
        blocks["loss"] = sparse.csr_array(-rules.loss[chosen][:, list(shape.losses)])
    for j, change in enumerate(rules.changes):
        row = np.zeros((len(chosen), len(shape.program.laws)))
        row[chosen == change.rule] = -0.5 * change.coefficient
        blocks[f"moved {j}"] = sparse.csr_array(row)
    return blocks
