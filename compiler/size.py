"""A budget of compute alone: the size of the model is searched for, one convex program per size (infolaw.md).

C = flops_per_param_token N K. A larger model learns faster and sees less; the best size balances the two within the
budget's bounds. The predicted loss has one valley in ln N, so golden section finds it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from mixc.compiler.problem import Problem
from mixc.compiler.recipe import Bound, Budget

GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0
PRECISION = 2e-3  # of ln N: the loss is flat at its best, and a size is quoted with three digits
SMALLEST = 1e6

State = Callable[[Budget], Problem | None]
Score = Callable[[Problem], float | None]


def sized(budget: Budget, params: float) -> Budget:
    """The budget with the size settled; tokens follow from the compute."""
    if budget.flops is None:
        raise ValueError("a size is searched for only where compute is given")
    tokens = round(budget.flops / (budget.flops_per_param_token * params))
    return replace(budget, params=params, tokens=max(tokens, 1))


def size_range(budget: Budget) -> tuple[float, float]:
    """Smallest and largest N that the bounds allow; without bounds on a side, 1M parameters or one token each."""
    if budget.flops is None:
        raise ValueError("a size is searched for only where compute is given")
    product = budget.flops / budget.flops_per_param_token
    low, high = SMALLEST, math.sqrt(product)
    for bound in budget.bounds:
        at_most, at_least = _as_sizes(bound, product)
        low, high = max(low, at_least), min(high, at_most)
    return low, high


def _as_sizes(bound: Bound, product: float) -> tuple[float, float]:
    """(largest, smallest) N that one bound allows, given N K = product."""
    value = bound.figure.value
    if bound.key == "compute":
        return math.inf, 0.0
    size = {"model": value, "tokens": product / value, "ratio": math.sqrt(product / value)}[bound.key]
    rising = bound.key == "model"
    if bound.sense == "==":
        return size, size
    return (size, 0.0) if (bound.sense == "<=") == rising else (math.inf, size)


def best_size(budget: Budget, state: State, score: Score) -> float | None:
    """The N of least predicted loss, to three digits; None where no size in the range can be decided.

    `state` builds the problem of a settled budget, `score` gives its loss (None: infeasible or not solved).
    """
    low, high = size_range(budget)
    known: dict[float, float] = {}

    def loss(log_size: float) -> float:
        params = math.exp(log_size)
        if params not in known:
            problem = state(sized(budget, params))
            found = None if problem is None else score(problem)
            known[params] = math.inf if found is None else found
        return known[params]

    a, b = math.log(low), math.log(high)
    c, d = b - GOLDEN * (b - a), a + GOLDEN * (b - a)
    if all(math.isinf(loss(point)) for point in (a, c, d, b)):
        return None
    while b - a > PRECISION:
        if loss(c) <= loss(d):
            b, d = d, c
            c = b - GOLDEN * (b - a)
        else:
            a, c = c, d
            d = a + GOLDEN * (b - a)
    candidates = sorted({rounded for m in (a, b) for rounded in _three_digits(math.exp(m)) if low <= rounded <= high})
    candidates = candidates or [low]
    best = min(candidates, key=lambda params: (loss(math.log(params)), params))
    return best if math.isfinite(loss(math.log(best))) else None


def _three_digits(value: float) -> tuple[float, float]:
    """The nearest numbers of three digits below and above."""
    step = 10.0 ** (math.floor(math.log10(value)) - 2)
    return math.floor(value / step) * step, math.ceil(value / step) * step
