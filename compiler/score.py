"""Scoring documents by models, before they are scanned: what `mixc score` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mixc.compiler import registry
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.executor import Executor
from mixc.compiler.progress import Progress
from mixc.compiler.recipe import Recipe
from mixc.compiler.scan.plan import GatePlan, Plan, RaterPlan, ScorePlan, SourcePlan
from mixc.compiler.scan.planning import holdout_of, sources_of, textless, weighing
from mixc.compiler.scan.scored import gate_state, gate_targets, remember, state_of, used_targets, weighed_targets
from mixc.compiler.scan.stages import Found
from mixc.compiler.scan.store import Store
from mixc.dsl.diagnostics import Diagnostic, has_errors

TARGETS = "score-nag"


@dataclass(frozen=True, slots=True)
class Scored:
    """What was done: names of the targets, how many files they score, and what each model read (documents, empty)."""

    targets: tuple[str, ...]
    files: int
    read: Mapping[str, Any]


def score(
    recipe: Recipe, executor: Executor, progress: Progress, device: str = "cpu"
) -> tuple[Scored | None, list[Diagnostic]]:
    """Score the documents of a recipe by the targets that its domains weigh; what was scored before is not again."""
    folder = Path(recipe.path).parent
    sources, files, found = sources_of(recipe)
    if has_errors(found):
        return None, found
    targets = used_targets(recipe)
    found += gate_targets(recipe)[1]
    if has_errors(found):
        return None, found
    backend = registry.load(TARGETS)
    store = Store(folder)
    try:
        jobs = [backend.prepare(target, folder, device) for target in targets]
        states = [state_of(target, folder) for target in targets]
        plan = _plan(recipe, sources, [job.plan for job in jobs])
        found += textless(recipe, plan)
        if has_errors(found):
            return None, found
        known = [
            Found(file, store.identity(file, plan.sealed(source.name)))
            for source in sources
            if plan.gate is not None or plan.scored(source)
            for file in files[source.name]
        ]
        read, problems = backend.score(jobs, plan, known, store, executor, progress)
        gate = None
        if not has_errors(problems):
            gate, more = backend.gate(jobs, plan, known, store, progress)
            problems += more
        if has_errors(problems):
            return None, found + problems
        decided = None if gate is None else (gate_state(recipe, gate_targets(recipe)[0], sources), gate)
        remember(store, folder, [(state, job.plan) for state, job in zip(states, jobs, strict=True)], decided)
    except Unreadable as error:
        return None, [*found, error.diagnostic]
    finally:
        store.save()
    return Scored(tuple(target.name for target in targets), len(known), read), found + problems


def _plan(recipe: Recipe, sources: Sequence[SourcePlan], scores: Sequence[ScorePlan]) -> Plan:
    """How documents are read for scoring; of a gate only that there is one, since what it keeps is not known yet."""
    weighed = {target.name for target in weighed_targets(recipe)}
    raters = tuple(
        RaterPlan(one.name, "", "higher", None, "exclude", "language", one.key) for one in scores if one.name in weighed
    )
    gates, _ = gate_targets(recipe)
    gate = GatePlan(tuple(one.name for one in gates), "nag", "", 1.0, "language", (), "refill", "") if gates else None
    return Plan(
        tuple(sources),
        raters,
        weighing(recipe.domains),
        recipe.quality.normalize,
        holdout=holdout_of(recipe),
        scores=tuple(scores),
        gate=gate,
    )
