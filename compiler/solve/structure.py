"""Rules that come with the cells rather than from a line: the order of buckets, and sampling curves that tie them.

`order = epochs`: better buckets are repeated at least as often; `order = shares`: better buckets are at least as large,
per language. A sampling curve takes the buckets of its (source, language, domain) in fixed proportion, in every phase.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mixc.compiler.problem import Pool, Problem
from mixc.compiler.solve.rows import Frame

ORDER, CURVE = "order = ", "sampling of "


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """Rows [m, n*P] of `row.x >= 0` (== 0 for an `equality`), largest coefficient one, with what to call them."""

    rows: sparse.csr_array
    names: tuple[str, ...]
    equality: NDArray[np.bool_]


def structure(problem: Problem, frame: Frame) -> Structure:
    """All of them: order first, then ties."""
    order, (ties, names) = _order_rows(problem, frame), _tie_rows(problem, frame)
    count = len(order.indptr) - 1
    return Structure(
        sparse.csr_array(sparse.vstack([order, ties], format="csr")),
        (ORDER + problem.order,) * count + names,
        np.arange(count + len(names)) >= count,
    )


def best_passes(problem: Problem) -> Mapping[tuple[str, str, str, int], float]:
    """By (source, language, domain, bucket) under a curve: passes over the bucket when the best document gets one.

    One bucket bears the limit of all, since the curve ties them: the others' are infinite, lest prices be ambiguous.
    """
    found = {}
    for pool in problem.pools:
        bearer = next((j for j, c in enumerate(pool.copies) if c > 0 and pool.buckets[j].tokens), None)
        for j, copies in enumerate(pool.copies):
            found[pool.source, pool.language, pool.domain, j] = copies / pool.peak if j == bearer else math.inf
    return found


def borne(passes: float, part: float) -> float:
    """The limit of a bucket that bears `part` of what the best document's would be; none for one that bears nothing."""
    return passes * part if part < math.inf else math.inf


def _tie_rows(problem: Problem, frame: Frame) -> tuple[sparse.csr_array, tuple[str, ...]]:
    """x_j / (U_j S_j) equal over the buckets of a curve, phase by phase."""
    index = {key: c for c, key in enumerate(frame.cells.keys)}
    n, phases = len(frame.cells), len(frame.phases)
    pairs: list[tuple[int, float, int, float, str]] = []
    for pool in problem.pools:
        name = f"{CURVE}{pool.domain} ({pool.source}, {pool.language})"
        for (c, one), (d, other) in pairwise(_weights(pool, index, frame)):
            pairs.append((c, one, d, other, name))
    matrix = sparse.lil_array((len(pairs) * phases, n * phases))
    for k, (c, one, d, other, _) in enumerate(pairs):
        largest = max(1 / one, 1 / other)
        for p in range(phases):
            matrix[k * phases + p, c * phases + p] = 1 / one / largest
            matrix[k * phases + p, d * phases + p] = -1 / other / largest
    return matrix.tocsr(), tuple(name for *_, name in pairs for _ in range(phases))


def _weights(pool: Pool, index: Mapping[tuple[str, str, str, int], int], frame: Frame) -> Iterator[tuple[int, float]]:
    """(cell, U S) of the buckets that a curve takes anything of."""
    for j, copies in enumerate(pool.copies):
        c = index.get((pool.language, pool.source, pool.domain, j))
        if c is not None and copies > 0:
            yield c, float(frame.cells.supply[c]) * copies


def _order_rows(problem: Problem, frame: Frame) -> sparse.csr_array:
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
