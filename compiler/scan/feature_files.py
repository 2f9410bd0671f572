"""Features of a recipe's documents out of mixc and into it: what `mixc features` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mixc.compiler.documents.data import Unreadable
from mixc.compiler.progress import Progress
from mixc.compiler.recipe import Recipe, Target
from mixc.compiler.scan.plan import Plan, ScorePlan
from mixc.compiler.scan.planning import sources_of, textless
from mixc.compiler.scan.score_messages import never_scored
from mixc.compiler.scan.scored import load_backend, read_index, scorers, state_of, used_targets
from mixc.compiler.scan.stages import Found
from mixc.compiler.scan.store import Store
from mixc.compiler.score import scoring_plan
from mixc.dsl.diagnostics import Diagnostic, has_errors

BACKEND = "nag"


@dataclass(frozen=True, slots=True)
class _Documents:
    """Files of documents, how they are read, and where what is made of them is kept."""

    plan: Plan
    known: tuple[Found, ...]
    store: Store


def groups(recipe: Recipe) -> list[list[Target]]:
    """The targets that documents are compared with, those together that look at the same neurons."""
    backend, found = load_backend(BACKEND), dict[Any, list[Target]]()
    for target in used_targets(recipe):
        found.setdefault(backend.asked_by(target), []).append(target)
    return list(found.values())


def export_features(
    recipe: Recipe, targets: Sequence[Target], out: Path, progress: Progress
) -> tuple[Any, list[Diagnostic]]:
    """Write the features that `mixc score` read for targets; what was written, or None."""
    folder, index = Path(recipe.path).parent, read_index(Path(recipe.path).parent)
    documents, found = _documents(recipe, targets)
    if documents is None:
        return None, found
    try:
        made = {target.name: index.get(state_of(target, folder)) for target in targets}
        found += [never_scored(one, Path(recipe.path).name) for one in targets if made[one.name] is None]
        if has_errors(found):
            return None, found
        stated = {name: one["parameters"] for name, one in made.items() if one is not None}
        backend = load_backend(BACKEND)
        exported = backend.export_features(
            targets, stated, documents.plan, documents.known, documents.store, out, progress
        )
    except Unreadable as error:
        return None, [*found, error.diagnostic]
    finally:
        documents.store.save()
    return exported, found


def import_features(
    recipe: Recipe, targets: Sequence[Target], coming: Any, progress: Progress
) -> tuple[Any, list[Diagnostic]]:
    """Take in features that a user's own code made for targets; what was taken in, or None."""
    documents, found = _documents(recipe, targets)
    if documents is None:
        return None, found
    try:
        backend = load_backend(BACKEND)
        made, more = backend.import_features(
            targets, coming, documents.plan, documents.known, documents.store, progress
        )
    except Unreadable as error:
        return None, [*found, error.diagnostic]
    finally:
        documents.store.save()
    return made, found + more


def _documents(recipe: Recipe, targets: Sequence[Target]) -> tuple[_Documents | None, list[Diagnostic]]:
    """The files that some targets look at; the names of scores are not known, and play no part."""
    sources, files, found = sources_of(recipe)
    if has_errors(found):
        return None, found
    plan = scoring_plan(recipe, sources, [ScorePlan(one.name, "", "", ()) for one in scorers(recipe)])
    found += textless(recipe, plan)
    if has_errors(found):
        return None, found
    names, gates = {target.name for target in targets}, any(target.fraction is not None for target in targets)
    store = Store(Path(recipe.path).parent)
    try:
        known = tuple(
            Found(file, store.identity(file, plan.sealed(source.name)))
            for source in sources
            if gates or names & {rater.name for rater in plan.scored(source)}
            for file in files[source.name]
        )
    except Unreadable as error:
        return None, [*found, error.diagnostic]
    return _Documents(plan, known, store), found
