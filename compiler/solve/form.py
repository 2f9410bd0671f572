"""A program as its prices see it: which unknowns there are, and how they reach the cells.

Unknowns z, in this order (solver.md 3):

    received  log of what a unit of rt = (I + T) J of a language is worth, per unit of the weight of its loss
    dilution  log of the same for V r, for languages whose information others' tokens dilute
    phase     price of a token of every phase
    rule      price of every rule: at least zero, at most its weight; free for equalities
    change    one free price per language of every `change` rule

A `change` rule  bound <= -1/2 sum_l |r_l - base_l|  is unfolded into equalities  r_l - base_l = up_l - down_l  with
columns up, down >= 0, so that every price has simple bounds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mixc.compiler.solve.program import Floats, Program

SPOKEN = 1e-12  # weight of a language's loss that only rules speak of: its price stays defined where they do not bind
SMALLEST = 1e-9  # of the budget, that a rule's slack is taken to move by

Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Auxiliary unknowns y of the mixture, in rules only: `entries` [rows, A], minimised at `cost` [A], >= `lower`."""

    entries: sparse.csr_array
    cost: Floats
    lower: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rules and unfolded changes: affine.x + info.information - loss.losses + columns.y >= bound.

    Prices lie in [`low`, `high`]; `size` is by how much a row's slack can move, at most one.
    """

    affine: sparse.csr_array
    info: sparse.csr_array
    loss: Floats
    bound: Floats
    low: Floats
    high: Floats
    size: Floats

    def __len__(self) -> int:
        return len(self.bound)


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """Every token's place in the prices that reach it: `fixed` and `valued` [n*P, 2L + P + rows], one pattern.

    A token costs fixed.p and a unit of fill is worth valued.p of local prices p = (m [L], d [L], lambda [P], nu).
    `columns` [m*P, n*P] adds up the tokens of tied cells by their parts; None where no cells are tied.
    """

    fixed: sparse.csr_array
    valued: sparse.csr_array
    row: Places
    cell: Places
    columns: sparse.csr_array | None


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """A program's unknowns: `used` are languages whose loss counts, `diluted` those of them with a row in V.

    Slices say where each kind is in z; `every` is rules and changes together; `chain` is I + T.
    """

    program: Program
    rows: Rows
    columns: Columns
    map: Map
    used: Places
    diluted: Places
    weight: Floats
    chain: Floats
    received: slice
    dilution: slice
    phase: slice
    rule: slice
    change: slice

    @property
    def every(self) -> slice:
        """Prices of all rows."""
        return slice(self.rule.start, self.change.stop)

    @property
    def size(self) -> int:
        """The number of unknowns."""
        return int(self.change.stop)

    @property
    def speaking(self) -> Places:
        """Rows that speak of losses."""
        return np.flatnonzero(self.rows.loss.any(axis=1))


def form_of(program: Program, level: Floats | None = None) -> Form:
    """The form of a program. With `level` [R] it also maximises a free number t, level_k t of it in rule k's slack."""
    laws, rules = program.laws, program.rules
    counts = (laws.weight > 0) | rules.loss.any(axis=0)
    used = np.flatnonzero(counts)
    diluted = np.flatnonzero(counts & laws.cost.any(axis=1) & (laws.exponent > 0))
    sizes = [len(used), len(diluted), len(program.phases), len(rules), len(rules.changes) * len(laws)]
    ends = np.cumsum(sizes)
    places = [slice(int(end - size), int(end)) for end, size in zip(ends, sizes, strict=True)]
    rows = _rows(program)
    return Form(
        program,
        rows,
        _columns(program, level),
        _map(program, rows),
        used,
        diluted,
        laws.weight + np.where(counts & (laws.weight <= 0), SPOKEN, 0.0),
        np.eye(len(laws)) + laws.transfer,
        *places,
    )


def _rows(program: Program) -> Rows:
    rules, count = program.rules, len(program.laws)
    extra = len(rules.changes) * count
    shares = sparse.kron(program.membership, np.ones((1, len(program.phases))), format="csr")
    affine = sparse.csr_array(sparse.vstack([rules.affine, *[shares] * len(rules.changes)]))
    equality = np.concatenate([rules.equality, np.ones(extra, dtype=bool)])
    weight = np.concatenate([rules.weight, np.full(extra, np.inf)])
    return Rows(
        affine=affine,
        info=sparse.csr_array(sparse.vstack([rules.info, sparse.csr_array((extra, len(program.cells)))])),
        loss=np.concatenate([rules.loss.reshape(-1, count), np.zeros((extra, count))]),
        bound=np.concatenate([rules.bound, *(change.base for change in rules.changes)]),
        low=np.where(equality, -np.inf, 0.0),
        high=np.where(equality, np.inf, weight),
        size=_sizes(program, affine),
    )


def _sizes(program: Program, affine: sparse.csr_array) -> Floats:
    cells = program.cells
    top = np.minimum(cells.limit[:, None] * cells.supply[:, None], program.phases)
    reach = abs(affine) @ np.minimum(top, cells.phase_limit * cells.supply[:, None]).ravel()
    return np.where(reach > 0, np.clip(reach, SMALLEST, 1.0), 1.0)


def _columns(program: Program, level: Floats | None) -> Columns:
    rules, count = program.rules, len(program.laws)
    blocks = [] if level is None else [sparse.csr_array(np.asarray(level).reshape(-1, 1))]
    cost, lower = [-1.0] * len(blocks), [-np.inf] * len(blocks)
    extra = len(rules.changes) * count
    moved = []
    for j, change in enumerate(rules.changes):
        spent = np.zeros((len(rules), count))
        spent[change.rule] = -0.5 * change.coefficient
        for sign in (-1.0, 1.0):
            away = np.zeros((extra, count))
            away[j * count : (j + 1) * count] = sign * np.eye(count)
            moved.append(np.concatenate([spent, away]))
        cost += [0.0] * (2 * count)
        lower += [0.0] * (2 * count)
    tall = [sparse.csr_array(sparse.vstack([block, sparse.csr_array((extra, 1))])) for block in blocks]
    entries = [*tall, *map(sparse.csr_array, moved)]
    total = len(rules) + extra
    matrix = sparse.hstack(entries, format="csr") if entries else sparse.csr_array((total, 0))
    return Columns(sparse.csr_array(matrix), np.array(cost), np.array(lower))


def _map(program: Program, rows: Rows) -> Map:
    """Both matrices are built from the same places, explicit zeros included, so that their data line up."""
    n, phases = program.shape
    count, cells = len(program.laws), program.cells
    token = np.arange(n * phases)
    cell, phase = token // phases, token % phases
    affine = sparse.coo_array(rows.affine.T)
    info = sparse.coo_array(sparse.kron(rows.info.T, np.ones((phases, 1))))
    where = 2 * count + phases
    language = cells.language[cell]
    at = np.concatenate([token, token, token, affine.coords[0], info.coords[0]])
    columns = [language, count + language, 2 * count + phase, where + affine.coords[1], where + info.coords[1]]
    one, none = np.ones(n * phases), np.zeros(n * phases)
    fixed = [none, one, one, np.negative(affine.data), np.zeros(info.nnz)]
    valued = [cells.gain[cell], none, none, np.zeros(affine.nnz), info.data * cells.gain[info.coords[0] // phases]]
    shape = (n * phases, where + len(rows))
    places = (at, np.concatenate(columns))
    cost = sparse.csr_array((np.concatenate(fixed), places), shape=shape)
    worth = sparse.csr_array((np.concatenate(valued), places), shape=shape)
    token_of = np.repeat(token, np.diff(cost.indptr))
    return Map(cost, worth, token_of, cell[token_of], _by_column(program))


def _by_column(program: Program) -> sparse.csr_array | None:
    ties = program.ties
    if ties is None:
        return None
    cells = sparse.csr_array((ties.part, (ties.column, np.arange(len(ties.column)))))
    return sparse.csr_array(sparse.kron(cells, sparse.eye_array(len(program.phases)), format="csr"))
