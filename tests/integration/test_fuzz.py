"""Mutated recipes through the whole compiler; `python -m tests.fuzz 5000 0` runs many more."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path

import pytest

from mixc.compiler.pipeline import COMPILE, Artefacts, run_passes
from mixc.compiler.review.manifest import manifest_text
from tests.fuzz.arithmetic import faults
from tests.fuzz.running import SEEDS, Outcome, mutated, prepare, run
from tests.fuzz.trees import GRAFTS, printed, read

RUNS = int(os.environ.get("MIXC_FUZZ", "75"))
STEP = 25


@pytest.mark.parametrize("start", range(0, RUNS, STEP))
def test_a_mutated_recipe_gives_a_diagnostic_or_a_manifest_that_holds(start: int, tmp_path: Path) -> None:
    prepare(tmp_path)
    outcomes = [run(seed, tmp_path) for seed in range(start, min(start + STEP, RUNS))]
    assert [outcome for outcome in outcomes if not outcome.good] == []


def test_the_same_number_is_the_same_recipe() -> None:
    assert [mutated(seed) for seed in range(40)] == [mutated(seed) for seed in range(40)]
    assert len({mutated(seed) for seed in range(40)}) > 35
    assert all(read(mutated(seed).decode()) for seed in range(0, 40, 2)), "mutated trees parse"


def test_what_is_grafted_parses() -> None:
    assert printed(read(GRAFTS)) == GRAFTS


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("seed")
    path = folder / "rules.mix"
    path.write_bytes(next(seed for seed in SEEDS if b"recipe rules" in seed))
    made, found = run_passes(COMPILE, Artefacts(path))
    assert made.manifest is not None, found
    data = json.loads(manifest_text(made.manifest))
    assert isinstance(data, dict)
    return data


def test_every_seed_compiles(tmp_path: Path) -> None:
    prepare(tmp_path)
    for seed in SEEDS:
        (tmp_path / "seed.mix").write_bytes(seed)
        made, found = run_passes(COMPILE, Artefacts(tmp_path / "seed.mix"))
        assert made.manifest is not None, found
        assert faults(json.loads(manifest_text(made.manifest))) == []


@pytest.mark.parametrize("what", ["sum", "limit", "rule", "value", "order"])
def test_the_arithmetic_catches_what_is_wrong(manifest: dict[str, object], what: str) -> None:
    wrong = copy.deepcopy(manifest)
    assert faults(wrong) == []
    rows: list[dict[str, list[int]]] = wrong["mixture"]  # type: ignore[assignment]
    crawl = next(row for row in rows if (row["source"], row["language"]) == ("crawl", "en"))
    match what:
        case "sum":
            crawl["tokens_by_bucket"][0] += 1
        case "limit":
            wrong["sources"][0]["limit"]["passes"] = 0.01  # type: ignore[index]
        case "rule":
            for rule in wrong["rules"]:  # type: ignore[attr-defined]
                rule["bound"] += {"<=": -1, ">=": 1, "==": 1}[rule["sense"]] * 0.9 * abs(rule["bound"])
        case "value":
            wrong["rules"][-1]["value"] *= 1.001  # type: ignore[index]
        case "order":
            crawl["tokens_by_bucket"].reverse()
    assert faults(wrong)


def test_what_may_not_happen_is_not_good() -> None:
    assert [kind for kind in ("crash", "hang", "fault", "failed", "refused", "decided") if Outcome(0, kind).good] == [
        "refused",
        "decided",
    ]
