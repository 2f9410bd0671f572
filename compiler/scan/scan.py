"""Scanning: from files of documents to a catalog, in two passes that only read what was not read before.

Pass 1 profiles every file, the tables are fitted once and kept, pass 2 counts every file at merged levels. What each
file gave is kept by its content, so one new file is all that is read the next time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from mixc.compiler.documents.data import Part, Unreadable
from mixc.compiler.executor import Executor
from mixc.compiler.progress import Progress, Quiet
from mixc.compiler.recipe import Recipe
from mixc.compiler.scan import counts as counting
from mixc.compiler.scan import ids, messages
from mixc.compiler.scan import profile as profiling
from mixc.compiler.scan.beside import gated, with_scores
from mixc.compiler.scan.catalog import Catalog, ScannedFile, at_bits, first_bits, settled_bits, too_coarse
from mixc.compiler.scan.checks import Unscored, check_columns, check_profile, drift, wanted
from mixc.compiler.scan.counts import FULL_BITS, Counts
from mixc.compiler.scan.find import located
from mixc.compiler.scan.handover import FOLDER as HANDOVER
from mixc.compiler.scan.handover import Handover, new_handover
from mixc.compiler.scan.normalise import Tables, fit
from mixc.compiler.scan.plan import Plan, reading_of
from mixc.compiler.scan.planning import Files, plan_of
from mixc.compiler.scan.profile import Profile
from mixc.compiler.scan.spread import learn
from mixc.compiler.scan.stages import Found, Stage, Sums, each
from mixc.compiler.scan.store import Store, key_of
from mixc.compiler.scan.tables import load_tables, tables_from, tables_to
from mixc.compiler.scan.totals import Totals
from mixc.dsl.diagnostics import Diagnostic, has_errors

SMALL = 64_000_000  # bytes that `mixc compile` reads by itself

T = TypeVar("T")
Languages: TypeAlias = frozenset[str]


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
        scanner.handover.remove()
        store.save()
    return catalog, found + problems


class _Scanner:
    """One scan of one recipe."""

    def __init__(self, recipe: Recipe, plan: Plan, store: Store, executor: Executor, progress: Progress) -> None:
        self.recipe, self.plan, self.store = recipe, plan, store
        self.reading = located(plan, recipe.places, Path(recipe.path).parent)
        self.executor, self.progress = executor, progress
        self.holdout = [] if plan.holdout is None else [plan.holdout.share, plan.holdout.seed]
        self.unscored: dict[str, list[Unscored]] = {}
        self.spoken: dict[Found, Languages] = {}  # a file's counts depend on the tables of its languages alone
        self.handover = new_handover((store.folder / HANDOVER).absolute())

    def too_much(self, files: Files) -> Diagnostic | None:
        """Why compiling should not read this by itself; None when there is little to read."""
        unseen = [f for name in files for f in files[name] if not self.store.knows(f, self.plan.sealed(name))]
        size = sum(file.size for file in unseen)
        if size <= SMALL:
            return None
        name = Path(self.recipe.path).name
        span = next((s.span for s in self.recipe.sources if s.paths), None)
        return messages.not_scanned(name, len(unseen), size, span)

    def scan(self, files: Files, refit: bool) -> tuple[Catalog | None, list[Diagnostic]]:
        """Both passes."""
        sealed = {name: self.plan.sealed(name) for name in files}
        learn(self.store, [(file, sealed[name]) for name in sorted(files) for file in files[name]], self.executor)
        known = [Found(file, self.store.identity(file, sealed[name])) for name in sorted(files) for file in files[name]]
        known, found = with_scores(self.plan, self.store, known)
        if found:
            return None, found
        seen, held, found = self._profile(known)
        if has_errors(found):
            return None, found
        whole = profiling.total(seen.values())
        found += check_columns(self.recipe, self.unscored) or check_profile(self.recipe, self.plan, seen)
        if has_errors(found):
            return None, found
        found += self._repeated(known)
        if has_errors(found):
            return None, found
        tables, fresh = self._tables(whole, refit)
        if not fresh:
            found += drift(self.recipe, self.plan, tables, whole)
        bits = first_bits(len(whole.held))
        del whole  # histograms are large, and no longer needed
        seen = {source: replace(profile, scores={}) for source, profile in seen.items()}
        hashed = tables.hash
        path = self.store.path_of("normalisers", hashed, tables_to(tables))
        measured = {languages: tables.hash_for(languages) for languages in set(self.spoken.values())}
        tables = load_tables(str(path))  # as workers do: if they are this process, it holds them once
        bits, counted, problems = self._count(known, path, measured, bits)
        if has_errors(problems):
            return None, found + problems
        scanned = (
            ScannedFile(one.file.source, one.file.name, one.file.size, one.identity, *amounts)
            for one, amounts in held.items()
        )
        return self._catalog(scanned, seen, tables, bits, counted), found + problems

    def _profile(self, known: list[Found]) -> tuple[dict[str, Profile], dict[Found, tuple[int, int]], list[Diagnostic]]:
        """Pass 1: profiles by source, and (documents, tokens) of every file."""
        profiles, held = Sums(profiling.total), dict[Found, tuple[int, int]]()

        def told(one: Found, profile: Profile) -> None:
            profiles.add(one, profile)
            held[one] = sum(d for d, _ in profile.held.values()), sum(t for _, t in profile.held.values())
            self.spoken[one] = frozenset(language for language, _ in profile.held)
            if profile.absent:
                self.unscored.setdefault(one.file.source, []).append((one.file, profile.absent))

        stage = Stage(
            what="reading scores",
            kind="profiles",
            key=self._profile_key,
            work=partial(profiling.profile, self.reading, handover=self.handover),
            total=profiling.total,
            to_table=profiling.to_table,
            from_table=profiling.from_table,
            begin=lambda: self.store.folder_of(HANDOVER),
        )
        found = self._each(known, told, stage)
        return profiles.by_source(), held, found

    def _repeated(self, known: list[Found]) -> list[Diagnostic]:
        """Ids that stand twice in a source."""
        watched = [one for one in known if ids.watched(self.plan.source(one.file.source))]
        if not watched:
            return []
        folder = self.store.folder_of("spills")
        spills: dict[Found, ids.Spills] = {}
        found = self._each(
            watched,
            spills.__setitem__,
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
        return ids.repeated(self.recipe, self.plan, folder, {one.file: spills[one] for one in watched})

    def _tables(self, whole: Profile, refit: bool) -> tuple[Tables, bool]:
        """The frozen tables, with one more for every language that came since; and whether all of them are new."""
        name = key_of("tables", [asdict(rater) for rater in self.plan.raters], self.plan.normalize,
                      [source.name for source in self.plan.sources], *self.holdout)  # fmt: skip
        kept = None if refit else self.store.table("tables", name)
        if kept is None:
            if not refit and (damaged := self.store.place("tables", name)):
                raise Unreadable(messages.lost_tables(damaged, Path(self.recipe.path).name))
            tables = fit(self.plan, whole)
        else:
            frozen = tables_from(kept)
            new = {key: s for key, s in whole.scores.items() if frozen.of(*key) is None and wanted(self.recipe, key[1])}
            if not new:
                return frozen, False
            tables = Tables(frozen.normaliser, {**frozen.tables, **fit(self.plan, Profile(scores=new)).tables})
        self.store.keep("tables", name, tables_to(tables), lasting=True)
        return tables, kept is None

    def _count(
        self, known: list[Found], path: Path, measured: Mapping[Languages, str], bits: int
    ) -> tuple[int, dict[str, Counts], list[Diagnostic]]:
        """Pass 2 at `bits`, or at 16 where that turns out too coarse; then the least bits that are fine enough."""
        while True:
            sums = Totals(bits)
            found = self._each(
                known,
                lambda one, counts, sums=sums: sums.add(one.file.source, counts),  # type: ignore[misc]
                Stage(
                    what="counting levels",
                    kind="counts",
                    key=partial(self._count_key, measured, bits),
                    work=partial(_count_part, self.reading, path, bits, self.handover),
                    total=counting.total,
                    to_table=counting.to_table,
                    from_table=counting.from_table,
                ),
            )
            if has_errors(found):
                return bits, {}, found
            counted, rated = sums.by_source(), dict(self.plan.weights)
            pooled = {key: c for key, c in counting.total(counted.values()).groups.items() if key[1] in rated}
            if bits < FULL_BITS:
                if not too_coarse(pooled):
                    return bits, counted, found
                bits = FULL_BITS
                continue
            settled = settled_bits(pooled)
            return settled, {source: at_bits(counts, settled) for source, counts in counted.items()}, found

    def _each(self, known: list[Found], told: Callable[[Found, T], None], stage: Stage[T]) -> list[Diagnostic]:
        return each(stage, known, told, self.store, self.executor, self.progress)

    def _profile_key(self, one: Found) -> str:
        source = self.plan.source(one.file.source)
        ranges = [(rater.name, rater.range) for rater in self.plan.raters]
        return key_of("flat profile", one.identity, reading_of(source), ranges, self._split(one), *self._scores(one))

    def _count_key(self, measured: Mapping[Languages, str], bits: int, one: Found) -> str:
        source = self.plan.source(one.file.source)
        raters = [(rater.name, rater.missing) for rater in self.plan.raters]
        weights = self.plan.weights
        return key_of(
            "flat counts",
            one.identity,
            reading_of(source),
            raters,
            weights,
            measured[self.spoken[one]],
            bits,
            self._split(one),
            *self._scores(one),
        )

    def _split(self, one: Found) -> list[Any]:
        """What says which documents of a file are held out: its name too, where ids are its own."""
        own = bool(self.holdout) and self.plan.source(one.file.source).ids == "per-file"
        return [*self.holdout, *([one.file.name] if own else [])]

    def _scores(self, one: Found) -> list[Any]:
        """What models' scores of a file depend on beside the file."""
        source = self.plan.source(one.file.source)
        made = [(rater.name, rater.scores) for rater in self.plan.scored(source)]
        if self.plan.gate is not None:
            made.append(("gate", gated(self.store, self.plan.gate.key, self.plan, one).name))
        return [*made, source.text] if made else []

    def _catalog(
        self,
        files: Iterable[ScannedFile],
        seen: Mapping[str, Profile],
        tables: Tables,
        bits: int,
        counted: Mapping[str, Counts],
    ) -> Catalog:
        return Catalog(
            self.plan,
            tables,
            bits,
            groups={(source, *key): group for source, c in counted.items() for key, group in c.groups.items()},
            files=tuple(sorted(files, key=lambda file: (file.source, file.name))),
            excluded={(source, *key): lost for source, c in counted.items() for key, lost in c.excluded.items()},
            empty={source: profile.empty for source, profile in seen.items()},
            skipped={source: profile.skipped for source, profile in seen.items()},
            withheld={source: profile.withheld for source, profile in seen.items()},
            gated={source: profile.gated for source, profile in seen.items()},
            odd=profiling.total(seen.values()).odd,
        )


def _count_part(plan: Plan, tables: Path, bits: int, handover: Handover, part: Part) -> Counts:
    return counting.count(plan, load_tables(str(tables)), bits, part, handover)
