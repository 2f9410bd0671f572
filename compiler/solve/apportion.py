"""From shares to whole tokens: what a grid of shares means, given budgets and caps.

The one definition that the solver and every reader of a manifest share: each cell takes its share of the phase's
budget by cumulative apportionment in key order, at most what its caps leave it; what capped cells leave goes to the
others in proportion to their shares. Where no cap is touched a cell is within one token of its share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor, isfinite

import numpy as np
from numpy.typing import NDArray

from mixc.compiler.solve.program import Cells, Floats, Ints, Key

UNITS = 1_000_000
UNLIMITED = 2**62


@dataclass(frozen=True, slots=True, eq=False)
class Caps:
    """Most tokens of every cell: `total` [n] over all phases, `phase` [n, P] inside each; `UNLIMITED` for none."""

    total: Ints
    phase: Ints


def caps_of(cells: Cells, supply: Sequence[int]) -> Caps:
    """Caps in whole tokens from supplies in tokens [n]: floor(limit * supply), the limit read as the decimal it prints.

    A limit of 0.3 passes over 1000 tokens is 300 tokens, not the 299 that the nearest binary number would give.
    """
    tokens = [int(count) for count in supply]
    known: dict[tuple[float, int], int] = {}

    def most(limits: Floats) -> Ints:
        return np.array(
            [_most(float(limit), count, known) for limit, count in zip(limits, tokens, strict=True)], np.int64
        )

    columns = [most(column) for column in cells.phase_limit.T]
    return Caps(most(cells.limit), np.stack(columns, axis=1) if columns else np.zeros((len(tokens), 0), np.int64))


def _most(limit: float, supply: int, known: dict[tuple[float, int], int]) -> int:
    if not isfinite(limit):
        return UNLIMITED
    if limit.is_integer():
        return min(int(limit) * supply, UNLIMITED)
    if (limit, supply) not in known:
        known[limit, supply] = min(floor(Fraction(repr(limit)) * supply), UNLIMITED)
    return known[limit, supply]


def key_order(keys: Sequence[Key]) -> NDArray[np.intp]:
    """The permutation that sorts cells by key."""
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.intp)


def apportion(keys: Sequence[Key], grid: Ints, budgets: Sequence[int], caps: Caps) -> Ints:
    """Tokens [n, P] of a grid of shares [n, P]; sums are the budgets wherever the caps leave room for them."""
    order = key_order(keys)
    tokens = np.empty_like(grid)
    tokens[order] = apportion_sorted(grid[order], budgets, Caps(caps.total[order], caps.phase[order]))
    return tokens


def apportion_sorted(grid: Ints, budgets: Sequence[int], caps: Caps) -> Ints:
    """`apportion` of cells that are in key order already."""
    tokens = np.zeros_like(grid)
    left = caps.total.copy()
    for phase, budget in enumerate(budgets):
        room = np.minimum(caps.phase[:, phase], left)
        tokens[:, phase] = _fill(grid[:, phase], int(budget), room)
        left -= tokens[:, phase]
    return _borrow(tokens, budgets, caps)


def _fill(share: Ints, budget: int, room: Ints) -> Ints:
    """One phase: shares of the budget, cells without room for theirs at their room, the others scaled to the rest."""
    tokens = np.zeros_like(share)
    free = share > 0
    rest = budget
    while free.any():
        whole, part = divmod(rest, int(share[free].sum()))
        over = free & (share * whole - (-share * part // int(share[free].sum())) > room)
        if not over.any():
            ends = np.cumsum(share[free])
            ends = ends * whole + ends * part // int(ends[-1])
            tokens[free] = np.diff(ends, prepend=0)
            return tokens
        tokens[over] = room[over]
        rest -= int(room[over].sum())
        free &= ~over
    spare = np.where(share > 0, 0, room)
    before = np.cumsum(np.minimum(spare, rest)) - np.minimum(spare, rest)
    return np.asarray(tokens + np.clip(rest - before, 0, spare), dtype=np.int64)


def _borrow(tokens: Ints, budgets: Sequence[int], caps: Caps) -> Ints:
    """Fill what a phase still lacks by moving other phases' tokens to cells with room: shortest augmenting paths."""
    phases = len(budgets)
    for phase in range(phases):
        while (lack := int(budgets[phase]) - int(tokens[:, phase].sum())) > 0:
            path = _path(tokens, caps, phase)
            if path is None:
                break
            amount = min([lack, *(most for _, _, most in path[1:]), path[0][2]])
            for cell, to, _ in path:
                tokens[cell, to] += amount
            for (cell, _, _), (_, source, _) in zip(path[1:], path[:-1], strict=True):
                tokens[cell, source] -= amount
    return tokens


def _path(tokens: Ints, caps: Caps, lacking: int) -> list[tuple[int, int, int]] | None:
    """Moves (cell, to phase, most tokens): the first from unused room, each next out of the phase filled before."""
    left = caps.total - tokens.sum(axis=1)
    phases = tokens.shape[1]
    after: dict[int, tuple[int, int, int] | None] = {lacking: None}
    queue = [lacking]
    while queue:
        phase = queue.pop(0)
        inside = caps.phase[:, phase] - tokens[:, phase]
        spare = np.minimum(left, inside)
        if (best := int(spare.argmax())) >= 0 and spare[best] > 0:
            return _trace(after, phase, (best, phase, int(spare[best])))
        for other in range(phases):
            if other not in after:
                movable = np.minimum(inside, tokens[:, other])
                cell = int(movable.argmax())
                if movable[cell] > 0:
                    after[other] = (cell, phase, int(movable[cell]))
                    queue.append(other)
    return None


def _trace(
    after: dict[int, tuple[int, int, int] | None], phase: int, first: tuple[int, int, int]
) -> list[tuple[int, int, int]]:
    path = [first]
    while (move := after[phase]) is not None:
        path.append(move)
        phase = move[1]
    return path
