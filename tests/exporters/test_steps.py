"""Whole sequences and whole steps: nothing is left to a trainer to round."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixc.backends.exporters.leaves import Leaf, Mixture, Stage
from mixc.backends.exporters.steps import across_passes, apportioned, begun_anew, by_pass, scheduled
from tests.examples import shown
from tests.exporters.made import codes, leaf

EXPORT = "mixc export plan.manifest.json -o export --to megatron --data 'd/{language}'"
AMOUNTS = st.lists(st.integers(1, 300) | st.integers(1, 3), min_size=1, max_size=9)
calm = settings(deadline=None)  # no test fails for a slow machine


def mixed(*leaves: Leaf) -> Mixture:
    return Mixture("m", (Stage("main", sum(one.tokens for one in leaves), leaves),), selected=False)


def largest_deficits(weights: list[float], draws: int) -> list[int]:
    """How Megatron and nanotron draw: each time from the set that is furthest behind its share."""
    counts = [0] * len(weights)
    for i in range(draws):
        behind = [weight * max(i, 1) - count for weight, count in zip(weights, counts, strict=True)]
        counts[behind.index(max(behind))] += 1
    return counts


def test_by_hand() -> None:
    assert apportioned([10, 20, 70], 10) == (1, 2, 7)
    assert apportioned([10, 20, 70], 100) == (10, 20, 70)
    assert apportioned([5, 5, 5], 7) == (3, 2, 2)  # the first of equals
    assert apportioned([1, 1, 98], 10) == (1, 1, 8)  # at least one: the largest gives way
    assert apportioned([1, 1, 1], 3) == (1, 1, 1)


@calm
@given(AMOUNTS, st.data())
def test_shares_are_whole_of_the_sum_and_within_one(amounts: list[int], data: st.DataObject) -> None:
    total = data.draw(st.integers(len(amounts), sum(amounts)))
    shares = apportioned(amounts, total)
    assert sum(shares) == total
    assert all(1 <= share <= amount for share, amount in zip(shares, amounts, strict=True))
    exact = [amount * total / sum(amounts) for amount in amounts]
    if min(exact) >= 1:
        assert all(abs(share - one) < 1 for share, one in zip(shares, exact, strict=True))


@calm
@given(AMOUNTS.filter(lambda amounts: sum(amounts) > 1))
def test_drawing_the_largest_deficit_gives_every_weight_exactly(amounts: list[int]) -> None:
    total = sum(amounts)
    weights = [amount / total for amount in amounts]
    assert largest_deficits(weights, total) == amounts
    before = largest_deficits(weights, total - 1)  # of one less only one gives one less
    assert sorted(a - b for a, b in zip(amounts, before, strict=True)) == [0] * (len(amounts) - 1) + [1]


@calm
@given(st.lists(st.integers(1, 10**11), min_size=2, max_size=50))
def test_what_megatron_rounds_up_is_the_weight_itself(amounts: list[int]) -> None:
    """But of a place that has nearly all, where it may be one less; and then one less is drawn of it."""
    total = sum(amounts)
    asked = [math.ceil((total - 1) * (amount / total)) for amount in amounts]
    for one, amount in zip(asked, amounts, strict=True):
        assert one == amount or (one == amount - 1 and 2 * amount > total)


@calm
@given(AMOUNTS.filter(lambda amounts: sum(amounts) > 1))
def test_megatron_draws_no_more_than_it_builds(amounts: list[int]) -> None:
    total = sum(amounts)
    weights = [amount / total for amount in amounts]
    built = [math.ceil((total - 1) * weight) for weight in weights]
    drawn = largest_deficits(weights, sum(built))
    assert all(a <= b <= c for a, b, c in zip(drawn, built, amounts, strict=True))


def test_why_weights_add_up_to_one_more() -> None:
    """Else float64 asks for another sequence now and then: of a place that has none, that is another pass."""
    assert math.ceil(25 * (7 / 25)) == 8
    assert math.ceil(24 * (7 / 25)) == 7


@calm
@given(st.integers(1, 10**6), st.integers(1, 10**5), st.integers(1, 999))
def test_no_sequence_begins_a_pass_that_was_not_decided(tokens: int, available: int, length: int) -> None:
    place = leaf(tokens, available)
    passes = math.ceil(tokens / available)
    whole = across_passes(place, length)
    assert whole == 0 or whole * length + 1 <= tokens <= passes * available
    assert tokens - (whole + 1) * length < 1
    kept = by_pass(place, length)
    assert kept <= passes * (available // length)
    assert kept * length <= tokens
    assert tokens - kept * length < (passes + 1) * length


def test_a_whole_number_of_sequences_lacks_the_last_label() -> None:
    assert across_passes(leaf(1000, 1000), 100) == 9
    assert across_passes(leaf(1001, 1001), 100) == 10
    assert by_pass(leaf(1000, 1000), 100) == 10
    assert by_pass(leaf(2 * 1050 + 149, 1050), 100) == 21


def test_steps_are_rounded_down_and_said() -> None:
    made, schedules, found = scheduled(mixed(leaf(10_000, 10_000), leaf(5_000, 5_000, path="b")), 100, 40, by_pass)
    assert schedules is not None
    assert (schedules[0].sequences, schedules[0].read, schedules[0].steps) == ((80, 40), 120, 3)
    assert codes(found) == ["M801"]
    assert found[0].message == "phases are rounded down to whole steps: `main` to 3 steps (3K tokens less)"
    about = "A phase of 15,000 tokens; a step reads 40 sequences of 100."
    shown("M801", found, about=about, command=f"{EXPORT} --sequence-length 100 --batch 40")
    assert made.stages[0].leaves[1].path == "b"


def test_without_a_batch_nothing_is_rounded_to_steps() -> None:
    _, schedules, found = scheduled(mixed(leaf(10_050, 20_000)), 100, None, by_pass, unread=1)
    assert schedules is not None
    assert (schedules[0].sequences, schedules[0].read, schedules[0].steps) == ((100,), 99, None)
    assert found == []


def test_places_below_a_sequence_are_left_out() -> None:
    made, schedules, found = scheduled(mixed(leaf(1_000, 1_000), leaf(99, 500, path="small")), 100, None, by_pass)
    assert [one.path for one in made.stages[0].leaves] == ["place"]
    assert schedules is not None
    assert codes(found) == ["M807"]


@pytest.mark.parametrize(
    ("leaves", "batch", "code"),
    [
        ((leaf(1_000, 1_000),), 11, "M818"),  # less than a step
        ((leaf(200, 200), leaf(200, 200, path="b"), leaf(200, 200, path="c")), 2, None),
        ((leaf(100, 100), leaf(100, 100, path="b"), leaf(100, 100, path="c")), 2, "M818"),  # not one of each
        ((leaf(99, 99),), 1, "M808"),  # nothing is left
    ],
)
def test_phases_that_are_too_short(leaves: tuple[Leaf, ...], batch: int, code: str | None) -> None:
    _, schedules, found = scheduled(mixed(*leaves), 100, batch, by_pass)
    assert (schedules is None) == (code is not None)
    errors = [one for one in found if one.severity == "error"]
    assert codes(errors) == ([] if code is None else [code])
    about = {11: "A phase of 1,000 tokens.", 1: "A phase of 99 tokens."}.get(batch)
    if about is not None:
        shown(codes(errors)[0], errors, about=about, command=f"{EXPORT} --sequence-length 100 --batch {batch}")


def test_phases_that_read_the_same_places_are_told() -> None:
    stages = tuple(Stage(name, 1, (leaf(1, 10), leaf(1, 1, path=f"own/{name}"))) for name in ("first", "second"))
    found = begun_anew(Mixture("m", stages, selected=False), "Megatron")
    assert codes(found) == ["M819"]
    assert found[0].notes == ("in several phases: `place`",)
    shown("M819", found, about="Two phases read the same place.", command=f"{EXPORT} --sequence-length 100 --batch 10")
    assert begun_anew(Mixture("m", stages[:1], selected=False), "Megatron") == []
