"""What keeps a rounded mixture from being as good as its optimum: languages left with nothing, and a wide gap."""

from __future__ import annotations

import math

from mixc.compiler.problem import Decision, LanguageOutcome
from mixc.compiler.solve.apportion import UNITS
from mixc.compiler.solve.errors import language_without_tokens, poorly_proved
from mixc.compiler.solve.newton import Solution
from mixc.compiler.solve.wording import size, tokens
from mixc.dsl.diagnostics import Diagnostic

WIDE = 1e-4


def without_tokens(decision: Decision) -> list[Diagnostic]:
    """An error for each language of the mixture whose predicted loss is infinite."""
    weights = {language.code: language.priority for language in decision.problem.languages}
    return [
        _without_tokens(decision, outcome)
        for outcome in decision.languages
        if weights[outcome.code] > 0 and math.isinf(outcome.loss)
    ]


def _without_tokens(decision: Decision, outcome: LanguageOutcome) -> Diagnostic:
    problem, code = decision.problem, outcome.code
    limits = {source.name: source.limit.passes if source.limit else math.inf for source in problem.sources}
    pools = [pool for pool in problem.pools if pool.language == code]
    supply = sum(pool.tokens for pool in pools)
    most = sum(pool.tokens * limits[pool.source] for pool in pools if pool.tokens)
    unit = math.ceil(min(phase.tokens for phase in problem.phases) / UNITS)
    used = "as much as is wanted" if math.isinf(most) else tokens(most, down=True)
    return language_without_tokens(code, tokens(supply), tokens(unit, up=True), used, most >= unit)


def doubts(decision: Decision, solution: Solution) -> list[Diagnostic]:
    """A warning where the certificate leaves room for a mixture that is better by more than `WIDE`."""
    proof = decision.certificate
    if proof.gap <= WIDE:
        return []
    if decision.distance is not None:
        gap, of = f"{size(proof.gap)} nats", "of relative entropy from the target shares"
    else:
        gap, of = f"{size(100 * proof.gap)}%", "of its loss"
    rounding = proof.loss - proof.bound - proof.tie_break
    if rounding < proof.tie_break:
        return [poorly_proved(gap, of, "the optimum itself, before rounding, was not proved any closer")]
    return [
        poorly_proved(
            gap, of, f"rounding to millionths of the budget and whole tokens did it{_most(decision, solution)}"
        )
    ]


def _most(decision: Decision, solution: Solution) -> str:
    """The language that rounding cost most, where the loss is what was minimised."""
    if decision.distance is not None:
        return ""
    before = solution.program.losses(solution.point.x)
    weights = solution.program.laws.weight
    costs = [
        (weight * (outcome.loss - float(loss)), outcome.code, outcome.share)
        for weight, loss, outcome in zip(weights, before, decision.languages, strict=True)
        if weight > 0
    ]
    cost, code, share = max(costs, default=(0.0, "", 0.0))
    held = share * decision.problem.tokens
    return f", most of all for `{code}`, which has {tokens(held)}" if cost > 0 else ""
