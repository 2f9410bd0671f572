"""QuaDMix's selection in float64, document by document: what the production path is tested against.

    q_x  = sum_n alpha[n, m] sigma(q[n, x]),  m the domain of x, higher = better       equation 1
    r_x  = tokens of {y in the group of x : q_y >= q_x} / tokens of the group          equation 2
    S(r) = expected copies of x, by the curve of `mixc.compiler.laws.sampling`         equation 3

Everything is in memory: for tests and small pools.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from mixc.compiler.laws.sampling import Curve, sampling_value

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Normaliser: TypeAlias = Literal["rank", "zscore", "minmax"]
Scope: TypeAlias = Literal["language", "global"]
Better: TypeAlias = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """n documents: domain and language as codes from 0, tokens [n], finite scores [n, N]."""

    domain: Codes
    language: Codes
    tokens: Codes
    scores: Floats

    def __post_init__(self) -> None:
        if not np.isfinite(self.scores).all():
            raise ValueError("scores must be finite: exclude or impute the others first")
        if min(self.domain.min(initial=0), self.language.min(initial=0), self.tokens.min(initial=0)) < 0:
            raise ValueError("codes and tokens must be 0 or more: exclude documents without a label first")


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """What each step says of each document [n]: merged quality, rank and expected copies."""

    merged: Floats
    rank: Floats
    copies: Floats


def select(
    pool: Pool,
    weights: Floats,
    curves: Sequence[Curve],
    *,
    normaliser: Normaliser,
    scope: Scope,
    better: Sequence[Better],
    per_language: bool = True,
) -> Selection:
    """Every step in turn: weights [M, N] and curves [M] by domain; the paper ranks within domains only."""
    normalised = normalise(pool, normaliser, scope, better)
    merged = merge(normalised, pool.domain, weights)
    group = pool.domain * (pool.language.max(initial=0) + 1) + pool.language if per_language else pool.domain
    rank = token_rank(merged, group, pool.tokens)
    return Selection(merged, rank, expected_copies(rank, pool.domain, curves))


def normalise(pool: Pool, normaliser: Normaliser, scope: Scope, better: Sequence[Better]) -> Floats:
    """sigma [n, N], higher = better: each score on one scale, over a language's documents or over all.

    rank: (rank - 1) / n with the average rank of ties; zscore: by the population's standard deviation; minmax: 0 to 1.
    A score that is the same everywhere says nothing, and is 0 as zscore and minmax.
    """
    scores = pool.scores * np.where(np.array(better) == "lower", -1.0, 1.0)
    if scope == "global":
        return _normalised(scores, normaliser)
    result = np.empty_like(scores)
    for language in np.unique(pool.language):
        rows = pool.language == language
        result[rows] = _normalised(scores[rows], normaliser)
    return result


def merge(normalised: Floats, domain: Codes, weights: Floats) -> Floats:
    """Equation 1 [n]: weights [M, N], not negative and of sum 1 in each domain."""
    if (weights < 0).any() or not np.allclose(weights.sum(axis=1), 1.0, rtol=0, atol=1e-12):
        raise ValueError("the weights of a domain must be 0 or more and sum to 1")
    merged = np.zeros(len(normalised))
    for n in range(normalised.shape[1]):  # a matrix product may round equal rows differently, and so split ties
        merged += weights[domain, n] * normalised[:, n]
    return merged


def token_rank(merged: Floats, group: Codes, tokens: Codes) -> Floats:
    """Equation 2 [n]: the part of the group's tokens in documents at least as good. Ties share the largest rank.

    The worst document of a group has rank 1 exactly. A group without any tokens is ranked by its documents.
    """
    result = np.empty(len(merged))
    for one in np.unique(group):
        rows = np.flatnonzero(group == one)
        weight = tokens[rows] if tokens[rows].any() else np.ones(len(rows), dtype=np.int64)
        value = -merged[rows]
        order = np.argsort(value, kind="stable")
        up_to = np.cumsum(weight[order])
        last = np.searchsorted(value[order], value, side="right") - 1
        result[rows] = up_to[last] / up_to[-1]
    return result


def expected_copies(rank: Floats, domain: Codes, curves: Sequence[Curve]) -> Floats:
    """Equation 3 [n], by the curve of each document's domain."""
    copies = np.empty(len(rank))
    for code, curve in enumerate(curves):
        rows = domain == code
        copies[rows] = sampling_value(curve, rank[rows])
    return copies


def draw(copies: Floats, uniform: Floats) -> Codes:
    """Whole copies [n]: the integer part, and one more where `uniform` in [0, 1) is below the rest."""
    certain = np.floor(copies)
    return certain.astype(np.int64) + (uniform < copies - certain)


def _normalised(scores: Floats, normaliser: Normaliser) -> Floats:
    if normaliser == "rank":
        ranks: Floats = (rankdata(scores, axis=0) - 1) / len(scores)
        return ranks
    low, high = scores.min(axis=0), scores.max(axis=0)
    shift, scale = (low, high - low) if normaliser == "minmax" else (scores.mean(axis=0), scores.std(axis=0))
    varies = (high > low) & (scale > 0)
    return np.where(varies, (scores - shift) / np.where(varies, scale, 1.0), 0.0)
