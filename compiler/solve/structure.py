"""What comes with the cells rather than from a line: the order of buckets, and sampling curves that tie them.

`order = epochs`: better buckets are repeated at least as often; `order = shares`: better buckets are at least as large,
per language. A sampling curve takes the buckets of its (source, language, domain) in fixed proportion, in every phase.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np
from scipy import sparse

from mixc.compiler.problem import Problem
from mixc.compiler.solve.program import Cells, Ties
from mixc.compiler.solve.rows import Frame

ORDER = "order = "


def best_passes(problem: Problem) -> Mapping[tuple[str, str, str, int], float]:
    """By (source, language, domain, bucket) under a curve: passes over the bucket when the best document gets one."""
    return {
        (pool.source, pool.language, pool.domain, j): copies / pool.peak if pool.peak else 1.0
        for pool in problem.pools
        for j, copies in enumerate(pool.copies)
    }


def ties(problem: Problem, cells: Cells) -> Ties | None:
    """x_j / (U_j S_j) is equal over the buckets of a curve, phase by phase; None where there is no curve."""
    copies = {
        (pool.language, pool.source, pool.domain, j): one for pool in problem.pools for j, one in enumerate(pool.copies)
    }
    if not copies:
        return None
    columns: dict[tuple[str, ...], int] = {}
    column = np.empty(len(cells), dtype=np.int64)
    weight = np.ones(len(cells))
    for c, key in enumerate(cells.keys):
        if key in copies:
            weight[c] = cells.supply[c] * copies[key]
        column[c] = columns.setdefault(key[:3] if key in copies else (*key[:3], str(key[3])), len(columns))
    return Ties(column, weight / np.bincount(column, weight)[column])


def order_rows(problem: Problem, frame: Frame) -> sparse.csr_array:
    """Rows [m, n*P] of `row.x >= 0`, largest coefficient one."""
    n, phases = len(frame.cells), len(frame.phases)
    supply = frame.cells.supply
    pairs = list(_order_pairs(problem, frame)) if problem.order != "free" else []
    matrix = sparse.lil_array((len(pairs), n))
    for k, (better, worse) in enumerate(pairs):
        for cells, sign in ((better, 1.0), (worse, -1.0)):
            size = supply[cells].sum() if problem.order == "epochs" else 1.0
            for c in cells:
                matrix[k, c] = sign / size
        matrix[[k]] = matrix[[k]] / abs(matrix[[k]]).max()
    return sparse.csr_array(sparse.kron(matrix.tocsr(), np.ones((1, phases)), format="csr"))


def _order_pairs(problem: Problem, frame: Frame) -> Iterator[tuple[list[int], list[int]]]:
    """Cells of a better bucket and of the next worse one, per (source, language, domain) or per language.

    A curve has an order of its own.
    """
    curved = {(pool.language, pool.source, pool.domain) for pool in problem.pools if pool.copies}
    groups: dict[tuple[str, ...], dict[int, list[int]]] = {}
    for c, (language, source, domain, bucket) in enumerate(frame.cells.keys):
        if not frame.rated[c] or (language, source, domain) in curved:
            continue
        name = (language, source, domain) if problem.order == "epochs" else (language,)
        level = bucket if problem.order == "epochs" else _law_bucket(problem, frame.rank_high[c])
        groups.setdefault(name, {}).setdefault(level, []).append(c)
    for levels in groups.values():
        ordered = [levels[level] for level in sorted(levels)]
        yield from pairwise(ordered)


def _law_bucket(problem: Problem, rank: float) -> int:
    return int(np.searchsorted(np.array(problem.law.edges), rank - 1e-9))
