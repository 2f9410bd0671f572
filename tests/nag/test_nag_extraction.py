"""Features of a real model: against a plain run of it, for any batches and order, and what they are good for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mixc.backends.models.rows import padded, shape_of
from mixc.backends.nag.deactivate import deactivation
from mixc.backends.nag.extract import Tally, Texts, extract, features_of, first_tokens, impacts, largest
from mixc.backends.nag.features import NONE, Batch
from mixc.backends.nag.insight import concentration, similarity
from mixc.backends.nag.model import MODULES, Model, load_model, modules_of, origin_of
from mixc.backends.nag.profile import only_layers, profile_of
from mixc.backends.nag.scored import read_scores, score_files
from mixc.backends.nag.select import select
from mixc.backends.nag.store import read_features, write_features
from mixc.compiler.documents.data import Unreadable
from tests.nag.texts import KINDS

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

TEXTS = [text for texts in KINDS.values() for text in texts]
KIND = np.repeat(np.arange(len(KINDS)), 12)
LONG = " ".join(KINDS["stories"])  # more than 120 tokens
MIXED = [*TEXTS, LONG, "", "a", "  ", LONG[::-1]]


@pytest.fixture(scope="session")
def features(model: Model) -> np.ndarray:
    """Features of all texts, K = 20."""
    return features_of(model, origin_of(model), MIXED)


def plainly(model: Model, rows: Sequence[Sequence[int]], projection: Any = "up") -> Iterator[np.ndarray]:
    """Impacts [L, width] as the authors compute them: the whole stock model, padding to the left, a mask."""
    import torch

    for start in range(0, len(rows), 8):
        some = rows[start : start + 8]
        longest = max(map(len, some))
        tokens = torch.tensor([[2] * (longest - len(row)) + list(row) for row in some])
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in some])
        recorded: list[Any] = []
        modules = [layer.get_submodule(MODULES[projection]) for layer in model.network.model.layers]
        hooks = [
            module.register_forward_hook(lambda _m, _i, out, into=recorded: into.append(out)) for module in modules
        ]
        with torch.no_grad():
            model.network(input_ids=tokens, attention_mask=mask, use_cache=False)
        for hook in hooks:
            hook.remove()
        for i, row in enumerate(some):
            yield np.stack([out[i, longest - len(row) :].abs().mean(dim=0).numpy() for out in recorded])


def test_the_neurons_are_those_of_the_stock_model(model: Model, features: np.ndarray) -> None:
    """The K largest mean |output|, but for neurons whose impacts differ by rounding only."""
    some = [*TEXTS[::3], LONG]
    rows = first_tokens(model, some, 120)
    found = features[[MIXED.index(text) for text in some]].reshape(len(some), 30, 20)
    same = 0
    for mine, impact in zip(found, plainly(model, rows), strict=True):
        chosen = np.take_along_axis(impact, mine.astype(np.int64), axis=1)
        best = -np.sort(-impact, axis=1)[:, :20]
        assert np.allclose(chosen, best, rtol=1e-4)
        order = np.argsort(-impact, axis=1)[:, :20]
        same += sum(set(a.tolist()) == set(b.tolist()) for a, b in zip(mine, order, strict=True))
    assert same >= 0.99 * len(some) * 30


@pytest.mark.parametrize("projection", ["down", "gate", "q", "k", "v", "o"])
def test_other_projections(model: Model, projection: Any) -> None:
    origin = origin_of(model, projection, top_k=3)
    assert origin.shape.width == {"down": 576, "gate": 1536, "q": 576, "k": 192, "v": 192, "o": 576}[projection]
    some = [TEXTS[0], TEXTS[20]]
    found = features_of(model, origin, some).reshape(2, 30, 3)
    for mine, impact in zip(found, plainly(model, first_tokens(model, some, 120), projection), strict=True):
        chosen = np.take_along_axis(impact, mine.astype(np.int64), axis=1)
        assert np.allclose(chosen, -np.sort(-impact, axis=1)[:, :3], rtol=1e-4)


@pytest.mark.parametrize("batch", [1, 3, 32])
def test_features_do_not_depend_on_batch_size_or_order(model: Model, features: np.ndarray, batch: int) -> None:
    order = np.random.default_rng(batch).permutation(len(MIXED))[:24]
    again = features_of(model, origin_of(model), [MIXED[i] for i in order], at_once=120 * batch)
    assert np.array_equal(again, features[order])


def test_impacts_are_the_same_bits_in_any_company(model: Model) -> None:
    """Not only the chosen neurons: every impact, whatever stands beside a text in its batch."""
    modules = modules_of(model, "up")

    def of(some: list[list[int]], length: int) -> list[Any]:
        return impacts(model, modules, *padded(some, length, "cpu"))

    rows = first_tokens(model, [TEXTS[3], TEXTS[14], TEXTS[40]], 120)
    for row in rows:
        length = shape_of(len(row))
        alone = of([row], length)
        others = [other[:length] for other in rows if other is not row]
        for company in ([*others, row], [row, *others * 2], [row] * 3):
            for mine, theirs in zip(alone, of(company, length), strict=True):
                assert mine[0].equal(theirs[company.index(row)])


def test_only_the_first_tokens_are_read(model: Model, features: np.ndarray) -> None:
    origin = origin_of(model)
    tokens = first_tokens(model, [LONG, LONG + " And more." * 3000, LONG * 60], 120)
    assert tokens[0] == tokens[1] == tokens[2]
    assert len(tokens[0]) == 120
    assert np.array_equal(features_of(model, origin, [LONG + " And so on, for ever."])[0], features[len(TEXTS)])
    wide = " " * 40_000 + "end"  # fewer tokens than characters promise
    (row,) = first_tokens(model, [wide], 120)
    assert row == model.tokenizer(wide, add_special_tokens=False)["input_ids"][:120]


def test_texts_of_no_token_and_of_one(model: Model, features: np.ndarray) -> None:
    origin = origin_of(model)
    texts = Texts(pa.array(["a", "b", "c", "001"]), pa.array(["", None, "a", TEXTS[0]]), np.array([0, 0, 1, 40]))
    (batch,) = extract(model, origin, [texts])
    assert batch.read is not None
    assert batch.read.tolist() == [0, 0, 1, len(first_tokens(model, [TEXTS[0]], 120)[0])]
    assert (batch.features[:2] == NONE).all()
    assert (batch.features[2:] < 1536).all()
    assert np.array_equal(batch.features[2], features[len(TEXTS) + 2])
    assert Tally().plus(batch).plus(batch) == Tally(documents=8, empty=4, single=2)
    assert batch.ids.to_pylist() == ["a", "b", "c", "001"]
    assert batch.tokens is not None
    assert batch.tokens.tolist() == [0, 0, 1, 40]
    assert features_of(model, origin, []).shape == (0, 600)


def test_fewer_neurons_are_the_first_of_more(model: Model, features: np.ndarray) -> None:
    few = features_of(model, origin_of(model, top_k=5), TEXTS[:4]).reshape(4, 30, 5)
    assert np.array_equal(few, features[:4].reshape(4, 30, 20)[:, :, :5])


def test_of_equal_impacts_the_lower_neuron_goes_first() -> None:
    import torch

    impact = torch.tensor([[0.0, 2.0, 1.0, 2.0, 0.5, 1.0], [0.0, 0.0, 0.0, 1e-42, 0.0, 0.0]])
    assert largest(impact, 4).tolist() == [[1, 3, 2, 5], [3, 0, 1, 2]]
    random = torch.rand(7, 3001)
    assert (
        largest(random, 50).tolist() == torch.sort(random, dim=1, descending=True, stable=True).indices[:, :50].tolist()
    )


def test_nothing_runs_after_the_last_projection(model: Model) -> None:
    ran: list[str] = []
    watched = {"lm_head": model.network.lm_head, "norm": model.decoder.norm, "down": model.layers[-1].mlp.down_proj}
    hooks = [
        module.register_forward_hook(lambda _m, _i, _o, name=name: ran.append(name)) for name, module in watched.items()
    ]
    before = [len(module._forward_hooks) for module in modules_of(model, "up")]
    features_of(model, origin_of(model), TEXTS[:2])
    for hook in hooks:
        hook.remove()
    assert ran == []
    assert [len(module._forward_hooks) for module in modules_of(model, "up")] == before


def test_ranking_separates_five_kinds_of_text(tmp_path: Path, model: Model, features: np.ndarray) -> None:
    """Five texts of a kind as target: the other seven are the nearest of all the rest, by far."""
    origin = origin_of(model)
    path, out = tmp_path / "features.parquet", tmp_path / "scores.parquet"
    ids = pa.array([f"{i:03}" for i in range(len(TEXTS))])
    write_features(path, origin, [Batch(ids, features[: len(TEXTS)], None, np.full(len(TEXTS), 30))])
    (back,) = read_features(path, origin)
    targets = np.arange(len(TEXTS)) % 12 < 5
    profiles = [profile_of(name, back.features[(i == KIND) & targets], origin.shape) for i, name in enumerate(KINDS)]
    assert score_files([path], origin, profiles, out) == len(TEXTS)
    (scored,) = read_scores(out)
    for i, profile in enumerate(profiles):
        distance = profile.distance(scored.scores[:, i])
        nearest = [j for j in np.argsort(distance, kind="stable") if not (targets[j] and KIND[j] == i)][:7]
        assert [KIND[j] for j in nearest] == [i] * 7
        mine = distance[(i == KIND) & ~targets].mean()
        others = [distance[j == KIND].mean() for j in range(len(KINDS)) if j != i]
        assert mine < 0.42
        assert min(others) - mine > 0.08
    pieces = list(read_scores(out, 7))
    selection, found = select(lambda: pieces, 0.2, (1.0,) * 5)
    taken = np.concatenate([selection.copies(part) for part in pieces]) > 0
    assert found == []
    assert taken.sum() == 12
    assert {int(kind) for kind in KIND[taken]} == set(range(5))


def test_insight_into_targets(model: Model, features: np.ndarray) -> None:
    shape = origin_of(model).shape
    profiles = [profile_of(name, features[: len(TEXTS)][i == KIND], shape) for i, name in enumerate(KINDS)]
    overlap = similarity(profiles)
    assert np.allclose(np.diag(overlap), 1.0)
    assert np.array_equal(overlap, overlap.T)
    names = list(KINDS)
    science, code, stories, chinese, french = (names.index(name) for name in names)
    assert overlap[science, stories] > overlap[science, chinese]
    assert overlap[chinese, french] < 0.9
    assert overlap[code].argsort()[-1] == code
    rows = concentration(profiles[chinese])
    assert [row.layer for row in rows] == list(range(30))
    for row in rows:
        assert 20 <= row.effective <= 12 * 20
        assert 1 / 12 <= row.common <= 1
        assert row.neurons[0][1] == max(share for _, share in row.neurons)


def test_a_gguf_file_is_the_same_model(gguf: Path, model: Model, features: np.ndarray) -> None:
    loaded = load_model(str(gguf))
    assert loaded.content != model.content
    origin = origin_of(loaded)
    assert origin.shape == origin_of(model).shape
    assert np.array_equal(features_of(loaded, origin, MIXED[:6]), features[:6])


def test_without_its_neurons_a_model_loses_the_target(model: Model, features: np.ndarray) -> None:
    """The chosen neurons cost more than as many random ones of the same layers, and the model is whole again."""
    kind = "chinese"
    i = list(KINDS).index(kind)
    profile = profile_of(kind, features[: len(TEXTS)][i == KIND][:6], origin_of(model).shape)
    before = [module.weight.clone() for module in modules_of(model, "up")]
    found = deactivation(model, profile, KINDS[kind][6:10], draws=2)
    assert found.neurons == 600
    assert found.whole < min(found.random)
    assert found.chosen > max(found.random)
    assert found.excess > 0.3
    assert all(one.equal(module.weight) for one, module in zip(before, modules_of(model, "up"), strict=True))
    with pytest.raises(Unreadable, match="has no texts"):
        deactivation(model, profile, ["", "a"])
    few = deactivation(model, only_layers(profile, [3, 7]), KINDS[kind][6:8], neurons=4, draws=1)
    assert few.neurons == 8
    assert few.chosen < found.chosen
