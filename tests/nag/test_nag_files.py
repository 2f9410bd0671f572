"""Files of features and scores: what is written comes back, and what is wrong with a file is said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mixc.backends.nag.features import NONE, Batch, Origin, Shape
from mixc.backends.nag.jsonl import read_jsonl, write_jsonl
from mixc.backends.nag.profile import profile_of
from mixc.backends.nag.scored import read_scores, score, score_files, wholes
from mixc.backends.nag.store import KEY, origin_of, read_features, write_features
from mixc.compiler.documents.data import Unreadable
from tests.examples import shown

SHAPE = Shape(3, 2, 10)
ORIGIN = Origin("a/model", "0123abcd", "up", 120, SHAPE)
ENDINGS = ("parquet", "arrow")


def batch_of(ids: list[str], seed: int = 0) -> Batch:
    random = np.random.default_rng(seed)
    drawn = [[random.permutation(10)[:2] for _ in range(3)] for _ in ids]
    features = np.array(drawn, dtype=np.uint16).reshape(len(ids), 6)
    read = np.arange(len(ids), dtype=np.int32)
    features[read == 0] = NONE
    return Batch(pa.array(ids, pa.string()), features, read, np.arange(len(ids), dtype=np.int64) * 10 - 1)


def code_of(caught: pytest.ExceptionInfo[Unreadable]) -> str:
    return caught.value.diagnostic.code


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_written_comes_back(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"features.{ending}"
    batch = batch_of(["001", "1", "1e5", "é中", "x"])
    assert write_features(path, ORIGIN, [batch, batch_of(["late"], 1)]) == 6
    assert origin_of(path) == ORIGIN
    for rows in (2, 100):
        parts = list(read_features(path, ORIGIN, rows))
        assert [id for part in parts for id in part.ids.to_pylist()] == ["001", "1", "1e5", "é中", "x", "late"]
        assert np.array_equal(np.concatenate([part.features for part in parts])[:5], batch.features)
        assert [n for part in parts for n in part.read.tolist()] == [0, 1, 2, 3, 4, 0]
        assert [n for part in parts for n in part.tokens.tolist()] == [-1, 9, 19, 29, 39, -1]
    assert path.stat().st_size < 60_000


def test_the_authors_format_both_ways(tmp_path: Path) -> None:
    path = tmp_path / "features.jsonl"
    batch = batch_of(["001", "b", "é"])
    write_jsonl(path, "up", [batch])
    first = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
    assert first == {"docid": "001", "fwd_up_feature": {"layer_topk_value_index": [-1] * 6}}
    (found,) = read_jsonl(path, "up", SHAPE)
    assert found.ids.to_pylist() == ["001", "b", "é"]
    assert np.array_equal(found.features, batch.features)
    path.write_text('{"docid": 7, "att_q_feature": {"layer_topk_value_index": [1, 2, 3, 4, 5, 6]}}\n\n')
    (found,) = read_jsonl(path, "q", SHAPE)
    assert found.ids.to_pylist() == ["7"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{", "M590"),
        ("[1]", "M590"),
        ('{"docid": "a"}', "M590"),
        ('{"docid": true, "fwd_up_feature": {"layer_topk_value_index": [1, 2, 3, 4, 5, 6]}}', "M590"),
        ('{"docid": "a", "fwd_up_feature": {"layer_topk_value_index": [1.5, 2, 3, 4, 5, 6]}}', "M590"),
        ('{"docid": "a", "fwd_up_feature": {"layer_topk_value_index": [1e400, 2, 3, 4, 5, 6]}}', "M590"),
        ('{"docid": "a", "fwd_up_feature": {"layer_topk_value_index": [99999999999999999999, 2, 3, 4, 5, 6]}}', "M590"),
        ('{"docid": "a", "fwd_up_feature": {"layer_topk_value_index": [1, 2, 3, 4, 5]}}', "M592"),
        ('{"docid": "a", "fwd_up_feature": {"layer_topk_value_index": [1, 2, 3, 4, 5, 10]}}', "M593"),
        ('{"docid": "a", "fwd_up_feature": {"layer_topk_value_index": [1, 2, 3, 4, 5, -1]}}', "M593"),
        ('{"docid": null, "fwd_up_feature": {"layer_topk_value_index": [1, 2, 3, 4, 5, 6]}}', "M594"),
        ('{"docid": "a", "fwd_up_feature": null}', "M594"),
    ],
)
def test_bad_lines(tmp_path: Path, line: str, code: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"docid": "ok", "fwd_up_feature": {"layer_topk_value_index": [1, 2, 3, 4, 5, 6]}}\n' + line + "\n")
    with pytest.raises(Unreadable) as caught:
        list(read_jsonl(path, "up", SHAPE))
    assert code_of(caught) == code
    if "[1, 2, 3, 4, 5, 10]" in line:
        command = "mixc features import pool.mix bad.jsonl --layers 3 --width 10"
        shown(code, caught.value.diagnostic, files=[path], command=command, at=tmp_path)


def test_bytes_that_are_no_text_and_files_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe\n")
    for name in ("bytes.jsonl", "absent.jsonl"):
        with pytest.raises(Unreadable) as caught:
            list(read_jsonl(tmp_path / name, "up", SHAPE))
        assert code_of(caught) == "M590"
    for name in ("absent.parquet", "absent.arrow"):
        with pytest.raises(Unreadable) as caught:
            origin_of(tmp_path / name)
        assert code_of(caught) == "M590"


@pytest.mark.parametrize("ending", ENDINGS)
def test_features_made_otherwise(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"features.{ending}"
    write_features(path, ORIGIN, [batch_of(["a"])])
    renamed = replace(ORIGIN, model="/elsewhere/model")
    assert len(list(read_features(path, renamed))) == 1  # the same content under another name
    for other in (
        replace(ORIGIN, content="ffff"),
        replace(ORIGIN, projection="down"),
        replace(ORIGIN, tokens=128),
        replace(ORIGIN, shape=Shape(2, 3, 10)),  # the same product
        replace(ORIGIN, shape=Shape(3, 2, 11)),
    ):
        with pytest.raises(Unreadable) as caught:
            list(read_features(path, other))
        assert code_of(caught) == "M591"
        assert caught.value.diagnostic.notes


def test_damage(tmp_path: Path) -> None:
    for ending in ENDINGS:
        path = tmp_path / f"features.{ending}"
        write_features(path, ORIGIN, [batch_of([str(i) for i in range(50)])])
        whole = path.read_bytes()
        for broken in (b"", whole[:100], whole[: len(whole) // 2], whole[:-1]):
            path.write_bytes(broken)
            with pytest.raises(Unreadable) as caught:
                list(read_features(path))
            assert code_of(caught) == "M590"
    plain = tmp_path / "plain.parquet"
    pq.write_table(pa.table({"id": ["a"]}), plain)
    with pytest.raises(Unreadable, match="does not say"):
        origin_of(plain)
    table = pq.read_table(write_whole_one(tmp_path))
    for column in ("id", "features", "read", "tokens"):
        pq.write_table(table.drop_columns([column]), plain)
        with pytest.raises(Unreadable, match=f"it has no column `{column}`"):
            origin_of(plain)
    endless = {**json.loads(table.schema.metadata[KEY]), "width": float("inf")}
    pq.write_table(table.replace_schema_metadata({KEY: json.dumps(endless)}), plain)
    with pytest.raises(Unreadable, match="their making is damaged"):
        origin_of(plain)


def test_offsets_that_lead_out_of_the_ids(tmp_path: Path) -> None:
    """Only the first and the last of them are looked at unless all are asked for."""
    path = tmp_path / "features.arrow"
    write_features(path, ORIGIN, [batch_of(["aaaa", "bbbb", "cccc"])])
    offsets = np.array([0, 4, 8, 12], dtype="<i4").tobytes()
    assert path.read_bytes().count(offsets) == 1
    path.write_bytes(path.read_bytes().replace(offsets, np.array([0, 4, 1 << 30, 12], dtype="<i4").tobytes()))
    with pytest.raises(Unreadable, match="1073741824") as caught:
        list(read_features(path, ORIGIN))
    assert code_of(caught) == "M590"


def write_whole_one(folder: Path) -> Path:
    path = folder / "whole.parquet"
    write_features(path, ORIGIN, [batch_of(["a", "b"])])
    return path


def rewritten(path: Path, **columns: object) -> None:
    """The file again with other columns, its metadata kept: as another program may write it."""
    table = pq.read_table(path)
    for name, column in columns.items():
        table = table.set_column(table.schema.names.index(name), name, column)
    pq.write_table(table, path)


def test_rows_that_are_wrong(tmp_path: Path) -> None:
    path = tmp_path / "features.parquet"
    good = [1, 2, 3, 4, 5, 6]
    lists = pa.list_(pa.uint16(), 6)
    for column, rows, kind, code in (
        ("id", ["a", None], pa.string(), "M594"),
        ("features", [good, None], lists, "M594"),
        ("features", [good, [1, 2, None, 4, 5, 6]], lists, "M594"),
        ("features", [good, [1, 2, 3, 4, 5, 10]], lists, "M593"),
        ("features", [good, [NONE, 2, 3, 4, 5, 6]], lists, "M593"),
        ("features", [good[:4], good[:4]], pa.list_(pa.uint16(), 4), "M592"),
        ("features", [good, good], pa.list_(pa.uint16()), "M590"),
        ("features", [good, good], pa.list_(pa.int64(), 6), "M590"),
        ("id", [b"a", b"b"], pa.binary(), "M590"),
        ("read", [3, 4], pa.uint32(), "M590"),
        ("tokens", [3, 4], pa.uint64(), "M590"),
        ("tokens", ["3", "4"], pa.string(), "M590"),
    ):
        write_features(path, ORIGIN, [batch_of(["a", "b"])])
        rewritten(path, **{column: pa.array(rows, kind)})
        with pytest.raises(Unreadable) as caught:
            list(read_features(path, ORIGIN))
        assert code_of(caught) == code, rows


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_of_scores(tmp_path: Path, ending: str) -> None:
    paths = [tmp_path / f"{name}.{ending}" for name in "ab"]
    batches = [batch_of([f"{name}{i:03}" for i in range(300)], seed) for seed, name in enumerate("ab")]
    for path, batch in zip(paths, batches, strict=True):
        write_features(path, ORIGIN, [batch])
    profiles = [profile_of(f"t{m}", batches[0].features[m * 5 + 1 : m * 5 + 6], SHAPE) for m in range(2)]
    out = tmp_path / "new" / "scores.parquet"
    assert score_files(paths, ORIGIN, profiles, out) == 600
    assert wholes(out) == {"t0": 5 * 2 * 3, "t1": 5 * 2 * 3}
    expected = list(score(batches, profiles))
    parts = list(read_scores(out, 77))
    assert np.array_equal(np.concatenate([p.scores for p in parts]), np.concatenate([p.scores for p in expected]))
    assert [id for p in parts for id in p.ids.to_pylist()] == [id for b in batches for id in b.ids.to_pylist()]
    assert min(int(p.tokens.min()) for p in parts) == 0  # unknown counts as none
    assert sorted(path.name for path in out.parent.iterdir()) == ["scores.parquet"]


def test_ids_that_stand_twice(tmp_path: Path) -> None:
    profile = profile_of("t", batch_of(["x", "y"]).features, SHAPE)
    for ids in (["a", "b", "a"], ["a"]):
        paths = [tmp_path / "one.arrow", tmp_path / "two.parquet"]
        write_features(paths[0], ORIGIN, [batch_of(ids)])
        write_features(paths[1], ORIGIN, [batch_of(["a", "c"] if len(ids) == 1 else ["c"])])
        out = tmp_path / "out" / "scores.parquet"
        with pytest.raises(Unreadable) as caught:
            score_files(paths, ORIGIN, [profile], out)
        assert code_of(caught) == "M595"
        assert "`a`" in caught.value.diagnostic.message
        assert list(out.parent.iterdir()) == []
