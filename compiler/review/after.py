"""Going on after an earlier mixture (`compile --after M`): what M and those before it took counts from the start on.

Passes add up over all mixtures, for limits and for what a pass still teaches, and a document that M took is taken again
only once its cell is used up. That needs the same draw: seed, documents, buckets and curves as M had.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mixc.compiler.laws.infolaw import INFO_UNIT, information
from mixc.compiler.problem import Pool, Problem
from mixc.compiler.review.beside import tables_beside
from mixc.compiler.review.canonical import figure
from mixc.compiler.review.reading import fetch, parse_manifest
from mixc.compiler.review.rebuild import decision_from_manifest
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic, page

if TYPE_CHECKING:
    from mixc.compiler.review.tables import RunTables
    from mixc.compiler.scan.plan import Plan
    from mixc.compiler.supply.documents import Documents

Key = tuple[str, str, str]  # source, language, domain


@dataclass(frozen=True, slots=True, eq=False)
class Earlier:
    """A manifest to go on after, as it was read: its `shown` name, hash and size of its bytes, its tables if any."""

    shown: str
    sha256: str
    size: int
    manifest: Manifest
    tables: RunTables | None

    @property
    def tokens(self) -> int:
        """All tokens that it and the mixtures before it took."""
        before = self.manifest.after.tokens if self.manifest.after else 0
        return before + self.manifest.budget.tokens


def read_earlier(path: Path, shown: str) -> tuple[Earlier | None, list[Diagnostic]]:
    """The manifest at a path, with its tables where it has any."""
    data, found = fetch(str(path))
    if data is None:
        return None, found
    manifest, found = parse_manifest(str(path), data)
    if manifest is None:
        return None, found
    tables = None
    if manifest.selection.tables is not None:
        from mixc.compiler.review.tables import read_tables

        tables, found = read_tables(str(tables_beside(path)), manifest.selection.tables)
        if tables is None:
            return None, found
    return Earlier(shown, hashlib.sha256(data).hexdigest(), len(data), manifest, tables), found


def continued(
    problem: Problem, documents: Documents | None, seed: int, earlier: Earlier
) -> tuple[Problem | None, list[Diagnostic]]:
    """The problem with what the earlier mixtures took of its pools, and taught of its languages elsewhere."""
    manifest = earlier.manifest
    if documents is not None and manifest.selection.seed != seed:
        return None, [other_seed(earlier.shown, manifest.selection.seed, seed)]
    taken = taken_of(manifest)
    pools = {(pool.source, pool.language, pool.domain): pool for pool in problem.pools}
    before = decision_from_manifest(manifest).problem
    old = {(pool.source, pool.language, pool.domain): pool for pool in (*before.pools, *before.gone)}
    apart: dict[tuple[str, str], list[Key]] = {}
    for key in sorted(taken.keys() & pools.keys()):
        unlike = _unlike(pools[key], old[key], documents, earlier)
        if unlike:
            apart.setdefault(unlike, []).append(key)
    if apart:
        return None, [other_pools(earlier.shown, keys, *unlike) for unlike, keys in sorted(apart.items())]
    gone = [(old[key], taken[key]) for key in sorted(taken.keys() - pools.keys())]
    kept = tuple(_with_taken(pool, taken) for pool, _ in gone)
    return replace(
        problem,
        gone=kept,
        pools=tuple(_with_taken(pool, taken) for pool in problem.pools),
        languages=tuple(
            replace(language, past=_taught(problem, language.code, gone)) for language in problem.languages
        ),
    ), []


def taken_of(manifest: Manifest) -> dict[Key, tuple[int, ...]]:
    """Tokens of every bucket that a mixture and those before it took, of pools that they took anything of."""
    decision = decision_from_manifest(manifest)
    sums = {
        (pool.source, pool.language, pool.domain): tuple(
            bucket.taken + sum(cell.tokens) for bucket, cell in zip(pool.buckets, cells, strict=True)
        )
        for pool, cells in zip(decision.problem.pools, decision.cells, strict=True)
    }
    for pool in decision.problem.gone:
        sums[pool.source, pool.language, pool.domain] = tuple(bucket.taken for bucket in pool.buckets)
    return {key: tokens for key, tokens in sums.items() if any(tokens)}


def _with_taken(pool: Pool, taken: Mapping[Key, tuple[int, ...]]) -> Pool:
    tokens = taken.get((pool.source, pool.language, pool.domain))
    if tokens is None:
        return pool
    buckets = zip(pool.buckets, tokens, strict=True)
    return replace(pool, buckets=tuple(replace(bucket, taken=count) for bucket, count in buckets))


def _unlike(new: Pool, old: Pool, documents: Documents | None, earlier: Earlier) -> tuple[str, str] | None:
    """What keeps a pool's draw from going on where it stopped, and what to do about it."""
    if [(b.low, b.high) for b in new.buckets] != [(b.low, b.high) for b in old.buckets] or new.rated != old.rated:
        return "has other buckets", "keep `buckets`, the raters and the edges that `best(...)` and curves add"
    if documents is None:
        return None
    if _plan(earlier.manifest).holdout != documents.catalog.plan.holdout:
        return "has other documents held out", "hold out the same share, from the first mixture on"
    if new.tokens != old.tokens or _other_files(new.source, documents, earlier):
        return "holds other documents", "name the documents that came later as a source of their own"
    if (new.copies, new.peak, new.once) != (old.copies, old.peak, old.once):
        return "is sampled otherwise", "keep `sampling` as it was"
    ranking = documents.rankings.get((new.language, new.domain))
    before = earlier.tables.rankings.get((new.language, new.domain)) if earlier.tables else None
    alike = (ranking is None) == (before is None) and (
        ranking is None
        or before is None
        or (ranking.levels.tolist() == before.levels.tolist() and ranking.ends.tolist() == before.ends.tolist())
    )
    if not alike or [b.tokens for b in new.buckets] != [b.tokens for b in old.buckets]:
        return "is ranked otherwise", "keep the raters, their weights and the lock's tables as they were"
    return None


def _plan(manifest: Manifest) -> Plan:
    from mixc.compiler.review.plan import plan_from_manifest

    return plan_from_manifest(manifest)


def _other_files(source: str, documents: Documents, earlier: Earlier) -> bool:
    """Whether a source holds other documents than it did, or knows them by other ids; gone from M: M cannot say."""
    plans = {one.name: one for one in _plan(earlier.manifest).sources}
    if source not in plans or earlier.tables is None:
        return False
    then, now = plans[source], documents.catalog.plan.source(source)
    if (then.wanted.id, then.ids, then.text if then.wanted.id is None else None) != (
        now.wanted.id,
        now.ids,
        now.text if now.wanted.id is None else None,
    ):
        return True
    named = now.ids == "per-file"  # then ids are told apart by the file's name
    before = sorted((f.identity, f.name if named else "") for f in earlier.tables.files if f.source == source)
    return before != sorted((f.identity, f.name if named else "") for f in documents.catalog.files_of(source))


def _taught(problem: Problem, code: str, gone: list[tuple[Pool, tuple[int, ...]]]) -> float:
    """Information of a language, in 1e9 tokens (tokens where these are the signal), from pools that are no more."""
    here = [(pool.buckets, tokens) for pool, tokens in gone if pool.language == code]
    if problem.signal == "tokens":
        return float(sum(sum(tokens) for _, tokens in here))
    sums = [
        information(
            problem.law,
            tokens,
            [bucket.tokens for bucket in buckets],
            [bucket.density for bucket in buckets],
            problem.params,
            problem.horizon,
        ).sum()
        for buckets, tokens in here
    ]
    return figure(math.fsum(sums) / INFO_UNIT) or 0.0


@page("M447")
def other_seed(name: str, then: int, now: int) -> Diagnostic:
    """a mixture cannot go on after another with another seed

    Which documents a mixture has taken follows from its seed. With another one, documents would be drawn anew, and many
    of those that the model has read would be read again while others were never read.

    Example: `mixc compile anneal.mix --after pretrain.manifest.json`, where `anneal.mix` states another `seed`.

    What to do: state the same `seed` in `budget`.
    """
    return Diagnostic("M447", f"`{name}` was drawn with seed {then}, and this recipe has seed {now}", subject=name,
        helps=(f"write `seed = {then}` in `budget`",),
    )  # fmt: skip


@page("M448")
def other_pools(name: str, pools: Sequence[Key], what: str, advice: str) -> Diagnostic:
    """a pool is not what the earlier mixture took its documents from

    `compile --after M` goes on where M stopped: in every pool (source, language, domain) that M took documents of,
    those that were taken are known by their ranks and hashes. Where the pool holds other documents, or they are cut or
    sampled otherwise, the two do not fit together.

    Example: a file was added to the source, or `best(5%)` was added to a rule, which cuts buckets anew.

    What to do: keep the pool as it was; put new documents into a source of their own.
    """
    first = ", ".join(f"`{part}`" for part in pools[0] if part)
    more = f"; so are {len(pools) - 1} more pools" if len(pools) > 1 else ""
    return Diagnostic(
        "M448",
        f"the pool {first} {what} than in `{name}`",
        subject=name,
        notes=(f"pools are (source, language, domain){more}",),
        helps=(advice,),
    )
