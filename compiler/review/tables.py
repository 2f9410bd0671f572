"""`NAME.tables.parquet`: what a run needs beside the manifest, too large to read: files, normalisers, ranks, curves.

The manifest names the tables by the hash of their content, not of their bytes, which carry the writer's version.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from mixc.dsl.diagnostics import Diagnostic, page

if TYPE_CHECKING:
    import pyarrow as pa

    from mixc.compiler.problem import Decision
    from mixc.compiler.problem import Pool as ProblemPool
    from mixc.compiler.scan.catalog import ScannedFile
    from mixc.compiler.scan.labels import Key
    from mixc.compiler.scan.normalise import Tables
    from mixc.compiler.scan.ranks import Ints, Ranking
    from mixc.compiler.supply.documents import Documents

FIXED = 32  # binary places of S along a sampling curve
NORMALISER = b"mixc.normaliser"
Pool = tuple[str, str, str]  # source, language, domain
Record = tuple[str, tuple[str, ...], Any, Any]


@dataclass(frozen=True, slots=True, eq=False)
class PoolCurve:
    """S of every level of the pool's ranking, in units of 2^-32, and `weight`, the sum of S times the pool's tokens."""

    values: Ints
    weight: int


@dataclass(frozen=True, slots=True, eq=False)
class RunTables:
    """Files by content, normaliser tables, rankings by (language, domain), and how pools are drawn that are no buckets.

    `curves` are of pools under a sampling curve; `draws` [phases + 1, levels] of pools sampled by a temperature:
    expected copies before the first phase and after each, in units of 2^-32.
    """

    files: tuple[ScannedFile, ...]
    normalisers: Tables
    rankings: Mapping[Key, Ranking]
    curves: Mapping[Pool, PoolCurve]
    draws: Mapping[Pool, Ints]

    @property
    def hash(self) -> str:
        """SHA-256 of the content."""
        import numpy as np

        digest = hashlib.sha256(self.normalisers.normaliser.encode())
        for section, names, places, values in records(self):
            digest.update(f"\n{section}\t{len(places)}\t{len(values)}\t".encode() + "\t".join(names).encode())
            for column in (places, values):
                digest.update(np.asarray(column, dtype="<i8").tobytes())
        return digest.hexdigest()


def run_tables(decision: Decision, documents: Documents) -> RunTables:
    """The tables of a compiled recipe."""
    catalog, problem = documents.catalog, decision.problem
    pools = [(pool.source, pool.language, pool.domain) for pool in problem.pools if pool.copies]
    curves = {pool: pool_curve(documents, pool) for pool in pools}
    draws = {
        (pool.source, pool.language, pool.domain): pool_draws(documents, pool, cells[0].tokens)
        for pool, cells in zip(problem.pools, decision.cells, strict=True)
        if pool.once
    }
    return RunTables(catalog.files, catalog.tables, documents.rankings, curves, draws)


def pool_draws(documents: Documents, pool: ProblemPool, tokens: tuple[int, ...]) -> Ints:
    """Expected copies [phases + 1, levels] of a pool sampled by a temperature, 1 - exp(-kappa exp(z / T)) (QuRating).

    z is a level's distance from the mean of its ranking in standard deviations, by tokens; kappa is what gives the
    tokens that the phases so far take.
    """
    import numpy as np

    from mixc.compiler.laws.sampling import kappa_for_budget, temperature_copies

    key = (pool.language, pool.domain)
    ranking, counts = documents.rankings[key], documents.catalog.groups[pool.source, *key]
    weight = np.diff(np.concatenate([[0], ranking.ends])) / ranking.total
    mean = float(weight @ ranking.levels)
    spread = float(np.sqrt(weight @ (ranking.levels - mean) ** 2)) or 1.0
    z, temperature = (ranking.levels - mean) / spread, documents.temperatures[pool.domain]
    held, here = ranking.places(counts.levels), []
    for p in range(len(tokens) + 1):
        kappa = kappa_for_budget(counts.tokens, z[held], temperature, pool.buckets[0].taken + sum(tokens[:p]))
        here.append(np.rint(temperature_copies(kappa, temperature, z) * (1 << FIXED)))
    return np.array(here).astype(np.int64)


def pool_curve(documents: Documents, pool: Pool) -> PoolCurve:
    """The curve of a pool in integers."""
    import numpy as np

    key = pool[1:]
    values = np.rint(documents.curves[key] * (1 << FIXED)).astype(np.int64)
    counts = documents.catalog.groups[pool]
    places = documents.rankings[key].places(counts.levels)
    weight = sum(int(s) * int(t) for s, t in zip(values[places], counts.tokens, strict=True))
    return PoolCurve(values, weight)


def records(tables: RunTables) -> Iterator[Record]:
    """All content in one order."""
    for file in tables.files:
        yield "file", (file.source, file.name, file.identity), [], [file.size, file.documents, file.tokens]
    for rater, table in sorted(tables.normalisers.tables.items()):
        yield "normaliser", rater, table.levels, table.steps
    for key, ranking in sorted(tables.rankings.items()):
        yield "ranking", key, ranking.levels, ranking.ends
    for pool, curve in sorted(tables.curves.items()):
        yield "curve", (*pool, str(curve.weight)), [], curve.values
    for pool, draws in sorted(tables.draws.items()):
        yield "draw", (*pool, str(len(draws))), [], draws.ravel()


def shared(every: Iterator[Record]) -> Iterator[Record]:
    """The same, where small groups have the ranking of their whole language with that only once.

    Others name the group that has it, after their own names.
    """
    groups: dict[int, tuple[str, ...]] = {}
    for section, names, places, values in every:
        if section == "ranking" and groups.setdefault(id(places), names) != names:
            yield section, (*names, *groups[id(places)]), [], []
        else:
            yield section, names, places, values


def tables_bytes(tables: RunTables) -> bytes:
    """The Parquet file."""
    import pyarrow as pa

    from mixc.compiler.scan.store import write_numbers

    rows = list(shared(records(tables)))
    schema = pa.schema(
        [
            ("section", pa.string()),
            ("names", pa.list_(pa.string())),
            ("places", pa.list_(pa.int64())),
            ("values", pa.list_(pa.int64())),
        ],
        metadata={NORMALISER: tables.normalisers.normaliser.encode()},
    )
    table = pa.table({name: [row[i] for row in rows] for i, name in enumerate(schema.names)}, schema=schema)
    sink = io.BytesIO()
    write_numbers(table, sink)
    return sink.getvalue()


def read_tables(path: str, wanted: str | None = None) -> tuple[RunTables | None, list[Diagnostic]]:
    """The tables at a path, which must hold what a manifest names by its hash `wanted`."""
    import pyarrow as pa

    from mixc.compiler.scan.store import read_numbers

    try:
        found = from_table(read_numbers(path))
    except FileNotFoundError:
        return None, [no_tables(path, "there is no such file")]
    except (OSError, pa.ArrowException, KeyError, IndexError, ValueError, TypeError):
        return None, [no_tables(path, "it is cut off, or not what `mixc compile` wrote")]
    if wanted is not None and found.hash != wanted:
        return None, [other_tables(path)]
    return found, []


def from_table(table: pa.Table) -> RunTables:
    """The tables that `tables_bytes` wrote."""
    import numpy as np

    from mixc.compiler.scan.catalog import ScannedFile
    from mixc.compiler.scan.normalise import Table, Tables
    from mixc.compiler.scan.plan import Normaliser
    from mixc.compiler.scan.ranks import Ranking

    files: list[ScannedFile] = []
    normalisers: dict[tuple[str, str], Table] = {}
    rankings: dict[Key, Ranking] = {}
    curves: dict[Pool, PoolCurve] = {}
    draws: dict[Pool, Ints] = {}
    normaliser = cast("Normaliser", table.schema.metadata[NORMALISER].decode())
    for i, section in enumerate(table["section"].to_pylist()):
        names: list[str] = table["names"][i].as_py()
        places, values = (
            table[name][i].values.to_numpy().astype(np.int64, copy=False) for name in ("places", "values")
        )
        match section:
            case "file":
                source, name, identity = names
                size, documents, tokens = (int(value) for value in values)
                files.append(ScannedFile(source, name, size, identity, documents, tokens))
            case "normaliser":
                normalisers[names[0], names[1]] = Table(places, values, np.zeros(0, dtype=np.int64))
            case "ranking":
                one = rankings[names[2], names[3]] if len(names) > 2 else Ranking(places, values)
                rankings[names[0], names[1]] = one
            case "draw":
                draws[names[0], names[1], names[2]] = values.reshape(int(names[3]), -1)
            case _:
                curves[names[0], names[1], names[2]] = PoolCurve(values, int(names[3]))
    return RunTables(tuple(files), Tables(normaliser, normalisers), rankings, curves, draws)


@page("M474")
def no_tables(name: str, why: str) -> Diagnostic:
    """the tables of a manifest cannot be read

    `NAME.tables.parquet` lies beside `NAME.manifest.json` and holds what is too large to review: which files were
    scanned, how scores become ranks. A run needs both.

    What to do: compile again, or fetch the file from where the manifest came from.
    """
    return Diagnostic("M474", f"`{name}` cannot be read: {why}", subject=name, helps=(
        "run `mixc compile`, or fetch it from where the manifest came from",
    ))  # fmt: skip


@page("M475")
def other_tables(name: str) -> Diagnostic:
    """the tables are not those of the manifest

    The manifest names its tables by the hash of their content, and these have another: they were changed, or belong to
    another compilation.

    What to do: compile again, or fetch the file that belongs to the manifest.
    """
    return Diagnostic("M475", f"`{name}` is not what the manifest was compiled with", subject=name, helps=(
        "run `mixc compile`, or fetch the file that belongs to the manifest",
    ))  # fmt: skip
