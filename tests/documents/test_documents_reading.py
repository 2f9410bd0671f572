"""What is read: the same rows from every format, however they are split."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from documents_builder import ALL, batches, only, rows_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mixc.compiler.documents import jsonl
from mixc.compiler.documents.reading import Unreadable, Wanted, columns_of, identity, never_null, parts, read, row_count

Row = dict[str, Any]
MAYBE = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
ROW = st.fixed_dictionaries(
    {
        "id": st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
        "text": MAYBE,
        "lang": st.sampled_from(["en", "de", None]),
        "meta": st.none() | st.fixed_dictionaries({"domain": MAYBE, "other": st.integers(0, 9)}),
        "n": st.integers(1, 2**40),
        "scores": st.none() | st.fixed_dictionaries({"edu": st.none() | st.floats(width=32)}),
    }
)
ROWS = st.lists(ROW, min_size=1, max_size=30)
STRUCTS = {
    "meta": pa.struct([("other", pa.int64()), ("domain", pa.string())]),
    "scores": pa.struct([("edu", pa.float32())]),
}
QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def table_of(rows: list[Row], text: Any = None, coded: bool = False) -> pa.Table:
    """The rows as a sliced table, so that every array has an offset."""
    text = text or pa.string()
    plain = [("id", text), ("text", text), ("lang", pa.string()), ("n", pa.int64())]
    schema = pa.schema([*plain, *STRUCTS.items()])
    table = pa.Table.from_pylist([rows[0], *rows], schema).slice(1)
    if coded:
        table = table.set_column(2, "lang", table.column("lang").dictionary_encode())
    return table


def expected(rows: list[Row]) -> list[tuple[Any, ...]]:
    return [
        (
            row["id"],
            row["text"],
            row["lang"],
            (row["meta"] or {}).get("domain"),
            row["n"],
            (row["scores"] or {}).get("edu"),
        )
        for row in rows
    ]


def same(found: list[tuple[Any, ...]], wanted: list[tuple[Any, ...]]) -> bool:
    """Equal, NaN included."""
    return repr(found) == repr(wanted)


def write(path: Path, table: pa.Table, group: int) -> None:
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=group)
    elif path.suffix == ".arrow":
        with pa.ipc.new_stream(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=group)
    else:
        lines = "".join(json.dumps(row) + "\n" for row in table.to_pylist())
        path.write_bytes(gzip.compress(lines.encode()) if path.suffix == ".gz" else lines.encode())


@pytest.mark.parametrize("ending", ["parquet", "arrow", "jsonl", "jsonl.gz"])
@QUIET
@given(
    rows=ROWS,
    cut=st.integers(0, 30),
    group=st.integers(1, 12),
    size=st.integers(1, 9),
    target=st.integers(1, 3000),
    text=st.sampled_from([pa.string(), pa.large_string(), pa.string_view()]),
    coded=st.booleans(),
)
def test_any_split_reads_the_same_rows(
    tmp_path: Path, ending: str, rows: list[Row], cut: int, group: int, size: int, target: int, text: Any, coded: bool
) -> None:
    found = []
    for piece in (rows[:cut], rows[cut:]):
        path = tmp_path / f"a.{ending}"
        if piece:
            if ending == "arrow" or text != pa.string_view():
                write(path, table_of(piece, text, coded), group)
            else:
                write(path, table_of(piece), group)
            got = batches(only(path), ALL, rows=size, target_bytes=target)
            assert all(batch.rows <= size for batch in got)
            found += rows_of(got)
    assert same(found, expected(rows))


LINE = st.one_of(
    ROW.map(json.dumps),
    st.sampled_from(["", " ", "null", "5", "[1]", '{"id": "a"', '{"id": "a"} {"id": "b"}', '{"id": 1, "n": 2}']),
    st.sampled_from(
        ['{"id": "a", "n": 1.0}', '{"id": "a", "n": 1}\r', '  {"id": "b", "n": 7}', '{"id": "a", "id": 3}']
    ),
    st.sampled_from(
        ['{"id": "a", "n": 3, "x": Inf}', '{"id": "\\ud800", "n": 1}', '{"id": "b", "n": 3, "x": "\\ud800"}']
    ),
)


@QUIET
@given(lines=st.lists(LINE, max_size=12), block=st.integers(1, 200), end=st.sampled_from(["", "\n"]))
def test_blocks_and_single_lines_agree(tmp_path: Path, lines: list[str], block: int, end: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(("\n".join(lines) + end).encode())
    file = only(path)

    def outcome(fast: bool, size: int, bad_lines: Literal["error", "skip"]) -> str:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(jsonl, "BLOCK", size)
            wanted = Wanted("id", "text", "lang", "meta.domain", "n")
            try:
                found = list(jsonl.read(file, wanted, 7, bad_lines, fast=fast))
            except jsonl.Unreadable as error:
                return error.diagnostic.code
            return repr((rows_of(found), sum(batch.skipped for batch in found)))

    for bad_lines in ("error", "skip"):
        results = {
            outcome(True, 4 << 20, bad_lines),
            outcome(False, 4 << 20, bad_lines),
            outcome(True, block, bad_lines),
        }
        # Which of several mistakes is told first may differ, but not whether there is one.
        assert len(results) == 1 or all(result.startswith("M") for result in results), results


def test_types_that_are_read_as_strings_and_numbers(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array([1, 2], pa.uint64()),
            "text": pa.array([b"a", None], pa.binary()),
            "lang": pa.array([7, 7]).dictionary_encode(),
            "dom": pa.nulls(2),
            "n": pa.array([3.0, 4.0]),
            "s": pa.array([2**24 + 1, None], pa.int64()),
            "q": pa.array([1e300, float("nan")]),
        }
    )
    wanted = Wanted("id", "text", "lang", "dom", "n", (("s", "s"), ("q", "q")))
    for name in ("a.parquet", "a.arrow"):
        write(tmp_path / name, table, 2)
        (batch,) = batches(only(tmp_path / name), wanted)
        (one, two) = rows_of([batch])
        assert one == ("1", "a", "7", None, 3, 16777216.0, float("inf"))
        assert repr(two) == repr(("2", None, "7", None, 4, None, float("nan")))
        assert batch.tokens is not None and batch.tokens.dtype == np.int64
        assert {array.type for array in batch.scores.values()} == {pa.float32()}


def test_languages_stay_dictionaries(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", pa.table({"id": ["a", "b"], "lang": ["en", None]}), 2)
    (batch,) = batches(only(tmp_path / "a.parquet"), Wanted("id", language="lang"))
    assert pa.types.is_dictionary(batch.language.type) and batch.language.to_pylist() == ["en", None]
    assert batch.id.type == pa.string() and batch.text is None and batch.tokens is None


def test_a_column_with_a_dot_in_its_name(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", pa.table({"meta.id": ["x"], "meta": [{"id": "y"}]}), 1)
    (tmp_path / "a.jsonl").write_text('{"meta.id": "x", "meta": {"id": "y"}}\n')
    for name in ("a.parquet", "a.jsonl"):
        assert rows_of(batches(only(tmp_path / name), Wanted("meta.id")))[0][0] == "x"


def test_only_what_is_wanted_is_read(tmp_path: Path) -> None:
    """A damaged column that nobody asks for does no harm, and is no part of the identity."""
    path = tmp_path / "a.parquet"
    texts = [f"text {i} " * 20 for i in range(500)]
    meta = [{"lang": "en", "url": f"u{i}"} for i in range(500)]
    pq.write_table(pa.table({"id": [str(i) for i in range(500)], "text": texts, "meta": meta}), path)
    chunks = pq.read_metadata(path).row_group(0)
    before = {wanted: identity(only(path), wanted) for wanted in (Wanted("id"), Wanted("id", "text"))}
    data = bytearray(path.read_bytes())
    for column in (1, 3):
        start = chunks.column(column).data_page_offset
        data[start : start + 40] = b"\xff" * 40
    path.write_bytes(data)
    assert len(rows_of(batches(only(path), Wanted("id", language="meta.lang")))) == 500
    assert identity(only(path), Wanted("id")) == before[Wanted("id")]
    assert identity(only(path), Wanted("id", "text")) != before[Wanted("id", "text")]


def test_nothing_wanted_still_counts_rows(tmp_path: Path) -> None:
    table = pa.table({"id": ["a", "b", "c"]})
    for name in ("a.parquet", "a.arrow", "a.jsonl"):
        write(tmp_path / name, table, 2)
        assert sum(batch.rows for batch in batches(only(tmp_path / name), Wanted())) == 3


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.jsonl"])
def test_files_without_rows(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, pa.table({"id": pa.array([], pa.string())}), 1)
    file = only(tmp_path / name)
    assert rows_of(batches(file, Wanted("id"))) == [] and len(parts(file)) == 1
    assert row_count(file) == (0 if name == "a.parquet" else None)


def test_parts_are_runs_of_row_groups(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", pa.table({"id": [str(i) for i in range(1000)]}), 100)
    file = only(tmp_path / "a.parquet")
    assert [(part.start, part.stop) for part in parts(file)] == [(0, 10)]
    assert [(part.start, part.stop) for part in parts(file, 1)] == [(i, i + 1) for i in range(10)]
    (batch,) = read(parts(file, 1)[7], Wanted("id"))
    assert batch.first == 700 and batch.id[0].as_py() == "700"


def test_columns_found(tmp_path: Path) -> None:
    table = pa.table({"id": ["a"], "meta": [{"lang": "en", "at": {"x": 1}}], "tags": [["a"]]})
    for name in ("a.parquet", "a.arrow", "a.jsonl"):
        write(tmp_path / name, table, 1)
        assert sorted(columns_of(only(tmp_path / name))) == ["id", "meta.at.x", "meta.lang", "tags"]


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "jsonl.zst", "json.zst"])
def test_lines_are_numbered_and_compression_is_seen(tmp_path: Path, ending: str) -> None:
    lines = b"\xef\xbb\xbf" + b"".join(b'{"id": "%d"}\r\n' % i for i in range(5)) + b"\n" + b'{"id": "5\xe2\x80\xa8"}'
    path = tmp_path / f"a.{ending}"
    codec = {"gz": "gzip", "zst": "zstd"}.get(ending.rpartition(".")[2])
    with pa.output_stream(path, compression=codec) as stream:
        stream.write(lines)
    assert [row[0] for row in rows_of(batches(only(path), Wanted("id"), rows=2))] == [
        "0",
        "1",
        "2",
        "3",
        "4",
        "5\u2028",
    ]
    path.rename(tmp_path / "b.jsonl")  # the content says how it is compressed
    assert len(rows_of(batches(only(tmp_path / "b.jsonl"), Wanted("id")))) == 6


def test_whether_a_column_has_nulls_is_known_from_statistics(tmp_path: Path) -> None:
    table = pa.table({"id": ["a", "b", "c", "d"], "odd": ["a", None, "c", "d"]})
    for name, statistics in (("told", True), ("untold", False)):
        pq.write_table(table, tmp_path / f"{name}.parquet", row_group_size=2, write_statistics=statistics)
    told, untold = (only(tmp_path / f"{name}.parquet") for name in ("told", "untold"))
    first, second = parts(told, 1)
    assert [never_null(part, "id", "id") for part in (first, second, *parts(untold))] == [True, True, False]
    assert [never_null(part, "odd", "id") for part in (first, second)] == [False, True]
    assert not never_null(first, None, "id")
    (tmp_path / "lines.jsonl").write_text('{"id": "a"}\n')
    assert not never_null(parts(only(tmp_path / "lines.jsonl"))[0], "id", "id")
    with pytest.raises(Unreadable):
        never_null(first, "none", "id")
