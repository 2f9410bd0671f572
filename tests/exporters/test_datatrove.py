"""The pipeline of a run: every phase's texts, what is missing."""

from __future__ import annotations

import json

from mixc.backends.exporters.datatrove import PIPELINE, export
from mixc.compiler.export import Settings
from tests.exporters.golden import check
from tests.exporters.made import DATA, codes, manifest, texts


def test_golden_two_phases() -> None:
    plan = manifest("pretrain-anneal")
    made, found = export(plan, Settings(texts=texts(plan)))
    assert made is not None
    assert found == []
    assert json.loads(made["places.json"])["phases"] == {
        "pretrain": "selection/texts/pretrain",
        "anneal": "selection/texts/anneal",
    }
    check({name: text for name, text in made.items() if name != PIPELINE}, "datatrove/pretrain-anneal")


def test_golden_one_phase() -> None:
    plan = manifest("polyglot17")
    made, found = export(plan, Settings(texts=texts(plan, repeat=True)))
    assert made is not None
    assert found == []
    check({name: text for name, text in made.items() if name != PIPELINE}, "datatrove/polyglot17")


def test_a_pattern_and_counts_change_nothing() -> None:
    plan = manifest("hello")
    assert export(plan, Settings(texts=texts(plan), data=DATA, counts={})) == export(plan, Settings(texts=texts(plan)))


def test_what_is_missing() -> None:
    plan = manifest("pretrain-anneal")
    assert codes(export(plan, Settings())[1]) == ["M809"]
    assert codes(export(plan, Settings(data=DATA))[1]) == ["M809"]
    one = tuple(cell for cell in texts(plan) if cell.phase == "anneal")
    assert codes(export(plan, Settings(texts=one))[1]) == ["M808"]
