"""`mixc explain M --target T`: which layers and neurons drive a target, and how much targets have in common."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mixc.backends.nag.insight import Layer, concentration, similarity
from mixc.backends.nag.jobs import BACKEND, FEATURES, format_of, kept_under, place_of
from mixc.backends.nag.profile import Profile, profile_of
from mixc.backends.nag.store import origin_of, read_features
from mixc.compiler.documents.data import Batch, DataFile, Unreadable, Wanted
from mixc.compiler.documents.reading import parts, read
from mixc.compiler.review.words import count, percent, table
from mixc.compiler.scan.plan import Plan, ScorePlan
from mixc.compiler.scan.score_messages import no_such_target, not_here
from mixc.compiler.scan.store import FOLDER
from mixc.dsl.diagnostics import Diagnostic


def explained(plan: Plan, folder: Path, name: str, *, deactivate: bool = False) -> tuple[str | None, list[Diagnostic]]:
    """What a target of a manifest's plan looks at; `folder` is where `mixc score` kept what it read.

    With `deactivate` also what the model loses on the examples without these neurons, which runs it.
    """
    stated = {one.name: one for one in plan.scores if one.backend == BACKEND}
    if name not in stated:
        return None, [no_such_target(name, sorted(stated))]
    mine = stated[name]
    try:
        profile = _profile(mine, folder)
        alike = [one for one in stated.values() if _comparable(one, mine)]
        others = [_profile(one, folder) for one in alike if one.name != name]
        lost = _lost(mine, profile, folder) if deactivate else ""
    except Unreadable as error:
        return None, [error.diagnostic]
    return _told(mine, profile, others) + lost, []


def _lost(one: ScorePlan, profile: Profile, folder: Path) -> str:
    """The loss on the examples without the target's neurons, and without as many at random."""
    from mixc.backends.nag.deactivate import deactivation
    from mixc.backends.nag.model import load_model

    given: dict[str, Any] = dict(one.parameters)
    model = load_model(place_of(folder, str(given["model"])))
    if model.content != given.get("examples_content", given["content"]):
        raise Unreadable(not_here(one.name, str(given["model"])))
    path = folder / str(given["examples"])
    file = DataFile(one.name, path.name, str(path), format_of(path), path.stat().st_size if path.exists() else 0, "")
    texts = [text or "" for part in parts(file) for batch in read(part, Wanted(text="text")) for text in _texts(batch)]
    found = deactivation(model, profile, texts, projection=given["projection"], tokens=int(given["tokens"]))
    random = ", ".join(f"{loss:.2f}" for loss in found.random)
    return (
        f"\nloss on the examples, nats per token: {found.whole:.2f} with all neurons, {found.chosen:.2f} without the "
        f"{found.neurons:,} most frequent, {random} without as many at random\n"
    )


def _texts(batch: Batch) -> list[str | None]:
    found: list[str | None] = [] if batch.text is None else batch.text.to_pylist()
    return found


def _comparable(one: ScorePlan, other: ScorePlan) -> bool:
    """Whether two targets are seen through the same neurons."""
    keys = ("content", "precision", "projection", "top_k", "tokens", "layers")
    return all(dict(one.parameters).get(key) == dict(other.parameters).get(key) for key in keys)


def _profile(one: ScorePlan, folder: Path) -> Profile:
    given: dict[str, Any] = dict(one.parameters)
    key = kept_under(given, examples=True)
    paths = sorted((folder / FOLDER / FEATURES / key).glob(f"{given['texts']}.*.arrow"))
    if not paths:
        raise Unreadable(not_here(one.name, str(given["model"])))
    shape = origin_of(paths[0]).shape
    features = [batch.features for path in paths for batch in read_features(path)]
    every = np.concatenate(features) if features else np.empty((0, shape.length), dtype=np.uint16)
    return profile_of(one.name, every, shape, given.get("layers"))


def _told(plan: ScorePlan, profile: Profile, others: Sequence[Profile]) -> str:
    given: dict[str, Any] = dict(plan.parameters)
    shape = profile.shape
    head = (
        f"target {plan.name}: {count(profile.documents, 'example')} of {given['examples']}, by the {shape.top_k} most "
        f"active of {shape.width:,} neurons in each of {count(len(profile.layers), 'layer')} of {given['model']}, "
        f"over the first {count(int(given['tokens']), 'token')}"
    )
    lines = [[str(one.layer), f"{one.effective:.1f}", percent(round(one.common, 3)), _neurons(one)]
             for one in concentration(profile)]  # fmt: skip
    header = ("layer", "neurons", "common", "most frequent, with the part of the examples that activate each")
    notes = (
        f"neurons: how many carry the target, {shape.top_k} where all examples agree\n"
        f"common: the weight of the {shape.top_k} most frequent\n"
    )
    return f"{head}\n\n{table(header, lines, left=(3,))}{notes}{_alike(profile, others)}"


def _neurons(layer: Layer) -> str:
    return ", ".join(f"{neuron} {percent(round(part, 2))}" for neuron, part in layer.neurons)


def _alike(profile: Profile, others: Sequence[Profile]) -> str:
    if not others:
        return ""
    every = [profile, *others]
    found = similarity(every)
    names = [one.name for one in every]
    lines = [
        [name, *(percent(round(float(value), 3)) for value in row)] for name, row in zip(names, found, strict=True)
    ]
    return "\n" + table(("in common", *names), lines)
