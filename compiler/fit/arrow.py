"""Damped least squares whose normal equations are an arrow: blocks of constants per language, and few that all share.

[A_1         C_1] [x_1]   [d_1]
[    A_2     C_2] [x_2] = [d_2]        (B - sum C_i' A_i^-1 C_i) y = e - sum C_i' A_i^-1 d_i
[C_1' C_2'   B  ] [ y ]   [ e ]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixc.compiler.fit.transfer_model import (
    COMMON,
    Flags,
    Floats,
    Room,
    TransferData,
    TransferPoint,
    groups_of,
    losses_at,
    slopes,
)


@dataclass(frozen=True, slots=True, eq=False)
class Normal:
    """The normal equations at a point: blocks A [L, m, m], C [L, m, k], B [k, k], gradients, and the objective."""

    block: Floats
    border: Floats
    corner: Floats
    gradient: Floats
    shared_gradient: Floats
    objective: float


def objective(data: TransferData, point: TransferPoint, penalty: Floats, weights: Floats) -> float:
    """Weighted squares [L, n] and penalty at a point."""
    residual = np.where(np.isnan(data.loss), 0.0, losses_at(data, point) - data.loss).T
    _, away, lam = drawn(data, point, penalty)
    return float((weights * residual**2).sum() + (lam * away**2).sum())


def normal(data: TransferData, point: TransferPoint, penalty: Floats, weights: Floats) -> Normal:
    """The normal equations of the weighted squares and the penalty."""
    residual, own, shared = slopes(data, point)
    heavy = weights[:, :, None] * own
    turned = heavy.transpose(0, 2, 1)
    block, border = turned @ own, turned @ shared
    gradient = (turned @ residual[:, :, None])[:, :, 0]
    corner = np.einsum("ink,inl->kl", weights[:, :, None] * shared, shared, optimize=True)
    shared_gradient = np.einsum("in,ink->k", weights * residual, shared, optimize=True)
    total = float((weights * residual**2).sum())
    places, away, lam = drawn(data, point, penalty)
    index = np.arange(own.shape[2])
    block[:, index, index] += lam
    gradient += lam * away
    rows, terms = np.nonzero(lam > 0)
    at = places[rows, terms]
    border[rows, terms, at] -= lam[rows, terms]
    np.add.at(corner, (at, at), lam[rows, terms])
    np.add.at(shared_gradient, at, -(lam * away)[rows, terms])
    return Normal(block, border, corner, gradient, shared_gradient, total + float((lam * away**2).sum()))


def drawn(data: TransferData, point: TransferPoint, penalty: Floats) -> tuple[NDArray[np.intp], Floats, Floats]:
    """Of each own constant [L, m]: the place of its common value among the shared, how far it is away, its penalty.

    `penalty` [8] is lam by group, in units of squared residuals (`groups_of`).
    """
    group = groups_of(data)
    places = np.maximum(group, 0) + COMMON
    lam = np.where(group < 0, 0.0, penalty[np.maximum(group, 0)])
    return places, np.where(group < 0, 0.0, point.each - point.shared[places]), lam


def solved(equations: Normal, damping: float, free: Flags, shared_free: Flags) -> tuple[Floats, Floats]:
    """The damped step of the constants that may move; 0 of the others."""
    block, border, gradient = _held(equations, free, shared_free)
    size = block.shape[1]
    index = np.arange(size)
    block[:, index, index] *= 1 + damping
    corner = np.where(np.outer(shared_free, shared_free), equations.corner, 0.0)
    corner[np.diag_indices_from(corner)] *= 1 + damping
    corner[np.diag_indices_from(corner)] += np.where(shared_free, 1e-30, 1.0)
    both = np.concatenate([border, gradient[:, :, None]], axis=2)
    inverse = np.linalg.solve(block, both)
    small = corner - np.einsum("imk,iml->kl", border, inverse[:, :, :-1], optimize=True)
    right = np.where(shared_free, equations.shared_gradient, 0.0)
    right = right - np.einsum("imk,im->k", border, inverse[:, :, -1], optimize=True)
    step = -np.linalg.lstsq(small, right, rcond=1e-14)[0]
    return -inverse[:, :, -1] - inverse[:, :, :-1] @ step, np.where(shared_free, step, 0.0)


def _held(equations: Normal, free: Flags, shared_free: Flags) -> tuple[Floats, Floats, Floats]:
    """Blocks in which constants that are held have an equation of their own."""
    scale = np.einsum("imm->im", equations.block)
    least = 1e-12 * scale.max(axis=1, keepdims=True) + 1e-300
    block = equations.block * free[:, :, None] * free[:, None, :]
    index = np.arange(block.shape[1])
    block[:, index, index] += np.where(free, least, 1.0)
    border = equations.border * free[:, :, None] * shared_free
    return block, border, equations.gradient * free


def variances(equations: Normal, free: Flags, shared_free: Flags) -> tuple[Floats, Floats]:
    """Diagonals of the inverse of the normal equations [L, m], [k]; of unit residual variance, 0 where held."""
    block, border, _ = _held(equations, free, shared_free)
    inverse = np.linalg.inv(block)
    across = inverse @ border
    corner = np.where(np.outer(shared_free, shared_free), equations.corner, 0.0)
    corner[np.diag_indices_from(corner)] += np.where(shared_free, 1e-30, 1.0)
    small = np.linalg.pinv(corner - np.einsum("imk,iml->kl", border, across, optimize=True), hermitian=True)
    each = np.einsum("imm->im", inverse) + np.einsum("imk,kl,iml->im", across, small, across, optimize=True)
    return np.where(free, each, 0.0), np.where(shared_free, np.diag(small), 0.0)


def movable(point: TransferPoint, room: Room) -> tuple[Flags, Flags]:
    """Constants whose bounds leave them room."""
    return room.high > room.low, room.shared_high > room.shared_low


def descend(
    data: TransferData, start: TransferPoint, room: Room, penalty: Floats, weights: Floats, most: int, tolerance: float
) -> tuple[TransferPoint, float]:
    """Levenberg and Marquardt's steps, projected on the bounds: a point, and the objective there."""
    point, damping = start, 1e-2
    equations = normal(data, point, penalty, weights)
    free, shared_free = movable(point, room)
    for _ in range(most):
        down = (point.each <= room.low) & (equations.gradient > 0)
        up = (point.each >= room.high) & (equations.gradient < 0)
        shared_down = (point.shared <= room.shared_low) & (equations.shared_gradient > 0)
        shared_up = (point.shared >= room.shared_high) & (equations.shared_gradient < 0)
        step, shared_step = solved(equations, damping, free & ~down & ~up, shared_free & ~shared_down & ~shared_up)
        trial = TransferPoint(
            np.clip(point.each + step, room.low, room.high),
            np.clip(point.shared + shared_step, room.shared_low, room.shared_high),
        )
        there = objective(data, trial, penalty, weights)
        gained = equations.objective - there
        if gained > 0:
            point, damping = trial, max(damping / 5, 1e-12)
            equations = normal(data, point, penalty, weights)
            if gained <= tolerance * equations.objective:
                break
        else:
            damping *= 8
            if damping > 1e10:
                break
    return point, equations.objective
