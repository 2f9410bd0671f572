"""Strategies side by side: the same recipe decided in several ways, under the same rules and limits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from mixc.compiler.problem import Decision, Problem
from mixc.compiler.recipe import Strategy, StrategyName
from mixc.compiler.review import words
from mixc.compiler.review.binding import taken
from mixc.compiler.review.canonical import Json, canonical, figure
from mixc.compiler.review.effect import Decide, names_of
from mixc.dsl.diagnostics import Diagnostic

ALL: tuple[StrategyName, ...] = ("direct", "two_step", "unimax", "temperature", "natural", "uniform")
TAU = 3.33  # of mT5 and XLM-R, where the recipe states none
UNIMAX_EPOCHS = 4.0
READS = (
    "reads: how often a token that is read at all is read\n"
    "distance: relative entropy from the shares that the strategy asks for; rules, limits and supply cause it\n"
)


@dataclass(frozen=True, slots=True)
class Column:
    """One strategy: its decision, or why it has none."""

    strategy: Strategy
    decision: Decision | None
    found: tuple[Diagnostic, ...]


def compare(problem: Problem, names: Iterable[StrategyName], decide: Decide) -> tuple[Column, ...]:
    """Decide the problem by each strategy; the recipe's own parameters are kept for its own strategy."""
    columns = []
    for name in names:
        strategy = with_defaults(name, problem.strategy)
        decision, found = decide(replace(problem, strategy=strategy))
        columns.append(Column(strategy, decision, tuple(found)))
    return tuple(columns)


def with_defaults(name: StrategyName, own: Strategy) -> Strategy:
    """The strategy with its parameter: the recipe's where it chose this strategy, else the usual one."""
    if name == own.name:
        return own
    match name:
        case "temperature":
            return Strategy(name, temperature=TAU)
        case "unimax":
            return Strategy(name, epochs=UNIMAX_EPOCHS)
        case _:
            return Strategy(name)


def compare_text(columns: tuple[Column, ...]) -> str:
    """Two plain tables: figures by strategy, shares by language."""
    base = _loss_of_direct(columns)
    lines = [_figures(column, base) for column in columns]
    header = ("strategy", "loss", "over direct", "mean reads", "max reads", "gap", "distance")
    text = words.table(header, lines)
    decided = [column for column in columns if column.decision is not None]
    text += READS if decided else ""
    if decided:
        text += "\n" + words.table(("language", *(c.strategy.name for c in decided)), _shares(decided))
    return text


def compare_json(columns: tuple[Column, ...]) -> str:
    """The same as canonical JSON; a strategy without mixture has only its diagnostics."""
    base = _loss_of_direct(columns)
    rows = [_record(column, base) for column in columns]
    return canonical({"schema": {"name": "mixc.compare", "version": 1}, "strategies": rows})


def _loss_of_direct(columns: tuple[Column, ...]) -> float | None:
    return next((c.decision.loss for c in columns if c.strategy.name == "direct" and c.decision), None)


def reads_of(decision: Decision) -> tuple[float, float]:
    """How often a token that is read is read: the mean (tokens over unique tokens read), and the most of any cell."""
    cells = [
        (sum(cell.tokens), bucket.tokens, cell.epochs)
        for pool, choices in zip(decision.problem.pools, decision.cells, strict=True)
        for bucket, cell in zip(pool.buckets, choices, strict=True)
    ]
    unique = sum(min(amount, supply) for amount, supply, _ in cells)
    total = sum(amount for amount, _, _ in cells)
    most = max((max(epochs, 1.0) for amount, _, epochs in cells if amount), default=0.0)
    return (total / unique if unique else 0.0), most


def _figures(column: Column, base: float | None) -> tuple[str, ...]:
    decision = column.decision
    if decision is None:
        why = next((d.code for d in column.found), "no mixture")
        return column.strategy.name, f"none [{why}]", "", "", "", "", ""
    mean, most = reads_of(decision)
    excess = "" if base is None else f"{decision.loss - base:+.5f}"
    distance = "" if decision.distance is None else f"{decision.distance:.3g}"
    gap = f"{decision.certificate.gap:.1e}"
    return column.strategy.name, words.loss(decision.loss), excess, f"{mean:.2f}", f"{most:.2f}", gap, distance


def _shares(columns: list[Column]) -> list[tuple[str, ...]]:
    decisions = [column.decision for column in columns if column.decision is not None]
    rows = []
    for code in names_of(decisions[0].problem, "language"):
        shares = [taken(d, "language", code).tokens / d.problem.tokens for d in decisions]
        rows.append((shares[0], (code, *map(words.share, shares))))
    return [row for _, row in sorted(rows, key=lambda item: (-item[0], item[1]))]


def _record(column: Column, base: float | None) -> dict[str, Json]:
    decision = column.decision
    record: dict[str, Json] = {"strategy": column.strategy.name}
    if decision is None:
        return {**record, "diagnostics": [f"{d.code} {d.message}" for d in column.found]}
    mean, most = reads_of(decision)
    return {
        **record,
        "loss": figure(decision.loss, 9),
        "over_direct": None if base is None else figure(decision.loss - base, 6),
        "mean_reads": figure(mean),
        "max_reads": figure(most),
        "gap": figure(decision.certificate.gap, 3),
        "distance": None if decision.distance is None else figure(decision.distance),
        "shares": {
            code: figure(taken(decision, "language", code).tokens / decision.problem.tokens, 9)
            for code in names_of(decision.problem, "language")
        },
    }
