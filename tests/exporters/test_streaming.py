"""Streams: as many samples as decided however the trainer multiplies, phases, what cannot be told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from mixc.backends.exporters.streaming import export
from mixc.backends.exporters.units import up
from mixc.compiler.export import Counted, Settings
from tests.exporters.golden import check
from tests.exporters.made import DATA, codes, manifest, texts


def streams(made: Mapping[str, str] | None, phase: str) -> dict[str, Any]:
    assert made is not None
    found: dict[str, Any] = yaml.safe_load(made[f"{phase}.yaml"])["train_loader"]["dataset"]["streams"]
    return found


def test_golden_places_of_ones_own_two_phases() -> None:
    made, found = export(manifest("pretrain-anneal"), Settings(data="s3://{source}/{language}/{domain}/{bucket}"))
    assert made is not None
    assert codes(found) == ["M819"]
    check(made, "streaming/pretrain-anneal")


def test_golden_texts_of_a_run() -> None:
    plan = manifest("polyglot17")
    made, found = export(plan, Settings(texts=texts(plan), sequence=2048, tokenizer="org/tokenizer"))
    assert made is not None
    assert found == []
    assert {one["repeat"] for one in streams(made, "main").values()} == {1.0}
    check(made, "streaming/polyglot17")


@given(st.integers(1, 10**7), st.integers(1, 10**7), st.integers(1, 10**6))
def test_the_trainer_reads_the_whole_number_of_samples_nearest_below(tokens: int, available: int, samples: int) -> None:
    assert int(up(tokens, available) * samples) == tokens * samples // available


@given(st.integers(1, 10**13), st.integers(1, 10**13), st.integers(1, 10**10), st.integers(1, 9))
def test_no_pass_is_begun_that_is_not_allowed(tokens: int, available: int, samples: int, most: int) -> None:
    assert int(up(min(tokens, most * available), available) * samples) <= most * samples


def test_a_ratio_that_the_trainer_would_cut_to_one_less() -> None:
    assert int(29 / 100 * 100) == 28
    assert int(up(29, 100) * 100) == 29
    assert up(1, 1) == 1.0
    assert up(4 * 7, 7) == 4.0


def test_counted_samples_are_told_as_such_and_a_place_below_one_is_left_out() -> None:
    plan = manifest("hello")
    rows = {row.language: row for row in plan.mixture}
    counts = {f"c/{code}": Counted(1000, row.supply) for code, row in rows.items()}
    small = min(rows.values(), key=lambda row: row.tokens / row.supply)
    counts[f"c/{small.language}"] = Counted(1, small.tokens + 1)
    made, found = export(plan, Settings(data="c/{language}", counts=counts))
    assert codes(found) == ["M807"]
    read = streams(made, plan.phases[0].name)
    assert {one["local"]: one["choose"] for one in read.values()} == {
        f"c/{code}": row.tokens * 1000 // row.supply for code, row in rows.items() if row is not small
    }


def test_phases_have_seeds_of_their_own_and_one_cache_per_place() -> None:
    made, _ = export(manifest("pretrain-anneal"), Settings(data="s3://bucket/{source}/{language}"))
    assert made is not None
    seeds = [
        yaml.safe_load(made[f"{one}.yaml"])["train_loader"]["dataset"]["shuffle_seed"] for one in ("pretrain", "anneal")
    ]
    assert seeds == [42, 43]
    caches = {one["remote"]: one["local"] for phase in ("pretrain", "anneal") for one in streams(made, phase).values()}
    assert caches["s3://bucket/fineweb/en"] == "cache/bucket/fineweb/en"
    assert len(set(caches.values())) == len(caches)


def test_what_is_missing() -> None:
    plan = manifest("polyglot17")
    assert codes(export(plan, Settings())[1]) == ["M703"]
    assert codes(export(plan, Settings(texts=texts(plan)))[1]) == ["M705", "M705"]
    assert codes(export(plan, Settings(data=DATA, counts={}))[1]) == ["M805"] * 35
    nothing = {"c/all": Counted(1, 10**15)}
    made, found = export(plan, Settings(data="c/all", counts=nothing))
    assert made is None
    assert codes(found) == ["M707", "M807", "M808"]
