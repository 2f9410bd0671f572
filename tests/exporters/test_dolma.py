"""Streams of copies: one per copy and place, with outputs of their own; what is missing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mixc.backends.exporters.dolma import export, most_copies
from mixc.compiler.export import CellTexts, Settings
from tests.examples import shown
from tests.exporters.golden import check
from tests.exporters.made import DATA, codes, manifest, texts


def written(cells: Sequence[CellTexts], copies: int) -> None:
    """Files as a run would have written them, of one row, whose statistics say how many copies there are."""
    for cell in cells:
        Path(cell.folder).mkdir(parents=True, exist_ok=True)
        table = pa.table({"id": ["a"], "text": ["words"], "copies": pa.array([copies], pa.int32())})
        pq.write_table(table, Path(cell.folder) / "00000.parquet")


def test_golden_copies_in_a_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plan = manifest("polyglot17")
    cells = texts(plan, copies=2)
    written(cells, 2)
    made, found = export(plan, Settings(texts=cells))
    assert made is not None
    assert found == []
    check(made, "dolma/polyglot17")


def test_golden_repeated_rows_two_phases() -> None:
    plan = manifest("pretrain-anneal")
    made, found = export(plan, Settings(texts=texts(plan, repeat=True)))
    assert made is not None
    assert found == []
    check(made, "dolma/pretrain-anneal")


def test_every_stream_has_one_pattern_and_an_output_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plan = manifest("hello")
    cells = texts(plan)
    written(cells, 3)
    made, _ = export(plan, Settings(texts=cells, data="my[data]/{language}"))
    assert made is not None
    streams = json.loads(made["main.json"])["streams"]
    assert {len(one["documents"]) for one in streams} == {1}
    assert streams[0]["documents"] == ["my[[]data]/de/documents/*.jsonl.gz"]
    outputs = [one["output"]["path"] for one in streams]
    assert len(set(outputs)) == len(outputs) == 3 * 3
    assert [one["filter"]["include"] for one in streams[:3]] == [
        [f"$.attributes[?(@.copies >= {copy}.0)]"] for copy in (1, 2, 3)
    ]
    assert {one["path"] for one in json.loads(made["places.json"])["places"]} == {
        f"my[data]/{language}" for language in ("de", "en", "fr")
    }


def test_the_most_copies_without_statistics(tmp_path: Path) -> None:
    cell = replace(texts(manifest("hello"))[0], folder=str(tmp_path))
    table = pa.table({"id": ["a", "b"], "text": ["", ""], "copies": pa.array([7, 2], pa.int32())})
    pq.write_table(table, tmp_path / "0.parquet", write_statistics=False)
    assert most_copies(cell) == 7
    assert most_copies(replace(cell, folder=str(tmp_path / "none"))) is None
    assert most_copies(replace(cell, folder=str(tmp_path / "none"), repeat=True)) == 1


def test_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plan = manifest("pretrain-anneal")
    assert codes(export(plan, Settings())[1]) == ["M809"]
    _, found = export(plan, Settings(data=DATA))
    assert codes(found) == ["M809"]
    command = "mixc export plan.manifest.json --to dolma -o export"
    shown("M809", found, command=f"{command} --data 'corpus/{{language}}'")
    _, found = export(plan, Settings(texts=texts(plan)))
    assert codes(found) == ["M831"]
    shown("M831", found, about="The folder of texts below `out` was moved.", command=f"{command} --run out")
    assert codes(export(plan, Settings(texts=texts(plan), data="d/{source}"))[1]) == ["M704"]
    one = tuple(cell for cell in texts(plan, repeat=True) if cell.phase == "anneal")
    assert codes(export(plan, Settings(texts=one))[1]) == ["M808"]
