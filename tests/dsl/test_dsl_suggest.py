"""Suggestions: close words only, always the same one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixc.dsl.suggest import distance, suggest

KEYS = ["columns", "domain", "epochs", "language", "license", "path", "supply"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("columms", "columns"),
        ("colunms", "columns"),
        ("Columns", "columns"),
        ("epoch", "epochs"),
        ("pth", "path"),
        ("licence", "license"),
        ("xyz", None),
        ("p", None),
        ("", None),
        ("tokens", None),
    ],
)
def test_only_close_words_are_suggested(word, meant):
    assert suggest(word, KEYS) == meant


def test_a_synonym_wins_whatever_its_distance():
    assert suggest("repeat", KEYS, {"repeat": "epochs"}) == "epochs"
    assert suggest("repeat", ["path"], {"repeat": "epochs"}) is None


def test_the_order_of_the_words_does_not_matter():
    assert suggest("bat", ["cat", "bar", "hat"]) == suggest("bat", ["hat", "cat", "bar"]) == "bar"


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_distance_is_symmetric_and_zero_only_for_equals(a, b):
    assert distance(a, b, 9) == distance(b, a, 9)
    assert (distance(a, b, 9) == 0) == (a == b)
    assert distance(a, b, 9) <= max(len(a), len(b))


@given(st.text("abc", max_size=6), st.text("abc", max_size=6), st.integers(0, 6))
def test_a_limit_changes_only_what_lies_above_it(a, b, limit):
    exact = distance(a, b, 9)
    assert distance(a, b, limit) == exact or (exact > limit and distance(a, b, limit) > limit)
