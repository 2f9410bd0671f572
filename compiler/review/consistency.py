"""What the schema cannot say: rows that must fit together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from mixc.compiler.review import rows
from mixc.compiler.review.schema import Manifest
from mixc.dsl.table import load_table
from mixc.dsl.wording import plain

Clash = tuple[str, str]  # where, what


def contradiction(manifest: Manifest) -> Clash | None:
    """The first place where rows contradict each other; None when all fit."""
    return (
        _names("recipe", [manifest.recipe.name])
        or _names("sources", [row.name for row in manifest.sources])
        or _names("phases", [row.name for row in manifest.phases])
        or _twice("languages", [row.code for row in manifest.languages])
        or _twice("sources", [row.name for row in manifest.sources])
        or _twice("phases", [row.name for row in manifest.phases])
        or _twice("supply", [f"{row.source}, {row.language}, {row.domain}" for row in manifest.supply])
        or _supplies(manifest)
        or _mixture(manifest)
        or _budget(manifest)
        or _plan(manifest)
    )


def _names(where: str, names: Iterable[str]) -> Clash | None:
    """Recipes, sources and phases name files and folders: nothing that no recipe could call them."""
    form = re.compile(load_table().patterns["NAME"])
    bad = next((name for name in names if not form.fullmatch(name)), None)
    return None if bad is None else (where, f"`{plain(bad)}` is no name")


def _twice(where: str, names: Iterable[str]) -> Clash | None:
    name, count = next(iter(Counter(names).most_common(1)), ("", 0))
    return (where, f"`{plain(name)}` is listed twice") if count > 1 else None


def _supplies(manifest: Manifest) -> Clash | None:
    languages = {row.code for row in manifest.languages}
    sources = {row.name for row in manifest.sources}
    for i, row in enumerate(manifest.supply):
        lists = (row.low, row.high, row.tokens, row.density, row.taken or row.tokens, row.copies or row.tokens)
        if len({len(values) for values in lists}) > 1:
            return f"supply[{i}]", "its lists per bucket differ in length"
        if row.language not in languages or row.source not in sources:
            return f"supply[{i}]", "its language or source is not listed"
    return None


def _mixture(manifest: Manifest) -> Clash | None:
    buckets = {(row.source, row.language, row.domain): len(row.tokens) for row in manifest.supply}
    phases = {row.name for row in manifest.phases}
    seen: set[tuple[str, str, str, str]] = set()
    for i, row in enumerate(manifest.mixture):
        pool = (row.source, row.language, row.domain)
        key = (row.phase, *pool)
        if pool not in buckets or row.phase not in phases:
            return f"mixture[{i}]", "its phase or supply is not listed"
        if key in seen:
            return f"mixture[{i}]", "its phase takes the same supply twice"
        if any(length != buckets[pool] for length in _lengths(row)):
            return f"mixture[{i}]", "its lists per bucket do not match the supply's"
        seen.add(key)
    return None


def _lengths(row: rows.MixtureRow) -> tuple[int, ...]:
    lists = (
        row.supply_by_bucket, row.tokens_by_bucket, row.share_by_bucket, row.epochs_by_bucket, row.binds_by_bucket
    )  # fmt: skip
    return tuple(len(values) for values in lists)


def _plan(manifest: Manifest) -> Clash | None:
    from mixc.compiler.review.plan import plan_from_manifest

    if not manifest.plan:
        return None
    try:
        plan = plan_from_manifest(manifest)
    except (ValueError, KeyError, TypeError, AttributeError):
        return "plan", "a stage lacks a parameter, or has one of another form"
    sources = {row.name for row in manifest.sources}
    bad = next((source.name for source in plan.sources if source.name not in sources), None)
    return None if bad is None else ("plan", f"it reads a source `{plain(bad)}` that is not listed")


def _budget(manifest: Manifest) -> Clash | None:
    if not manifest.phases or not manifest.budget.tokens:
        return "budget", "there is no budget to mix for"
    return None
