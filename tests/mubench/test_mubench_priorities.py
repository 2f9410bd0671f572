"""The bounded step (C3) and the parallel share (C4): by hand, against a convex solver, and as laws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixc.backends.mubench.gaps import Evidence
from mixc.backends.mubench.parallel import parallel_share
from mixc.backends.mubench.priorities import CLIP, ETA, RADIUS, Bounds, Update, project, update

WIDE = Bounds({}, dict.fromkeys(("de", "en", "sv", "zh"), 1.0))


def known(code: str, size: float, width: float = 0.02, **changed: Any) -> Evidence:
    interval = (max(0.0, size - width), size + width)
    given = {"complete": True, "gap": size, "gap_interval": interval} | changed
    return Evidence(code, given["gap"], given["gap_interval"], 0.3, (0.2, 0.4), ("hellaswag",), 100, given["complete"])


def stepped(weights: dict[str, float], found: dict[str, Evidence], bounds: Bounds = WIDE) -> Update:
    step = update(weights, found, bounds)
    assert isinstance(step, Update)
    return step


def test_a_step_by_hand() -> None:
    weights = {"en": 0.6, "de": 0.3, "sv": 0.1}
    found = {"en": known("en", 0, 0), "de": known("de", 0.2), "sv": known("sv", 0.5)}
    step = stepped(weights, found)
    mean = 0.3 * 0.2 + 0.1 * 0.5
    raw = {
        "en": 0.6 * math.exp(ETA * (0 - mean)),
        "de": 0.3 * math.exp(ETA * (0.18 - mean)),
        "sv": 0.1 * math.exp(ETA * (0.48 - mean)),
    }
    total = sum(raw.values())
    assert step.mean_gap == pytest.approx(mean)
    assert step.after == pytest.approx({code: value / total for code, value in raw.items()})
    assert step.factor("sv") == pytest.approx(raw["sv"] / total / 0.1)


def test_a_gap_is_cut_before_it_counts() -> None:
    step = stepped({"en": 0.9, "de": 0.1}, {"en": known("en", 0, 0), "de": known("de", 40)})
    assert step.after["de"] / step.after["en"] * 9 == pytest.approx(math.exp(2 * ETA * CLIP))


def test_nothing_moves_when_every_interval_holds_the_mean() -> None:
    found = {"en": known("en", 0, 0), "de": known("de", 0.2, 0.2), "sv": known("sv", 0.3, 0.3)}
    step = stepped({"en": 0.5, "de": 0.3, "sv": 0.2}, found)
    assert not step.moved
    assert step.after == step.before
    one = stepped({"en": 1.0}, {"en": known("en", 0, 0)})
    assert not one.moved


@pytest.mark.parametrize("changed", [{"complete": False}, {"gap_interval": None}, {"gap": None}])
def test_a_language_of_unknown_gap_keeps_its_weight(changed: dict[str, Any]) -> None:
    weights = {"en": 0.5, "de": 0.3, "sv": 0.15, "zh": 0.05}
    found = {"en": known("en", 0, 0), "de": known("de", 0.5), "sv": known("sv", 0.9, **changed)}
    step = stepped(weights, found)
    assert (step.after["sv"], step.after["zh"]) == (0.15, 0.05)
    assert step.after["de"] > 0.3
    assert sum(step.after.values()) == pytest.approx(1)


def test_a_weight_of_zero_stays() -> None:
    step = stepped(
        {"en": 0.5, "de": 0.5, "sv": 0.0}, {c: known(c, g) for c, g in (("en", 0), ("de", 0.4), ("sv", 0.9))}
    )
    assert (step.after["sv"], step.factor("sv")) == (0.0, 1.0)


def test_supply_caps_and_the_floor_of_english_hold() -> None:
    weights = {"en": 0.6, "de": 0.3, "sv": 0.1}
    found = {"en": known("en", 0, 0), "de": known("de", 0.2), "sv": known("sv", 0.9)}
    step = stepped(weights, found, Bounds({"en": 0.59}, {"en": 1.0, "de": 1.0, "sv": 0.105}))
    assert step.after["en"] == pytest.approx(0.59)
    assert step.after["sv"] == pytest.approx(0.105)
    assert sum(step.after.values()) == pytest.approx(1)


def test_a_cap_that_cannot_be_met_names_the_language() -> None:
    weights = {"en": 0.5, "sv": 0.5}
    found = {"en": known("en", 0, 0), "sv": known("sv", 0.9)}
    assert update(weights, found, Bounds({}, {"en": 1.0, "sv": 0.3})) == ("sv",)
    assert update(weights, found, Bounds({"en": 0.6}, {"en": 0.5, "sv": 1.0})) == ("en",)
    assert isinstance(update(weights, found, Bounds({}, {"en": 1.0, "sv": 0.45})), Update)


def test_the_ball_bounds_how_far_shares_move() -> None:
    weights = {"en": 0.5, "de": 0.25, "sv": 0.25}
    found = {"en": known("en", 0, 0), "de": known("de", 2.0), "sv": known("sv", 0.0)}
    step = stepped(weights, found)
    assert sum(abs(step.after[code] - weights[code]) for code in weights) == pytest.approx(RADIUS)


@st.composite
def problems(draw: st.DrawFn) -> tuple[Any, ...]:
    count = draw(st.integers(2, 8))
    parts = [draw(st.floats(0.05, 1)) for _ in range(count)]
    w = np.array(parts) / sum(parts)
    v = w * np.exp(np.array([draw(st.floats(-0.6, 0.6)) for _ in range(count)]))
    low = w * np.array([draw(st.floats(0, 0.95)) for _ in range(count)])
    high = w * np.array([draw(st.floats(1.0, 2)) for _ in range(count)])
    return v / v.sum(), w, low, high, draw(st.floats(0.01, 0.4))


@given(problems())
def test_projections_are_allowed_and_repeat(problem: tuple[Any, ...]) -> None:
    v, w, low, high, radius = problem
    x = project(v, w, low, high, radius)
    assert x is not None  # w itself is allowed
    assert x.sum() == pytest.approx(w.sum(), abs=1e-12)
    assert np.abs(x - w).sum() <= radius + 1e-9
    assert (x >= low - 1e-12).all()
    assert (x <= high + 1e-12).all()
    again = project(x, w, low, high, radius)
    assert again is not None
    assert np.allclose(again, x, atol=1e-9)
    assert np.array_equal(x, project(v, w, low, high, radius))


@settings(max_examples=25, deadline=None)
@given(problems())
def test_projections_are_those_of_a_convex_solver(problem: tuple[Any, ...]) -> None:
    import cvxpy as cp

    v, w, low, high, radius = problem
    x = cp.Variable(len(w))
    limits = [x >= low, x <= high, cp.sum(x) == w.sum(), cp.norm1(x - w) <= radius]
    cp.Problem(cp.Minimize(cp.sum(cp.kl_div(x, v))), limits).solve(solver="CLARABEL")
    assert x.value is not None
    assert np.abs(project(v, w, low, high, radius) - x.value).max() < 1e-4


def test_a_box_without_room_is_told() -> None:
    w = np.array([0.5, 0.5])
    nothing = np.zeros(2)
    assert project(w, w, nothing, np.array([0.4, 0.5]), 0.15) is None
    assert project(w, w, np.array([0.6, 0.5]), np.ones(2), 0.15) is None
    assert project(w, w, np.array([0.7, 0.0]), np.ones(2), 0.15) is None
    assert project(w, w, np.array([0.6, 0.0]), np.array([0.5, 1.0]), 0.15) is None


@pytest.mark.parametrize(
    ("gap", "transfer", "tokens", "available", "expected"),
    [
        (0.2, 0.5, 1e9, None, 0.02),
        (0.0, 0.0, 1e9, None, 0.01),
        (0.9, 0.1, 1e9, None, 0.05),
        (0.2, 1.0, 1e9, None, 0.01),
        (0.2, 0.5, 1e9, 5_000_000, 0.005),
        (0.2, 0.5, 1e9, 0, 0.0),
        (0.2, 0.5, 0.0, 0, 0.02),
    ],
)
def test_the_parallel_share_by_hand(
    gap: float, transfer: float, tokens: float, available: int | None, expected: float
) -> None:
    assert parallel_share(gap, transfer, tokens, available) == pytest.approx(expected)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_more_gap_asks_for_more_and_more_transfer_for_less(gap: float, transfer: float, more: float) -> None:
    assert parallel_share(max(gap, more), transfer, 1e9) >= parallel_share(min(gap, more), transfer, 1e9)
    assert parallel_share(gap, max(transfer, more), 1e9) <= parallel_share(gap, min(transfer, more), 1e9)
