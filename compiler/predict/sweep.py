"""The optimum along a sweep: one decided mixture per point, and where supply runs out between two of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

from mixc.compiler.predict.axes import Axis, points_of
from mixc.compiler.problem import Decision, Problem
from mixc.compiler.review.binding import at_limit
from mixc.compiler.review.effect import Decide
from mixc.dsl.diagnostics import Diagnostic

Settle: TypeAlias = Callable[[Mapping[str, str]], tuple[Problem | None, list[Diagnostic]]]
"""The problem of a recipe with these params."""
Event: TypeAlias = Literal["read once", "at its limit"]
Cell: TypeAlias = tuple[str, str, str, float, float]  # source, language, domain, ranks

WHOLE = 1 - 1e-9  # passes that count as one


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a sweep: the params, and its mixture or why there is none."""

    values: Mapping[str, str]
    decision: Decision | None
    found: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class RunsOut:
    """Between two points (numbers into the sweep) cells of a source come to an end, in these languages.

    `read once`: all of it is read, more is repetition; `at its limit`: no more may be read.
    """

    after: int
    event: Event
    source: str
    domain: str
    low: float
    high: float
    languages: tuple[str, ...]


def sweep(axes: Iterable[Axis], settle: Settle, decide: Decide) -> tuple[Point, ...]:
    """Decide every point, in the order of the axes."""
    points = []
    for values in points_of(axes):
        problem, found = settle(values)
        decision = None
        if problem is not None:
            decision, more = decide(problem)
            found = [*found, *more]
        points.append(Point(values, decision, tuple(found)))
    return tuple(points)


def runs_out(points: Sequence[Point]) -> tuple[RunsOut, ...]:
    """What comes to an end from each point of a single axis to the next, sorted by that, then source and rank."""
    events = []
    for i, (one, other) in enumerate(pairwise(points)):
        if one.decision is None or other.decision is None:
            continue
        before, after = _ends(one.decision), _ends(other.decision)
        fresh: dict[tuple[Event, str, str, float, float], list[str]] = {}
        for cell, ends in after.items():
            for event in ends - before.get(cell, frozenset()):
                source, language, domain, low, high = cell
                fresh.setdefault((event, source, domain, low, high), []).append(language)
        events += [RunsOut(i, *key, tuple(sorted(fresh[key]))) for key in sorted(fresh)]
    return tuple(events)


def _ends(decision: Decision) -> dict[Cell, frozenset[Event]]:
    found: dict[Cell, frozenset[Event]] = {}
    for pool, choices in zip(decision.problem.pools, decision.cells, strict=True):
        for bucket, cell in zip(pool.buckets, choices, strict=True):
            ends: set[Event] = set()
            if cell.epochs >= WHOLE:
                ends.add("read once")
            if at_limit(cell):
                ends.add("at its limit")
            found[pool.source, pool.language, pool.domain, bucket.low, bucket.high] = frozenset(ends)
    return found
