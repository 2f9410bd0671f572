"""What profiles say about raters: scores that are absent, out of range, or drifted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import TypeAlias

from mixc.compiler.documents.data import DataFile
from mixc.compiler.documents.reading import columns_of
from mixc.compiler.recipe import Recipe
from mixc.compiler.scan import messages
from mixc.compiler.scan.labels import Key
from mixc.compiler.scan.normalise import EVERY, Tables, stability
from mixc.compiler.scan.passing import of_source, told
from mixc.compiler.scan.plan import Plan
from mixc.compiler.scan.profile import NOTHING, Odd, Profile, add_sparse, total
from mixc.dsl.diagnostics import Diagnostic

RARE = 100  # one score in so many may lie outside the declared range
DRIFT = 0.1

Unscored: TypeAlias = tuple[DataFile, Mapping[Key, int]]
"""A file without a rater's column, and its documents by (rater, domain) that are judged by one."""


def check_profile(recipe: Recipe, plan: Plan, profiles: Mapping[str, Profile]) -> list[Diagnostic]:
    """Every source holds documents, and every rater has scores for most of the languages that it judges."""
    found = [
        messages.no_documents(
            source, profiles[source.name].empty, profiles[source.name].withheld, _gated(plan, source.name)
        )
        for source in recipe.sources
        if source.name in profiles and not profiles[source.name].held
    ]
    whole = total(profiles.values())
    raters = {rater.name: rater for rater in recipe.raters}
    for rater in plan.raters:
        judged = judged_documents(plan, rater.name, whole)
        for language, documents in sorted(judged.items()):
            scored = int(whole.scores.get((rater.name, language), NOTHING)[1].sum())
            if 2 * scored < documents and wanted(recipe, language):
                found.append(messages.rater_absent(raters[rater.name], language, scored, documents))
        outside = sum(whole.odd.get((rater.name, language), Odd()).outside for language in judged)
        scored = sum(int(s[1].sum()) for (name, _), s in whole.scores.items() if name == rater.name)
        if outside * RARE > scored:
            found.append(messages.outside_range(raters[rater.name], outside, scored))
    return found


def check_columns(recipe: Recipe, unscored: Mapping[str, Sequence[Unscored]]) -> list[Diagnostic]:
    """Raters whose column is not in some files of a source, though they judge documents there: one report for each."""
    found = []
    for source in recipe.sources:
        by_rater: dict[str, dict[str, int]] = {}
        files: dict[str, dict[str, DataFile]] = {}
        for file, absent in unscored.get(source.name, ()):
            for (name, domain), documents in absent.items():
                judged = by_rater.setdefault(name, {})
                judged[domain] = judged.get(domain, 0) + documents
                files.setdefault(name, {})[file.name] = file
        for rater in recipe.raters:
            if rater.name in by_rater:
                names = sorted(files[rater.name])
                there = columns_of(files[rater.name][names[0]])
                found.append(messages.missing_scores(source, rater, by_rater[rater.name], names, there))
    return found


def _gated(plan: Plan, source: str) -> str:
    """What a gate let through of a source, in words; nothing where there is none."""
    passed = None if plan.gate is None else of_source(plan.gate, source)
    return "" if plan.gate is None or passed is None else told(plan.gate, passed)


def wanted(recipe: Recipe, language: str) -> bool:
    """Whether a language can be in the mixture at all."""
    declared = {one.code for one in recipe.languages}
    return not declared or recipe.all_languages is not None or language in declared


def judged_documents(plan: Plan, rater: str, whole: Profile) -> dict[str, int]:
    """Documents by language in the domains that weigh a rater."""
    judged: dict[str, int] = {}
    for (language, domain), (documents, _) in whole.held.items():
        if rater in dict(plan.weights_of(domain)):
            judged[language] = judged.get(language, 0) + documents
    return judged


def drift(recipe: Recipe, plan: Plan, tables: Tables, whole: Profile) -> list[Diagnostic]:
    """Raters whose scores no longer fit tables that were fitted before; only ranks are evenly taken by definition."""
    if plan.normalize != "rank":
        return []
    found = []
    name = recipe.path.replace("\\", "/").rpartition("/")[2]
    for (rater, language), table in sorted(tables.tables.items()):
        mine = [s for (held, code), s in whole.scores.items() if held == rater and language in (code, EVERY)]
        index = stability(reduce(add_sparse, mine, NOTHING), table)
        if index > DRIFT:
            found.append(messages.drifted(rater, None if language == EVERY else language, index, name))
    return found
