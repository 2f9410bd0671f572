"""What a mixture rests on: it, and the best one, where one assumption is off by a fifth.

A mixture is a decision under laws that nobody knows exactly. For each of them two questions are answered: how far would
the best mixture move, and what does it cost to have decided by the wrong one (regret: the loss of today's mixture under
the other law, over that of the mixture that is decided then; a strategy that does not minimise the loss may gain).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from mixc.compiler.laws.density import interval_density, pool_density
from mixc.compiler.problem import Bucket, Decision, InfoLaw, Pool, Problem, ProblemLanguage
from mixc.compiler.review.effect import Decide, names_of, shares

OFF = 0.2
TERMS = 24  # terms of transfer that are moved one by one; of more, all at once only
SAME = 1e-9
ROUNDING = 1e-7  # nats per token: what the solver's last digits are worth

Evaluate: TypeAlias = Callable[[Problem, Decision], float]
"""The loss of a mixture as it stands, under another problem with the same cells."""
Moved: TypeAlias = Callable[[float], Problem]


@dataclass(frozen=True, slots=True)
class Side:
    """The assumption times `factor`: `moved` is the share of the budget that changes place, `regret` nats per token.

    There is no regret where today's mixture would read some cell more often than it may.
    """

    factor: float
    moved: float
    regret: float | None


@dataclass(frozen=True, slots=True)
class Assumption:
    """One assumption, and what follows where it is less or more; a side without mixture is left out."""

    name: str
    sides: tuple[Side, ...]

    @property
    def regret(self) -> float:
        """The larger of both sides."""
        return max((side.regret for side in self.sides if side.regret is not None), default=0.0)

    @property
    def moved(self) -> float:
        """The larger of both sides."""
        return max((side.moved for side in self.sides), default=0.0)


def assumptions(decision: Decision, decide: Decide, evaluate: Evaluate, off: float = OFF) -> tuple[Assumption, ...]:
    """Every assumption moved by `off` both ways; what costs most comes first."""
    found = []
    for name, moved in _moves(decision.problem):
        sides = (_side(decision, moved(factor), factor, decide, evaluate) for factor in (1 - off, 1 + off))
        found.append(Assumption(name, tuple(side for side in sides if side is not None)))
    return tuple(sorted(found, key=lambda one: (-one.regret, -one.moved, one.name)))


def _side(decision: Decision, problem: Problem, factor: float, decide: Decide, evaluate: Evaluate) -> Side | None:
    best, _ = decide(problem)
    if best is None:
        return None
    if not possible(problem, decision):
        return Side(factor, distance(decision, best), None)
    regret = evaluate(problem, decision) - best.loss
    return Side(factor, distance(decision, best), regret if abs(regret) > ROUNDING else 0.0)


def possible(problem: Problem, decision: Decision) -> bool:
    """Whether a mixture stays within the limits of another problem with the same cells."""
    limits = {one.name: one.limit.passes for one in problem.sources if one.limit is not None}
    return all(
        sum(cell.tokens) <= limits.get(pool.source, math.inf) * bucket.tokens
        for pool, choices in zip(problem.pools, decision.cells, strict=True)
        for bucket, cell in zip(pool.buckets, choices, strict=True)
    )


def distance(one: Decision, other: Decision) -> float:
    """The share of the budget that changes place among languages and sources: half the sum of what moves, of both the
    larger."""
    before, after = shares(one), shares(other)
    return max(
        math.fsum(
            abs(after.get((axis, name), 0.0) - before.get((axis, name), 0.0)) for name in names_of(one.problem, axis)
        )
        / 2
        for axis in ("language", "source")
    )


def _moves(problem: Problem) -> Iterator[tuple[str, Moved]]:
    law = problem.law
    yield "theta: how fast quality falls", lambda by: with_law(problem, replace(law, theta=law.theta * by))
    yield (
        "lambda: how fast a model learns",
        lambda by: with_law(problem, replace(law, a=law.a * by, b=law.b * by)),
    )
    if any(one.assumed for one in problem.languages):
        yield "beta: how fast the loss falls", lambda by: _languages(problem, lambda one: _exponent(one, by))
    terms = [(one.code, j) for one in problem.languages for j, _ in one.transfer]
    if terms:
        yield "transfer, all of it", lambda by: _languages(problem, lambda one: _transfer(one, by))
    if len(terms) <= TERMS:
        yield from (_term(problem, to, of) for to, of in terms)
    if any(one.cost for one in problem.languages):
        yield "cost, all of it", lambda by: _languages(problem, lambda one: _cost(one, by))
    for source in names_of(problem, "source"):
        yield f"supply of {source}", lambda by, source=source: _supply(problem, source, by)  # type: ignore[misc]


def with_law(problem: Problem, law: InfoLaw) -> Problem:
    """The problem under another InfoLaw: densities follow it where they came from it."""
    return replace(problem, law=law, pools=tuple(_judged(pool, problem.law, law) for pool in problem.pools))


def _judged(pool: Pool, old: InfoLaw, new: InfoLaw) -> Pool:
    if not pool.rated and any(abs(one.density / pool_density(old) - 1) > SAME for one in pool.buckets):
        return pool  # the recipe says what it is worth
    return replace(pool, buckets=tuple(replace(one, density=_density(one, old, new)) for one in pool.buckets))


def _density(bucket: Bucket, old: InfoLaw, new: InfoLaw) -> float:
    return (
        bucket.density * interval_density(new, bucket.low, bucket.high) / interval_density(old, bucket.low, bucket.high)
    )


def _languages(problem: Problem, change: Callable[[ProblemLanguage], ProblemLanguage]) -> Problem:
    return replace(problem, languages=tuple(change(one) for one in problem.languages))


def _exponent(one: ProblemLanguage, by: float) -> ProblemLanguage:
    return replace(one, exponent=one.exponent * by) if one.assumed else one


def _transfer(one: ProblemLanguage, by: float, of: str | None = None) -> ProblemLanguage:
    return replace(one, transfer=tuple((j, t * by if of in (None, j) else t) for j, t in one.transfer))


def _cost(one: ProblemLanguage, by: float) -> ProblemLanguage:
    return replace(one, cost=tuple((j, v * by) for j, v in one.cost))


def _term(problem: Problem, to: str, of: str) -> tuple[str, Moved]:
    def moved(by: float) -> Problem:
        return _languages(problem, lambda one: _transfer(one, by, of) if one.code == to else one)

    return f"transfer from {of} to {to}", moved


def _supply(problem: Problem, source: str, by: float) -> Problem:
    return replace(problem, pools=tuple(grown(one, by) if one.source == source else one for one in problem.pools))


def grown(pool: Pool, by: float) -> Pool:
    """A pool of more or fewer documents of the same quality."""
    return replace(pool, buckets=tuple(replace(one, tokens=round(one.tokens * by)) for one in pool.buckets))
