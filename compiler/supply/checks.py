"""Does the data hold what the recipe declares?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import combinations
from typing import TypeAlias

from mixc.compiler.recipe import Recipe, Source
from mixc.compiler.scan.passing import by_language, told
from mixc.compiler.scan.plan import GatePlan
from mixc.compiler.supply import pool_messages as messages
from mixc.compiler.supply.catalog import Catalog
from mixc.compiler.supply.entries import NO_LANGUAGE, Entry, named, names
from mixc.compiler.supply.languages import resolve
from mixc.dsl.diagnostics import Diagnostic, Severity

Held: TypeAlias = tuple[Source, Sequence[Entry], Mapping[str, int]]
UNHEARD = 0.01  # of a source's tokens that may be left out for want of a language without a word
Read: TypeAlias = tuple[Source, Catalog | None, Sequence[Entry], Mapping[str, int]]


def check_languages(recipe: Recipe, held: Sequence[Held], gate: GatePlan | None = None) -> list[Diagnostic]:
    """Every declared language has tokens behind the gate, and none only as words that cannot be converted."""
    with_supply = {code for _, _, tokens in held for code, count in tokens.items() if count > 0}
    declared = {language.code for language in recipe.languages}
    found = []
    without_words: set[str] = set()
    for source, rows, _ in held:
        tags = [row.tag for row in rows if row.reason == "no words" and row.code in declared]
        if tags:
            found.append(messages.words_of(source, tags))
            without_words |= {row.code for row in rows if row.tag in tags and row.code}
    for language in recipe.languages:
        if language.code not in with_supply | without_words:
            near = sorted(near_misses(language.code, held), key=lambda miss: (-miss[2], miss[0], miss[1]))
            passed = None if gate is None else by_language(gate).get(language.code)
            stopped = "" if gate is None or passed is None else told(gate, passed)
            found.append(messages.no_supply(language, sorted(with_supply), near, stopped))
    return found


def near_misses(code: str, held: Iterable[Held]) -> Iterator[tuple[str, str, int]]:
    """(source, tag, tokens) of rows that are probably meant: the language in another script, or a variety of it."""
    for source, rows, _ in held:
        for row in rows:
            base = resolve(row.tag.replace("-", "_").partition("_")[0])
            if row.reason in {"other script", "unknown code"} and base is not None and base.code == code:
                yield source.name, row.tag, row.tokens


def check_domains(recipe: Recipe, scanned: AbstractSet[str]) -> list[Diagnostic]:
    """Raters and sampling curves act on documents, which only the `scanned` domains have."""
    found = []
    for domain in recipe.domains:
        if domain.name in scanned:
            continue
        if not any(source.domain == domain.name for source in recipe.sources):
            found.append(messages.no_domain(domain, sorted(scanned)))
            continue
        if domain.sampling is not None:
            found.append(messages.needs_documents(domain, "sampling", Severity.ERROR))
        elif domain.weights:
            found.append(messages.needs_documents(domain, "weights", Severity.WARNING))
    return found


def check_sources(held: Sequence[Read], languages: Sequence[str]) -> list[Diagnostic]:
    """Unknown codes, idle aliases, sources of no use, and two sources of one origin."""
    found = []
    for source, catalog, rows, tokens in held:
        unknown = [row.tag for row in rows if row.reason == "unknown code"]
        if unknown:
            found.append(messages.unknown_codes(source, unknown))
        for alias, _ in source.aliases:
            if catalog and not any(names(alias, row.tag, resolve(row.tag)) for row in rows):
                found.append(messages.idle_alias(source, alias, [row.tag for row in rows]))
        if languages and not any(tokens.get(code, 0) for code in languages):
            found.append(messages.source_unused(source, sorted(code for code, count in tokens.items() if count)))
            continue
        lost = sum(tokens.get(code, 0) for code in NO_LANGUAGE if code not in languages)
        if source.paths and lost > UNHEARD * sum(tokens.values()):
            found.append(messages.without_language(source, lost, sum(tokens.values())))
    return found + list(shared_origins(held, languages))


def shared_origins(held: Sequence[Read], languages: Sequence[str]) -> Iterator[Diagnostic]:
    """Pairs of sources of one origin that hold a language of the mixture in common and state no overlap.

    Two origins that the recipe itself states are compared by the front; here a catalog's header names one of them.
    """
    for (first, first_catalog, _, one), (second, second_catalog, _, other) in combinations(held, 2):
        origin = first.origin or named(first_catalog, "origin")
        both = [code for code in languages if one.get(code, 0) and other.get(code, 0)]
        stated = second.name in dict(first.overlap) or first.name in dict(second.overlap)
        known = first.origin is not None and second.origin is not None
        if (
            origin
            and not known
            and origin == (second.origin or named(second_catalog, "origin"))
            and both
            and not stated
        ):
            yield messages.one_origin(first, second, origin, both)
