"""Linear programs put together block by block, solved by HiGHS: columns and rows keep their names.

minimise cost.y   subject to   row: sum of block @ y[columns] >= bound (or == bound),   lower <= y <= upper
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from mixc.compiler.solve.program import Floats

Block: TypeAlias = Floats | sparse.csr_array
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """What HiGHS found: its `value`, every column block's `values`, and every row block's `prices`.

    A price is the rise of the value per unit of the row's bound, never negative for `>=`; `reduced` is the same for
    a column's lower bound. All are HiGHS's word only.
    """

    value: float
    values: dict[str, Floats]
    prices: dict[str, Floats]
    reduced: dict[str, Floats]


@dataclass(slots=True, eq=False)
class Linear:
    """A linear program under construction."""

    columns: dict[str, tuple[Floats, Floats, Floats]] = field(default_factory=dict)
    rows: dict[str, tuple[Mapping[str, Block], Floats, bool]] = field(default_factory=dict)

    def column(self, name: str, count: int, *, cost: object = 0.0, lower: object = 0.0, upper: object = np.inf) -> None:
        """Add `count` columns; scalars apply to all of them. Adding a name again replaces its cost and bounds."""
        self.columns[name] = (_full(cost, count), _full(lower, count), _full(upper, count))

    def row(self, name: str, blocks: Mapping[str, Block], bound: object, *, equality: bool = False) -> None:
        """Add the rows `sum of blocks[c] @ c >= bound` (== bound)."""
        block: Any = next(iter(blocks.values()))
        count = int(block.shape[0])
        self.rows[name] = (blocks, _full(bound, count), equality)

    def solve(self) -> Optimum | None:
        """The optimum, or None where HiGHS finds none (infeasible, unbounded or in trouble)."""
        cost, lower, upper = (np.concatenate([c[k] for c in self.columns.values()]) for k in range(3))
        at_least = [name for name, row in self.rows.items() if not row[2]]
        equal = [name for name, row in self.rows.items() if row[2]]
        ge, ge_bound = self._stack(at_least, len(cost))
        eq, eq_bound = self._stack(equal, len(cost))
        bounds = np.column_stack([lower, upper])
        options = {"primal_feasibility_tolerance": TOLERANCE, "dual_feasibility_tolerance": TOLERANCE}
        for method in ("highs", "highs-ipm"):
            result = linprog(cost, -ge, -ge_bound, eq, eq_bound, bounds, method=method, options=options)
            if result.status == 0:
                return self._optimum(result, at_least, equal)
            if result.status in (2, 3):
                return None
        return None

    def _optimum(self, result: Any, at_least: list[str], equal: list[str]) -> Optimum:
        prices = self._split(at_least, -result.ineqlin.marginals) | self._split(equal, result.eqlin.marginals)
        sizes = {name: len(column[0]) for name, column in self.columns.items()}
        return Optimum(
            float(result.fun), _cut(sizes, result.x), prices, _cut(sizes, np.asarray(result.lower.marginals))
        )

    def _stack(self, names: list[str], width: int) -> tuple[sparse.csr_array, Floats]:
        if not names:
            return sparse.csr_array((0, width)), np.zeros(0)
        sizes = {name: len(column[0]) for name, column in self.columns.items()}
        stacked = []
        for name in names:
            blocks, bound, _ = self.rows[name]
            stacked.append(
                [
                    sparse.csr_array(blocks[c]) if c in blocks else sparse.csr_array((len(bound), size))
                    for c, size in sizes.items()
                ]
            )
        matrix = sparse.csr_array(sparse.vstack([sparse.hstack(line, format="csr") for line in stacked]))
        return matrix, np.concatenate([self.rows[name][1] for name in names])

    def _split(self, names: list[str], values: Floats) -> dict[str, Floats]:
        return _cut({name: len(self.rows[name][1]) for name in names}, np.asarray(values))


def identity(size: int) -> sparse.csr_array:
    """The identity matrix."""
    return sparse.csr_array(sparse.eye_array(size))


def diagonal(values: Floats) -> sparse.csr_array:
    """A diagonal matrix."""
    return sparse.csr_array(sparse.diags_array(values))


def kron(left: sparse.csr_array | Floats, right: sparse.csr_array | Floats) -> sparse.csr_array:
    """The Kronecker product."""
    return sparse.csr_array(sparse.kron(left, right))


def _full(value: object, count: int) -> Floats:
    return np.broadcast_to(np.asarray(value, dtype=float), (count,)).copy()


def _cut(sizes: dict[str, int], values: Floats) -> dict[str, Floats]:
    ends = np.cumsum(list(sizes.values()))
    return {name: values[end - size : end] for (name, size), end in zip(sizes.items(), ends, strict=True)}
