"""The plan in the manifest: how documents are read, rated and drawn, every parameter of it; and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mixc.compiler.review.plan_rows import StageRow

if TYPE_CHECKING:
    from mixc.compiler.recipe import Domain
    from mixc.compiler.review.schema import Manifest
    from mixc.compiler.scan.plan import Plan

READ, NORMALISE, MERGE, SAMPLE = "read", "normalise", "merge", "sample"
DOCUMENTS, QUADMIX = "documents", "quadmix"


def stages(plan: Plan, domains: tuple[Domain, ...]) -> tuple[StageRow, ...]:
    """One stage per source, then one per step of QuaDMix."""
    found = [StageRow(backend=DOCUMENTS, stage=READ, parameters=_plain(asdict(source))) for source in plan.sources]
    if plan.raters:
        raters = [_plain(asdict(rater)) for rater in plan.raters]
        found.append(
            StageRow(backend=QUADMIX, stage=NORMALISE, parameters={"normalize": plan.normalize, "raters": raters})
        )
        weights = {domain: dict(pairs) for domain, pairs in plan.weights}
        found.append(StageRow(backend=QUADMIX, stage=MERGE, parameters={"weights": weights}))
    curves = {domain.name: _plain(asdict(domain.sampling)) for domain in domains if domain.sampling is not None}
    if curves:
        found.append(StageRow(backend=QUADMIX, stage=SAMPLE, parameters={"curves": curves}))
    return tuple(found)


def plan_from_manifest(manifest: Manifest) -> Plan:
    """The plan that `stages` wrote."""
    from pydantic import TypeAdapter

    from mixc.compiler.scan.plan import Plan, RaterPlan, SourcePlan

    sources: list[SourcePlan] = []
    raters: tuple[RaterPlan, ...] = ()
    weights: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = ()
    normalize: Any = "rank"
    for row in manifest.plan:
        if row.stage == READ:
            given = {"language": None, "domain": None} | row.parameters
            sources.append(TypeAdapter(SourcePlan).validate_python(given))
        elif row.stage == NORMALISE:
            normalize = row.parameters["normalize"]
            stated = [{"range": None} | one for one in row.parameters["raters"]]
            raters = TypeAdapter(tuple[RaterPlan, ...]).validate_python(stated)
        elif row.stage == MERGE:
            by_domain = sorted(row.parameters["weights"].items())
            weights = tuple((domain, tuple(sorted(pairs.items()))) for domain, pairs in by_domain)
    return Plan(tuple(sources), raters, weights, normalize)


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
