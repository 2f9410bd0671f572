"""Scoring documents by models, before they are scanned: what `mixc score` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mixc.compiler.documents.data import Unreadable
from mixc.compiler.executor import Executor
from mixc.compiler.progress import Progress
from mixc.compiler.recipe import Recipe
from mixc.compiler.scan.checks import wanted
from mixc.compiler.scan.passing import by_language
from mixc.compiler.scan.plan import GatePlan, Plan, ScorePlan, SourcePlan
from mixc.compiler.scan.planning import holdout_of, sources_of, textless, weighing
from mixc.compiler.scan.score_messages import unrated_documents
from mixc.compiler.scan.scored import (
    backend_of,
    gate_quality,
    gate_state,
    gate_targets,
    load_backend,
    planned_raters,
    remember,
    scorers,
    state_of,
    unidentified,
)
from mixc.compiler.scan.stages import Found
from mixc.compiler.scan.store import Store
from mixc.dsl.diagnostics import Diagnostic, has_errors


@dataclass(frozen=True, slots=True)
class Scored:
    """What was done: names of targets and raters, how many files they score, what each model read, the gate if any."""

    names: tuple[str, ...]
    files: int
    read: Mapping[str, Any]
    gate: GatePlan | None = None


@dataclass(frozen=True, slots=True)
class _Work:
    """What one backend is to do."""

    backend: Any
    jobs: tuple[Any, ...]


def score(
    recipe: Recipe, executor: Executor, progress: Progress, device: str = "cpu"
) -> tuple[Scored | None, list[Diagnostic]]:
    """Score the documents of a recipe by its targets and models; what was scored before is not again."""
    folder = Path(recipe.path).parent
    sources, files, found = sources_of(recipe)
    if not has_errors(found):
        found += gate_targets(recipe)[1]
    if has_errors(found):
        return None, found
    store = Store(folder)
    try:
        works, states = _prepared(recipe, folder, device)
        found += [told for scorer in scorers(recipe) for told in unidentified(scorer, folder)]
        plan = scoring_plan(recipe, sources, [job.plan for work in works for job in work.jobs])
        found += textless(recipe, plan)
        if has_errors(found):
            return None, found
        known = [
            Found(file, store.identity(file, plan.sealed(source.name)))
            for source in sources
            if plan.gate is not None or plan.scored(source)
            for file in files[source.name]
        ]
        read: dict[str, Any] = {}
        for work in works:
            tallies, problems = work.backend.score(work.jobs, plan, known, store, executor, progress)
            read |= tallies
            found += problems
        gate: GatePlan | None = None
        if plan.gate is not None and not has_errors(found):
            work = next(one for one in works if one.backend is load_backend(plan.gate.backend))
            gate, problems = work.backend.gate(work.jobs, plan, known, store, progress)
            found += problems + ([] if gate is None else _unrated(recipe, gate))
        if has_errors(found):
            return None, found
        decided = None if gate is None else (gate_state(recipe, gate_targets(recipe)[0], sources), gate)
        remember(store, folder, [(states[plan.name], plan) for plan in plan.scores], decided)
    except Unreadable as error:
        return None, [*found, error.diagnostic]
    finally:
        store.save()
    return Scored(tuple(one.name for one in scorers(recipe)), len(known), read, gate), found


def _prepared(recipe: Recipe, folder: Path, device: str) -> tuple[list[_Work], dict[str, str]]:
    """The jobs of every backend, and the state of every target and rater. Raises `Unreadable`."""
    jobs: dict[str, list[Any]] = {}
    states = {}
    for scorer in scorers(recipe):
        name = backend_of(scorer)
        jobs.setdefault(name, []).append(load_backend(name).prepare(scorer, folder, device))
        states[scorer.name] = state_of(scorer, folder)
    return [_Work(load_backend(name), tuple(mine)) for name, mine in jobs.items()], states


def scoring_plan(recipe: Recipe, sources: Sequence[SourcePlan], scores: Sequence[ScorePlan]) -> Plan:
    """How documents are read for scoring; of a gate only that there is one, since what it keeps is not known yet."""
    gates, _ = gate_targets(recipe)
    names, quality = tuple(one.name for one in gates), gate_quality(recipe, gates)
    return Plan(
        tuple(sources),
        tuple(planned_raters(recipe, scores)),
        weighing(recipe.domains),
        recipe.quality.normalize,
        holdout=holdout_of(recipe),
        scores=tuple(scores),
        gate=GatePlan(names, "nag", "", 1.0, "language", (), "refill", "", quality) if gates else None,
    )


def _unrated(recipe: Recipe, gate: GatePlan) -> list[Diagnostic]:
    """Languages of the mixture for most of whose documents the quality of a gate has no score."""
    if gate.quality is None:
        return []
    rater = next(one for one in recipe.raters if one.name == gate.quality.rater)
    target = next(one for one in recipe.targets if one.name in gate.targets)
    return [
        unrated_documents(target, rater, language, one.unrated, one.documents)
        for language, one in by_language(gate).items()
        if 2 * one.unrated > one.documents and wanted(recipe, language)
    ]
