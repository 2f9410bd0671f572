"""QuaDMix's reference selection: the oracle's numbers, and what equations 1 and 2 promise."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from mixc.backends.quadmix.reference import (
    Normaliser,
    Pool,
    Selection,
    draw,
    expected_copies,
    merge,
    normalise,
    select,
    token_rank,
)
from mixc.compiler.laws.sampling import Curve
from tests.bench import reference_selection
from tests.reference_data import shared_file

CASES = ("case1_continuous", "case3_ties")
NORMALISERS: tuple[Normaliser, ...] = ("rank", "zscore", "minmax")
HIGHER = ("higher",) * 3


class Case:
    """One case of the oracle: its columns, its parameters and its pool."""

    def __init__(self, name: str) -> None:
        table = pq.read_table(shared_file(f"oracle/quadmix/{name}.parquet"))
        self.column = {name: table[name].to_numpy() for name in table.column_names}
        self.said: dict[str, Any] = json.loads(shared_file(f"oracle/quadmix/{name}.json").read_text())
        self.weights = np.array(self.said["params"]["alpha"])
        beta = self.said["params"]["beta"]
        self.curves = tuple(Curve(b["lam"], b["omega"], b["eta"], b["eps"]) for b in beta)
        scores = np.stack([self.column[f"q{k}"] for k in range(3)], axis=1)
        none = np.zeros(len(scores), dtype=np.int64)
        self.pool = Pool(self.column["domain"], none, self.column["tokens"], scores)

    def select(self, normaliser: Normaliser) -> Selection:
        return select(self.pool, self.weights, self.curves, normaliser=normaliser, scope="global", better=HIGHER)


@pytest.mark.parametrize("normaliser", NORMALISERS)
@pytest.mark.parametrize("name", CASES)
def test_the_oracle_from_scores_to_copies(name: str, normaliser: Normaliser) -> None:
    case = Case(name)
    normalised = normalise(case.pool, normaliser, "global", HIGHER)
    for k in range(3):
        assert_allclose(normalised[:, k], case.column[f"{normaliser}_norm_q{k}"], rtol=0, atol=1e-12)
    found = case.select(normaliser)
    assert_allclose(found.merged, case.column[f"{normaliser}_merged"], rtol=0, atol=1e-12)
    assert_array_equal(found.rank, case.column[f"{normaliser}_rank_tok_eq2_exact"])
    np.testing.assert_array_max_ulp(found.copies, case.column[f"{normaliser}_S_from_exact_rank"], maxulp=4)


@pytest.mark.parametrize("normaliser", [*NORMALISERS, "log1p_z", "threshold_rank"])
@pytest.mark.parametrize("name", CASES)
def test_the_oracle_from_merged_scores_to_copies(name: str, normaliser: str) -> None:
    case = Case(name)
    rank = token_rank(case.column[f"{normaliser}_merged"], case.pool.domain, case.pool.tokens)
    assert_array_equal(rank, case.column[f"{normaliser}_rank_tok_eq2_exact"])
    copies = expected_copies(rank, case.pool.domain, case.curves)
    np.testing.assert_array_max_ulp(copies, case.column[f"{normaliser}_S_from_exact_rank"], maxulp=4)
    expected = case.said[normaliser]["expected_tokens_from_eq2_exact_ranks"]
    assert float(copies @ case.pool.tokens) == pytest.approx(expected, rel=1e-12)


def test_draws_have_the_mean_and_spread_of_the_oracle() -> None:
    case = Case("case1_continuous")
    copies, tokens = case.select("rank").copies, case.pool.tokens
    uniform = np.random.default_rng(0).random((2000, len(copies)))
    taken = draw(copies, uniform) @ tokens
    said = case.said["rank"]
    assert abs(taken.mean() - said["expected_tokens"]) < 4 * said["theory_std"] / np.sqrt(2000)
    assert taken.std() == pytest.approx(said["theory_std"], rel=0.07)


def random_pool(random: np.random.Generator, levels: int | None = None, n: int = 200) -> Pool:
    scores = random.standard_normal((n, 3)) if levels is None else random.integers(0, levels, (n, 3)).astype(float)
    return Pool(random.integers(0, 3, n), random.integers(0, 2, n), random.integers(0, 50, n), scores)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 5))
def test_the_rank_is_equation_2_read_literally(seed: int, levels: int) -> None:
    pool = random_pool(np.random.default_rng(seed), levels, n=40)
    merged, group, tokens = pool.scores[:, 0], pool.domain, pool.tokens
    for x, rank in enumerate(token_rank(merged, group, tokens)):
        same = group == group[x]
        weight = tokens if tokens[same].any() else np.ones_like(tokens)
        assert rank == weight[same & (merged >= merged[x])].sum() / weight[same].sum()


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_the_worst_document_of_every_group_has_rank_1(seed: int) -> None:
    pool = random_pool(np.random.default_rng(seed))
    rank = token_rank(pool.scores[:, 0], pool.domain, pool.tokens)
    assert all(rank[pool.domain == m].max() == 1.0 for m in np.unique(pool.domain))


def test_documents_without_tokens_weigh_nothing_and_a_group_of_them_is_ranked_by_documents() -> None:
    merged, group = np.array([3.0, 2.0, 1.0, 9.0, 8.0]), np.array([0, 0, 0, 1, 1])
    rank = token_rank(merged, group, np.array([10, 0, 30, 0, 0]))
    assert rank.tolist() == [0.25, 0.25, 1.0, 0.5, 1.0]


@settings(deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(NORMALISERS), st.sampled_from(["language", "global"]))
def test_lower_is_better_mirrors_higher_is_better(seed: int, normaliser: Normaliser, scope: Any) -> None:
    pool = random_pool(np.random.default_rng(seed), 7)
    mirrored = Pool(pool.domain, pool.language, pool.tokens, -pool.scores)
    lower = normalise(mirrored, normaliser, scope, ("lower",) * 3)
    assert_array_equal(lower, normalise(pool, normaliser, scope, HIGHER))


@settings(deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(NORMALISERS))
def test_language_scope_is_each_language_on_its_own(seed: int, normaliser: Normaliser) -> None:
    pool = random_pool(np.random.default_rng(seed))
    found = normalise(pool, normaliser, "language", HIGHER)
    for code in range(2):
        rows = pool.language == code
        alone = Pool(pool.domain[rows], pool.language[rows], pool.tokens[rows], pool.scores[rows])
        assert_array_equal(found[rows], normalise(alone, normaliser, "global", HIGHER))


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_ranks_do_not_change_with_the_scale_of_a_rater(seed: int) -> None:
    pool = random_pool(np.random.default_rng(seed))
    scaled = Pool(pool.domain, pool.language, pool.tokens, np.exp(pool.scores))
    assert_array_equal(normalise(pool, "rank", "global", HIGHER), normalise(scaled, "rank", "global", HIGHER))


@pytest.mark.parametrize("normaliser", ["zscore", "minmax"])
@pytest.mark.parametrize("value", [0.1, 0.0, 1e-300, 1e100])
def test_a_score_that_is_the_same_everywhere_says_nothing(normaliser: Normaliser, value: float) -> None:
    pool = Pool(np.zeros(7, int), np.zeros(7, int), np.ones(7, int), np.full((7, 1), value))
    assert_array_equal(normalise(pool, normaliser, "global", ("higher",)), np.zeros((7, 1)))


def test_equal_rows_merge_to_equal_qualities() -> None:
    random = np.random.default_rng(0)
    row, weights = random.random((1, 3)), random.dirichlet(np.ones(3), size=1)
    assert len(set(merge(np.repeat(row, 1001, axis=0), np.zeros(1001, int), weights).tolist())) == 1


@pytest.mark.parametrize("weights", [[0.5, 0.6], [1.5, -0.5]])
def test_weights_that_do_not_sum_to_1_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="sum to 1"):
        merge(np.ones((4, 2)), np.zeros(4, int), np.array([weights]))


def test_missing_scores_and_labels_are_refused() -> None:
    codes = np.zeros(2, int)
    with pytest.raises(ValueError, match="finite"):
        Pool(codes, codes, codes, np.array([[1.0], [np.nan]]))
    with pytest.raises(ValueError, match="label"):
        Pool(np.array([0, -1]), codes, codes, np.ones((2, 1)))


@given(st.lists(st.floats(0, 5), min_size=1, max_size=30), st.integers(0, 2**32))
def test_a_draw_is_within_one_copy_of_what_is_expected(copies: list[float], seed: int) -> None:
    expected = np.array(copies)
    drawn = draw(expected, np.random.default_rng(seed).random(len(expected)))
    assert ((drawn == np.floor(expected)) | (drawn == np.ceil(expected))).all()


@pytest.mark.parametrize("seed", range(5))
def test_the_benchmark_s_plain_selection_is_the_same_without_ties(seed: int) -> None:
    random = np.random.default_rng(seed)
    n = 5000
    scores = np.stack([random.permutation(n) for _ in range(3)], axis=1).astype(np.float32)
    pool = Pool(
        random.integers(0, 4, n),
        random.integers(0, 3, n),
        random.integers(1, 5000, n),
        scores.astype(float),
    )
    weights, beta = random.dirichlet(np.ones(3), size=4), random.random((4, 4)) * [20, 0.5, 2, 0.01]
    curves = tuple(Curve(*row) for row in beta.tolist())
    ours = select(pool, weights, curves, normaliser="rank", scope="language", better=HIGHER)
    merged = reference_selection.merge(pool.domain, pool.language, scores, weights)
    assert_allclose(merged, ours.merged, rtol=0, atol=1e-12)
    rank = reference_selection.token_percentile(pool.domain, pool.language, merged, pool.tokens)
    assert_array_equal(rank, ours.rank)
    u = random.random(n)
    theirs = reference_selection.select(pool.domain, pool.language, scores, pool.tokens, weights, beta, u)
    assert_array_equal(theirs, draw(ours.copies, u))
