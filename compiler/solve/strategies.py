"""From a problem to its optimum, whatever the strategy: the loss itself, or nearness to target shares.

All strategies obey the same rules and limits. Rules that quote a baseline (`natural.loss(de)`) are resolved first, by
solving that strategy under the rules that quote none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from mixc.compiler.problem import Problem
from mixc.compiler.recipe import Strategy, StrategyName, Term
from mixc.compiler.solve.equations import Equations
from mixc.compiler.solve.infeasible import can_hold
from mixc.compiler.solve.lower import Lowered, lower
from mixc.compiler.solve.newton import WARM, Solution, follow
from mixc.compiler.solve.program import Floats, Program
from mixc.compiler.solve.rows import term_value
from mixc.compiler.solve.targets import cell_targets, language_targets
from mixc.compiler.solve.two_step import direction, pinned


class Infeasible(Exception):
    """A program that Newton could not solve; the caller finds out whether its rules contradict each other."""

    def __init__(self, lowered: Lowered, solution: Solution) -> None:
        super().__init__("no optimum found")
        self.lowered, self.solution = lowered, solution


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """A converged solution of a lowered problem."""

    lowered: Lowered
    solution: Solution

    @property
    def program(self) -> Program:
        """The program that was solved."""
        return self.solution.program


def optimise(problem: Problem) -> Optimum:
    """The optimum of a problem. Raises Infeasible where none was found."""
    lowered = lower_problem(problem)
    return Optimum(lowered, solve(lowered, lowered.program))


def predicted_loss(problem: Problem) -> float | None:
    """The least objective of a problem; None where no optimum was found."""
    try:
        if not can_hold(lower_problem(problem)):  # far cheaper to see than a Newton that does not converge
            return None
        optimum = optimise(problem)
    except Infeasible:
        return None
    return optimum.program.objective(optimum.solution.point.x)


def lower_problem(problem: Problem) -> Lowered:
    """The program of a problem: baselines resolved, and target shares laid out for strategies that have them."""
    values: dict[tuple[StrategyName, Term], float] = {}
    solved: dict[StrategyName, Optimum] = {}

    def baseline(term: Term) -> float:
        if term.baseline is None:
            raise AssertionError("a term without a baseline")
        if (term.baseline, term) not in values:
            if term.baseline not in solved:
                solved[term.baseline] = optimise(_without_baselines(problem, term.baseline))
            values[term.baseline, term] = _value(solved[term.baseline], term)
        return values[term.baseline, term]

    by_loss = problem.strategy.name in ("direct", "two_step")
    lowered = lower(problem, baseline, objective=by_loss)
    if problem.strategy.name == "direct":
        return lowered
    program = lowered.program
    if problem.strategy.name == "two_step":
        return replace(lowered, program=pinned(program, _two_step_shares(lowered)))
    shares = language_targets(problem.strategy, program.membership @ program.cells.supply)
    return replace(lowered, program=replace(program, target=cell_targets(program, shares)))


def _two_step_shares(lowered: Lowered) -> Floats:
    """Language shares of two_step's first step. Raises Infeasible where not even the direct strategy has an optimum."""
    found = direction(lowered.program)
    if found is None:
        raise Infeasible(lowered, solve(lowered, lowered.program))
    return found.shares


def _without_baselines(problem: Problem, name: StrategyName) -> Problem:
    rules = tuple(rule for rule in problem.rules if all(term.baseline is None for term in rule.terms))
    strategy = problem.strategy if problem.strategy.name == name else Strategy(name)
    return replace(problem, rules=rules, strategy=strategy)


def _value(optimum: Optimum, term: Term) -> float:
    x, program = optimum.solution.point.x, optimum.program
    return term_value(term, None, optimum.lowered.frame, x, program.information(x), program.losses(x))


def solve(lowered: Lowered, program: Program) -> Solution:
    """Newton from nothing, then more patiently, then from a cone solver's point. Raises Infeasible."""
    best = follow(program)
    if best.converged:
        return best
    if not can_hold(lowered):
        raise Infeasible(lowered, best)
    for attempt in (_patiently, _from_cone_solver):
        solution = attempt(program)
        if solution is not None and solution.converged:
            return solution
    raise Infeasible(lowered, best)


def _patiently(program: Program) -> Solution:
    return follow(program, strength=100.0)


def _from_cone_solver(program: Program) -> Solution | None:
    from mixc.compiler.solve.conic import solve_conic

    found = solve_conic(program)
    if found.x is None:
        return None
    equations = Equations(program)
    return follow(program, strength=WARM, start=equations.starting(found.x))
