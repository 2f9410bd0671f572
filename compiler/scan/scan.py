"""Scanning: from files of documents to a catalog, in two passes that only read what was not read before.

Pass 1 profiles every file, the tables are fitted once and kept, pass 2 counts every file at merged levels. What each
file gave is kept by its content, so one new file is all that is read the next time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from mixc.compiler.documents.data import Part, Unreadable
from mixc.compiler.executor import Executor
from mixc.compiler.progress import Progress, Quiet
from mixc.compiler.recipe import Recipe
from mixc.compiler.scan import counts as counting
from mixc.compiler.scan import ids, messages
from mixc.compiler.scan import profile as profiling
from mixc.compiler.scan.catalog import Catalog, ScannedFile, at_bits, first_bits, settled_bits, too_coarse
from mixc.compiler.scan.checks import check_profile, drift
from mixc.compiler.scan.counts import FULL_BITS, Counts
from mixc.compiler.scan.normalise import Tables, fit
from mixc.compiler.scan.plan import Plan
from mixc.compiler.scan.planning import Files, plan_of
from mixc.compiler.scan.profile import Profile
from mixc.compiler.scan.stages import Found, Stage, each
from mixc.compiler.scan.store import Store, key_of
from mixc.compiler.scan.tables import load_tables, tables_from, tables_to
from mixc.dsl.diagnostics import Diagnostic, has_errors

SMALL = 64_000_000  # bytes that `mixc compile` reads by itself

T = TypeVar("T")


def scan(
    recipe: Recipe,
    executor: Executor,
    *,
    refit: bool = False,
    small: bool = False,
    progress: Progress | None = None,
) -> tuple[Catalog | None, list[Diagnostic]]:
    """The catalog of a recipe's documents; with `small`, only if little is left to read."""
    plan, files, found = plan_of(recipe)
    if plan is None:
        return None, found
    store = Store(Path(recipe.path).parent)
    scanner = _Scanner(recipe, plan, store, executor, progress or Quiet())
    try:
        if small and (refusal := scanner.too_much(files)):
            return None, [*found, refusal]
        catalog, problems = scanner.scan(files, refit)
    except Unreadable as error:
        return None, [*found, error.diagnostic]
    finally:
        store.save()
    return catalog, found + problems


class _Scanner:
    """One scan of one recipe."""

    def __init__(self, recipe: Recipe, plan: Plan, store: Store, executor: Executor, progress: Progress) -> None:
        self.recipe, self.plan, self.store = recipe, plan, store
        self.executor, self.progress = executor, progress

    def too_much(self, files: Files) -> Diagnostic | None:
        """Why compiling should not read this by itself; None when there is little to read."""
        unseen = [f for name in files for f in files[name] if not self.store.knows(f, self.plan.source(name).wanted)]
        size = sum(file.size for file in unseen)
        if size <= SMALL:
            return None
        name = Path(self.recipe.path).name
        span = next((s.span for s in self.recipe.sources if s.paths), None)
        return messages.not_scanned(name, len(unseen), size, span)

    def scan(self, files: Files, refit: bool) -> tuple[Catalog | None, list[Diagnostic]]:
        """Both passes."""
        known = [
            Found(file, self.store.identity(file, self.plan.source(name).wanted))
            for name in sorted(files)
            for file in files[name]
        ]
        profiles, found = self._each(
            known,
            Stage(
                what="reading scores",
                kind="profiles",
                key=self._profile_key,
                work=partial(profiling.profile, self.plan),
                total=profiling.total,
                to_table=profiling.to_table,
                from_table=profiling.from_table,
            ),
        )
        if has_errors(found):
            return None, found
        whole = profiling.total(profiles.values())
        found += check_profile(self.recipe, self.plan, {one.file.source: p for one, p in self._by_source(profiles)})
        if has_errors(found):
            return None, found
        found += self._repeated(known)
        if has_errors(found):
            return None, found
        tables, fresh = self._tables(whole, refit)
        if not fresh:
            found += drift(self.recipe, self.plan, tables, whole)
        bits, counted, problems = self._count(known, tables, first_bits(len(whole.held)))
        if has_errors(problems):
            return None, found + problems
        return self._catalog(profiles, tables, bits, counted), found + problems

    def _repeated(self, known: list[Found]) -> list[Diagnostic]:
        """Ids that stand twice in a source."""
        watched = [one for one in known if ids.watched(self.plan.source(one.file.source))]
        if not watched:
            return []
        folder = self.store.folder_of("spills")
        spills, found = self._each(
            watched,
            Stage(
                what="reading ids",
                kind="ids",
                key=lambda one: key_of("ids", one.identity, self.plan.source(one.file.source).wanted.id),
                work=partial(ids.collect, self.plan, str(folder)),
                total=ids.total,
                to_table=ids.to_table,
                from_table=ids.from_table,
            ),
        )
        if found:
            return found
        return ids.repeated(self.recipe, self.plan, folder, {one.file: kept for one, kept in spills.items()})

    def _by_source(self, profiles: Mapping[Found, Profile]) -> Iterable[tuple[Found, Profile]]:
        """One profile per source, under one of its files."""
        sums: dict[str, tuple[Found, Profile]] = {}
        for one, profile in profiles.items():
            before = sums.get(one.file.source, (one, Profile()))
            sums[one.file.source] = before[0], before[1] + profile
        return sums.values()

    def _tables(self, whole: Profile, refit: bool) -> tuple[Tables, bool]:
        """The frozen tables, or new ones where there are none; and whether they are new."""
        name = key_of("tables", [asdict(rater) for rater in self.plan.raters], self.plan.normalize,
                      [source.name for source in self.plan.sources])  # fmt: skip
        kept = None if refit else self.store.table("tables", name)
        if kept is not None:
            return tables_from(kept), False
        tables = fit(self.plan, whole)
        self.store.keep("tables", name, tables_to(tables))
        return tables, True

    def _count(
        self, known: list[Found], tables: Tables, bits: int
    ) -> tuple[int, dict[Found, Counts], list[Diagnostic]]:
        """Pass 2 at `bits`, or at 16 where that turns out too coarse; then the least bits that are fine enough."""
        path = self.store.path_of("normalisers", tables.hash, tables_to(tables))
        while True:
            counted, found = self._each(
                known,
                Stage(
                    what="counting levels",
                    kind="counts",
                    key=partial(self._count_key, tables, bits),
                    work=partial(_count_part, self.plan, path, bits),
                    total=counting.total,
                    to_table=counting.to_table,
                    from_table=counting.from_table,
                ),
            )
            if has_errors(found):
                return bits, {}, found
            rated = dict(self.plan.weights)
            pooled: dict[tuple[str, str], counting.LevelCounts] = {}
            for counts in counted.values():
                for key, group in counts.groups.items():
                    if key[1] in rated:
                        pooled[key] = pooled[key] + group if key in pooled else group
            if bits < FULL_BITS:
                if not too_coarse(pooled):
                    return bits, counted, found
                bits = FULL_BITS
                continue
            settled = settled_bits(pooled)
            return settled, {one: at_bits(counts, settled) for one, counts in counted.items()}, found

    def _each(self, known: list[Found], stage: Stage[T]) -> tuple[dict[Found, T], list[Diagnostic]]:
        return each(stage, known, self.store, self.executor, self.progress)

    def _profile_key(self, one: Found) -> str:
        source = self.plan.source(one.file.source)
        ranges = [(rater.name, rater.range) for rater in self.plan.raters]
        return key_of("profile", one.identity, _reading(source), ranges)

    def _count_key(self, tables: Tables, bits: int, one: Found) -> str:
        source = self.plan.source(one.file.source)
        raters = [(rater.name, rater.missing) for rater in self.plan.raters]
        return key_of("counts", one.identity, _reading(source), raters, self.plan.weights, tables.hash, bits)

    def _catalog(
        self, profiles: Mapping[Found, Profile], tables: Tables, bits: int, counted: Mapping[Found, Counts]
    ) -> Catalog:
        groups: dict[tuple[str, str, str], counting.LevelCounts] = {}
        excluded: dict[tuple[str, str, str], int] = {}
        empty: dict[str, int] = {}
        skipped: dict[str, int] = {}
        files = []
        for one, counts in counted.items():
            source, seen = one.file.source, profiles[one]
            for key, group in counts.groups.items():
                place = (source, *key)
                groups[place] = groups[place] + group if place in groups else group
            for key, lost in counts.excluded.items():
                excluded[source, *key] = excluded.get((source, *key), 0) + lost
            empty[source] = empty.get(source, 0) + seen.empty
            skipped[source] = skipped.get(source, 0) + seen.skipped
            documents = sum(d for d, _ in seen.held.values())
            tokens = sum(t for _, t in seen.held.values())
            files.append(ScannedFile(source, one.file.name, one.file.size, one.identity, documents, tokens))
        odd = profiling.total(profiles.values()).odd
        files.sort(key=lambda file: (file.source, file.name))
        return Catalog(self.plan, tables, bits, groups, tuple(files), excluded, empty, skipped, odd)


def _count_part(plan: Plan, tables: Path, bits: int, part: Part) -> Counts:
    return counting.count(plan, load_tables(str(tables)), bits, part)


def _reading(source: Any) -> Any:
    """What of a source's plan decides what its files give: not where they lie, nor texts that are not read."""
    return json.dumps(asdict(replace(source, paths=(), text=None)), sort_keys=True)
