"""Against the authors' own outputs: profiles, integer scores, distances, selections, merging, quality."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mixc.backends.nag.features import Batch, Shape
from mixc.backends.nag.jsonl import read_jsonl
from mixc.backends.nag.profile import Profile, profile_of
from mixc.backends.nag.quality import select_with_quality
from mixc.backends.nag.scored import Scored, score
from mixc.backends.nag.select import select
from tests.reference_data import shared_file

SHAPE = Shape(layers=4, top_k=8, width=64)
TASKS = ("task_a", "task_b", "task_c")


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Documents with what the authors joined them with, and the profiles of all targets."""

    batches: list[Batch]
    quality: dict[str, float]
    profiles: dict[str, Profile]

    def scored(self, *names: str) -> list[Scored]:
        return list(score(self.batches, [self.profiles[name] for name in names]))

    def judged(self, name: str) -> list[tuple[Scored, np.ndarray]]:
        return [
            (part, np.array([self.quality[id] for id in part.ids.to_pylist()], dtype=float))
            for part in self.scored(name)
        ]


@pytest.fixture(scope="module")
def pool() -> Pool:
    folder = shared_file("oracle/nag")
    payload = pq.read_table(folder / "pool_payload.parquet").to_pydict()
    tokens = {
        id: -1 if n is None or np.isnan(n) else int(n)
        for id, n in zip(payload["docid"], payload["token_num"], strict=True)
    }
    quality = {id: np.nan if q is None else q for id, q in zip(payload["docid"], payload["edu_score"], strict=True)}
    batches = []
    for batch in read_jsonl(folder / "pool_features.jsonl", "up", SHAPE, outside=True, rows=33):
        known = np.array([tokens[id] for id in batch.ids.to_pylist()])
        batches.append(Batch(batch.ids, batch.features, None, known))
    return Pool(batches, quality, _profiles(folder))


def _profiles(folder: Path) -> dict[str, Profile]:
    payload = pq.read_table(folder / "target_payload.parquet").to_pydict()
    task = dict(zip(payload["docid"], payload["dataset"], strict=True))
    (batch,) = read_jsonl(folder / "target_features.jsonl", "up", SHAPE)
    tasks = np.array([task[id] for id in batch.ids.to_pylist()])
    groups = {name: batch.features[tasks == name] for name in TASKS} | {"all": batch.features}
    return {name: profile_of(name, features, SHAPE) for name, features in groups.items()}


def rows_of(name: str) -> list[dict[str, str]]:
    with shared_file(f"oracle/nag/out/{name}").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def taken(parts: Iterable[Scored], of: Callable[[Scored], np.ndarray]) -> list[str]:
    return [id for part in parts for id, n in zip(part.ids.to_pylist(), of(part), strict=True) for _ in range(int(n))]


@pytest.mark.parametrize("name", [*TASKS, "all"])
def test_profiles_are_the_authors(pool: Pool, name: str) -> None:
    expected = json.loads(shared_file("oracle/nag/out/profiles.json").read_text())[f"{name}_power1"]
    found = pool.profiles[name].weights
    table = np.zeros_like(found)
    for layer, weights in enumerate(expected):
        table[layer, [int(neuron) for neuron in weights]] = list(weights.values())
    assert np.abs(found - table).max() <= 1e-12
    assert np.array_equal(found > 0, table > 0)


def test_integer_scores_and_distances_are_the_authors(pool: Pool) -> None:
    names = [*TASKS, "all"]
    expected = {row["docid"]: row for row in rows_of("kernel_scores.csv")}
    seen = 0
    for part in pool.scored(*names):
        for m, name in enumerate(names):
            distance = pool.profiles[name].distance(part.scores[:, m])
            for id, integer, float_ in zip(part.ids.to_pylist(), part.scores[:, m], distance, strict=True):
                assert integer == int(expected[id][f"int_{name}"])
                assert abs(float_ - float(expected[id][f"dist_{name}"])) <= 1e-12
        seen += len(part.ids)
    assert seen == len(expected) == 200


@pytest.mark.parametrize("name", ["single_task_a_f0.2", "single_task_a_f1.0"])
def test_selections_for_one_target_are_the_authors(pool: Pool, name: str) -> None:
    expected = rows_of(f"{name}.csv")
    parts = pool.scored("task_a")
    selection, found = select(lambda: parts, float(name.rpartition("f")[2]))
    assert found == []
    kept = taken(parts, selection.copies)
    assert sorted(kept) == sorted(row["docid"] for row in expected)
    _same_order(parts, [row["docid"] for row in expected])


def _same_order(parts: Sequence[Scored], expected: list[str]) -> None:
    """The authors' order is ours, but inside groups of equal scores, which their rounding splits here and there."""
    scores = {id: int(s) for part in parts for id, s in zip(part.ids.to_pylist(), part.scores[:, 0], strict=True)}
    in_turn = [scores[id] for id in expected]
    assert in_turn == sorted(in_turn, reverse=True)


def test_a_budget_below_the_best_document_takes_nothing(pool: Pool) -> None:
    """Where the authors' code takes one document whatever its size: M599 says so."""
    parts = pool.scored("all")
    selection, found = select(lambda: parts, 0.0001)
    assert [diagnostic.code for diagnostic in found] == ["M599"]
    assert taken(parts, selection.copies) == []
    assert len(rows_of("single_all_f0.0001.csv")) == 1


def test_three_targets_merged_are_the_authors(pool: Pool) -> None:
    """0.2 of the tokens for each of three targets, which happen to share no document."""
    parts = pool.scored(*TASKS)
    expected = sorted(row["docid"] for row in rows_of("multi_abc_f0.2each_dedup.csv"))
    for overlap in ("keep", "drop"):
        selection, found = select(lambda: parts, 0.6, (1.0, 1.0, 1.0), overlap)
        assert found == []
        assert sorted(taken(parts, selection.copies)) == expected


def test_targets_that_share_documents(pool: Pool) -> None:
    """The authors' two ways, and the budget filled up."""
    names = (*TASKS, "all")
    parts = pool.scored(*names)
    tokens = {id: int(n) for part in parts for id, n in zip(part.ids.to_pylist(), part.tokens, strict=True)}
    chosen = {}
    for overlap in ("keep", "drop", "refill"):
        selection, found = select(lambda: parts, 0.8, (1.0,) * 4, overlap)
        assert found == []
        chosen[overlap] = taken(parts, selection.copies)
    single = [select(lambda name=name: pool.scored(name), 0.2)[0].copies for name in names]
    alone = [taken(pool.scored(name), copies) for name, copies in zip(names, single, strict=True)]
    assert sorted(chosen["keep"]) == sorted(id for one in alone for id in one)
    assert sorted(chosen["drop"]) == sorted(set(chosen["keep"]))
    assert len(chosen["drop"]) < len(chosen["keep"])
    assert len(set(chosen["refill"])) == len(chosen["refill"]) > len(chosen["drop"])
    left = int(0.8 * sum(tokens.values())) - sum(tokens[id] for id in chosen["refill"])
    assert 0 <= left < max(tokens.values())


def test_quality_combined_is_the_authors(pool: Pool) -> None:
    expected = rows_of("quality_inv_task_a_f0.2.csv")
    parts = pool.judged("task_a")
    selection, found = select_with_quality(lambda: parts, 0.2, "higher")
    assert found == []
    kept = [id for part in parts for id, yes in zip(part[0].ids.to_pylist(), selection.taken(part), strict=True) if yes]
    assert sorted(kept) == sorted(row["docid"] for row in expected)
    combined = {
        id: value
        for part in parts
        for id, value in zip(part[0].ids.to_pylist(), selection.combined.of(part), strict=True)
    }
    for row in expected:
        assert abs(combined[row["docid"]] - float(row["combined_score"])) <= 1e-12


def test_some_layers_only(pool: Pool) -> None:
    """A profile of some layers scores what a profile of features cut to those layers does."""
    features = np.concatenate([batch.features for batch in pool.batches])
    (targets,) = read_jsonl(shared_file("oracle/nag/target_features.jsonl"), "up", SHAPE)
    ids = pa.array([str(i) for i in range(len(features))])
    for layers in ((3,), (0, 1), (0, 2, 3)):
        columns = np.concatenate([np.arange(layer * 8, layer * 8 + 8) for layer in layers])
        short = Shape(len(layers), 8, 64)
        (cut,) = score([Batch(ids, features[:, columns])], [profile_of("cut", targets.features[:, columns], short)])
        (all_of,) = score([Batch(ids, features)], [profile_of("all", targets.features, SHAPE, layers)])
        assert np.array_equal(cut.scores, all_of.scores)
