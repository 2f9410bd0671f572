"""Deciding a mixture: optimum, rounding, certificate, prices; or why there is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mixc.compiler.problem import Certificate, Decision, Problem, RuleOutcome
from mixc.compiler.solve.apportion import caps_of
from mixc.compiler.solve.certify import certified, certify, proved_by_prices
from mixc.compiler.solve.doubts import doubts, without_tokens
from mixc.compiler.solve.errors import no_supply
from mixc.compiler.solve.infeasible import why
from mixc.compiler.solve.lower import Lowered, lower
from mixc.compiler.solve.newton import Solution
from mixc.compiler.solve.outcome import bindings, cell_choices, language_outcomes, weighted_loss
from mixc.compiler.solve.pricing import rule_outcomes
from mixc.compiler.solve.program import Floats, Ints
from mixc.compiler.solve.rounding import round_mixture
from mixc.compiler.solve.strategies import Infeasible, lower_problem, optimise
from mixc.dsl.diagnostics import Diagnostic


def decide(problem: Problem, *, explained: bool = True) -> tuple[Decision | None, list[Diagnostic]]:
    """The certified, rounded mixture of a problem, or diagnostics that say why there is none.

    Finding out which rules contradict each other takes longer than deciding; unless it is to be `explained`, nothing is
    said where there is no mixture.
    """
    if not any(pool.tokens for pool in problem.pools):
        return None, [no_supply()]
    try:
        optimum = optimise(problem)
    except Infeasible as failed:
        return None, why(failed.lowered, failed.solution.point.error) if explained else []
    lowered, solution = optimum.lowered, optimum.solution
    supply = [problem.pools[i].buckets[j].tokens for i, j in lowered.places]
    budgets = [phase.tokens for phase in problem.phases]
    rounded = round_mixture(solution.program, solution.point.x, budgets, caps_of(solution.program.cells, supply))
    decision = _decision(lowered, solution, rounded.grid, rounded.tokens)
    lost = without_tokens(decision)
    return (None, lost) if lost else (decision, doubts(decision, solution))


def _decision(lowered: Lowered, solution: Solution, grid: Ints, tokens: Ints) -> Decision:
    x = tokens / lowered.frame.tokens
    scored = scored_by_loss(lowered)
    distance = None if solution.program.target is None else solution.program.preference(x)
    return Decision(
        problem=lowered.problem,
        cells=cell_choices(lowered, grid, tokens, bindings(lowered, solution)),
        languages=language_outcomes(scored, x),
        rules=rule_outcomes(lowered, solution, x),
        certificate=certificate(solution, x),
        loss=weighted_loss(scored, scored.program.losses(x)),
        information=float(scored.program.information(x).sum() + scored.program.laws.past.sum()),
        distance=distance,
    )


def scored_by_loss(lowered: Lowered) -> Lowered:
    """The same cells with the predicted loss as the objective, also where the strategy does not minimise it."""
    if lowered.program.target is None:
        return lowered
    problem = replace(lowered.problem, rules=())
    return lower(problem, lambda _: 0.0, objective=True)


def certificate(solution: Solution, x: Floats) -> Certificate:
    """What is proved of x: the strategy's objective (loss, or nats from its target), a bound below all, the gap."""
    program, polished = solution.program, solution.point.x
    value = certified(program, x)
    best = (proved_by_prices(program, polished, solution.point.z) or certify(program, polished)).value
    # Whole tokens may undercut the bound where rounding is let off a rule by a grid unit.
    proved = min(best, value)
    tie_break = max(0.0, certified(program, polished) - best)
    gap = max(0.0, value - proved) / (max(abs(value), 1e-300) if program.target is None else 1.0)
    return Certificate(value, proved, gap, tie_break, solution.point.error)


def loss_of(problem: Problem, decision: Decision) -> float:
    """The predicted loss of a mixture as it stands, under another problem with the same cells."""
    scored = scored_by_loss(lower_problem(problem))
    return weighted_loss(scored, scored.program.losses(_taken(scored, decision)))


def prove(decision: Decision) -> tuple[Certificate, tuple[RuleOutcome, ...]]:
    """Certificate and rules of a mixture as it stands, from its whole tokens: what `compile --check` asks elsewhere."""
    lowered = lower_problem(decision.problem)
    x = _taken(lowered, decision)
    solution = optimise(decision.problem).solution
    return certificate(solution, x), rule_outcomes(lowered, solution, x)


def _taken(lowered: Lowered, decision: Decision) -> Floats:
    """What a mixture takes of each cell, over the budget [cells, phases]."""
    tokens = np.array([decision.cells[i][j].tokens for i, j in lowered.places], dtype=np.int64)
    return tokens / lowered.frame.tokens
