"""Votes, their mean and the confidence filter, as the method states them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixc.backends.murating.votes import Voter, is_confident, oriented, shares_of, voters_of, votes_on
from mixc.compiler.documents.data import Unreadable
from tests.examples import shown

NAN = float("nan")
SCORES = st.lists(st.sampled_from([0.0, 1.0, 2.0, NAN]), min_size=4, max_size=4)


def p_of(a: list[float], b: list[float]) -> float:
    return float(shares_of(votes_on(np.array([a]), np.array([b])))[0])


@pytest.mark.parametrize(
    ("a", "b", "p"),
    [
        ([1, 1, 1, 1], [0, 0, 0, 0], 1.0),
        ([1, 1, 0, 0], [0, 0, 1, 1], 0.5),
        ([1, 1, 1, 0], [0, 0, 0, 1], 0.75),
        ([1, 2, 2, 2], [0, 2, 2, 2], 0.625),  # ties count half
        ([1, NAN, NAN, 1], [0, 1, 0, NAN], 1.0),  # a missing score is no vote
    ],
)
def test_p_is_the_mean_of_votes(a: list[float], b: list[float], p: float) -> None:
    assert p_of(a, b) == p


def test_without_a_vote_there_is_no_p() -> None:
    assert math.isnan(p_of([NAN, 1], [1, NAN]))
    assert not is_confident(np.array([NAN]), 0.0)[0]


@given(SCORES, SCORES)
def test_swapping_the_texts_turns_p_round(a: list[float], b: list[float]) -> None:
    there, back = p_of(a, b), p_of(b, a)
    assert (math.isnan(there) and math.isnan(back)) or there + back == pytest.approx(1)


def test_confidence_keeps_what_is_as_certain_or_more() -> None:
    shares = np.array([0.0, 0.25, 0.4, 0.5, 0.6, 0.75, 1.0])
    assert is_confident(shares, 0.5).tolist() == [True, True, False, False, False, True, True]
    assert is_confident(shares, 0.2).tolist() == [True, True, True, False, True, True, True]
    assert is_confident(shares, 0.0).all()
    assert is_confident(shares, 1.0).tolist() == [True, *[False] * 5, True]


def test_raters_for_which_less_is_better() -> None:
    voters = voters_of("edu, perplexity:lower,a:b:higher")
    assert voters == (Voter("edu"), Voter("perplexity", "lower"), Voter("a:b"))
    assert oriented(np.array([[1.0, 2.0, 3.0]]), voters).tolist() == [[1.0, -2.0, 3.0]]


@pytest.mark.parametrize("text", ["", "edu,,dclm", "edu,edu", ":lower"])
def test_raters_that_are_named_wrongly(text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        voters_of(text)
    assert caught.value.diagnostic.code == "M630"
    if text == "edu,edu":
        command = "mixc rater pairs docs.jsonl --raters edu,edu -o pairs.jsonl"
        shown("M630", caught.value.diagnostic, command=command)
