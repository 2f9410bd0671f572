"""Everything that can be wrong with a file, and what is said of it."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from documents_builder import batches, complaint, only, rows_of

from mixc.compiler.documents import jsonl
from mixc.compiler.documents.reading import Unreadable, Wanted, identity, parts
from tests.examples import shown

IDS = Wanted("id")
SCAN = "mixc scan recipe.mix"


def parquet(tmp_path: Path, columns: dict[str, Any], **options: Any) -> Path:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table(columns), path, **options)
    return path


def lines(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    return path


def test_a_footer_that_is_cut(tmp_path: Path) -> None:
    path = parquet(tmp_path, {"id": ["a"]})
    path.write_bytes(path.read_bytes()[:-3])
    report = complaint(only(path), IDS)
    assert report.startswith("error[M505]: `a.parquet` is not a complete Parquet file\n --> a.parquet\n")
    shown("M505", report, about="The last three bytes of `a.parquet` are missing.", command=SCAN)
    assert "= help: fetch or write it again\n" in report and "= note: the reader says: Parquet magic bytes" in report
    for content in (b"", b"PAR1", b"PAR1" + b"\xff" * 100 + b"\x10\0\0\0PAR1"):
        path.write_bytes(content)
        for use in (lambda: batches(only(path), IDS), lambda: identity(only(path), IDS), lambda: parts(only(path))):
            with pytest.raises(Unreadable) as caught:
                use()
            assert caught.value.diagnostic.code == "M505"


def test_a_row_group_that_is_damaged(tmp_path: Path) -> None:
    path = parquet(tmp_path, {"id": [f"{i:05}" for i in range(3000)]}, row_group_size=1000, write_page_checksum=True)
    column = pq.read_metadata(path).row_group(1).column(0)
    data = bytearray(path.read_bytes())
    data[column.dictionary_page_offset + column.total_compressed_size // 2] ^= 1
    path.write_bytes(data)
    report = complaint(only(path), IDS, rows=700)
    assert report.startswith("error[M506]: `a.parquet` is damaged in row group 1 of 3\n")
    assert "CRC" in report
    shown("M506", report, about="A bit in the middle of `a.parquet` was turned.", command=SCAN)


def test_random_damage_is_always_told(tmp_path: Path) -> None:
    path = parquet(tmp_path, {"id": [f"{i:05}" for i in range(300)]}, row_group_size=100, write_page_checksum=True)
    whole = path.read_bytes()
    for cut in range(0, len(whole) - 1, 97):
        path.write_bytes(whole[:cut])
        with pytest.raises(Unreadable):
            batches(only(path), IDS)


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("lost", [1, 5, 30])
def test_compressed_lines_that_are_cut(tmp_path: Path, codec: str, frames: int, lost: int) -> None:
    content = b""
    for frame in range(frames):
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, codec) as stream:
            stream.write(b"".join(b'{"id": "%d-%d"}\n' % (frame, i) for i in range(1000)))
        content += sink.getvalue().to_pybytes()
    path = tmp_path / ("a.jsonl.gz" if codec == "gzip" else "a.jsonl.zst")
    path.write_bytes(content)
    assert len(rows_of(batches(only(path), IDS))) == 1000 * frames
    path.write_bytes(content[:-lost])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonl, "BLOCK", 4096)
        report = complaint(only(path), IDS, bad_lines="skip")
    assert report.startswith(f"error[M507]: `{path.name}` is truncated after line ")
    assert report.endswith("  = help: fetch or write it again\n")
    if (codec, frames, lost) == ("gzip", 1, 30):
        shown("M507", report, about="The last 30 bytes of `a.jsonl.gz` are missing.", command=SCAN, numbers=False)


def test_what_is_not_compressed_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(b'{"id": "a"}\n')
    assert complaint(only(path), IDS) == (
        "error[M507]: `a.jsonl.gz` cannot be decompressed\n"
        " --> a.jsonl.gz\n"
        "  = note: the reader says: zlib inflate failed: incorrect header check\n"
        "  = help: fetch or write it again; a file that is not compressed must not end in `.gz` or `.zst`\n"
    )
    path.write_bytes(b"")
    assert complaint(only(path), IDS).startswith("error[M507]: `a.jsonl.gz` is truncated after line 0\n")
    path.write_bytes(gzip.compress(b""))
    assert batches(only(path), IDS) == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"id": "a"', "is not JSON: expecting ',' delimiter, at character 11"),
        (b'{"id": "a"} {"id": "b"}', "is not JSON: extra data, at character 13"),
        (b"null", "is not a JSON object but a single value"),
        (b'["a"]', "is not a JSON object but an array"),
        (b'{"id": "\xff"}', "is not UTF-8"),
        (b'{"id": "a", "other": "\xff"}', "is not UTF-8"),
        (b'{"id": "a", "id": "b"}', "has the key `id` twice"),
        (b'{"id": "\\ud800"}', "has half of a surrogate pair in `id`"),
        (b'{"id": "a", "x": Inf}', "is not JSON: expecting value, at character 18"),
        (b"[" * 100_000, "is not JSON that can be read: a number is too long, or it is nested too deeply"),
    ],
)
@pytest.mark.parametrize("block", [16, 4 << 20])
def test_a_line_that_is_no_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: bytes, reason: str, block: int
) -> None:
    monkeypatch.setattr(jsonl, "BLOCK", block)
    path = lines(tmp_path, b'{"id": "0"}\n\n{"id": "1"}\n' + line + b'\n{"id": "2"}\n')
    assert complaint(only(path), IDS) == (
        f"error[M508]: line 4 of `a.jsonl` {reason}\n --> a.jsonl:4\n"
        "  = help: repair the line, or pass over such lines: `bad_lines = skip` in the source\n"
    )
    found = batches(only(path), IDS, bad_lines="skip")
    assert [row[0] for row in rows_of(found)] == ["0", "1", "2"]
    assert sum(batch.skipped for batch in found) == 1


def test_bad_lines_alone_are_counted(tmp_path: Path) -> None:
    (batch,) = batches(only(lines(tmp_path, b"x\ny\n")), Wanted("id", tokens="n"), bad_lines="skip")
    assert (batch.rows, batch.skipped, len(batch.id)) == (0, 2, 0)


def test_a_json_array_is_not_lines(tmp_path: Path) -> None:
    report = complaint(only(lines(tmp_path, b'[{"id": "a"}]')), IDS)
    assert report == (
        "error[M508]: line 1 of `a.jsonl` is not a JSON object but an array\n"
        " --> a.jsonl:1\n"
        "  = help: write one object per line: `jq -c '.[]' in.json > out.jsonl`\n"
    )


def stream(tmp_path: Path) -> Path:
    path = tmp_path / "a.arrow"
    table = pa.table({"id": [f"{i:05}" for i in range(3000)]})
    with pa.ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=1000)
    return path


def test_an_arrow_stream_that_is_cut(tmp_path: Path) -> None:
    path = stream(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-8])  # every batch is there, but nobody can know
    shown("M509", complaint(only(path), IDS), about="The last 8 bytes of `a.arrow` are missing.", command=SCAN)
    assert complaint(only(path), IDS) == (
        "error[M509]: `a.arrow` is not a complete Arrow file\n"
        " --> a.arrow\n"
        "  = note: the reader says: it is cut before the end\n"
        "  = help: fetch or write it again\n"
    )
    for content in (b"", b"ARROW1", b"x" * 100, whole[:100] + whole[-8:], b"\xff" * 50 + bytes(8)):
        path.write_bytes(content)
        assert complaint(only(path), IDS).startswith("error[M509]: `a.arrow` is not a complete Arrow file\n")


@pytest.mark.parametrize(
    "make",
    [
        lambda t: parquet(t, {"id": ["a"], "lang": ["en"], "meta": [{"dom": "x"}]}),
        lambda t: lines(t, b'{"id": "a", "lang": "en", "meta": {"dom": "x"}}\n'),
    ],
)
def test_a_column_that_is_missing(tmp_path: Path, make: Any) -> None:
    file = only(make(tmp_path))
    name = file.name
    assert complaint(file, Wanted("id", language="lnag")) == (
        f"error[M510]: `{name}` has no column `lnag` for the language\n"
        f" --> {name}\n"
        "  = help: did you mean `lang`?\n"
        "  = note: columns found: id, lang, meta.dom\n"
    )
    if name == "a.jsonl":
        about = 'The source of the recipe has `columns = { id: "id", language: "lnag" }`.'
        said = complaint(file, Wanted("id", language="lnag"))
        shown("M510", said, about=about, files=[tmp_path / name], command=SCAN, at=tmp_path)
    assert "= help: did you mean `meta.dom`?\n" in complaint(file, Wanted(domain="dom"))
    assert "has no column `uid` for the id\n" in complaint(file, Wanted("uid"))
    assert "has no column `edu` for a score\n" in complaint(file, Wanted(scores=(("r", "edu"),)))
    assert "has no column `meta.lang.x` for the text\n" in complaint(file, Wanted(text="meta.lang.x"))


def test_keys_may_be_absent_from_some_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "BLOCK", 8)
    path = lines(tmp_path, b'{"id": "a"}\n{"id": "b"}\n{"id": "c", "lang": null}\n')
    assert [row[2] for row in rows_of(batches(only(path), Wanted("id", language="lang")))] == [None] * 3


@pytest.mark.parametrize(
    ("wanted", "report"),
    [
        (Wanted(text="n"), "column `n` holds whole numbers, but text is read from strings"),
        (Wanted(tokens="t"), "column `t` holds strings, but tokens is read from whole numbers"),
        (Wanted(scores=(("r", "flag"),)), "column `flag` holds true and false, but a score is read from numbers"),
        (Wanted("tags"), "column `tags` holds lists, but id is read from strings or whole numbers"),
        (Wanted(language="meta"), "column `meta` holds fields, but language is read from strings or whole numbers"),
        (Wanted(domain="x"), "column `x` holds numbers, but domain is read from strings or whole numbers"),
    ],
)
def test_a_column_of_the_wrong_type(tmp_path: Path, wanted: Wanted, report: str) -> None:
    row = {"n": 1, "t": "a", "flag": True, "tags": ["a"], "meta": {"a": 1}, "x": 0.5}
    file = only(parquet(tmp_path, {key: [value] for key, value in row.items()}))
    said = complaint(file, wanted)
    assert said.startswith(f"error[M511]: `a.parquet`: {report}\n")
    assert ('= help: `meta` has fields of its own; write `"meta.FIELD"`\n' in said) == ("`meta`" in report)


@pytest.mark.parametrize(
    ("line", "report"),
    [
        (b'{"id": true}', "column `id` holds true or false, but id is read from strings or whole numbers"),
        (b'{"id": 0.5}', "column `id` holds a number, but id is read from strings or whole numbers"),
        (b'{"id": "a", "text": 5}', "column `text` holds a whole number, but text is read from strings"),
        (b'{"id": "a", "n": "5"}', "column `n` holds a string, but tokens is read from whole numbers"),
        (b'{"id": "a", "meta": "s"}', "column `meta` holds a string, but domain is read from strings or whole numbers"),
        (b'{"id": "a", "s": ["x"]}', "column `s` holds a list, but a score is read from numbers"),
    ],
)
def test_a_value_of_the_wrong_type(tmp_path: Path, line: bytes, report: str) -> None:
    good = b'{"id": "a", "text": "t", "n": 1, "meta": {"dom": "x"}, "s": 1}\n'
    file = only(lines(tmp_path, good + line + b"\n"))
    wanted = Wanted("id", "text", None, "meta.dom", "n", (("r", "s"),))
    said = complaint(file, wanted, bad_lines="skip")
    assert said.startswith(f"error[M511]: line 2 of `a.jsonl`: {report}\n")
    if b'"5"' in line:
        about = 'The source of the recipe has `tokens: "n"` among its columns.'
        shown("M511", said, about=about, files=[tmp_path / "a.jsonl"], command=SCAN, at=tmp_path)


def test_ids_that_are_null(tmp_path: Path) -> None:
    expected = (
        "error[M512]: {} of `{}`: `id` is null, but every document needs an id\n"
        " --> {}\n"
        "  = help: fill it in, or leave `id` out of `columns`: then the hash of the text is the id\n"
    )
    ids: Any = pa.array(["a", "b", None, "c"])
    for array in (ids, ids.dictionary_encode()):
        file = only(parquet(tmp_path, {"id": array}, row_group_size=1))
        assert complaint(file, IDS, target_bytes=1) == expected.format("row 3", "a.parquet", "a.parquet")
    file = only(lines(tmp_path, b'{"id": "a"}\n\n{"id": "b"}\n{}\n'))
    assert complaint(file, IDS) == expected.format("line 4", "a.jsonl", "a.jsonl")
    shown("M512", complaint(file, IDS), files=[tmp_path / "a.jsonl"], command=SCAN, at=tmp_path)
    file = only(parquet(tmp_path, {"id": [None, None, "a"]}))
    assert "= note: null in 2 rows that were read together\n" in complaint(file, IDS)


@pytest.mark.parametrize(
    ("value", "kind", "says"),
    [
        (0, pa.int32(), "0"),
        (-4, pa.int64(), "-4"),
        (None, pa.int16(), "null"),
        (0, pa.uint8(), "0"),
        (2**63, pa.uint64(), "9223372036854775808"),
        (1.5, pa.float64(), "1.5"),
        (float("nan"), pa.float32(), "nan"),
        (float("inf"), pa.float64(), "inf"),
    ],
)
def test_tokens_that_are_no_count(tmp_path: Path, value: Any, kind: Any, says: str) -> None:
    file = only(parquet(tmp_path, {"n": pa.array([1, 2, value], kind)}))
    assert complaint(file, Wanted(tokens="n")) == (
        f"error[M513]: row 3 of `a.parquet`: `n` is {says}, but a document has at least 1 token\n"
        " --> a.parquet\n"
        "  = help: leave such documents out of the data, or `tokens` out of `columns`\n"
    )


@pytest.mark.parametrize("value", ["0", "-1", "null", "1.5", "1e400", "9223372036854775808", "NaN"])
def test_tokens_of_lines_that_are_no_count(tmp_path: Path, value: str) -> None:
    file = only(lines(tmp_path, b'{"n": 1}\n\n{"n": ' + value.encode() + b"}\n"))
    said = complaint(file, Wanted(tokens="n"))
    assert said.startswith("error[M513]: line 3 of `a.jsonl`: `n` is ")
    if value == "0":
        shown("M513", said, files=[tmp_path / "a.jsonl"], command=SCAN, at=tmp_path)


def test_strings_that_are_not_utf8(tmp_path: Path) -> None:
    raw = pa.array([b"a", b"\xff", b"c"])
    broken = raw.view(pa.string())
    for array in (raw, broken, broken.dictionary_encode()):
        file = only(parquet(tmp_path, {"id": ["1", "2", "3"], "lang": array}))
        said = complaint(file, Wanted("id", language="lang"))
        shown("M514", said, about="The language of the second row is the byte 0xFF.", command=SCAN)
        assert said == (
            "error[M514]: row 2 of `a.parquet`: `lang` is not UTF-8\n --> a.parquet\n  = help: write it as UTF-8\n"
        )


def test_files_that_vanish_or_are_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (parquet(tmp_path, {"id": ["a"]}), lines(tmp_path, b'{"id": "a"}\n'), stream(tmp_path)):
        file = only(path)
        path.unlink()
        said = complaint(file, IDS)
        if path.suffix == ".parquet":
            about = "`a.parquet` was deleted after its name was listed."
            shown("M502", said, about=about, command=SCAN)
        assert said == (f"error[M502]: `{path.name}` cannot be read: it is not there (any more)\n --> {path.name}\n")

    def locked(*_: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(pa, "OSFile", locked)
    monkeypatch.setattr(pa, "memory_map", locked)
    assert complaint(file, IDS).startswith("error[M502]: `a.arrow` cannot be read: permission denied\n")


def test_a_file_with_fewer_row_groups_than_before(tmp_path: Path) -> None:
    path = parquet(tmp_path, {"id": ["a", "b"]}, row_group_size=1)
    found = parts(only(path))
    parquet(tmp_path, {"id": ["a"]})
    from mixc.compiler.documents.reading import read

    with pytest.raises(Unreadable, match="fewer row groups"):
        list(read(found[0], IDS))


def test_a_diagnostic_survives_the_way_between_processes(tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as caught:
        batches(only(lines(tmp_path, b"x\n")), IDS)
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.diagnostic == caught.value.diagnostic and str(again) == again.diagnostic.message


def test_dictionaries_whose_indices_lead_out_of_them(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    codes = pa.DictionaryArray.from_arrays(pa.array([0, 7], pa.int32()), pa.array(["en"]), safe=False)
    table = pa.table({"lang": codes})
    with pa.ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table)
    assert "error[M509]" in complaint(only(path), Wanted(language="lang"))
