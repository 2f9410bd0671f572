"""The plan in the manifest: how documents are read, rated and drawn, every parameter of it; and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mixc.compiler.review.plan_rows import StageRow

if TYPE_CHECKING:
    from mixc.compiler.recipe import Domain
    from mixc.compiler.review.schema import Manifest
    from mixc.compiler.scan.plan import Plan, ScorePlan

LOCATE, READ, WITHHOLD, SCORE, GATE = "locate", "read", "withhold", "score", "gate"
NORMALISE, MERGE, SAMPLE = "normalise", "merge", "sample"
DOCUMENTS, QUADMIX = "documents", "quadmix"


def stages(plan: Plan, domains: tuple[Domain, ...]) -> tuple[StageRow, ...]:
    """The params of paths, one stage per source, what is held out, then one per step of QuaDMix."""
    from mixc.compiler.scan.scored import gate_parameters

    found: list[StageRow] = []
    if plan.params:
        params = [_plain({"name": name, "default": default}) for name, default in plan.params]
        found.append(StageRow(backend=DOCUMENTS, stage=LOCATE, parameters={"params": params}))
    found += [StageRow(backend=DOCUMENTS, stage=READ, parameters=_plain(asdict(source))) for source in plan.sources]
    if plan.holdout is not None:
        found.append(StageRow(backend=DOCUMENTS, stage=WITHHOLD, parameters={"share": plan.holdout.share}))
    found += [StageRow(backend=one.backend, stage=SCORE, parameters=_of_score(one)) for one in plan.scores]
    if plan.gate is not None:
        parameters = {"key": plan.gate.key} | gate_parameters(plan.gate)
        found.append(StageRow(backend=plan.gate.backend, stage=GATE, parameters=parameters))
    if plan.raters:
        raters = [_plain(asdict(rater)) for rater in plan.raters]
        found.append(
            StageRow(backend=QUADMIX, stage=NORMALISE, parameters={"normalize": plan.normalize, "raters": raters})
        )
        weights = {domain: dict(pairs) for domain, pairs in plan.weights}
        found.append(StageRow(backend=QUADMIX, stage=MERGE, parameters={"weights": weights}))
    curves = {domain.name: _plain(asdict(domain.sampling)) for domain in domains if domain.sampling is not None}
    if curves:
        scale = {"scale": "omega"} if any("stated_omega" in curve for curve in curves.values()) else {}
        found.append(StageRow(backend=QUADMIX, stage=SAMPLE, parameters={"curves": curves} | scale))
    return tuple(found)


def plan_from_manifest(manifest: Manifest) -> Plan:
    """The plan that `stages` wrote."""
    from pydantic import TypeAdapter

    from mixc.compiler.scan.plan import GatePlan, Holdout, Plan, RaterPlan, SourcePlan
    from mixc.compiler.scan.scored import gate_from

    sources: list[SourcePlan] = []
    gate: GatePlan | None = None
    scores: list[ScorePlan] = []
    raters: tuple[RaterPlan, ...] = ()
    weights: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = ()
    params: tuple[tuple[str, str | None], ...] = ()
    holdout: Holdout | None = None
    normalize: Any = "rank"
    for row in manifest.plan:
        if row.stage == LOCATE:
            params = tuple((one["name"], one.get("default")) for one in row.parameters["params"])
        elif row.stage == READ:
            given = {"language": None, "domain": None} | row.parameters
            sources.append(TypeAdapter(SourcePlan).validate_python(given))
        elif row.stage == WITHHOLD:
            holdout = Holdout(row.parameters["share"], manifest.selection.seed)
        elif row.stage == SCORE:
            scores.append(_score_of(row))
        elif row.stage == GATE:
            gate = gate_from(row.parameters["key"], row.backend, row.parameters)
        elif row.stage == NORMALISE:
            normalize = row.parameters["normalize"]
            stated = [{"range": None, "scores": None} | one for one in row.parameters["raters"]]
            raters = TypeAdapter(tuple[RaterPlan, ...]).validate_python(stated)
        elif row.stage == MERGE:
            by_domain = sorted(row.parameters["weights"].items())
            weights = tuple((domain, tuple(sorted(pairs.items()))) for domain, pairs in by_domain)
    return Plan(tuple(sources), raters, weights, normalize, params, holdout, tuple(scores), gate)


def _of_score(one: ScorePlan) -> dict[str, Any]:
    return {"name": one.name, "key": one.key} | {key: _plain(value) for key, value in one.parameters}


def _score_of(row: StageRow) -> ScorePlan:
    from mixc.compiler.scan.plan import ScorePlan

    parameters = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in sorted(row.parameters.items())
        if key not in ("name", "key")
    }
    return ScorePlan(row.parameters["name"], row.backend, row.parameters["key"], tuple(parameters.items()))


def plan_changes(old: Manifest, new: Manifest) -> list[str]:
    """How documents are read, rated and drawn otherwise: what is behind a supply that moved. Weights are of 65,536."""
    before, after = _settings(old), _settings(new)
    return [
        f"plan, {name}: {_told(before.get(name))} -> {_told(after.get(name))}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def _settings(manifest: Manifest) -> dict[str, Any]:
    """Every parameter of the plan under its full name."""
    found: dict[str, Any] = {}

    def add(name: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                add(f"{name} {key}", inner)
        elif isinstance(value, list) and value and all(isinstance(one, dict) and "name" in one for one in value):
            for one in value:
                add(f"{name} {one['name']}", {key: inner for key, inner in one.items() if key != "name"})
        else:
            found[name] = value

    for row in manifest.plan:
        about = row.parameters.get("name")
        add(f"{row.stage} {about}" if about else row.stage, row.parameters)
    return found


def _told(value: Any) -> str:
    return "none" if value is None else str(value)


def _plain(value: Any) -> Any:
    """As JSON reads it back: no tuples, and nothing that is not stated."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items() if one is not None}
    return [_plain(one) for one in value] if isinstance(value, tuple | list) else value
