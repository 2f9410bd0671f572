"""Laws of scoring and cutting, against the same thing said plainly: sets, sorting, running sums."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixc.backends.nag.cut import budget_of
from mixc.backends.nag.features import NONE, Batch, Shape
from mixc.backends.nag.kernel import scorer
from mixc.backends.nag.profile import left_out, only_layers, profile_of
from mixc.backends.nag.quality import select_with_quality
from mixc.backends.nag.scored import Scored
from mixc.backends.nag.select import Selection, select
from mixc.compiler.documents.data import Unreadable
from tests.examples import shown

PATIENT = settings(deadline=None, max_examples=40)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Shape, np.ndarray, np.ndarray]:
    """A shape, features of targets (distinct neurons in a layer) and of documents (some of no token)."""
    width = draw(st.integers(2, 9))
    shape = Shape(draw(st.integers(1, 4)), draw(st.integers(1, width)), width)
    random = np.random.default_rng(draw(st.integers(0, 2**32)))

    def features(n: int) -> np.ndarray:
        drawn = [[random.permutation(width)[: shape.top_k] for _ in range(shape.layers)] for _ in range(n)]
        return np.array(drawn, dtype=np.uint16).reshape(n, shape.length)

    documents = features(draw(st.integers(1, 12)))
    documents[random.random(len(documents)) < 0.2] = NONE
    return shape, features(draw(st.integers(1, 5))), documents


@PATIENT
@given(worlds())
def test_a_score_is_the_mean_overlap_with_the_targets(world: tuple[Shape, np.ndarray, np.ndarray]) -> None:
    """sim(x) = mean over targets and layers of |N_l(x) & N_l(t)| / K, exactly."""
    shape, targets, documents = world
    profile = profile_of("t", targets, shape)
    scores = scorer([profile])(documents)[:, 0]
    for row, score in zip(documents.reshape(-1, shape.layers, shape.top_k), scores.tolist(), strict=True):
        shared = sum(
            len(set(mine.tolist()) & set(theirs.tolist()))
            for target in targets.reshape(-1, shape.layers, shape.top_k)
            for mine, theirs in zip(row, target, strict=True)
        )
        assert score == shared
        assert Fraction(score, profile.whole) == Fraction(shared, len(targets) * shape.top_k * shape.layers)
    assert np.allclose(profile.weights.sum(axis=1), 1.0)


@PATIENT
@given(worlds(), st.data())
def test_scores_add_up_over_layers_and_targets(
    world: tuple[Shape, np.ndarray, np.ndarray], data: st.DataObject
) -> None:
    shape, targets, documents = world
    profile = profile_of("t", targets, shape)
    layers = [only_layers(profile, [layer]) for layer in range(shape.layers)]
    several = scorer(layers)(documents)
    assert np.array_equal(several.sum(axis=1), scorer([profile])(documents)[:, 0])
    for layer, alone in enumerate(layers):
        assert np.array_equal(several[:, layer], scorer([alone])(documents)[:, 0])
    each = [profile_of("one", targets[i : i + 1], shape) for i in range(len(targets))]
    assert np.array_equal(scorer(each)(documents).sum(axis=1), several.sum(axis=1))
    order = np.array(data.draw(st.permutations(range(shape.length // shape.top_k))))
    inner = documents.reshape(len(documents), shape.layers, shape.top_k)[:, :, ::-1].reshape(documents.shape)
    assert np.array_equal(scorer([profile])(inner)[:, 0], several.sum(axis=1))  # order inside a layer says nothing
    assert len(order) == shape.layers


@st.composite
def pools(draw: st.DrawFn, targets: int) -> list[tuple[str, tuple[int, ...], int]]:
    """(id, scores, tokens) of documents: few values, so that ties are common; some without tokens."""
    count = draw(st.integers(1, 25))
    scores = st.tuples(*[st.integers(0, 4)] * targets)
    ids = draw(st.lists(st.text("019a-é中", min_size=1, max_size=4), min_size=count, max_size=count, unique=True))
    return [(id, draw(scores), draw(st.integers(0, 9))) for id in ids]


def parts_of(pool: list[tuple[str, tuple[int, ...], int]], size: int) -> list[Scored]:
    parts = [pool[i : i + size] for i in range(0, len(pool), size)]
    return [
        Scored(
            pa.array([id for id, _, _ in part]), np.array([s for _, s, _ in part]), np.array([t for _, _, t in part])
        )
        for part in parts
    ]


def taken(parts: list[Scored], selection: Selection) -> dict[str, int]:
    pairs = (zip(part.ids.to_pylist(), selection.copies(part).tolist(), strict=True) for part in parts)
    return {id: n for part in pairs for id, n in part if n}


def plainly(pool: list[tuple[str, tuple[int, ...], int]], budget: int, place: object = 0) -> set[str]:
    """Sort, sum, stop at the first that does not fit."""
    kept, running = set(), 0
    key = place if callable(place) else lambda row: -row[1][place]
    for id, _, tokens in sorted(pool, key=lambda row: (key(row), row[0])):
        running += tokens
        if running > budget:
            break
        kept.add(id)
    return kept


@PATIENT
@given(pools(targets=1), st.sampled_from([0.01, 0.1, 0.29, 0.5, 0.9, 1.0]), st.integers(1, 25), st.randoms())
def test_a_cut_is_the_sorted_prefix_for_any_order_and_batches(pool, fraction, size, random) -> None:
    tokens = sum(t for _, _, t in pool)
    parts = parts_of(pool, size)
    if not tokens:
        with pytest.raises(Unreadable, match="token count"):
            select(lambda: parts, fraction)
        return
    selection, found = select(lambda: parts, fraction)
    expected = plainly(pool, int(Fraction(str(fraction)) * tokens))
    assert set(taken(parts, selection)) == expected
    taken_tokens = sum(t for id, _, t in pool if id in expected)
    assert [d.code for d in found] in ([], ["M599"])
    assert not (found and taken_tokens)
    assert taken_tokens <= selection.budget
    assert expected or found
    shuffled = list(pool)
    random.shuffle(shuffled)
    again, _ = select(lambda: parts_of(shuffled, 3), fraction)
    assert again.cuts == selection.cuts


@PATIENT
@given(pools(targets=3), st.sampled_from([0.1, 0.3, 0.7, 1.0]), st.permutations(range(3)))
def test_several_targets_fill_the_budget_in_any_order(pool, fraction, order) -> None:
    """`refill` is the prefix by the smallest relative depth that a target has to go to, whatever their order."""
    tokens = sum(t for _, _, t in pool)
    if not tokens:
        return
    weights = (0.5, 0.3, 0.2)

    def depth(row: tuple[str, tuple[int, ...], int]) -> float:
        above = (sum(t for _, s, t in pool if s[m] >= row[1][m]) for m in range(3))
        return min(total / weight for total, weight in zip(above, weights, strict=True))

    parts = parts_of(pool, 4)
    selection, _ = select(lambda: parts, fraction, weights)
    found = taken(parts, selection)
    assert set(found) == plainly(pool, selection.budget, depth)
    other = parts_of([(id, tuple(s[m] for m in order), t) for id, s, t in pool], 25)
    again, _ = select(lambda: other, fraction, [weights[m] for m in order])
    assert taken(other, again) == found
    kept, _ = select(lambda: parts, fraction, weights, "keep")
    dropped, _ = select(lambda: parts, fraction, weights, "drop")
    counted = Counter(taken(parts, kept))
    assert set(taken(parts, dropped)) == set(counted)
    assert sum(t * counted[id] for id, _, t in pool) <= kept.budget


@PATIENT
@given(pools(targets=1), st.integers(0, 2**32), st.sampled_from(["higher", "lower"]), st.booleans())
def test_quality_and_distance_add_up(pool, seed, better, coarse) -> None:
    random = np.random.default_rng(seed)
    quality = {id: float(random.integers(0, 3)) if coarse else float(random.normal()) for id, _, _ in pool}
    for id in list(quality)[1::4]:
        quality[id] = np.nan
    known = [row for row in pool if np.isfinite(quality[row[0]])]
    if not sum(t for _, _, t in known):
        return
    parts = [(part, np.array([quality[id] for id in part.ids.to_pylist()])) for part in parts_of(pool, 3)]
    selection, _ = select_with_quality(lambda: parts, 0.5, better)

    def ends(values: list[float]) -> tuple[float, float]:
        return min(values), (max(values) - min(values)) or 1.0

    (least, wide), (low, span) = ends([-row[1][0] for row in known]), ends([quality[row[0]] for row in known])

    def combined(row: tuple[str, tuple[int, ...], int]) -> float:
        scaled = (quality[row[0]] - low) / span
        return (-row[1][0] - least) / wide + (1.0 - scaled if better == "higher" else scaled)

    found = {
        id for part in parts for id, yes in zip(part[0].ids.to_pylist(), selection.taken(part), strict=True) if yes
    }
    assert found == plainly(known, selection.budget, combined)


def test_fractions_are_meant_as_they_are_written() -> None:
    assert budget_of(100, 0.29) == 29
    assert budget_of(10**15, 0.1) == 10**14
    assert budget_of(7, 1.0) == 7


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.01, float("nan"), float("inf")])
def test_a_fraction_that_cannot_be(fraction: float) -> None:
    parts = parts_of([("a", (1,), 5)], 1)
    with pytest.raises(Unreadable) as caught:
        select(lambda: parts, fraction)
    assert caught.value.diagnostic.code == "M598"
    if fraction == 1.01:
        shown("M598", caught.value.diagnostic, about="A target asks for 101 % of the documents.")


@pytest.mark.parametrize("weights", [(0.0, 1.0), (-1.0, 2.0), (float("nan"), 1.0), (float("inf"), 1.0)])
def test_weights_that_cannot_share(weights: tuple[float, ...]) -> None:
    parts = parts_of([("a", (1, 2), 5)], 1)
    with pytest.raises(Unreadable) as caught:
        select(lambda: parts, 0.5, weights)
    assert caught.value.diagnostic.code == "M601"
    if weights == (0.0, 1.0):
        shown("M601", caught.value.diagnostic, about="Two targets of one budget have the weights 0 and 1.")


def test_documents_without_token_counts() -> None:
    with pytest.raises(Unreadable) as caught:
        select(lambda: parts_of([("a", (1,), 0)], 1), 0.5)
    assert caught.value.diagnostic.code == "M602"
    shown("M602", caught.value.diagnostic, about="The only document has a count of 0 tokens.")


def test_rows_of_one_id_are_kept_together_and_never_exceed_the_budget() -> None:
    parts = parts_of([("a", (1,), 4), ("b", (1,), 4), ("b", (1,), 4), ("c", (0,), 4)], 2)
    selection, _ = select(lambda: parts, 0.5)
    assert selection.budget == 8
    assert taken(parts, selection) == {"a": 1}


def test_targets_without_texts() -> None:
    shape = Shape(1, 1, 4)
    for features in (np.empty((0, 1), np.uint16), np.full((3, 1), NONE, np.uint16)):
        with pytest.raises(Unreadable) as caught:
            profile_of("reasoning", features, shape)
        assert caught.value.diagnostic.code == "M596"
    assert "3 texts have no token" in caught.value.diagnostic.notes[0]
    about = "The three examples of the target `reasoning` are empty texts."
    shown("M596", caught.value.diagnostic, about=about, command="mixc score pool.mix")
    assert left_out("reasoning", features) == []  # that is an error already
    some = np.array([[NONE], [2], [NONE]], np.uint16)
    assert [found.code for found in left_out("reasoning", some)] == ["M597"]
    assert left_out("reasoning", some[1:2]) == []
    assert profile_of("reasoning", some, shape).documents == 1


def test_layers_that_are_not_there() -> None:
    features = np.zeros((1, 2), np.uint16)
    for layers in ([2], [-1], []):
        with pytest.raises(Unreadable) as caught:
            profile_of("t", features, Shape(2, 1, 4), layers)
        assert caught.value.diagnostic.code == "M600"


def test_features_of_a_batch_are_not_changed_by_scoring() -> None:
    shape = Shape(2, 2, 5)
    batch = Batch(pa.array(["a"]), np.array([[0, 9, NONE, 4]], np.uint16))
    score = scorer([profile_of("t", np.array([[0, 1, 3, 4]], np.uint16), shape)])
    assert score(batch.features).tolist() == [[2]]
    assert batch.features.tolist() == [[0, 9, NONE, 4]]
    assert score(np.empty((0, 4), np.uint16)).shape == (0, 1)
