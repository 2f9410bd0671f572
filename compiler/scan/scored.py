"""Which models' scores there are: what `mixc score` made last for a target or a rater as it stands."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, replace
from pathlib import Path
from typing import Any, TypeAlias

from mixc.compiler import registry
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.documents.storage import told
from mixc.compiler.recipe import Rater, Recipe, Target
from mixc.compiler.scan.beside import SCORES
from mixc.compiler.scan.plan import GatePlan, GateQuality, Passed, RaterPlan, ScorePlan, SourcePlan, reading_of
from mixc.compiler.scan.score_messages import free_offsets, never_scored, uneven_gate
from mixc.compiler.scan.store import FOLDER, Store
from mixc.compiler.whole import kept_json, write_whole
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.reading import file_bytes

INDEX = "index.json"

Scorer: TypeAlias = Target | Rater
"""What a model scores documents by: a target, or a rater of a `kind`."""


def backend_of(scorer: Scorer) -> str:
    """The backend that scores by it, as manifests name it; it is registered as `score-…`."""
    return "nag" if isinstance(scorer, Target) else scorer.kind or ""


def load_backend(name: str) -> Any:
    """What a backend of scores registered."""
    return registry.load(f"score-{name}")


def scorers(recipe: Recipe) -> list[Scorer]:
    """All that models score the documents of a recipe by: targets, then raters, each sorted by name."""
    return [*used_targets(recipe), *weighed_models(recipe)]


def weighed_models(recipe: Recipe) -> list[Rater]:
    """Raters that are models and that a domain weighs, sorted by name."""
    used = _weighed(recipe)
    return sorted((one for one in recipe.raters if one.kind is not None and one.name in used), key=lambda one: one.name)


def weighed_targets(recipe: Recipe) -> list[Target]:
    """Targets that a domain weighs, sorted by name."""
    used = _weighed(recipe)
    return sorted((one for one in recipe.targets if one.name in used), key=lambda one: one.name)


def _weighed(recipe: Recipe) -> set[str]:
    return {name for domain in recipe.domains for name, weight in domain.weights if weight > 0}


def gate_targets(recipe: Recipe) -> tuple[list[Target], list[Diagnostic]]:
    """Targets that are a gate together, sorted by name, and whether they can be one."""
    gates = sorted((one for one in recipe.targets if one.fraction is not None), key=lambda one: one.name)
    return gates, [
        uneven_gate(gates[0], other, key)
        for other in gates[1:]
        for key in ("fraction", "scope", "overlap")
        if getattr(other, key) != getattr(gates[0], key)
    ]


def gate_quality(recipe: Recipe, targets: Sequence[Target]) -> GateQuality | None:
    """The rater that the gate of these targets ranks by too; one that there is not was told by the front."""
    named = {target.quality for target in targets}
    found = next((rater for rater in recipe.raters if rater.name in named), None)
    return None if found is None else GateQuality(found.name, found.column or found.name, found.better, found.range)


def used_targets(recipe: Recipe) -> list[Target]:
    """Targets that documents are compared with."""
    return sorted([*weighed_targets(recipe), *gate_targets(recipe)[0]], key=lambda one: one.name)


def state_of(scorer: Scorer, folder: Path) -> str:
    """It as it stands: texts and parameters of a target, or a rater's model, hashed. Raises `Unreadable`."""
    if isinstance(scorer, Rater):
        state: str = load_backend(backend_of(scorer)).state(scorer, folder)
        return state
    with told(scorer.path, remote=False, span=scorer.span):
        texts = hashlib.sha256(file_bytes(folder / scorer.path)).hexdigest()
    stated = [texts, scorer.model, scorer.layers, scorer.top_k, scorer.tokens, scorer.projection]
    imported = load_backend(backend_of(scorer)).imported_state(scorer, folder)
    stated += [imported] if imported else []
    return hashlib.sha256(json.dumps(stated).encode()).hexdigest()[:32]


def gate_state(recipe: Recipe, targets: Sequence[Target], sources: Sequence[SourcePlan]) -> str:
    """A gate as it stands: its targets, what it keeps, and how documents are read. Raises `Unreadable`."""
    folder = Path(recipe.path).parent
    stated = [(state_of(one, folder), one.fraction, one.scope, one.weight, one.overlap) for one in targets]
    holdouts = [one.holdout for one in recipe.evaluations]
    reading = [(reading_of(source), source.text) for source in sources]
    quality = gate_quality(recipe, targets)
    judged = [] if quality is None else [asdict(quality)]
    text = json.dumps([stated, reading, holdouts, recipe.budget.seed, *judged])
    return "gate:" + hashlib.sha256(text.encode()).hexdigest()[:32]


def planned_gate(recipe: Recipe, sources: Sequence[SourcePlan]) -> tuple[GatePlan | None, list[Diagnostic]]:
    """The gate of a recipe as it was decided last; None where it has none."""
    targets, found = gate_targets(recipe)
    if found or not targets:
        return None, found
    try:
        made = read_index(Path(recipe.path).parent).get(gate_state(recipe, targets, sources))
    except Unreadable as error:
        return None, [error.diagnostic]
    if made is None:
        return None, [never_scored(targets[0], Path(recipe.path).name)]
    gate = gate_from(made["key"], made["backend"], made["parameters"])
    return replace(gate, passed=tuple(Passed(*one) for one in made.get("passed", ()))), []


def gate_from(key: str, backend: str, parameters: Mapping[str, Any]) -> GatePlan:
    """A gate by what is written down of it."""
    targets, weights = tuple(parameters["targets"]), tuple(parameters["weights"])
    fraction, scope, overlap = parameters["fraction"], parameters["scope"], parameters["overlap"]
    judged = parameters.get("quality")
    quality = None
    if judged is not None:
        ends = judged.get("range")
        quality = GateQuality(
            judged["rater"], judged["column"], judged["better"], None if ends is None else tuple(ends)
        )
    return GatePlan(targets, backend, key, fraction, scope, weights, overlap, parameters["pool"], quality)


def gate_parameters(gate: GatePlan) -> dict[str, Any]:
    """What is written down of a gate beside its key and its backend."""
    quality = gate.quality
    judged: dict[str, Any] = (
        {} if quality is None else {"rater": quality.rater, "column": quality.column, "better": quality.better}
    )
    if quality is not None and quality.range is not None:
        judged["range"] = list(quality.range)
    return {
        "targets": list(gate.targets),
        "weights": list(gate.weights),
        "fraction": gate.fraction,
        "scope": gate.scope,
        "overlap": gate.overlap,
        "pool": gate.pool,
    } | ({"quality": judged} if judged else {})


def model_scores(recipe: Recipe) -> tuple[list[RaterPlan], list[ScorePlan], list[Diagnostic]]:
    """Raters whose scores models gave, and how models score; those that never scored are told."""
    folder = Path(recipe.path).parent
    scores: list[ScorePlan] = []
    found: list[Diagnostic] = []
    index = read_index(folder)
    for scorer in scorers(recipe):
        try:
            found += unidentified(scorer, folder)
            made = index.get(state_of(scorer, folder))
        except Unreadable as error:
            found.append(error.diagnostic)
            continue
        if made is None:
            found.append(never_scored(scorer, Path(recipe.path).name))
            continue
        parameters = {key: tuple(v) if isinstance(v, list) else v for key, v in made["parameters"].items()}
        scores.append(ScorePlan(scorer.name, made["backend"], made["key"], tuple(sorted(parameters.items()))))
    return planned_raters(recipe, scores), scores, found


def planned_raters(recipe: Recipe, scores: Sequence[ScorePlan]) -> list[RaterPlan]:
    """Raters, as scan reads them, whose scores are what models gave: those that a domain weighs."""
    keys = {one.name: one.key for one in scores}
    targets = [
        RaterPlan(one.name, "", "higher", None, "exclude", "language", keys[one.name])
        for one in weighed_targets(recipe)
        if one.name in keys
    ]
    models = [
        RaterPlan(one.name, "", one.better, one.range, one.missing, one.scope, keys[one.name])
        for one in weighed_models(recipe)
        if one.name in keys
    ]
    return [*targets, *models]


def unidentified(scorer: Scorer, folder: Path) -> list[Diagnostic]:
    """A rater that is to rank all languages together, although its scores compare within one only."""
    if isinstance(scorer, Target) or scorer.scope != "global":
        return []
    return [] if load_backend(backend_of(scorer)).identified(scorer, folder) else [free_offsets(scorer)]


def read_index(folder: Path) -> dict[str, dict[str, Any]]:
    """What was made, by the state of the target it was made for; nothing where it cannot be read."""
    found = kept_json(folder / FOLDER / SCORES / INDEX)
    return found if isinstance(found, dict) else {}


def remember(
    store: Store, folder: Path, made: Sequence[tuple[str, ScorePlan]], gate: tuple[str, GatePlan] | None
) -> None:
    """Write down what was made for which state of a target or rater, and of a gate."""
    index = read_index(folder)
    for state, plan in made:
        index[state] = {"backend": plan.backend, "key": plan.key, "parameters": dict(plan.parameters)}
    if gate is not None:
        passed = [list(astuple(one)) for one in gate[1].passed]
        stated = {"backend": gate[1].backend, "key": gate[1].key, "parameters": gate_parameters(gate[1])}
        index[gate[0]] = stated | {"passed": passed}
    path = store.folder_of(SCORES) / INDEX
    text = json.dumps(index, indent=1, sort_keys=True) + "\n"

    def write(temporary: Path) -> None:
        temporary.write_text(text, encoding="utf-8")

    write_whole(path, write)
