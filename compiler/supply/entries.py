"""A source's published sizes as tokens per language: units, rates, aliases."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from mixc.compiler.recipe import Source
from mixc.compiler.supply.catalog import Catalog, CatalogRow
from mixc.compiler.supply.languages import UNDETERMINED, LanguageCode, canonical, has_words, rates, resolve
from mixc.compiler.supply.supply import Conversion, Reason, Unit, Unused

NO_LANGUAGE = UNDETERMINED - {"zxx"}  # code is content, though of no language


@dataclass(frozen=True, slots=True)
class Entry:
    """One row's tokens. `code` is the canonical language it counts for, None when it counts for none.

    `rate` is tokens per unit (1 for tokens), `script` what the default rate was chosen by.
    """

    tag: str
    code: str | None
    tokens: int
    unit: Unit
    rate: float
    assumed: bool
    script: str
    documents: int | None = None
    reason: Reason | Literal[""] = ""


def inline_rows(source: Source) -> tuple[CatalogRow, ...]:
    """The entries of `supply = { en: 15T tokens }` as rows of a catalog."""
    rows = []
    for line, entry in enumerate(source.supply, start=1):
        amount = math.floor(entry.amount + 0.5)
        row = CatalogRow(entry.language, resolve(entry.language), line)
        sizes: dict[str, int] = {entry.unit: amount}
        rows.append(CatalogRow(row.tag, row.language, line, **sizes))
    return tuple(rows)


def entries(source: Source, rows: Iterable[CatalogRow]) -> tuple[Entry, ...]:
    """Tokens of every row that has a size."""
    found = (entry(source, row) for row in rows)
    return tuple(one for one in found if one is not None)


def entry(source: Source, row: CatalogRow) -> Entry | None:
    """The row under its alias or its own code; None when it has no size.

    A source with `language = x` is used for x alone.
    """
    sized = unit_of(source, row)
    if sized is None:
        return None
    unit, amount = sized
    code = aliased(source, row)
    reason: Reason | Literal[""] = ""
    if code is None and row.language is None:
        reason = "unknown code"
    elif code is None and row.language is not None:
        code, reason = (row.language.code, "") if row.language.main else (None, "other script")
    if code is not None and source.language not in {None, code}:
        reason = "other language"
    script = row.language.script if row.language else "other"
    if unit == "words" and row.language is not None and not has_words(row.language.tag):
        return Entry(row.tag, code, 0, unit, 0.0, False, script, row.documents, "no words")
    rate, assumed = rate_of(source, unit, script)
    tokens = amount if unit == "tokens" else math.floor(amount * rate + 0.5)
    return Entry(row.tag, code, tokens, unit, rate, assumed, script, row.documents, reason)


def unit_of(source: Source, row: CatalogRow) -> tuple[Unit, int] | None:
    """The size to read: tokens, else the unit whose rate the recipe states, else bytes, else words."""
    sizes: tuple[tuple[Unit, int | None], ...] = (("tokens", row.tokens), ("bytes", row.bytes), ("words", row.words))
    if source.tokens_per_byte is None and source.tokens_per_word is not None:
        sizes = (sizes[0], sizes[2], sizes[1])
    return next(((unit, amount) for unit, amount in sizes if amount is not None), None)


def rate_of(source: Source, unit: Unit, script: str) -> tuple[float, bool]:
    """Tokens per unit, and whether that is assumed."""
    if unit == "tokens":
        return 1.0, False
    stated = source.tokens_per_byte if unit == "bytes" else source.tokens_per_word
    if stated is not None:
        return stated, False
    assumed = rates(script)
    return (assumed.tokens_per_byte if unit == "bytes" else assumed.tokens_per_word or 0.0), True


def aliased(source: Source, row: CatalogRow) -> str | None:
    """The language that the source's `aliases` give to this row."""
    for tag, target in source.aliases:
        if names(tag, row.tag, row.language):
            return canonical(target) or target
    return None


def names(alias: str, tag: str, language: LanguageCode | None) -> bool:
    """Whether an alias means this row: the same spelling, or the same language in the same script."""
    return alias.lower() == tag.lower() or (language is not None and resolve(alias) == language)


def conversions(found: Iterable[Entry]) -> tuple[Conversion, ...]:
    """The rates that were used, each with its languages."""
    groups: dict[tuple[Unit, str, float, bool], set[str]] = {}
    for one in found:
        if one.unit != "tokens" and one.code is not None:
            groups.setdefault((one.unit, one.script, one.rate, one.assumed), set()).add(one.code)
    return tuple(
        Conversion("bytes" if unit == "bytes" else "words", script, rate, assumed, tuple(sorted(codes)))
        for (unit, script, rate, assumed), codes in sorted(groups.items())
    )


def unused(source: str, found: Iterable[Entry], languages: frozenset[str]) -> tuple[Unused, ...]:
    """What the mixture leaves aside, largest first."""
    left = []
    for one in found:
        if one.reason:
            left.append(Unused(source, one.tag, one.tokens, one.reason))
        elif one.code is not None and one.code not in languages:
            left.append(
                Unused(source, one.tag, one.tokens, "no language" if one.code in NO_LANGUAGE else "not declared")
            )
    return tuple(sorted(left, key=lambda u: (-u.tokens, u.tag)))


def named(catalog: Catalog | None, key: str) -> str | None:
    """What a catalog's header says under `key`, if there is a catalog and it says anything."""
    return (catalog.header.get(key) or None) if catalog else None
