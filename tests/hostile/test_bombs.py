"""Small files that become large, and numbers and nesting beyond all reason: refused in flat memory, or read."""

from __future__ import annotations

import gzip
import json
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mixc.backends.nag.features import Shape
from mixc.backends.nag.jsonl import read_jsonl
from mixc.compiler.documents import bounds, jsonl
from mixc.compiler.documents.bounds import bounded
from mixc.compiler.documents.data import DataFile, Unreadable, Wanted
from mixc.compiler.documents.reading import parts, read
from mixc.compiler.plain_json import loads
from mixc.compiler.review.reading import parse_manifest
from mixc.compiler.supply.reading import language_shares
from tests.fuzz.targets import TARGETS

GOOD = b'{"id": "a", "text": "some text", "tokens": 3, "score": 0.5}\n'
WANTED = Wanted("id", "text", None, None, "tokens", (("edu", "score"),))
DEEP = b"[" * 100_000 + b"]" * 100_000
DIGITS = b"9" * 100_000
MEGABYTE = 1 << 20
LINUX = pytest.mark.skipif(not bounds.STATM.exists(), reason="the bound on memory needs /proc: NOT TESTED here")


def rows(path: Path, wanted: Wanted = WANTED) -> int:
    forms: dict[str, Any] = {".parquet": "parquet", ".arrow": "arrow"}
    form = forms.get(path.suffix, "jsonl")
    file = DataFile("s", path.name, str(path), form, path.stat().st_size, "0")
    return sum(batch.rows for part in parts(file) for batch in read(part, wanted))


def refused(path: Path, wanted: Wanted = WANTED) -> str:
    with pytest.raises(Unreadable) as caught:
        rows(path, wanted)
    return " ".join((caught.value.diagnostic.message, *caught.value.diagnostic.notes))


def scanned(folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    """`mixc scan` of documents in a process of its own."""
    (folder / "r.mix").write_text(
        "recipe r\nbudget { model = 1M params, tokens = 1M tokens }\n"
        f'source s {{ path = "{name}", columns = {{ tokens: "tokens", domain: "domain", language: "language" }} }}\n'
    )
    command = [sys.executable, "-m", "mixc", "scan", "r.mix", "--workers", "1"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("value", [DEEP, b'{"a":' * 100_000 + b"1" + b"}" * 100_000, DIGITS, b"1e400", b"-Infinity"])
def test_what_nobody_wants_of_a_line_is_passed_over(value: bytes, tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").write_bytes(GOOD + GOOD.replace(b"}", b', "x": ' + value + b"}"))
    try:
        assert rows(tmp_path / "d.jsonl") == 2
    except Unreadable as error:  # where a line is read by itself, deep nesting is refused
        assert error.diagnostic.code == "M508"


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        (b'"tokens": 3', b'"tokens": ' + DIGITS, "too long"),
        (b'"tokens": 3', b'"tokens": 1e400', "is inf"),
        (b'"tokens": 3', b'"tokens": ' + DEEP, "nested"),
        (b'"tokens": 3', b'"tokens": NaN', "nan"),
        (b'"id": "a"', b'"id": "a", "id": "b"', "twice"),
        (b'"text": "some text"', b'"text": ' + DEEP, "nested"),
    ],
)
def test_what_is_wanted_of_a_line_is_checked(key: bytes, value: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").write_bytes(GOOD + GOOD.replace(key, value))
    assert why in refused(tmp_path / "d.jsonl")


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(
    ("score", "value"),
    [(b"1" + b"0" * 400, "inf"), (b"-1" + b"0" * 400, "-inf"), (b"NaN", "nan"), (b"1e400", "inf")],
)
def test_a_score_beyond_floats_is_infinite_or_none(score: bytes, value: str, fast: bool, tmp_path: Path) -> None:
    """Whether Arrow reads the block, or Python, whose whole numbers have no end, the line."""
    path = tmp_path / "d.jsonl"
    path.write_bytes(GOOD.replace(b"0.5", score))
    file = DataFile("s", path.name, str(path), "jsonl", path.stat().st_size, "0")
    (batch,) = jsonl.read(file, WANTED, 64, "error", fast=fast)
    assert [str(one) for one in batch.scores["edu"].to_pylist()] == [value]


def test_a_line_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gigabyte of one letter in a megabyte of gzip is given up after `LONGEST` bytes."""
    monkeypatch.setattr(jsonl, "LONGEST", 8 * MEGABYTE)
    with gzip.open(tmp_path / "d.jsonl.gz", "wb", compresslevel=1) as file:
        for _ in range(64):
            file.write(b"x" * MEGABYTE)
    assert "longer than 8 MiB" in refused(tmp_path / "d.jsonl.gz")


def test_many_empty_lines_are_no_documents(tmp_path: Path) -> None:
    (tmp_path / "d.jsonl.zst").write_bytes(pa.compress(GOOD + b"\n" * (4 * MEGABYTE) + GOOD, "zstd", asbytes=True))
    assert rows(tmp_path / "d.jsonl.zst") == 2


@pytest.fixture
def nothing_kept() -> Iterator[None]:
    """Arrow's memory straight from the system: a pool keeps what earlier tests took, and no bound sees its use."""
    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    yield
    pa.set_memory_pool(before)


@LINUX
@pytest.mark.usefixtures("nothing_kept")
def test_a_dictionary_that_repeats_a_large_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some kB that would become 1 GB: the same megabyte in 1,000 rows. Arrow itself refuses only beyond 2 GB."""
    monkeypatch.setattr(bounds, "MOST", 64 * MEGABYTE)
    count = 1000
    places = pa.array([0] * count + [1] * count, pa.int32())
    texts = pa.DictionaryArray.from_arrays(places, pa.array(["short", "x" * MEGABYTE]))
    table = pa.table({"id": [f"{i}" for i in range(2 * count)], "text": texts})
    path = tmp_path / "d.parquet"
    pq.write_table(table, path, row_group_size=count, dictionary_pagesize_limit=1 << 30, store_schema=False)
    assert path.stat().st_size < MEGABYTE
    assert pq.read_schema(path).field("text").type == pa.string()
    said = refused(path, Wanted(id="id", text="text"))
    assert "row group 1 of 2" in said
    assert "alloc" in said
    assert rows(path, Wanted(id="id")) == 2 * count


@LINUX
def test_memory_is_bounded_only_within(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    monkeypatch.setattr(bounds, "MOST", 64 * MEGABYTE)

    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(MemoryError), bounded():
        bytearray(256 * MEGABYTE)
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    assert len(bytearray(256 * MEGABYTE)) == 256 * MEGABYTE


@pytest.mark.parametrize("place", ["num_rows", "page size", "offset"])
def test_a_footer_that_lies(place: str, tmp_path: Path) -> None:
    """Rows, sizes and offsets that the file does not have: bytes of a footer are changed in turn."""
    path = tmp_path / "d.parquet"
    table = pa.table({"id": [str(i) for i in range(1000)], "tokens": list(range(1, 1001))})
    pq.write_table(table, path, row_group_size=500)
    data = path.read_bytes()
    length = int.from_bytes(data[-8:-4], "little")
    start = {"num_rows": len(data) - 8 - length, "page size": 4, "offset": len(data) - 8}[place]
    ends = {"num_rows": len(data) - 8, "page size": 60, "offset": len(data) - 4}[place]
    for at in range(start, ends, 7 if place == "num_rows" else 1):
        for byte in (0x00, 0x7F, 0xFF) if place != "num_rows" else (0x7F, 0xFF):
            path.write_bytes(data[:at] + bytes([byte]) + data[at + 1 :])
            try:
                rows(path, Wanted(id="id", tokens="tokens"))
            except Unreadable as error:
                assert error.diagnostic.code


def test_offsets_that_lead_out_of_a_dictionary(tmp_path: Path) -> None:
    """Arrow follows them where it joins batches with different dictionaries: a crash, so in a process of its own."""
    pieces = []
    for values in (["aaaa", "bbbb", "cccc"], ["dddd", "eeee", "ffff"]):
        rest = {"id": [f"id {one}" for one in values], "tokens": [5] * 3, "language": ["en"] * 3}
        pieces.append(pa.record_batch({**rest, "domain": pa.array(values).dictionary_encode()}))
    path = tmp_path / "d.arrow"
    with pa.ipc.new_stream(path, pieces[0].schema) as writer:
        for piece in pieces:
            writer.write_batch(piece)
    good = struct.pack("<4i", 0, 4, 8, 12)
    assert path.read_bytes().count(good) == 2
    assert rows(path, Wanted(id="id", domain="domain")) == 6
    path.write_bytes(path.read_bytes().replace(good, struct.pack("<4i", 0, 4, 1 << 30, 12)))
    ran = scanned(tmp_path, "d.arrow")
    assert ran.returncode == 1, ran.stderr
    assert "error[M509]" in ran.stdout + ran.stderr
    assert "1073741824" in ran.stdout + ran.stderr


HOSTILE: dict[str, bytes] = {
    "deep": DEEP,
    "deep objects": b'{"a":' * 100_000,
    "digits": b'{"schema": ' + DIGITS + b"}",
    "infinite": b'{"schema": 1e400, "languages": [{"code": "en", "share": NaN}]}',
    "not UTF-8": b'{"schema": "\xff"}',
    "half a letter": rb'{"schema": "\ud800"}',
    "a bare number": b"1",
    "a list": b"[]",
    "null": b"null",
    "nothing": b"",
    "a long name": b'{"schema": "' + b"x" * 100_000 + b'"}',
    "twice": b'{"places": {"a": 1, "a": 2}, "places": {}}',
}


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("name", ["manifest", "lock", "calibration", "counts", "pairs", "runs", "results", "features"])
def test_every_reader_of_json_refuses(name: str, what: str, tmp_path: Path) -> None:
    read = TARGETS[name].make(tmp_path)
    for front in (b"", b"\x00", b"\x02"):
        read(front + HOSTILE[what] + b"\n")


def test_one_error_for_json_that_is_none() -> None:
    for data in (DEEP, b"{", DIGITS, b"\xff", b""):
        with pytest.raises(ValueError, match=r"."):
            loads(data)
    assert loads(b"[1]") == [1]
    assert isinstance(language_shares(DIGITS), str)


def test_half_a_character_is_refused_wherever_json_is_read(tmp_path: Path) -> None:
    """Arrow, and every file that is written, would stop at it."""
    for data in (rb'["\ud800"]', rb'{"\udfff": 1}', rb'["\ud800", "\ud83d\ude00"]'):
        with pytest.raises(ValueError, match="half a character"):
            loads(data)
    with pytest.raises(ValueError, match="byte 2 is not UTF-8"):
        loads(b'["\xed\xa0\x80"]')
    assert loads(rb'["\ud83d\ude00", "\\ud800"]') == ["\U0001f600", "\\ud800"]
    path = tmp_path / "f.jsonl"
    path.write_text('{"docid": "\\ud800", "fwd_up_feature": {"layer_topk_value_index": [0, 1, 2, 3]}}\n')
    with pytest.raises(Unreadable) as refused:
        list(read_jsonl(path, "up", Shape(2, 2, 8)))
    assert "line 1 cannot be read: a string in it holds half a character" in refused.value.diagnostic.message


CRAFTED: dict[str, Callable[[dict[str, Any]], None]] = {
    "a source outside": lambda data: data["sources"][0].update(name="../../out"),
    "a source that is absolute": lambda data: data["sources"][0].update(name="/etc/cron.d/x"),
    "a phase outside": lambda data: data["phases"][0].update(name=".."),
    "a recipe outside": lambda data: data["recipe"].update(name="../x"),
    "a stage without parameters": lambda data: data.update(
        plan=[{"backend": "documents", "stage": "read", "parameters": {}}]
    ),
    "a stage of another form": lambda data: data.update(
        plan=[{"backend": "documents", "stage": "locate", "parameters": {"params": 3}}]
    ),
    "a plan of another source": lambda data: data.update(plan=[{
        "backend": "documents", "stage": "read", "parameters": {
            "name": "../../out", "paths": ["/etc/passwd"], "wanted": {"id": "id", "text": None, "language": None,
            "domain": None, "tokens": None, "scores": []}, "text": None, "aliases": [], "bad_lines": "error",
            "counting": {"name": "tokens", "way": "column"}, "eos": True, "ids": "unique"}}]),
}  # fmt: skip


@pytest.mark.parametrize("what", CRAFTED)
def test_a_crafted_manifest_names_nothing_outside(what: str) -> None:
    """Whoever writes a manifest can state its hash too; names of sources and phases become folders of a run."""
    from mixc.compiler.review.canonical import canonical, digest

    toy = Path(__file__).parents[1] / "cases" / "review" / "toy.manifest.json"
    data = json.loads(toy.read_text())
    CRAFTED[what](data)
    del data["integrity"]
    made, found = parse_manifest("m.json", canonical({**data, "integrity": digest(data)}).encode())
    assert made is None
    assert [one.code for one in found] == ["M455"]


def test_a_name_of_documents_steers_no_terminal(tmp_path: Path) -> None:
    row = {"id": "a", "text": "t", "domain": "\x1b]0;owned\x07\u202e", "language": "en", "tokens": 5}
    (tmp_path / "d.jsonl").write_text(json.dumps(row) + "\n")
    ran = scanned(tmp_path, "d.jsonl")
    assert ran.returncode == 0, ran.stderr
    assert "<U+001B>]0;owned<U+0007><U+202E>" in ran.stdout
    assert "\x1b" not in ran.stdout + ran.stderr
