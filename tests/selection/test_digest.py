"""The same selection, however documents lie and by however many processes; and by a query of another program."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xxhash

from mixc.backends.selection.backend import Run
from tests.selection.pool import (
    SEED,
    compiled,
    digests,
    documents,
    plain_pool,
    recipe,
    rows_of,
    selected,
    unrated,
    verified,
    write,
)

HASHES = 1 << 60


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Path, dict[tuple[str, str], str]]:
    """A compiled pool, the selection from it, and its digests."""
    folder = tmp_path_factory.mktemp("base")
    job = compiled(plain_pool(folder))
    found = digests(job, selected(job, folder / "out"))
    assert len(set(found.values())) == 4
    return job, folder / "out", found


@pytest.mark.parametrize(
    "form",
    [
        {"shards": 1, "group": 24_000},
        {"shards": 11, "group": 300},
        {"names": ["z", "a", "m"]},
        {"form": "jsonl", "shards": 2},
        {"form": "jsonl.gz", "shards": 5},
        {"form": "jsonl.zst"},
    ],
    ids=str,
)
def test_the_digest_does_not_depend_on_how_documents_lie(tmp_path: Path, base: Any, form: dict[str, Any]) -> None:
    job = compiled(plain_pool(tmp_path, **form))
    assert digests(job, selected(job, tmp_path / "out")) == base[2]
    columns = ["source", "phase", "id", "copies", "cell", "tokens"]
    assert rows_of(tmp_path / "out").select(columns).equals(rows_of(base[1]).select(columns))


def test_nor_on_their_order(tmp_path: Path, base: Any) -> None:
    path = plain_pool(tmp_path)
    table = documents()
    write(tmp_path / "crawl", table.take(pa.array(np.random.default_rng(5).permutation(table.num_rows))))
    job = compiled(path)
    assert digests(job, selected(job, tmp_path / "out")) == base[2]


def test_two_processes_write_the_same_bytes(tmp_path: Path, base: Any) -> None:
    job, output, found = base
    assert digests(job, selected(job, tmp_path / "two", workers=2)) == found
    files = sorted(p.relative_to(output) for p in (output / "selection").rglob("*") if p.is_file())
    assert len(files) == 8
    assert all((tmp_path / "two" / name).read_bytes() == (output / name).read_bytes() for name in files)
    assert (tmp_path / "two" / "run.json").read_bytes() == (output / "run.json").read_bytes()


def test_documents_without_ids_go_by_their_texts(tmp_path: Path) -> None:
    table = documents(6000)
    table = pa.table({"text": [f"text of {i}" for i in range(6000)], **{c: table[c] for c in table.column_names[1:]}})
    text = (
        "recipe pool\n"
        'source crawl { path = "crawl", columns = { language: "lang", domain: "domain", tokens: "n" } }\n'
        "languages [en, de] { priority = 1.0 }\nbudget { model = 1M params, tokens = 1M tokens }\n"
    )
    found = []
    for number, (shards, form) in enumerate([(1, "parquet"), (4, "jsonl.gz")]):
        folder = tmp_path / str(number)
        write(folder / "crawl", table, shards=shards, form=form)
        job = compiled(recipe(folder, text))
        found.append(digests(job, selected(job, folder / "out")))
        assert verified(job, folder / "out")[1] == []
        assert rows_of(folder / "out")["id"][0].as_py() in {
            xxhash.xxh3_128_hexdigest(f"text of {i}".encode()) for i in range(6000)
        }
    assert found[0] == found[1]


LEVELS = """
create table edus as                         -- a rater's step, 65,535 = best, by language over all its documents
select lang, edu, (2 * b + c - 1) * 65536 // (2 * m) as edu_step from (
  select lang, edu, count(*) c, sum(count(*)) over (partition by lang order by edu) - count(*) b,
         sum(count(*)) over (partition by lang) m from crawl group by lang, edu);
create table fines as
select lang, fine, 65535 - (2 * b + c - 1) * 65536 // (2 * m) as fine_step from (
  select lang, fine, count(*) c, sum(count(*)) over (partition by lang order by fine) - count(*) b,
         sum(count(*)) over (partition by lang) m from crawl group by lang, fine);
create table levelled as
select id, lang, domain, hash, n + 1 as tokens,
       (case domain when 'news' then edu_step
        else (edu_step * $edu + fine_step * (65536 - $edu)) // 65536 end)::bigint >> (16 - $bits) as level,
       case when count(*) over (partition by lang, domain) < 10000 then '*' else domain end as pool
from crawl join edus using (lang, edu) join fines using (lang, fine);
"""
CUTS = """
create table places as                       -- where each level's tokens begin and end, best first
with own as (select lang, pool, level, sum(tokens) w from levelled where pool <> '*' group by all),
     few as (select lang, '*' as pool, level, sum(tokens) w from levelled group by lang, level),
     either_ as (select * from own union all select * from few)
select lang, pool, level, w::hugeint w, (sum(w) over best)::hugeint - w as start,
       (sum(w) over (partition by lang, pool))::hugeint as total
from either_ window best as (partition by lang, pool order by level desc);
create table edges as select * from (values (0, 0, 5), (1, 5, 20), (2, 20, 40), (3, 40, 60), (4, 60, 80), (5, 80, 100))
  as e(bucket, above, below);
create table cuts as                         -- the buckets that each level lies in, with its part of the hashes
with inside as (select *, greatest(start, total * above // 100) as first, least(start + w, total * below // 100) as last
                from places, edges)
select lang, pool, level, bucket, (1::hugeint << 60) * (first - start) // w as low,
       (1::hugeint << 60) * (last - start) // w as high
from inside where first < last;
"""
DRAW = """
create macro copies(taken, supply, hash, low, high) as taken // supply
  + (hash < low + (high - low) * (taken % supply * 4294967296 // supply) // 4294967296)::int;
create table drawn as
with found as (
  select id, 'crawl' as source, lang, domain, bucket, hash, tokens, low, high
  from levelled join cuts using (lang, pool, level)
  union all
  select id, 'library', lang, 'books', 0, hash, n + 1, 0::hugeint, 1::hugeint << 60 from library)
select phase, source, id, cell, tokens::bigint as tokens,
       (copies(until, supply, hash, low, high) - copies(before, supply, hash, low, high))::bigint as copies
from found join cells using (source, lang, domain, bucket)
where low <= hash and hash < high and copies <> 0
order by source, phase, id;
"""


def cells_of(job: Run) -> Iterator[tuple[Any, ...]]:
    """Every cell of the manifest in every phase: its number, supply, and tokens taken of it before and after."""
    number = 0
    taken = {(row.phase, row.source, row.language, row.domain): row.tokens_by_bucket for row in job.manifest.mixture}
    for row in job.manifest.supply:
        for bucket, supply in enumerate(row.tokens):
            before = 0
            for phase in job.manifest.phases:
                after = before + taken[phase.name, row.source, row.language, row.domain][bucket]
                yield phase.name, row.source, row.language, row.domain, bucket, number, supply, before, after
                before = after
            number += 1


def record_sum(rows: list[tuple[str, int, int]]) -> str:
    """The digest as the specification states it: XXH3-128 of every (id, copies, cell), summed."""
    total = 0
    for name, copies, cell in rows:
        data = name.encode()
        total += xxhash.xxh3_128_intdigest(struct.pack("<I", len(data)) + data + struct.pack("<qq", copies, cell))
    return f"{total % (1 << 128):032x}"


def test_a_query_of_duckdb_selects_the_same(base: Any) -> None:
    """From the data and the manifest's tokens and supply alone: no table or code of mixc."""
    duckdb = pytest.importorskip("duckdb", reason="pip install 'mixc[dev]'")
    job, output, found = base
    connection = duckdb.connect(config={"threads": 1})
    for source, table in (("crawl", documents()), ("library", unrated())):
        hashes = [
            xxhash.xxh64_intdigest(f"{SEED}:draw:{source}:{i}".encode(), 42) >> 4 for i in table["id"].to_pylist()
        ]
        plain = table.append_column("hash", pa.array(hashes, pa.int64()))
        connection.register("plain", plain)
        connection.execute(f"create table {source} as select * replace (hash::hugeint as hash) from plain")
    names = ("phase", "source", "lang", "domain", "bucket", "cell", "supply", "before", "until")
    columns = zip(*cells_of(job), strict=True)
    cells = pa.table(dict(zip(names, (list(column) for column in columns), strict=True)))
    connection.register("cells_", cells)
    connection.execute(
        "create table cells as select * replace (supply::hugeint as supply, before::hugeint as before, "
        "until::hugeint as until) from cells_ where supply > 0"
    )
    weight = round(0.35 * 65536)
    for query in (LEVELS.replace("$edu", str(weight)).replace("$bits", str(job.manifest.selection.bits)), CUTS, DRAW):
        connection.execute(query)
    drawn = connection.sql("select * from drawn").to_arrow_table()
    ours = rows_of(output)
    assert drawn.num_rows == ours.num_rows
    for name in ("phase", "source", "id", "copies", "tokens"):
        assert drawn[name].to_pylist() == ours[name].to_pylist(), name
    for (phase, source), digest in found.items():
        query = f"select id, copies, cell from drawn where phase = '{phase}' and source = '{source}'"
        assert record_sum(connection.execute(query).fetchall()) == digest
