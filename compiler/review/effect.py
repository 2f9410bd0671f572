"""What a change does: shares and losses that move between two decisions, and which change caused how much of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from mixc.compiler.problem import Decision, Problem
from mixc.compiler.review.binding import Axis
from mixc.compiler.review.changes import Change
from mixc.dsl.diagnostics import Diagnostic

Decide: TypeAlias = Callable[[Problem], tuple[Decision | None, list[Diagnostic]]]
AXES: tuple[Axis, ...] = ("language", "source", "domain", "phase")
MOST_CAUSES = 12  # each is one more solve


@dataclass(frozen=True, slots=True)
class Move:
    """The share of one language, source, domain or phase moved by `share` (a fraction of the budget)."""

    axis: Axis
    name: str
    share: float


@dataclass(frozen=True, slots=True)
class Effect:
    """What moved: the weighted loss, and shares, largest first. `failed` says why it could not be found out."""

    loss: float
    moves: tuple[Move, ...]
    failed: str | None = None


@dataclass(frozen=True, slots=True)
class Attribution:
    """The effect of each change alone, of all together, and what only their combination explains."""

    alone: tuple[tuple[Change, Effect], ...]
    together: Effect
    interaction: Effect | None


def names_of(problem: Problem, axis: Axis) -> tuple[str, ...]:
    """Every language, source, domain or phase of a problem, sorted; phases by time."""
    match axis:
        case "language":
            return tuple(language.code for language in problem.languages)
        case "source":
            return tuple(source.name for source in problem.sources)
        case "domain":
            return tuple(sorted({pool.domain for pool in problem.pools}))
        case "phase":
            return tuple(phase.name for phase in problem.phases)


def shares(decision: Decision) -> dict[tuple[Axis, str], float]:
    """Shares of the budget by axis and name."""
    problem = decision.problem
    found: dict[tuple[Axis, str], int] = {(axis, name): 0 for axis in AXES for name in names_of(problem, axis)}
    for pool, cells in zip(problem.pools, decision.cells, strict=True):
        by_phase = [sum(cell.tokens[i] for cell in cells) for i in range(len(problem.phases))]
        for phase, amount in zip(problem.phases, by_phase, strict=True):
            found["phase", phase.name] += amount
        found["language", pool.language] += sum(by_phase)
        found["source", pool.source] += sum(by_phase)
        found["domain", pool.domain] += sum(by_phase)
    return {key: tokens / problem.tokens for key, tokens in found.items()}


def effect(before: Decision, after: Decision) -> Effect:
    """What moved from one decision to another."""
    old, new = shares(before), shares(after)
    moves = (Move(axis, name, new.get((axis, name), 0.0) - old.get((axis, name), 0.0)) for axis, name in {**old, **new})
    return Effect(after.loss - before.loss, ordered(moves))


def ordered(moves: Iterable[Move]) -> tuple[Move, ...]:
    """Moves by axis, the largest first."""
    return tuple(sorted(moves, key=lambda m: (AXES.index(m.axis), -abs(m.share), m.name)))


def attribute(before: Decision, after: Decision, changes: tuple[Change, ...], decide: Decide) -> Attribution:
    """Solve again with each change alone; what their sum leaves is interaction. One change alone is the whole."""
    together = effect(before, after)
    if len(changes) == 1:
        return Attribution(((changes[0], together),), together, None)
    alone = tuple((change, _alone(before, change, decide)) for change in changes)
    if any(found.failed for _, found in alone) or not alone:
        return Attribution(alone, together, None)
    return Attribution(alone, together, _rest(together, [found for _, found in alone]))


def _alone(before: Decision, change: Change, decide: Decide) -> Effect:
    decision, found = decide(change.apply(before.problem))
    if decision is None:
        why = next((f"{d.message} [{d.code}]" for d in found), "no mixture was found")
        return Effect(float("nan"), (), why)
    return effect(before, decision)


def _rest(together: Effect, parts: list[Effect]) -> Effect:
    left: dict[tuple[Axis, str], float] = {(move.axis, move.name): move.share for move in together.moves}
    for part in parts:
        for move in part.moves:
            left[move.axis, move.name] = left.get((move.axis, move.name), 0.0) - move.share
    moves = ordered(Move(axis, name, by) for (axis, name), by in left.items())
    return Effect(together.loss - sum(part.loss for part in parts), moves)
