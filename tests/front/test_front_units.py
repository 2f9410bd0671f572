"""Laws of numbers with units."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixc.compiler.front.units import (
    NUMBER,
    PARAMS,
    RATIO,
    TOKENS,
    UNITS,
    Dimension,
    describe,
    in_reach,
    parse_literal,
    parse_unit,
    show,
    times,
)

DIMENSIONS = st.dictionaries(st.sampled_from(sorted(set(UNITS.values()))), st.integers(-3, 3).filter(bool)).map(
    lambda powers: tuple(sorted(powers.items()))
)
PLAIN = st.decimals(min_value=0, max_value=10**12, allow_nan=False, allow_infinity=False, places=6)


@given(DIMENSIONS, DIMENSIONS)
def test_a_quotient_undoes_a_product(one: Dimension, other: Dimension) -> None:
    assert times(times(one, other), other, -1) == one
    assert times(one, other) == times(other, one)
    assert times(one, one, -1) == NUMBER


@given(PLAIN)
def test_literals_are_exact(value: Decimal) -> None:
    assert parse_literal(f"{value:f}") == Fraction(value)


@given(PLAIN, st.sampled_from([("%", Fraction(1, 100)), ("K", 10**3), ("M", 10**6), ("B", 10**9), ("T", 10**12)]))
def test_suffixes_scale(value: Decimal, suffix: tuple[str, Fraction]) -> None:
    assert parse_literal(f"{value:f}{suffix[0]}") == Fraction(value) * suffix[1]


@given(st.integers(0, 10**18))
def test_underscores_mean_nothing(value: int) -> None:
    assert parse_literal(f"{value:_}") == value


@pytest.mark.parametrize("literal", ["1e999", "1e-999", "1e61", "1e99999999999999999999", "1" * 81, "1e-61"])
def test_numbers_nobody_means(literal: str) -> None:
    assert parse_literal(literal) is None


@given(st.fractions())
def test_what_is_in_reach_is_a_float(value: Fraction) -> None:
    if in_reach(value):
        assert value == 0 or float(value) != 0


@pytest.mark.parametrize(
    ("unit", "dimension"),
    [("tokens", TOKENS), ("token", TOKENS), ("tokens/param", RATIO), ("params", PARAMS), ("tokens/token", NUMBER)],
)
def test_units(unit: str, dimension: Dimension) -> None:
    assert parse_unit(unit) == dimension


@pytest.mark.parametrize(("unit", "part"), [("prams", "prams"), ("tokens/prm", "prm"), ("x/param", "x")])
def test_what_is_no_unit_is_named(unit: str, part: str) -> None:
    assert parse_unit(unit) == part


@given(st.sampled_from(sorted(set(UNITS.values()))), st.sampled_from(sorted(set(UNITS.values()))))
def test_units_are_described_as_they_are_written(one: str, other: str) -> None:
    dimension = parse_unit(f"{one}/{other}")
    assert isinstance(dimension, tuple)
    if one != other:
        assert parse_unit(describe(dimension)) == dimension


@pytest.mark.parametrize(
    ("value", "dimension", "text"),
    [
        (Fraction(10**12, 3), TOKENS, "333.3B tokens"),
        (3e21, (("FLOPs", 1),), "3e21 FLOPs"),
        (Fraction(1, 3), NUMBER, "0.3333"),
        (14.2857, RATIO, "14.29 tokens/param"),
    ],
)
def test_show(value: Fraction | float, dimension: Dimension, text: str) -> None:
    assert show(value, dimension) == text
