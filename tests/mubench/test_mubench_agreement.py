"""Agreement and what follows from it: by hand, in degenerate cases, and as laws."""

from __future__ import annotations

import math
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixc.backends.mubench.agreement import pairs, relative
from mixc.backends.mubench.aligned import Aligned
from mixc.backends.mubench.bootstrap import counts, deviation, interval
from mixc.backends.mubench.gaps import evidence, usable
from mixc.backends.mubench.measure import Measured, measure
from tests.mubench.model_results import aligned

NAMES = ("mlc", "chance", "kappa", "both_right", "same_wrong")
OVER_NULL = {"hellaswag": 1.0}
DRAWN = [[0, 1, 2, 2, 0, 0], [2, 0, 2, 0, 4, 0], [0, 1, 2, 2, 0, 0]]  # how often the first six of 50 items are drawn


def point(one: Measured, name: str, code: str) -> float:
    return float(getattr(one, name)[0, one.languages.index(code)])


def test_three_languages_by_hand() -> None:
    # right options 0 1 2 3; en is right three times, de twice, zh once
    made = aligned([0, 1, 2, 3], {"en": [0, 1, 2, 0], "de": [0, 1, 3, 0], "zh": [0, 2, 3, 0]})
    found = pairs(made, "acc")
    assert found.languages == ("de", "en", "zh")
    de, en, zh = 0, 1, 2
    assert found.mlc[de, en] == 3 / 4  # items 0, 1, 3
    assert found.mlc[de, zh] == 3 / 4  # items 0, 2, 3
    assert found.mlc[en, zh] == 2 / 4  # items 0, 3
    assert found.both_right[de, en] == 2 / 4
    assert found.same_wrong[de, en] == 1 / 4  # item 3, wrong in both
    assert found.both_right[de, zh] == 1 / 4
    assert found.same_wrong[de, zh] == 2 / 4
    # shares of options: de 2 1 0 1, en 2 1 1 0, of four
    assert found.chance[de, en] == pytest.approx((4 + 1) / 16)
    assert found.kappa[de, en] == pytest.approx((3 / 4 - 5 / 16) / (1 - 5 / 16))
    one = measure(made, "acc", 10)
    assert point(one, "mlc", "de") == pytest.approx(3 / 4)
    assert point(one, "mlc", "en") == pytest.approx(5 / 8)
    assert one.overall("mlc")[0] == pytest.approx((3 / 4 + 3 / 4 + 1 / 2) / 3)
    assert relative(float(one.overall("mlc")[0]), one.accuracy[0]) == pytest.approx((2 / 3) / (6 / 12))
    # gold is each option once: null = sum of share x 1/4 = 1/4; acc 3/4 has headroom (3/4 - 1/4) / (3/4)
    assert point(one, "null", "en") == pytest.approx(1 / 4)
    assert point(one, "excess", "en") == pytest.approx(2 / 3)
    assert point(one, "excess", "zh") == pytest.approx(0)
    # P(de right | en right) / acc_de = (2/3) / (1/2)
    assert point(one, "lift", "de") == pytest.approx(4 / 3)
    assert point(one, "kappa_pivot", "de") == pytest.approx(found.kappa[de, en])


def test_gap_and_transfer_by_hand() -> None:
    gold = [0, 1] * 200
    english = list(gold)
    german = [right if i % 4 else 1 - right for i, right in enumerate(gold)]  # three of four right
    one = measure(aligned(gold, {"en": english, "de": german}, 2), "acc", 50)
    chosen, others = usable([one])
    assert (len(chosen), others) == (1, ())
    found = evidence(chosen, OVER_NULL)
    # en: acc 1, null 1/2, h 1. de: wrong on every fourth item, all of gold 0: it says 1 in 300 of 400
    null = (100 * 200 + 300 * 200) / 400**2
    headroom = (3 / 4 - null) / (1 - null)
    assert found["de"].gap == pytest.approx(1 - headroom)
    assert found["de"].transfer == pytest.approx((3 / 4 - 1 / 2) / (1 - 1 / 2))
    assert (found["en"].gap, found["en"].transfer) == (0.0, None)
    low, high = found["de"].gap_interval or (0.0, 0.0)
    assert low < 1 - headroom < high


def test_guessing_agrees_by_chance_and_says_nothing() -> None:
    # every combination of right option, of en and of de once: independent, as guessing is
    cells = list(product(range(4), repeat=3)) * 10
    gold, english, german = zip(*cells, strict=True)
    made = aligned(gold, {"en": english, "de": german})
    one = measure(made, "acc", 200)
    assert one.overall("mlc")[0] == pytest.approx(1 / 4)
    assert one.overall("kappa")[0] == pytest.approx(0)
    assert relative(float(one.overall("mlc")[0]), one.accuracy[0]) == pytest.approx(1)
    assert point(one, "lift", "de") == pytest.approx(1)
    assert point(one, "headroom", "en") == pytest.approx(0)
    assert usable([one])[0] == ()


def test_perfection_is_told_from_guessing_by_kappa_not_by_rel_mlc() -> None:
    gold = [0, 1, 2, 3] * 20
    one = measure(aligned(gold, {"en": gold, "de": gold}), "acc", 100)
    assert one.overall("mlc")[0] == one.overall("kappa")[0] == 1
    assert relative(1.0, one.accuracy[0]) == 1
    assert point(one, "lift", "de") == 1
    found = evidence(usable([one])[0], OVER_NULL)
    assert (found["de"].gap, found["de"].gap_interval, found["de"].transfer) == (0, (0, 0), 1)


def test_consistently_wrong_models_agree_and_are_not_right() -> None:
    gold = [0, 1, 2, 3] * 20
    wrong = [(right + 1) % 4 for right in gold]
    one = measure(aligned(gold, {"en": wrong, "de": wrong}), "acc", 20)
    assert one.overall("mlc")[0] == 1
    assert (one.overall("both_right")[0], one.overall("same_wrong")[0]) == (0, 1)
    assert relative(1.0, one.accuracy[0]) is None  # never right: undefined
    assert np.isnan(one.lift).all()
    assert point(one, "headroom", "en") == 0
    assert usable([one])[0] == ()
    mostly = [*wrong[:-1], gold[-1]]
    one = measure(aligned(gold, {"en": mostly, "de": mostly}), "acc", 20)
    assert (relative(1.0, one.accuracy[0]) or 0) > 1


def test_always_the_same_option_is_explained_by_chance() -> None:
    gold = [0, 1, 2, 3] * 5
    one = measure(aligned(gold, {"en": [2] * 20, "de": [2] * 20}), "acc", 20)
    assert one.overall("mlc")[0] == 1
    assert one.overall("kappa")[0] == 0
    assert point(one, "null", "en") == point(one, "accuracy", "en") == 1 / 4
    constant = measure(aligned([2] * 20, {"en": [2] * 20, "de": [1] * 20}), "acc", 20)
    assert (point(constant, "null", "en"), point(constant, "headroom", "en")) == (1, 0)
    assert (point(constant, "null", "de"), point(constant, "accuracy", "de")) == (0, 0)


def test_one_language_has_no_pair() -> None:
    one = measure(aligned([0, 1, 2, 3], {"en": [0, 1, 2, 3]}), "acc", 5)
    assert np.isnan(one.overall("mlc")).all()
    assert relative(None, one.accuracy[0]) is None
    found = evidence([one], OVER_NULL)["en"]
    assert found.gap == 0
    assert np.isnan(measure(aligned([0, 1], {"de": [0, 1]}), "acc", 5).kappa_pivot).all()


def test_chance_is_taken_within_items_of_equally_many_options() -> None:
    # two-way items always first, four-way items spread evenly: the pooled chance would be larger than within strata
    options = [2] * 8 + [4] * 8
    english = [0, 1] * 4 + [0, 1, 2, 3] * 2
    german = [1, 0] * 4 + [3, 2, 1, 0] * 2
    made = aligned([0] * 16, {"en": english, "de": german}, options)
    assert pairs(made, "acc").chance[0, 1] == pytest.approx((1 / 2 + 1 / 4) / 2)
    one = measure(made, "acc", 5)
    assert point(one, "chance", "de") == pytest.approx((1 / 2 + 1 / 4) / 2)
    assert point(one, "null", "en") == pytest.approx((1 / 2 + 1 / 4) / 2)


@st.composite
def answers(draw: st.DrawFn) -> Aligned:
    size = draw(st.integers(1, 25))
    options = draw(st.lists(st.integers(2, 5), min_size=size, max_size=size))
    option = [st.integers(0, count - 1) for count in options]
    codes = draw(st.lists(st.sampled_from(["de", "zh", "sw", "fr"]), max_size=3, unique=True))
    chosen = {code: [draw(one) for one in option] for code in ("en", *codes)}
    return aligned([draw(one) for one in option], chosen, options)


@given(answers())
def test_agreement_is_symmetric_bounded_and_splits(made: Aligned) -> None:
    found = pairs(made, "acc")
    for name in NAMES:
        values = getattr(found, name)
        assert np.allclose(values, values.T)
        assert (values <= 1 + 1e-12).all()
        assert (values >= (-np.inf if name == "kappa" else -1e-12)).all()
    assert np.allclose(found.mlc, found.both_right + found.same_wrong)
    assert np.allclose(np.diag(found.mlc), 1)
    room = 1 - found.chance
    assert np.allclose((found.kappa * room)[room > 1e-9], (found.mlc - found.chance)[room > 1e-9])


@given(answers())
def test_means_over_languages_are_means_over_pairs(made: Aligned) -> None:
    one, found = measure(made, "acc", 3), pairs(made, "acc")
    couples = list(combinations(range(len(made.languages)), 2))
    for name in ("mlc", "both_right", "same_wrong"):
        means = one.overall(name)
        if not couples:
            assert np.isnan(means).all()
            continue
        assert means[0] == pytest.approx(np.mean([getattr(found, name)[pair] for pair in couples]))
        for row in range(len(made.languages)):
            others = [getattr(found, name)[row, j] for j in range(len(made.languages)) if j != row]
            assert getattr(one, name)[0, row] == pytest.approx(np.mean(others))
    at = made.languages.index("en")
    assert np.allclose(one.with_pivot[0], found.mlc[at])
    assert np.allclose(one.kappa_pivot[0], found.kappa[at])


@given(answers(), st.randoms(use_true_random=False))
def test_neither_the_order_of_items_nor_names_of_options_matter(made: Aligned, random: object) -> None:
    shuffle = random.shuffle  # type: ignore[attr-defined]
    order = list(range(made.size))
    shuffle(order)
    names = np.array(made.options)
    renamed = []
    for count in names.tolist():
        name = list(range(count))
        shuffle(name)
        renamed.append(name)

    # options of all items of one stratum are renamed alike: chance counts an option over items
    alike = {count: next(name for name in renamed if len(name) == count) for count in set(names.tolist())}
    table = np.zeros((6, 6), dtype=np.int8)
    for count, name in alike.items():
        table[count, :count] = name
    chosen = {code: table[names, made.predicted["acc"][i]][order].tolist() for i, code in enumerate(made.languages)}
    other = aligned(table[names, made.gold][order].tolist(), chosen, names[order].tolist())
    before, after = pairs(made, "acc"), pairs(other, "acc")
    for name in NAMES:
        assert np.allclose(getattr(before, name), getattr(after, name))
    one, two = measure(made, "acc", 2), measure(other, "acc", 2)
    for name in ("accuracy", "null", "excess", "lift"):
        assert np.allclose(getattr(one, name)[0], getattr(two, name)[0], equal_nan=True)


@settings(max_examples=20, deadline=None)
@given(answers())
def test_replicates_are_what_a_loop_over_drawn_items_says(made: Aligned) -> None:
    weight = counts(made.dataset, made.size, 3)
    one = measure(made, "acc", 3)
    for replicate in range(1, 4):
        rows = np.repeat(np.arange(made.size), weight[replicate].astype(int))
        drawn = Aligned(
            made.dataset, made.languages, tuple(map(str, rows)), made.options[rows], made.gold[rows],
            {"acc": made.predicted["acc"][:, rows]},
        )  # fmt: skip
        alone = measure(drawn, "acc", 1)
        for name in ("accuracy", "null", "excess", "mlc", "kappa", "kappa_pivot", "lift"):
            assert np.allclose(getattr(one, name)[replicate], getattr(alone, name)[0], equal_nan=True), name


def test_draws_are_the_same_everywhere_and_fair() -> None:
    drawn = counts("hellaswag", 50, 400)
    assert (drawn[0] == 1).all()
    assert (drawn[1:].sum(axis=1) == 50).all()
    assert drawn[1:4, :6].astype(int).tolist() == DRAWN
    # a multinomial of 50 in 50: each has mean 1 and variance 49/50
    assert drawn[1:].mean() == 1
    assert drawn[1:].var() == pytest.approx(49 / 50, rel=0.05)
    assert not np.array_equal(drawn[1:], counts("arc_easy", 50, 400)[1:])
    assert np.array_equal(drawn[:3], counts("hellaswag", 50, 2))


def test_standard_errors_are_those_of_a_proportion() -> None:
    gold = [0, 1] * 605
    answers = [right if i % 5 < 3 else 1 - right for i, right in enumerate(gold)]
    one = measure(aligned(gold, {"en": answers}, 2), "acc", 1000)
    expected = math.sqrt(0.6 * 0.4 / 1210)
    assert expected == pytest.approx(0.014, abs=1e-3)  # 1.4 points at n = 1,210
    assert deviation(one.accuracy[:, 0]) == pytest.approx(expected, rel=0.1)
    low, high = interval(one.accuracy[:, 0]) or (0, 0)
    assert (high - low) / 2 == pytest.approx(1.96 * expected, rel=0.15)


def test_a_statistic_that_is_mostly_undefined_has_no_interval() -> None:
    values = np.array([1.0] + [np.nan] * 10 + [1.0] * 90)
    assert interval(values) is None
    assert interval(np.array([1.0])) is None
    assert np.isnan(deviation(np.array([1.0, np.nan])))
