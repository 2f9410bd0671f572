"""Rows for `datasets`: how many of every place, phases that go on, probabilities, and the order of the loader."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mixc.backends.exporters.hf_datasets import STRATEGY, export, parts
from mixc.backends.exporters.leaves import Mixture, Stage
from mixc.backends.exporters.prepare.load import order
from mixc.compiler.export import Counted, Settings
from tests.exporters.golden import check
from tests.exporters.made import DATA, codes, leaf, manifest, texts


def counted(name: str, documents: int = 1000) -> Settings:
    """Data of one's own, in places of so many rows."""
    counts = {
        DATA.format(source=row.source, language=row.language, domain=row.domain, bucket=bucket): Counted(
            documents, supply
        )
        for row in manifest(name).mixture
        for bucket, supply in enumerate(row.supply_by_bucket)
        if supply
    }
    return Settings(data=DATA, counts=counts)


def test_golden_places_of_ones_own_two_phases() -> None:
    made, found = export(manifest("pretrain-anneal"), counted("pretrain-anneal"))
    assert made is not None
    assert found == []
    check({name: text for name, text in made.items() if name != "load.py"}, "datasets/pretrain-anneal")


def test_golden_texts_of_a_run() -> None:
    plan = manifest("polyglot17")
    made, found = export(plan, Settings(texts=texts(plan)))
    assert made is not None
    assert found == []
    check({name: text for name, text in made.items() if name != "load.py"}, "datasets/polyglot17")
    asked = json.loads(made["main.json"])
    assert asked["stopping_strategy"] == STRATEGY
    assert all(one["copied"] and one["skip"] == 0 and one["rows"] == one["there_are"] for one in asked["places"])
    repeated = json.loads((export(plan, Settings(texts=texts(plan, repeat=True)))[0] or {})["main.json"])
    assert [{**one, "copied": True} for one in repeated["places"]] == asked["places"]


def test_probabilities_read_back_and_add_up_to_one() -> None:
    made, _ = export(manifest("pretrain-anneal"), counted("pretrain-anneal", 12345))
    assert made is not None
    for phase in ("pretrain", "anneal"):
        asked: dict[str, Any] = json.loads(made[f"{phase}.json"])
        chances = [one["probability"] for one in asked["places"]]
        assert min(chances) > 0
        assert math.fsum(chances) == 1.0
        assert abs(sum(chances) - 1) < 1e-12
        rows = sum(one["rows"] for one in asked["places"])
        assert max(abs(one["probability"] - one["rows"] / rows) for one in asked["places"]) < 1e-15


@given(st.integers(1, 500), st.integers(1, 10**6), st.lists(st.integers(1, 10**6), min_size=1, max_size=4))
def test_phases_share_no_row_before_all_are_read(documents: int, available: int, takes: list[int]) -> None:
    stages = tuple(Stage(str(i), take, (leaf(take, available, documents),)) for i, take in enumerate(takes))
    phases, _ = parts(Mixture("m", stages, False))
    read = [(one.skip, one.skip + one.rows) for phase in phases for one in phase]
    assert [low for low, _ in read] == [0, *(high for _, high in read)][: len(read)]
    assert (read[-1][1] if read else 0) == documents * sum(takes) // available


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=30), st.integers(0, 60), st.integers(1, 60), st.integers(0, 2**32)
)
def test_the_loader_reads_all_rows_before_any_is_read_again(copies: list[int], skip: int, rows: int, seed: int) -> None:
    times = np.array(copies)
    whole = order(times, 0, skip + rows, seed)
    assert order(times, skip, rows, seed).tolist() == whole[skip:].tolist()
    full = len(whole) // sum(copies)
    seen = Counter(whole.tolist())
    assert all(full * most <= seen[i] <= (full + 1) * most for i, most in enumerate(copies))
    assert sorted(order(times, 0, sum(copies), seed).tolist()) == sorted(
        np.repeat(np.arange(len(times)), times).tolist()
    )
    assert len(set(order(times, 0, len(times), seed).tolist())) == len(times)


def test_a_place_that_gives_less_than_a_row_is_left_out() -> None:
    plan = manifest("hello")
    settings = counted("hello")
    assert settings.counts is not None
    path = min(settings.counts)
    counts = {**settings.counts, path: Counted(1, 10**12)}
    made, found = export(plan, Settings(data=DATA, counts=counts))
    assert codes(found) == ["M807"]
    assert made is not None
    assert path not in made[f"{plan.phases[0].name}.json"]
    nothing = {place: Counted(1, 10**15) for place in counts}
    assert codes(export(plan, Settings(data=DATA, counts=nothing))[1]) == ["M807", "M808"]


def test_what_is_missing() -> None:
    plan = manifest("polyglot17")
    assert codes(export(plan, Settings())[1]) == ["M703"]
    made, found = export(plan, Settings(data=DATA))
    assert made is None
    assert codes(found) == ["M706"]
    assert codes(export(plan, Settings(data="{sauce}", counts={}))[1]) == ["M704"]
