"""From a recipe and the columns that its data has to the plan of how documents are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from mixc.compiler.documents.columns import holds
from mixc.compiler.documents.data import DataFile, Unreadable, Wanted
from mixc.compiler.documents.messages import missing_column
from mixc.compiler.documents.reading import columns_of
from mixc.compiler.recipe import Domain, Rater, Recipe, Source
from mixc.compiler.scan import messages
from mixc.compiler.scan.find import find
from mixc.compiler.scan.plan import Counting, Holdout, Plan, RaterPlan, SourcePlan, whole_weights
from mixc.compiler.scan.score_messages import no_texts, other_texts
from mixc.compiler.scan.scored import model_scores, planned_gate, weighed_models
from mixc.dsl.diagnostics import Diagnostic, has_errors

TOKENIZER = 'tokenizer("'
Files = Mapping[str, tuple[DataFile, ...]]


def plan_of(recipe: Recipe) -> tuple[Plan | None, Files, list[Diagnostic]]:
    """The plan of a recipe and the files of every source of documents; None when something is missing."""
    sources, files, found = sources_of(recipe)
    if has_errors(found):
        return None, files, found
    by_models, scores, problems = model_scores(recipe)
    gate, more = planned_gate(recipe, sources) if not problems else (None, [])
    found += problems + more
    if has_errors(found):
        return None, files, found
    weighed = weighing(recipe.domains)
    used = {name for _, weights in weighed for name, _ in weights}
    by_columns = [plan_rater(rater) for rater in recipe.raters if rater.kind is None and rater.name in used]
    raters = tuple(sorted([*by_columns, *by_models], key=lambda rater: rater.name))
    params = tuple((param.name, param.default) for param in recipe.path_params)
    normalize, holdout = recipe.quality.normalize, holdout_of(recipe)
    plan = Plan(tuple(sources), raters, weighed, normalize, params, holdout, tuple(scores), gate)
    found += textless(recipe, plan)
    return None if has_errors(found) else plan, files, found


def sources_of(recipe: Recipe) -> tuple[list[SourcePlan], Files, list[Diagnostic]]:
    """How every source of documents is read, and its files."""
    folder = Path(recipe.path).parent
    files: dict[str, tuple[DataFile, ...]] = {}
    found: list[Diagnostic] = []
    sources: list[SourcePlan] = []
    for source in sorted(recipe.sources, key=lambda source: source.name):
        if not source.paths:
            continue
        files[source.name], problems = find(source, recipe.places, folder)
        found += problems
        if files[source.name]:
            planned, problems = plan_source(recipe, source, files[source.name])
            found += problems
            sources += [planned] if planned else []
    return sources, files, found


def textless(recipe: Recipe, plan: Plan) -> list[Diagnostic]:
    """Sources whose documents a model is to score, and that have no texts, or others than it is to read."""
    sources = {source.name: source for source in recipe.sources}
    models = {rater.name: rater for rater in weighed_models(recipe)}
    found = []
    for source in plan.sources:
        names = [rater.name for rater in plan.scored(source)] + list(plan.gate.targets if plan.gate else ())
        if source.text is None and names:
            found.append(no_texts(sources[source.name], names))
        found += [
            other_texts(models[name], sources[source.name], source.text)
            for name in names
            if source.text is not None and name in models and models[name].text not in (None, source.text)
        ]
    return found


def holdout_of(recipe: Recipe) -> Holdout | None:
    """What the evaluations of a recipe keep out of training: the largest share, which holds the smaller ones."""
    share = max((one.holdout or 0.0 for one in recipe.evaluations), default=0.0)
    return Holdout(share, recipe.budget.seed) if share else None


def weighing(domains: Iterable[Domain]) -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
    """Whole weights of every domain that has any, by name."""
    rated = {domain.name: whole_weights(dict(domain.weights)) for domain in domains}
    return tuple((name, weights) for name, weights in sorted(rated.items()) if weights)


def plan_rater(rater: Rater) -> RaterPlan:
    """A rater of a column."""
    return RaterPlan(rater.name, rater.column or rater.name, rater.better, rater.range, rater.missing, rater.scope)


def plan_source(
    recipe: Recipe, source: Source, files: Sequence[DataFile]
) -> tuple[SourcePlan | None, list[Diagnostic]]:
    """How a source is read, from the columns of its first file that has any: a file of no lines has none.

    What the recipe does not name is found by its role.
    """
    try:
        first, there = next(((file, columns) for file in files if (columns := columns_of(file))), (files[0], ()))
    except Unreadable as error:
        return None, [error.diagnostic]
    if not there:
        return None, [messages.no_documents(source, 0)]
    if absent := absent_columns(recipe, source, first, there):
        return None, absent
    column = columns_by_role(source, there)
    if column["text"] is None:
        column["text"] = next((one.text for one in weighed_models(recipe) if one.text in there), None)
    way, name = counting(column["tokens"])
    tokens = name if way == "column" else None
    found: list[Diagnostic] = []
    if column["id"] is None and column["text"] is None:
        found.append(messages.no_identity(source, there))
    elif tokens is None and column["text"] is None:
        found.append(messages.no_tokens(source, there))
    if found:
        return None, found
    domain = column["domain"] if source.domain == "und" else None
    wanted = Wanted(
        id=column["id"],
        text=column["text"] if column["id"] is None or tokens is None else None,
        language=None if source.language else column["language"],
        domain=domain,
        tokens=tokens,
        scores=scores_of(recipe, source, domain),
    )
    planned = SourcePlan(
        name=source.name,
        paths=source.paths,
        wanted=wanted,
        counting=Counting(way, "" if way == "bytes" else name, source.tokens_per_byte),
        language=source.language or (None if wanted.language else "und"),
        domain=source.domain if wanted.domain is None else None,
        aliases=source.aliases,
        eos=source.eos,
        ids=source.ids,
        bad_lines=source.bad_lines,
        format=source.format,
        text=column["text"],
    )
    return planned, []


def columns_by_role(source: Source, there: Sequence[str]) -> dict[str, str | None]:
    """The column of every role: as the recipe names it, else the one that is called so, else none."""
    stated = dict(source.columns)
    roles = ("id", "text", "language", "domain", "tokens")
    return {role: stated.get(role, role if role in there else None) for role in roles}


def absent_columns(recipe: Recipe, source: Source, first: DataFile, there: Sequence[str]) -> list[Diagnostic]:
    """Columns that the recipe names and the data does not have, wanted or not; lines of JSON may all differ."""
    if first.format == "jsonl":
        return []
    named = [(role, name) for role, name in source.columns if not name.startswith(TOKENIZER)]
    found = [missing_column(first.name, name, role, there) for role, name in named if name not in there]
    if source.domain == "und" and "domain" in {*dict(source.columns), *there}:
        return found  # which raters are needed, documents say
    raters = {rater.name: rater for rater in recipe.raters}
    for name, column in scores_of(recipe, source, None):
        if not holds(there, column):
            found.append(messages.missing_scores(source, raters[name], {source.domain: 0}, [first.name], there))
    return found


def counting(tokens: str | None) -> tuple[Literal["column", "tokenizer", "bytes"], str]:
    """How tokens are counted, and the column or the tokenizer."""
    if tokens is None:
        return "bytes", ""
    if tokens.startswith(TOKENIZER):
        return "tokenizer", tokens.removeprefix(TOKENIZER).removesuffix('")')
    return "column", tokens


def scores_of(recipe: Recipe, source: Source, domain_column: str | None) -> tuple[tuple[str, str], ...]:
    """(rater, column) of the raters that the source's domains weigh: all of them where domains are a column."""
    domains = [d for d in recipe.domains if domain_column is not None or d.name == source.domain]
    used = {name for _, weights in weighing(domains) for name, _ in weights}
    raters = sorted((r for r in recipe.raters if r.kind is None and r.name in used), key=lambda r: r.name)
    return tuple((r.name, r.column or r.name) for r in raters)
