"""The loss at other budgets: of this mixture in the same shares, and of the one decided there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mixc.backends.report.content import Plot, Section, Table
from mixc.compiler.predict.assumptions import Evaluate, possible
from mixc.compiler.problem import CellChoice, Decision, Problem
from mixc.compiler.review import words
from mixc.compiler.review.effect import Decide

SAME_SHARES, DECIDED = "same shares", "decided for it"
ALONG = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)
ANEW = (0.5, 2.0)  # budgets that are decided anew: each takes as long as compiling


def outlook(decision: Decision, decide: Decide, losses: Evaluate) -> Section | None:
    """Predicted loss over the budget; None where the mixture has no loss."""
    if decision.loss != decision.loss:
        return None
    rows: list[dict[str, Any]] = []
    for factor in ALONG:
        problem = scaled(decision.problem, factor)
        same = _in_same_shares(decision, problem, factor)
        if possible(problem, same):
            rows.append({"tokens": problem.tokens, "loss": losses(problem, same), "what": SAME_SHARES})
    rows.append({"tokens": decision.problem.tokens, "loss": decision.loss, "what": DECIDED})
    for factor in ANEW:
        best, _ = decide(scaled(decision.problem, factor))
        if best is not None:
            rows.append({"tokens": best.problem.tokens, "loss": best.loss, "what": DECIDED})
    rows.sort(key=lambda row: (row["what"], row["tokens"]))
    decided = [row for row in rows if row["what"] == DECIDED]
    said = "; ".join(f"{words.tokens(row['tokens'])} tokens: {words.loss(row['loss'])}" for row in decided)
    plot = Plot(
        "budget",
        "Predicted loss at other budgets",
        f"The mixture decided for each budget. {said}.",
        rows,
        (SAME_SHARES, DECIDED),
    )
    table = Table(
        "Predicted loss, nats per token, of the same model",
        ("mixture", "tokens", "loss"),
        [[row["what"], words.tokens(row["tokens"]), words.loss(row["loss"])] for row in rows],
        data=True,
    )
    sentence = "The model stays as large as it is. Where the line ends, the same shares would pass a limit on epochs."
    return Section("budget", "Loss and budget", [sentence], [plot], [table])


def scaled(problem: Problem, factor: float) -> Problem:
    """The problem with so many times the tokens, in all its phases."""
    phases = tuple(replace(phase, tokens=max(1, round(phase.tokens * factor))) for phase in problem.phases)
    tokens = sum(phase.tokens for phase in phases)
    return replace(problem, phases=phases, tokens=tokens, flops=problem.flops * tokens / problem.tokens)


def _in_same_shares(decision: Decision, problem: Problem, factor: float) -> Decision:
    def grown(cell: CellChoice) -> CellChoice:
        tokens = tuple(round(amount * factor) for amount in cell.tokens)
        return replace(cell, tokens=tokens, epochs=cell.epochs * factor)

    return replace(decision, problem=problem, cells=tuple(tuple(map(grown, row)) for row in decision.cells))
