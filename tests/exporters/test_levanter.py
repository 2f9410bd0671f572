"""Weights of blocks: what Levanter reads of each is what they say, phases in whole blocks and steps, limits kept."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import add
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mixc.backends.exporters import levanter
from mixc.backends.exporters.blocks import Amounts, in_blocks, wanted, within
from mixc.backends.exporters.leaves import Leaf, Mixture, Stage
from mixc.backends.exporters.levanter import export, named, weights
from mixc.compiler.export import Counted, Settings
from tests.examples import shown
from tests.exporters.golden import check
from tests.exporters.made import DATA, codes, leaf, manifest, texts

GIVEN = Settings(data=DATA, sequence=4096, batch=512, tokenizer="org/tokenizer")


def written(made: Any) -> dict[str, Any]:
    assert made is not None
    found: dict[str, Any] = yaml.safe_load(made["train.yaml"])
    return found


def test_golden_places_of_ones_own_two_phases() -> None:
    made, found = export(manifest("pretrain-anneal"), replace(GIVEN, data="gs://{source}/{language}/{domain}/{bucket}"))
    assert made is not None
    assert codes(found) == ["M801"]
    check(made, "levanter/pretrain-anneal")


def test_golden_texts_of_a_run() -> None:
    plan = manifest("polyglot17")
    made, found = export(plan, replace(GIVEN, data=None, texts=texts(plan, repeat=True), sequence=256, batch=16))
    assert made is not None
    assert codes(found) == ["M801"]
    check(made, "levanter/polyglot17")


def test_phases_are_whole_blocks_and_whole_steps() -> None:
    made, _ = export(manifest("pretrain-anneal"), GIVEN)
    config = written(made)
    data, size = config["data"], config["data"]["mixture_block_size"]
    (start, first), (change, second) = data["train_weights"]
    assert start == 0
    assert change * 512 % size == config["trainer"]["num_train_steps"] * 512 % size == 0
    assert size <= 65_535
    for stage in (first, second):
        assert sum(stage.values()) == size
        assert min(stage.values()) >= 1
        assert list(stage.values()) == sorted(stage.values(), reverse=True)
    assert set(first) | set(second) == set(data["components"])
    assert {one["cache_dir"] for one in data["components"].values()} > {"corpus/fineweb/en/web/0"}


def test_an_odd_batch_moves_no_phase_by_more_than_a_block() -> None:
    plan = manifest("pretrain-anneal")
    made, _ = export(plan, replace(GIVEN, batch=1000))
    config = written(made)
    steps = [config["data"]["train_weights"][1][0], config["trainer"]["num_train_steps"]]
    wanted_steps = [plan.phases[0].tokens / 4_096_000, sum(one.tokens for one in plan.phases) / 4_096_000]
    assert all(0 <= (b - a) / b < 2e-3 for a, b in zip(steps, wanted_steps, strict=True))


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=30))
def test_levanter_reads_of_every_block_what_weights_say(counts: list[int]) -> None:
    """By its own arithmetic: normalise, multiply, cut off, and give what is missing to the largest."""
    made = weights(counts)
    if made is None:
        return  # another size is taken
    order = sorted(range(len(counts)), key=lambda i: (-counts[i], i))
    total = reduce(add, (made[i] for i in order))
    read = [int(made[i] / total * sum(counts)) for i in order]
    read[read.index(max(read))] += sum(counts) - sum(read)
    assert read == [counts[i] for i in order]


def test_float64_would_cut_one_off() -> None:
    assert int(29 / 100 * 100) == 28
    made = weights([29, 71])
    assert made is not None
    assert made[0] > 29
    assert sum(sorted(made, reverse=True)) == 100.0
    assert weights([49]) == (49.0,)
    assert weights([1, 2, 1]) == (1.0, 2.0, 1.0)
    assert weights([29, 29, 21, 21]) is not None  # largest of equal size


@given(st.data())
def test_counts_are_nearest_to_what_is_wanted_and_within_limits(data: st.DataObject) -> None:
    amounts = data.draw(st.lists(st.integers(50, 1000), min_size=1, max_size=12))
    most = [one + data.draw(st.integers(0, 100)) for one in amounts]
    total = data.draw(st.integers(sum(amounts) // 2, sum(amounts)))
    counts = within(amounts, most, total)
    assert counts is not None
    assert sum(counts) == total
    assert all(1 <= count <= limit for count, limit in zip(counts, most, strict=True))
    shares = [one * total / sum(amounts) for one in amounts]
    if all(share + 1 <= limit for share, limit in zip(shares, most, strict=True)):
        assert all(abs(count - share) < 1 for count, share in zip(counts, shares, strict=True))


def test_no_counts_where_a_place_would_be_lost_or_a_limit_broken() -> None:
    assert within([1, 999], [10, 999], 400) is None
    assert within([5, 5], [5, 5], 11) is None
    assert within([5, 5], [0, 9], 4) is None
    assert within([9, 1], [10, 1], 6) == (5, 1)


def test_what_a_place_may_give_is_never_passed_over_all_phases() -> None:
    """Levanter goes on in a place where the phase before stopped: so what counts is the sum."""
    length = 100
    place = Leaf("a", "a", 1900, 990, None, 4.0)
    other = leaf(50_000, 10**6, path="b")
    stages = (Stage("one", 0, (place, other)), Stage("two", 0, (replace(place, tokens=2060), other)))
    mixed, amounts, found = wanted(Mixture("r", stages, False), length)
    assert found == []
    whole = 9 * 4  # whole sequences of 990 tokens, four passes
    assert sum(one.most[0] for one in amounts) <= whole
    blocks, found = in_blocks(mixed, amounts, 4, 1000, weights)
    assert blocks is not None, found
    read = [sum(counts[i] * n for counts, n in zip(blocks.counts, blocks.numbers, strict=True)) for i in (0, 1)]
    assert read[0] <= whole
    assert all(blocks.size * n % 4 == 0 for n in blocks.numbers)
    assert sum(read) == pytest.approx(1000 + whole, abs=12)


def test_places_of_phases_have_names_of_their_own() -> None:
    stages = (
        Stage("one", 0, (leaf(1, 1, path="x/a"), replace(leaf(1, 1, path="y/a"), name="y"))),
        Stage("two", 0, (replace(leaf(1, 1, path="z/a"), name="y"), leaf(1, 1, path="x/a"))),
    )
    assert named(Mixture("r", stages, False)) == {"x/a": "x-a", "y/a": "y", "z/a": "two-y"}


def test_texts_of_a_run_are_tokenised_into_caches_of_that_run() -> None:
    plan = manifest("hello")
    of_run = replace(GIVEN, data=None, texts=texts(plan, repeat=True), batch=1, sequence=512)
    config = written(export(plan, of_run)[0])
    caches = {one["cache_dir"] for one in config["data"]["components"].values()}
    assert f"cache/hello-{(plan.integrity or '')[:12]}/main/web/de/und" in caches
    sources = [one["source"] for one in config["data"]["components"].values()]
    assert sources[0]["train_urls"][0].endswith("/*.parquet")
    elsewhere = written(export(plan, replace(of_run, data="tok/{language}"))[0])
    assert {one["cache_dir"] for one in elsewhere["data"]["components"].values()} > {"tok/de"}
    counts = {f"tok/{one}": Counted(10, 700) for one in ("de", "en", "fr")}
    made, found = export(plan, replace(of_run, data="tok/{language}", counts=counts))
    assert codes(found) == ["M801"]
    assert written(made)["trainer"]["num_train_steps"] == 3


def test_what_is_missing() -> None:
    plan = manifest("polyglot17")
    assert codes(export(plan, Settings())[1]) == ["M703"]
    assert codes(export(plan, Settings(data=DATA))[1]) == ["M705"] * 3
    assert codes(export(plan, replace(GIVEN, data=None, texts=texts(plan)))[1]) == ["M803"]
    assert codes(export(plan, replace(GIVEN, batch=10**9))[1]) == ["M818"]


def test_what_cannot_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = manifest("polyglot17")
    monkeypatch.setattr(levanter, "LARGEST", 600)
    found = export(plan, GIVEN)[1]
    assert codes(found) == ["M800"]
    monkeypatch.setattr(levanter, "MOST_PLACES", 5)
    assert codes(export(plan, GIVEN)[1]) == ["M709"]
    # a place of which more is read than Levanter counts
    found = export(manifest("english-quality"), replace(GIVEN, data="c/all", sequence=16))[1]
    assert codes(found)[-1] == "M830"
    assert "18,749,999,616 sequences" in found[-1].message
    about = "A place of 300B tokens, in sequences of 16."
    options = "--data c/all --sequence-length 16 --batch 512 --tokenizer t"
    command = f"mixc export plan.manifest.json --to levanter -o export {options}"
    shown("M830", found, about=about, command=command)


def test_a_phase_that_gives_no_sequence() -> None:
    amounts = (Amounts((3,), (3,)),)
    mixed = Mixture("r", (Stage("main", 0, (leaf(30, 30),)),), False)
    assert codes(in_blocks(mixed, amounts, 4, 100, weights)[1]) == ["M818"]
    assert codes(export(manifest("hello"), replace(GIVEN, sequence=10**12))[1])[-1] == "M808"
