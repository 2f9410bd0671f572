"""Datasets for axolotl: the rows of a run, and nothing without them."""

from __future__ import annotations

from dataclasses import replace

import yaml

from mixc.backends.exporters.axolotl import export
from mixc.compiler.export import Settings
from tests.exporters.golden import check
from tests.exporters.made import DATA, codes, manifest, texts


def test_golden_two_phases() -> None:
    plan = manifest("pretrain-anneal")
    made, found = export(plan, Settings(texts=texts(plan, repeat=True)))
    assert made is not None
    assert found == []
    check(made, "axolotl/pretrain-anneal")


def test_golden_one_phase_in_a_place_of_ones_own() -> None:
    plan = manifest("polyglot17")
    made, found = export(plan, Settings(texts=texts(plan, repeat=True), data="s3://c/{source}/{language}"))
    assert made is not None
    assert found == []
    check(made, "axolotl/polyglot17")


def test_every_folder_of_the_run_is_named_once() -> None:
    plan = manifest("polyglot17")
    written = texts(plan, repeat=True)
    made, _ = export(plan, Settings(texts=written))
    assert made is not None
    files = [file for one in yaml.safe_load(made["main.yaml"])["datasets"] for file in one["data_files"]]
    assert sorted(files) == sorted(f"{one.folder}/*.parquet" for one in written)


def test_rows_that_stand_for_copies() -> None:
    plan = manifest("polyglot17")
    assert codes(export(plan, Settings(texts=texts(plan)))[1]) == ["M803"]
    assert export(plan, Settings(texts=texts(plan, copies=1)))[0] is not None  # no document has a second copy


def test_what_is_missing_or_cannot_be_read() -> None:
    plan = manifest("hello")
    assert codes(export(plan, Settings())[1]) == ["M809"]
    assert codes(export(plan, Settings(data=DATA))[1]) == ["M809"]
    written = texts(plan, repeat=True)
    odd = tuple(replace(one, folder=one.folder.replace("selection", "sel[1]")) for one in written)
    assert codes(export(plan, Settings(texts=odd))[1]) == ["M708"]
    assert set(codes(export(plan, Settings(texts=()))[1])) == {"M808"}
