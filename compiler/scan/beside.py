"""Where the scores that models gave lie: beside the recipe, under the model and parameters, then the file's content."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from mixc.compiler.documents.data import Wanted
from mixc.compiler.scan.plan import GATE, GatePlan, Plan
from mixc.compiler.scan.score_messages import not_scored, other_pool
from mixc.compiler.scan.stages import Found
from mixc.compiler.scan.store import Store, key_of
from mixc.dsl.diagnostics import Diagnostic

SCORES = "scores"


def sidecar(store: Store, key: str, plan: Plan, one: Found) -> Path:
    """The file with the scores under a key of a file of documents."""
    return (store.folder / SCORES / key / f"{stem(plan, one)}.arrow").absolute()


def gated(store: Store, key: str, plan: Plan, one: Found) -> Path:
    """The file that says which documents of a file pass a gate: files of one content may differ in that by source."""
    own = one.file.name if plan.source(one.file.source).ids == "per-file" else ""
    return (store.folder / SCORES / key / f"{key_of(stem(plan, one), one.file.source, own)}.arrow").absolute()


def stem(plan: Plan, one: Found) -> str:
    """The name under which a file's scores are kept: its content, with the column of texts if it is not `text`."""
    text = plan.source(one.file.source).text
    return one.identity if text in (None, "text") else key_of(one.identity, text)


def text_stem(store: Store, plan: Plan, one: Found) -> str:
    """The name under which is kept what is made of a file's texts alone: other columns may change, or not be read."""
    text = plan.source(one.file.source).text
    if text is None or one.file.format != "parquet":  # of other formats all bytes are the identity
        return stem(plan, one)
    return key_of("texts", store.identity(one.file, Wanted(text=text)), text)


def with_scores(plan: Plan, store: Store, known: Sequence[Found]) -> tuple[list[Found], list[Diagnostic]]:
    """The files with the scores that models gave their documents; what was not scored is told by rater."""
    lacking: Counter[str] = Counter()
    found = []
    for one in known:
        sidecars = []
        raters = plan.scored(plan.source(one.file.source))
        paths = [(rater.name, sidecar(store, rater.scores or "", plan, one)) for rater in raters]
        if plan.gate is not None:
            paths.append((GATE, gated(store, plan.gate.key, plan, one)))
        for name, path in paths:
            if path.exists():
                sidecars.append((name, str(path)))
            else:
                lacking[name] += 1
        found.append(replace(one, file=replace(one.file, sidecars=tuple(sidecars))) if sidecars else one)
    told = [not_scored(rater, count, len(known)) for rater, count in sorted(lacking.items())]
    return found, check_gate(plan.gate, known) or told


def pool_of(known: Iterable[Found]) -> str:
    """The documents that a gate was decided over, by content."""
    lines = sorted(f"{one.file.source} {one.identity}\n" for one in known)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def check_gate(gate: GatePlan | None, known: Sequence[Found]) -> list[Diagnostic]:
    """Whether a gate was decided over these documents."""
    return [] if gate is None or gate.pool == pool_of(known) else [other_pool(gate.targets)]
