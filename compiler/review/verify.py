"""`compile --check`: is the manifest on disk what compiling gives now?

Equal bytes settle it. On another platform the last digits of a solution may differ; then the manifest stands when its
inputs are the same, its rules hold, and the mixture on disk is proved as good as it says (solver.md 5).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from mixc.compiler.problem import Certificate, Decision, RuleOutcome
from mixc.compiler.review.manifest import GRID, manifest_text
from mixc.compiler.review.rebuild import decision_from_manifest, problem_from_manifest
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic, page

Certify: TypeAlias = Callable[[Decision], tuple[Certificate, tuple[RuleOutcome, ...]]]
"""Proves a given mixture anew: the certificate of its cells and the outcome of each rule, from the integers."""

STATED = {
    "recipe", "params", "inputs", "versions", "selection", "evaluations", "tasks", "plan", "runnable", "reason",
    "assumptions",
}  # fmt: skip
ROUNDING = 1.01  # the gap is printed with three digits


@page("M463")
def out_of_date(name: str, why: str) -> Diagnostic:
    """a manifest on disk is not what the recipe compiles to

    `mixc compile --check` compiles without writing and compares. The recipe or one of its inputs changed after the
    manifest was written, or the manifest was never written.

    What to do: run `mixc compile` and commit the manifest and the lock.
    """
    return Diagnostic("M463", f"`{name}` is out of date: {why}", subject=name, helps=("run `mixc compile`",))


def why_outdated(on_disk: Manifest, fresh: Manifest, certify: Certify | None = None) -> str | None:
    """Why the manifest on disk does not stand for what was compiled now; None when it does."""
    if manifest_text(on_disk) == manifest_text(fresh):
        return None
    if problem_from_manifest(on_disk) != problem_from_manifest(fresh):
        return "an input that decides the mixture changed"
    if _stated(on_disk) != _stated(fresh):
        return "the recipe or one of its files changed"
    if certify is None:
        return "the mixture differs"
    return unproved(decision_from_manifest(on_disk), certify)


def unproved(decision: Decision, certify: Certify) -> str | None:
    """What keeps a mixture from standing on its own: a broken rule or a gap larger than it states."""
    proof, outcomes = certify(decision)
    cells = sum(len(pool.buckets) for pool in decision.problem.pools)
    for outcome in outcomes:
        if outcome.rule.weight is None and outcome.slack < -_allowance(outcome, decision, cells):
            return f"its mixture breaks `{outcome.rule.text}`"
    if proof.gap > decision.certificate.gap * ROUNDING:
        return f"its mixture is proved to {proof.gap:.3g}, and states {decision.certificate.gap:.3g}"
    return None


def _allowance(outcome: RuleOutcome, decision: Decision, cells: int) -> float:
    """Rules hold within max(1e-6 of the budget, one token a cell), in the unit of the bound."""
    tokens = max(decision.problem.tokens / GRID, cells)
    if any(term.function == "tokens" for term in outcome.rule.terms):
        return tokens
    return max(tokens / decision.problem.tokens, abs(outcome.bound) / GRID)


def _stated(manifest: Manifest) -> dict[str, object]:
    """What a manifest says of its recipe, apart from figures."""
    return manifest.model_dump(include=STATED)
