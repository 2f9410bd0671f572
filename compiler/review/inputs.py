"""The provenance of a decision, from the recipe and what was found out about its data."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path, PurePath

from mixc.compiler.recipe import Recipe
from mixc.compiler.review.after import Earlier
from mixc.compiler.review.evaluation import Planned
from mixc.compiler.review.plan import stages
from mixc.compiler.review.provenance import PinnedFile, PinnedSource, Provenance
from mixc.compiler.review.tables import RunTables
from mixc.compiler.supply.supply import Supply
from mixc.dsl.text import Span

NO_EVALUATION = Planned()
PLANNED = "the supply comes from published sizes, not from documents"


def provenance_of(
    recipe: Recipe,
    supply: Supply,
    tables: RunTables | None = None,
    earlier: Earlier | None = None,
    evaluation: Planned = NO_EVALUATION,
) -> Provenance:
    """What manifest and lock say beside the problem; every path is relative to the recipe's folder."""
    documents = supply.documents
    planning = [source.name for source in recipe.sources if not source.paths]
    return Provenance(
        name=recipe.name,
        description=recipe.description,
        params=recipe.params,
        files=_files(recipe, supply, earlier),
        sources=_sources(supply, planning),
        licences=tuple((one.source, one.license) for one in supply.inputs),
        evaluations=evaluation.evaluations,
        tasks=evaluation.tasks,
        assumptions=supply.assumptions,
        places=_places(recipe),
        seed=recipe.budget.seed,
        reason=PLANNED if planning else None,
        stages=() if documents is None else stages(documents.catalog.plan, documents.domains),
        bits=None if documents is None else documents.catalog.bits,
        tables=None if tables is None else tables.hash,
        after=None if earlier is None else earlier.shown,
    )


def _files(recipe: Recipe, supply: Supply, earlier: Earlier | None) -> tuple[PinnedFile, ...]:
    files = {("recipe", file.name): PinnedFile("recipe", file.name, file.sha256) for file in recipe.files}
    found = [*supply.files, *(file for one in supply.inputs for file in one.files)]
    files |= {(file.kind, file.name): PinnedFile(file.kind, file.name, file.sha256, file.size) for file in found}
    for one in () if supply.documents is None else supply.documents.catalog.plan.scores:
        given = dict(one.parameters)
        model = hashlib.sha256(f"{given['content']} {given['precision']}".encode()).hexdigest()
        files["model", str(given["model"])] = PinnedFile("model", str(given["model"]), model)
        if "examples" in given:
            files["target", str(given["examples"])] = PinnedFile("target", str(given["examples"]), str(given["texts"]))
    if earlier is not None:
        files["after", earlier.shown] = PinnedFile("after", earlier.shown, earlier.sha256, earlier.size)
    return tuple(files[key] for key in sorted(files))


def _sources(supply: Supply, planning: list[str]) -> tuple[PinnedSource, ...]:
    return tuple(
        PinnedSource(
            name=one.source,
            planning=one.source in planning,
            files=tuple(file.name for file in one.files),
            size=sum(file.size for file in one.files) if one.size is None else one.size,
            count=one.count or len(one.files),
            sha256=one.sha256,
            tokens=one.tokens,
            documents=one.documents,
        )
        for one in supply.inputs
    )


def _places(recipe: Recipe) -> tuple[tuple[str, str], ...]:
    """Where the recipe states what a diff may name."""
    spans: list[tuple[str, Span | None]] = [("budget", recipe.budget.span), ("law", recipe.laws.span)]
    spans += [(f"source {one.name}", one.span) for one in recipe.sources]
    spans += [(f"language {one.code}", one.span) for one in recipe.languages]
    spans += [(f"phase {one.name}", one.span) for one in recipe.phases]
    folder = Path(recipe.path).parent
    return tuple(sorted((subject, _place(span, folder)) for subject, span in spans if span is not None))


def _place(span: Span, folder: Path) -> str:
    """`file:line`, the file relative to the recipe's folder (a span shows it as the user typed it)."""
    name = PurePath(os.path.relpath(Path(span.source.name).absolute(), folder)).as_posix()
    return f"{name}:{span.source.position(span.start)[0]}"
