"""Places: which cells lie where, what is lost where a place holds several, and what is refused."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixc.backends.exporters import streaming
from mixc.backends.exporters.leaves import _names, mixture
from mixc.backends.exporters.messages import too_many_places, weight_too_small
from mixc.backends.exporters.units import closed, decimal, rounded_up, sample_shares, samples, token_shares
from mixc.compiler.export import Counted, Settings
from tests.examples import shown
from tests.exporters.made import DATA, codes, leaf, manifest, texts

EXPORT = "mixc export plan.manifest.json -o export --to"
AMOUNTS = st.lists(st.integers(1, 10**13), min_size=1, max_size=60)


def test_every_cell_that_is_read_has_its_place() -> None:
    plan = manifest("pretrain-anneal")
    mixed, found = mixture(plan, Settings(data=DATA))
    assert mixed is not None
    assert found == []
    for stage, phase in zip(mixed.stages, plan.phases, strict=True):
        rows = [row for row in plan.mixture if row.phase == phase.name]
        cells = {
            DATA.format(source=row.source, language=row.language, domain=row.domain, bucket=bucket): (tokens, supply)
            for row in rows
            for bucket, (tokens, supply) in enumerate(zip(row.tokens_by_bucket, row.supply_by_bucket, strict=True))
            if tokens
        }
        assert {one.path: (one.tokens, one.available) for one in stage.leaves} == cells
        assert stage.tokens == phase.tokens
        assert [one.path for one in stage.leaves] == sorted(cells)


def test_what_a_pattern_writes_alike_is_one_place() -> None:
    plan = manifest("polyglot17")
    mixed, _ = mixture(plan, Settings(data="corpus/{language}"))
    assert mixed is not None
    (stage,) = mixed.stages
    assert len(stage.leaves) == len(plan.languages) == len({one.path for one in stage.leaves})
    assert len({one.name for one in stage.leaves}) == len(stage.leaves)
    for one in stage.leaves:
        rows = [row for row in plan.mixture if one.path == f"corpus/{row.language}"]
        assert one.tokens == sum(row.tokens for row in rows)
        assert one.available == sum(row.supply for row in rows)


def test_places_that_hold_several_buckets_lose_a_part_of_the_mixture() -> None:
    plan = manifest("english-quality")
    (row,) = plan.mixture
    mixed, found = mixture(plan, Settings(data="pool"))
    assert mixed is not None
    assert codes(found) == ["M707"]
    even = [row.tokens * supply / row.supply for supply in row.supply_by_bucket]
    moved = sum(abs(a - b) for a, b in zip(row.tokens_by_bucket, even, strict=True)) / 2 / row.tokens
    assert found[0].message.startswith(f"{100 * moved:.2f}% of the tokens")
    about = "The mixture reads the best bucket of the source more often than the others."
    shown("M707", found, about=about, command=f"{EXPORT} streaming --data pool", numbers=False)
    assert codes(mixture(plan, Settings(data="pool/{bucket}"))[1]) == []


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("corpus/{lang}", "holds {lang}"),
        ("corpus/{}", "holds {}"),
        ("corpus/{language!r}", "holds {language}"),
        ("corpus/{language", "a brace without its other half"),
    ],
)
def test_a_pattern_that_cannot_be_read(pattern: str, found: str) -> None:
    made, problems = mixture(manifest("hello"), Settings(data=pattern))
    assert made is None
    assert codes(problems) == ["M704"]
    assert found in problems[0].message
    if pattern == "corpus/{lang}":
        shown("M704", problems, command=f"{EXPORT} streaming --data '{pattern}'")


def test_nothing_says_where_the_data_lie() -> None:
    made, found = mixture(manifest("hello"), Settings())
    assert made is None
    assert codes(found) == ["M703"]
    shown("M703", found, command=f"{EXPORT} streaming")
    (help,) = found[0].helps  # it has no run to offer
    assert help == 'give a pattern: `--data "corpus/{source}/{language}/{bucket}"`'
    runnable = manifest("hello").model_copy(update={"runnable": True})
    assert len(mixture(runnable, Settings())[1][0].helps) == 2


def test_phases_that_read_different_texts_need_different_places() -> None:
    plan = manifest("pretrain-anneal")
    made, found = mixture(plan, Settings(data="data/{source}/{language}", texts=texts(plan)))
    assert made is None
    assert "no {phase}, and phases read different texts" in found[0].message
    made, found = mixture(plan, Settings(texts=texts(plan)))
    assert made is not None
    assert found == []
    paths = [one.path for stage in made.stages for one in stage.leaves]
    assert len(paths) == len(set(paths))


def test_texts_of_a_run_are_read_once() -> None:
    plan = manifest("polyglot17")
    of_run = texts(plan)
    mixed, _ = mixture(plan, Settings(texts=of_run))
    assert mixed is not None
    assert mixed.stages[0].tokens == sum(one.tokens for one in of_run)
    assert all(one.passes == 1 and one.copied for one in mixed.stages[0].leaves)
    assert sorted(folder for one in mixed.stages[0].leaves for folder in one.folders) == sorted(
        one.folder for one in of_run
    )


def test_other_tokens_keep_the_shares_and_leave_no_place_short() -> None:
    """A trainer's tokenizer counts otherwise: the place that is shortest for its share says how far all can be read."""
    plan = manifest("polyglot17")
    before, _ = mixture(plan, Settings(texts=texts(plan)))
    assert before is not None
    leaves = before.stages[0].leaves
    counts = {one.path: Counted(5, one.available * (2 + i % 3)) for i, one in enumerate(leaves)}
    after, _ = mixture(plan, Settings(texts=texts(plan), counts=counts))
    assert after is not None
    shares, _ = token_shares(before.stages[0])
    now, _ = token_shares(after.stages[0])
    assert now == pytest.approx(shares, rel=1e-3)
    assert max(one.passes for one in after.stages[0].leaves) <= 1
    assert max(one.passes for one in after.stages[0].leaves) > 0.99


def test_samples_need_documents() -> None:
    mixed, _ = mixture(manifest("hello"), Settings(data="c/{language}"))
    assert mixed is not None
    shares, found = sample_shares(mixed.stages[0])
    assert shares is None
    assert codes(found) == ["M706"]
    shown("M706", found, command=f"{EXPORT} datasets --data 'c/{{language}}'")
    stage = replace(mixed.stages[0], leaves=(leaf(300, 100, 10), leaf(100, 100, 30, "b")))
    assert sample_shares(stage)[0] == (0.5, 0.5)
    assert samples(leaf(300, 100, 10)) == 30


def test_a_share_that_a_trainer_would_lose() -> None:
    mixed, _ = mixture(manifest("hello"), Settings(data="c/{language}"))
    assert mixed is not None
    shares, found = token_shares(replace(mixed.stages[0], leaves=(leaf(1, 9), leaf(10**13, 10**13, path="b"))))
    assert shares is None
    assert codes(found) == ["M800"]
    shown("M800", found, about="A place has one token of 10T.", command=f"{EXPORT} nanotron --data 'c/{{language}}'")
    assert weight_too_small("b", 1e-13).code == "M800"
    many = too_many_places("Megatron", 40_000, 32_766)
    assert many.message == "40,000 places, and Megatron takes at most 32,766"
    about = "The mixture has 40,000 cells, of all sources, languages and domains."
    command = f"{EXPORT} megatron --data 'd/{{source}}/{{language}}/{{domain}}' --sequence-length 4096"
    shown("M709", many, about=about, command=command)


@given(AMOUNTS)
def test_shares_add_up_to_one_however_they_are_added(amounts: list[int]) -> None:
    shares = closed(amounts)
    assert math.fsum(shares) == 1.0
    assert abs(sum(shares) - 1.0) < 1e-13
    assert abs(float(np.array(shares).sum()) - 1.0) < 1e-13
    exact = [amount / sum(amounts) for amount in amounts]
    assert shares == pytest.approx(exact, rel=1e-12, abs=1e-15)


@given(st.floats(1e-15, 1e6))
def test_decimals_read_back(value: float) -> None:
    text = decimal(value)
    assert float(text) == value
    assert "e" not in text


@given(st.floats(0.01, 1e4))
def test_limits_are_rounded_up(value: float) -> None:
    assert value <= rounded_up(value) + 1e-12
    assert rounded_up(value) - value <= 1.1e-6


def test_names_stay_apart_whatever_they_are() -> None:
    assert _names(["a", "b", "a", "a-0", "a"]) == ["a-1", "b", "a-2", "a-0", "a-3"]


def test_a_phase_does_not_take_the_name_of_another_file() -> None:
    plan = manifest("pretrain-anneal")
    rows = [row.model_copy(update={"phase": "export"}) if row.phase == "anneal" else row for row in plan.mixture]
    phases = [one.model_copy(update={"name": "export"}) if one.name == "anneal" else one for one in plan.phases]
    named = plan.model_copy(update={"phases": tuple(phases), "mixture": tuple(rows)})
    mixed, _ = mixture(named, Settings(data=DATA))
    assert mixed is not None
    assert [stage.name for stage in mixed.stages] == ["pretrain", "phase-export"]


def test_a_place_keeps_the_least_limit_of_what_lies_there() -> None:
    """Where one source may hardly be read and another four times, a place of both may hardly be read."""
    plan = manifest("pretrain-anneal")
    sources = [
        one.model_copy(update={"limit": one.limit.model_copy(update={"passes": 0.01})})
        if one.limit and one.name == "wikipedia"
        else one
        for one in plan.sources
    ]
    made, found = mixture(plan.model_copy(update={"sources": tuple(sources)}), Settings(data="corpus/{language}"))
    assert made is None
    assert "M802" in codes(found)


def test_a_run_that_holds_little_in_the_trainers_tokens_is_told() -> None:
    plan = manifest("polyglot17")
    before, _ = mixture(plan, Settings(texts=texts(plan)))
    assert before is not None
    counts = {one.path: Counted(5, one.available) for one in before.stages[0].leaves}
    first = before.stages[0].leaves[0]
    counts[first.path] = Counted(5, first.available // 2)
    after, found = mixture(plan, Settings(texts=texts(plan), counts=counts))
    assert after is not None
    assert codes(found) == ["M832"]
    assert f"`{first.path}` holds no more than" in found[0].message
    about = "In the tokens of the trainer, the texts of one place are half of what they are in those of the recipe."
    command = f"{EXPORT} megatron --run out --counts counts.json"
    shown("M832", found, about=about, command=command, numbers=False)


def test_texts_are_not_prepared_at_a_remote_place() -> None:
    plan = manifest("polyglot17")
    settings = Settings(data="s3://b/{source}/{language}", texts=texts(plan), sequence=512, tokenizer="t")
    command = (
        f"{EXPORT} streaming --run out --data 's3://b/{{source}}/{{language}}' --sequence-length 512 --tokenizer t"
    )
    shown("M833", streaming.export(plan, settings)[1], command=command)
