"""What is searched: parameters in unit coordinates, their limits, and the features that surrogates see of them.

A space has d coordinates u, each within [lower, upper]; those of a group sum to 1. Features are D numbers of a point,
each of one block (a domain) and one kind (what it is), which is how surrogates share what they learn of kinds between
domains. Theta = [M, N + 4] of Algorithm 1 (arXiv 2504.16511) is taken domain by domain: weights of N raters,
lambda / 1000 (or log10(lambda) / 3), omega / 0.1, eta, 1000 epsilon. Its features are these and, of equation 3, what
does not depend on the scores:

    fraction   ln F, F = epsilon + integral over [0, omega] of (2 / (1 + exp(-lambda u)))^eta
    top        eta ln(2 / (1 + exp(-lambda omega))), the height of the curve at the best document
    steep      ln(1 + lambda omega), how far the curve falls within omega
    share      ln(T_m F_m / sum T F), the domain's part of the tokens taken
    total      ln(sum T F / sum T), the tokens taken
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mixc.backends.quadmix.sampler import LambdaLaw, draw_parameters

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

CURVE = ("lambda", "omega", "eta", "epsilon")
UNITS = np.array([1000.0, 0.1, 1.0, 0.001])  # what Algorithm 1 multiplies U(0, 1) with
DECADES = 3.0  # of lambda, read as 10^(3 U)
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(20)
STEP = 1e-5
LEAST_SHARE = 0.002  # added before a share's logarithm: less than that of a mixture is noise of sampling


class Space(Protocol):
    """Coordinates with limits, and their features."""

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of the table of runs, in the order of coordinates."""
        ...

    @property
    def limits(self) -> tuple[Floats, Floats]:
        """Lower and upper [d]."""
        ...

    @property
    def groups(self) -> tuple[Codes, ...]:
        """Coordinates that sum to 1."""
        ...

    @property
    def blocks(self) -> Codes:
        """The block of each feature [D]."""
        ...

    @property
    def kinds(self) -> Codes:
        """The kind of each feature [D]."""
        ...

    def draw(self, count: int, seed: int) -> Floats:
        """Candidates [count, d] from the distribution that experiments are designed with."""
        ...

    def features(self, u: Floats) -> Floats:
        """[n, d] -> [n, D]."""
        ...

    def pull(self, u: Floats, gradient: Floats) -> Floats:
        """The gradient in coordinates [d] at u [d] of what has `gradient` [D] in features."""
        ...


@dataclass(frozen=True, slots=True)
class ThetaSpace:
    """Sampling parameters of M domains and N raters; `tokens` [M] of the pool, equal where they are not known."""

    domains: tuple[str, ...]
    raters: tuple[str, ...]
    law: LambdaLaw
    tokens: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    @property
    def width(self) -> int:
        """Parameters of a domain, N + 4."""
        return len(self.raters) + 4

    @property
    def names(self) -> tuple[str, ...]:
        """`alpha:domain:rater`, `lambda:domain` …"""
        return tuple(
            name
            for domain in self.domains
            for name in (
                *(f"alpha:{domain}:{rater}" for rater in self.raters),
                *(f"{parameter}:{domain}" for parameter in CURVE),
            )
        )

    @property
    def limits(self) -> tuple[Floats, Floats]:
        """The ranges of Algorithm 1, or wider ones that are stated."""
        count = len(self.domains) * self.width
        return np.array(self.low or np.zeros(count)), np.array(self.high or np.ones(count))

    @property
    def groups(self) -> tuple[Codes, ...]:
        """The weights of each domain's raters."""
        return tuple(m * self.width + np.arange(len(self.raters)) for m in range(len(self.domains)))

    @property
    def blocks(self) -> Codes:
        """By domain; the last feature, the total, is a block of its own."""
        return np.append(np.repeat(np.arange(len(self.domains)), self.width + 4), len(self.domains))

    @property
    def kinds(self) -> Codes:
        """The weights are of one kind, whichever the rater."""
        one = np.concatenate([np.zeros(len(self.raters), dtype=np.int64), np.arange(1, 9)])
        return np.append(np.tile(one, len(self.domains)), 9)

    def draw(self, count: int, seed: int) -> Floats:
        """Algorithm 1."""
        drawn = draw_parameters(count, len(self.domains), len(self.raters), lambda_law=self.law, seed=seed)
        return self.units(drawn)

    def units(self, theta: Floats) -> Floats:
        """Theta [n, M, N + 4] in unit coordinates [n, d]."""
        u = theta.copy()
        u[..., -4:] /= UNITS
        if self.law == "log":
            u[..., -4] = np.log10(np.maximum(theta[..., -4], 1e-12)) / DECADES
        return u.reshape(len(theta), -1)

    def theta(self, u: Floats) -> Floats:
        """Unit coordinates [n, d] as theta [n, M, N + 4]."""
        theta = u.reshape(len(u), len(self.domains), self.width).copy()
        theta[..., -4:] *= UNITS
        if self.law == "log":
            theta[..., -4] = 10.0 ** (DECADES * theta[..., -4] / UNITS[0])
        return theta

    def features(self, u: Floats) -> Floats:
        """What the module says, domain by domain, then the total."""
        theta = self.theta(u)
        curves = _curve_features(theta[..., -4:])
        weight = np.exp(curves[..., 0]) * np.array(self.tokens)
        total = weight.sum(axis=1, keepdims=True)
        share = np.log(weight / total)[..., None]
        plain = u.reshape(theta.shape)
        local = np.concatenate([plain, curves, share], axis=2).reshape(len(u), -1)
        return np.concatenate([local, np.log(total / sum(self.tokens))], axis=1)

    def pull(self, u: Floats, gradient: Floats) -> Floats:
        """By differences of each domain's curve, the rest in closed form."""
        count, width = len(self.domains), self.width
        local = gradient[:-1].reshape(count, width + 4)
        here = np.repeat(u.reshape(1, count, width)[..., -4:], 8, axis=0)
        for i in range(4):
            here[2 * i, :, i] += STEP
            here[2 * i + 1, :, i] -= STEP
        moved = np.concatenate([np.zeros((8, count, width - 4)), here], axis=2).reshape(8, -1)
        curves = _curve_features(self.theta(moved)[..., -4:])
        slopes = (curves[0::2] - curves[1::2]) / (2 * STEP)  # [4 parameters, M, 3 features]
        middle = _curve_features(self.theta(u[None])[..., -4:])[0, :, 0]
        weight = np.exp(middle) * np.array(self.tokens)
        share = weight / weight.sum()
        through = local[:, width : width + 3].copy()
        through[:, 0] += local[:, -1] - share * local[:, -1].sum() + share * gradient[-1]
        result = local[:, :width].copy()
        result[:, -4:] += np.einsum("pmf,mf->mp", slopes, through)
        return result.ravel()


@dataclass(frozen=True, slots=True)
class MixtureSpace:
    """Shares of M domains; no share is above its cap, and candidates are Dirichlet(prior x strength)."""

    domains: tuple[str, ...]
    prior: tuple[float, ...]
    caps: tuple[float, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The domains."""
        return self.domains

    @property
    def limits(self) -> tuple[Floats, Floats]:
        """0 to the caps."""
        return np.zeros(len(self.domains)), np.array(self.caps)

    @property
    def groups(self) -> tuple[Codes, ...]:
        """All of them."""
        return (np.arange(len(self.domains)),)

    @property
    def blocks(self) -> Codes:
        """By domain."""
        return np.repeat(np.arange(len(self.domains)), 2)

    @property
    def kinds(self) -> Codes:
        """The share, and its logarithm."""
        return np.tile(np.arange(2), len(self.domains))

    def draw(self, count: int, seed: int) -> Floats:
        """Half around the prior, half over the whole simplex: an optimum may lie far from the prior."""
        from mixc.backends.search.mixtures import draw_mixtures

        half = count // 2
        flat = np.full(len(self.domains), 1.0 / len(self.domains))
        near = draw_mixtures(half, np.array(self.prior), np.array(self.caps), seed)
        return np.concatenate([near, draw_mixtures(count - half, flat, np.array(self.caps), seed + 1)])

    def features(self, u: Floats) -> Floats:
        """[n, M] -> [n, 2 M]."""
        return np.stack([u, np.log(np.maximum(u, 0.0) + LEAST_SHARE)], axis=2).reshape(len(u), -1)

    def pull(self, u: Floats, gradient: Floats) -> Floats:
        """In closed form."""
        pairs = gradient.reshape(-1, 2)
        return pairs[:, 0] + pairs[:, 1] / (np.maximum(u, 0.0) + LEAST_SHARE)


def fractions(curves: Floats) -> Floats:
    """F of curves [..., 4] of lambda, omega, eta, epsilon: `mixc.compiler.laws.sampling.fraction`, many at once.

    One quadrature for all, exact to 1e-6 for lambda omega up to 100.
    """
    return np.asarray(np.exp(_curve_features(curves)[..., 0]))


def _curve_features(curves: Floats) -> Floats:
    """ln F, the height and the steepness [..., 3] of curves [..., 4]."""
    lam, omega, eta, epsilon = np.moveaxis(curves, -1, 0)
    depth = np.maximum(lam * omega, 0.0)
    t = ((NODES + 1) / 2) ** 2  # most nodes where the curve rises, at omega
    rate = NODE_WEIGHTS / 2 * (NODES + 1)
    integral = np.zeros_like(depth)
    for place, weight in zip(t, rate, strict=True):
        integral += weight * np.exp(-eta * np.log((1.0 + np.exp(-depth * place)) / 2.0))
    top = -eta * np.log((1.0 + np.exp(-depth)) / 2.0)
    return np.stack([np.log(np.maximum(epsilon + omega * integral, 1e-9)), top, np.log1p(depth)], axis=-1)
