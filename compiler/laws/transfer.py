"""The transfer law between languages (Climb-style, after arXiv 2509.15556) as pure functions of arrays.

J[i] >= 0 is what a language gets of its own (information, or its share when the signal is tokens), r[i] its share of
the budget, T[i, j] >= 0 what one unit of j is worth to i, V[i, j] >= 0 what j's share costs i; zero diagonals.

    isolated   eff_i = J_i
    linear     eff_i = J_i + sum_j T_ij J_j
    logc       eff_i = (J_i + sum_j T_ij J_j) exp(-sum_j V_ij r_j)         log-concave in (J, r)
    loss_i = floor_i + scale_i eff_i^-exponent_i                           nats per token, convex in (J, r)

The last axis is languages; earlier axes broadcast, so a batch of mixtures is evaluated at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Form: TypeAlias = Literal["isolated", "linear", "logc"]


@dataclass(frozen=True, slots=True, eq=False)
class TransferLaw:
    """Constants for L languages: T and V [L, L]; floor, scale, exponent [L]."""

    form: Form
    transfer: Floats
    cost: Floats
    floor: Floats
    scale: Floats
    exponent: Floats

    def received(self) -> Floats:
        """I + T [L, L], or I for isolated languages."""
        identity = np.eye(len(self.floor))
        return identity if self.form == "isolated" else identity + self.transfer

    def paid(self) -> Floats:
        """V [L, L], zero unless the form is logc."""
        return self.cost if self.form == "logc" else np.zeros_like(self.cost)


def log_effective(law: TransferLaw, own: ArrayLike, shares: ArrayLike) -> Floats:
    """log eff [..., L]; -inf where a language gets nothing at all. Concave in (own, shares)."""
    j, r = np.asarray(own, dtype=np.float64), np.asarray(shares, dtype=np.float64)
    with np.errstate(divide="ignore"):
        return np.log(j @ law.received().T) - r @ law.paid().T


def effective(law: TransferLaw, own: ArrayLike, shares: ArrayLike) -> Floats:
    """eff [..., L], in the unit of `own`."""
    return np.exp(log_effective(law, own, shares))


def log_effective_gradient(law: TransferLaw, own: ArrayLike, shares: ArrayLike) -> tuple[Floats, Floats]:
    """(d log eff_i / d J_j, d log eff_i / d r_j), each [..., L, L]."""
    j, r = np.asarray(own, dtype=np.float64), np.asarray(shares, dtype=np.float64)
    by_own = law.received() / (j @ law.received().T)[..., None]
    by_share = np.broadcast_to(-law.paid(), np.broadcast_shapes(by_own.shape, (*r.shape, r.shape[-1])))
    return by_own, by_share


def losses(law: TransferLaw, own: ArrayLike, shares: ArrayLike) -> Floats:
    """floor + scale eff^-exponent [..., L], nats per token; inf for a language that gets nothing."""
    value: Floats = law.floor + law.scale * np.exp(-law.exponent * log_effective(law, own, shares))
    return value


def losses_gradient(law: TransferLaw, own: ArrayLike, shares: ArrayLike) -> tuple[Floats, Floats]:
    """(d loss_i / d J_j, d loss_i / d r_j), each [..., L, L]."""
    above_floor = losses(law, own, shares) - law.floor
    by_own, by_share = log_effective_gradient(law, own, shares)
    factor = (-law.exponent * above_floor)[..., None]
    return factor * by_own, factor * by_share


def weighted_loss(law: TransferLaw, weights: ArrayLike, own: ArrayLike, shares: ArrayLike) -> Floats:
    """sum_i v_i loss_i [...] with v = weights / sum of weights; a language of weight zero may get nothing."""
    v = np.asarray(weights, dtype=np.float64)
    each = losses(law, own, shares)
    value: Floats = np.where(v > 0, each, 0.0) @ (v / v.sum())
    return value


def weighted_loss_gradient(
    law: TransferLaw, weights: ArrayLike, own: ArrayLike, shares: ArrayLike
) -> tuple[Floats, Floats]:
    """(dL / dJ, dL / dr), each [..., L]: minus the first is the marginal value of a language's information."""
    v = np.asarray(weights, dtype=np.float64)
    by_own, by_share = losses_gradient(law, own, shares)
    v = v / v.sum()
    return np.einsum("i,...ij->...j", v, by_own), np.einsum("i,...ij->...j", v, by_share)


def at_budget(matrix: ArrayLike, tokens: float, fitted_tokens: float, exponent: float) -> Floats:
    """A fitted T or V at another budget: T (D/D0)^-p with exponent = -p, V (D/D0)^q with exponent = q."""
    scaled: Floats = np.asarray(matrix, dtype=np.float64) * (tokens / fitted_tokens) ** exponent
    return scaled
