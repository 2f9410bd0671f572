"""The transfer law: values, gradients, and the convexity that the certificate rests on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from mixc.compiler.laws import transfer
from mixc.compiler.laws.transfer import Form, TransferLaw

FORMS: tuple[Form, ...] = ("isolated", "linear", "logc")
seeds = st.integers(0, 2**32 - 1)


def random_law(form: Form, rng: np.random.Generator, count: int = 4) -> TransferLaw:
    off_diagonal = 1 - np.eye(count)
    return TransferLaw(
        form=form,
        transfer=rng.uniform(0, 0.6, (count, count)) * off_diagonal,
        cost=rng.uniform(0, 3, (count, count)) * off_diagonal,
        floor=rng.uniform(0, 1, count),
        scale=rng.uniform(0.5, 4, count),
        exponent=rng.uniform(0.03, 1.2, count),
    )


@pytest.mark.parametrize("form", FORMS)
def test_values_by_hand(form: Form) -> None:
    one, zero = np.ones(2), np.zeros(2)
    law = TransferLaw(
        form, np.array([[0, 0.5], [0.25, 0]]), np.array([[0, 1.0], [2.0, 0]]), zero, 2 * one, np.array([1.0, 0.5])
    )
    own, shares = np.array([2.0, 4.0]), np.array([0.5, 0.5])
    expected = {
        "isolated": [2.0, 4.0],
        "linear": [4.0, 4.5],
        "logc": [4.0 * np.exp(-0.5), 4.5 * np.exp(-1.0)],
    }[form]
    assert transfer.effective(law, own, shares).tolist() == approx(expected)
    assert transfer.losses(law, own, shares).tolist() == approx([2 / expected[0], 2 / expected[1] ** 0.5])


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=40)
@given(seed=seeds)
def test_gradients_are_the_derivatives(form: Form, seed: int) -> None:
    rng = np.random.default_rng(seed)
    law, own, shares = random_law(form, rng), rng.uniform(0.1, 2, 4), rng.dirichlet(np.ones(4))
    weights = rng.uniform(0.1, 3, 4)
    by_own, by_share = transfer.losses_gradient(law, own, shares)
    total_by_own, total_by_share = transfer.weighted_loss_gradient(law, weights, own, shares)
    step = 1e-6
    for j, e in enumerate(np.eye(4) * step):
        for gradient, total, up, down in (
            (by_own, total_by_own, (own + e, shares), (own - e, shares)),
            (by_share, total_by_share, (own, shares + e), (own, shares - e)),
        ):
            numeric = (transfer.losses(law, *up) - transfer.losses(law, *down)) / (2 * step)
            assert gradient[:, j] == approx(numeric, rel=1e-5, abs=1e-7)
            assert total[j] == approx(float(numeric @ weights / weights.sum()), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("form", FORMS)
@given(seed=seeds, weight=st.floats(0, 1))
def test_losses_are_convex_along_segments(form: Form, seed: int, weight: float) -> None:
    rng = np.random.default_rng(seed)
    law = random_law(form, rng)
    ends = [(rng.uniform(0.01, 3, 4), rng.dirichlet(np.ones(4))) for _ in range(2)]
    middle = [weight * a + (1 - weight) * b for a, b in zip(*ends, strict=True)]
    first, second = (transfer.losses(law, *end) for end in ends)
    assert np.all(transfer.losses(law, *middle) <= weight * first + (1 - weight) * second + 1e-9)


@given(seed=seeds)
def test_more_information_never_hurts_and_cost_never_helps(seed: int) -> None:
    rng = np.random.default_rng(seed)
    law, own, shares = random_law("logc", rng), rng.uniform(0.1, 2, 4), rng.dirichlet(np.ones(4))
    by_own, by_share = transfer.losses_gradient(law, own, shares)
    assert np.all(by_own <= 0)
    assert np.all(by_share >= 0)


@given(seed=seeds)
def test_forms_are_nested(seed: int) -> None:
    rng = np.random.default_rng(seed)
    law, own, shares = random_law("logc", rng), rng.uniform(0.1, 2, 4), rng.dirichlet(np.ones(4))
    free = TransferLaw("logc", law.transfer, 0 * law.cost, law.floor, law.scale, law.exponent)
    linear = TransferLaw("linear", law.transfer, law.cost, law.floor, law.scale, law.exponent)
    alone = TransferLaw("linear", 0 * law.transfer, law.cost, law.floor, law.scale, law.exponent)
    isolated = TransferLaw("isolated", law.transfer, law.cost, law.floor, law.scale, law.exponent)
    assert transfer.losses(free, own, shares) == approx(transfer.losses(linear, own, shares))
    assert transfer.losses(alone, own, shares) == approx(transfer.losses(isolated, own, shares))


def test_a_batch_is_evaluated_at_once() -> None:
    rng = np.random.default_rng(5)
    law, own, shares = random_law("logc", rng), rng.uniform(0.1, 2, (7, 4)), rng.dirichlet(np.ones(4), 7)
    each = [transfer.weighted_loss(law, [1, 2, 3, 0], own[i], shares[i]) for i in range(7)]
    assert transfer.weighted_loss(law, [1, 2, 3, 0], own, shares) == approx(np.array(each))
    gradients = transfer.weighted_loss_gradient(law, [1, 2, 3, 4], own, shares)
    assert gradients[0][3] == approx(transfer.weighted_loss_gradient(law, [1, 2, 3, 4], own[3], shares[3])[0])


def test_a_language_that_gets_nothing() -> None:
    law = random_law("isolated", np.random.default_rng(0))
    own, shares = np.array([1.0, 1.0, 1.0, 0.0]), np.array([0.3, 0.3, 0.4, 0.0])
    assert transfer.losses(law, own, shares)[3] == np.inf
    assert np.isfinite(transfer.weighted_loss(law, [1, 1, 1, 0], own, shares))


def test_terms_fade_with_the_budget() -> None:
    assert transfer.at_budget([[0, 0.4], [0.2, 0]], 1e11, 1e10, -0.5)[0, 1] == approx(0.4 / 10**0.5)
    assert transfer.at_budget(0.4, 1e10, 1e10, -0.5) == approx(0.4)
