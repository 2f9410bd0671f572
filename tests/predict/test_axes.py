"""`--sweep`: what its values are, and what cannot be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixc.compiler.predict.axes import Axis, amount, points_of, read_axes
from tests.examples import shown


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("tokens=100B..2T:4", ("100B", "271B", "737B", "2T")),  # by factors of 20^(1/3)
        ("tokens=100B..200B:3", ("100B", "150B", "200B")),  # narrow: by differences
        ("share=5%..10%:3", ("5%", "7.5%", "10%")),
        ("size=1B,3B,7B", ("1B", "3B", "7B")),
        ("size=3B", ("3B",)),
        ("size=1B params..8B params:3", ("1B params", "2.83B params", "8B params")),
        ("n=0..4:3", ("0", "2", "4")),
    ],
)
def test_values(text: str, values: tuple[str, ...]) -> None:
    axes, found = read_axes([text])
    assert not found
    assert [axis.values for axis in axes] == [values]


def test_a_range_has_seven_points() -> None:
    (axis,), _ = read_axes(["tokens=100B..5T"])
    assert axis.values[0] == "100B"
    assert axis.values[-1] == "5T"
    assert len(axis.values) == 7


@pytest.mark.parametrize(
    "text", ["", "tokens", "tokens=", "=1..2", "tokens=2T..1T", "tokens=1..1", "tokens=1..2:1", "tokens=a..b", "x=1,,2"]
)
def test_what_cannot_be_read_is_told(text: str) -> None:
    _, found = read_axes([text])
    assert [one.code for one in found] == ["M770"]
    assert found[0].helps
    if text == "tokens=2T..1T":
        assert found[0].message.endswith("a range rises, and `2T` is not below `1T`")
        shown("M770", found, command="mixc predict toy.mix --sweep tokens=2T..1T")


def test_a_param_is_swept_once() -> None:
    _, found = read_axes(["a=1..2", "a=3,4"])
    assert [one.code for one in found] == ["M770"]
    assert "swept twice" in found[0].message


def test_too_many_points() -> None:
    _, found = read_axes(["a=1..100:20", "b=1..100:20"])
    assert [one.code for one in found] == ["M773"]
    shown("M773", found, command="mixc predict toy.mix --sweep a=1..100:20 --sweep b=1..100:20")


def test_the_last_axis_moves_fastest() -> None:
    points = list(points_of([Axis("a", ("1", "2")), Axis("b", ("x", "y"))]))
    assert points == [{"a": "1", "b": "x"}, {"a": "1", "b": "y"}, {"a": "2", "b": "x"}, {"a": "2", "b": "y"}]


@given(low=st.floats(1e3, 1e12), factor=st.floats(1.1, 1e4), points=st.integers(2, 30))
def test_values_rise(low: float, factor: float, points: int) -> None:
    axes, found = read_axes([f"tokens={low:.6f}..{low * factor:.6f}:{points}"])
    assert not found
    amounts = [amount(value) for value in axes[0].values]
    assert all(one is not None for one in amounts)
    inner = amounts[1:-1]
    assert inner == sorted(inner)  # type: ignore[type-var]
