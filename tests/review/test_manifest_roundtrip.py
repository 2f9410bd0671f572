"""A manifest is complete: the problem and the decision come back from it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jsonschema
from hypothesis import HealthCheck, given, settings
from review_builder import decided, problems, provenance, small_manifest, small_problem

from mixc.compiler.problem import Decision, Problem
from mixc.compiler.review.manifest import build_manifest, manifest_text
from mixc.compiler.review.reading import parse_manifest
from mixc.compiler.review.rebuild import decision_from_manifest, problem_from_manifest
from mixc.compiler.review.schema import json_schema

GOLDEN = Path(__file__).parents[1] / "cases" / "review"
RELAXED = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def read_back(decision: Decision) -> tuple[Problem, Decision]:
    text = manifest_text(build_manifest(decision, provenance()))
    manifest, found = parse_manifest("m", text.encode())
    assert manifest is not None, found
    assert manifest_text(manifest) == text
    return problem_from_manifest(manifest), decision_from_manifest(manifest)


@RELAXED
@given(problems())
def test_the_problem_comes_back_exactly(problem: Problem) -> None:
    decision = decided(replace(problem, rules=tuple(r for r in problem.rules if r.bound <= 0)))
    rebuilt, _ = read_back(decision)
    assert rebuilt == decision.problem
    places = [rule.place for rule in rebuilt.rules]
    assert places == [rule.place for rule in decision.problem.rules]


@RELAXED
@given(problems())
def test_cells_come_back_exactly_where_they_may_be_used(problem: Problem) -> None:
    everywhere = replace(
        problem, sources=tuple(replace(s, phases=None) for s in problem.sources), rules=problem.rules[:0]
    )
    decision = decided(everywhere)
    _, rebuilt = read_back(decision)
    assert [[(c.grid, c.tokens, c.binds) for c in row] for row in rebuilt.cells] == [
        [(c.grid, c.tokens, c.binds) for c in row] for row in decision.cells
    ]


@RELAXED
@given(problems())
def test_the_schema_describes_every_manifest(problem: Problem) -> None:
    decision = decided(replace(problem, rules=tuple(r for r in problem.rules if r.bound <= 0)))
    manifest = build_manifest(decision, provenance())
    jsonschema.Draft202012Validator(json_schema()).validate(json.loads(manifest_text(manifest)))


def test_golden_manifest() -> None:
    expected = GOLDEN / "toy.manifest.json"
    text = manifest_text(small_manifest())
    if os.environ.get("MIXC_UPDATE_GOLDEN"):
        expected.write_text(text)
    assert text == expected.read_text()


def test_one_line_per_row_and_nothing_of_this_machine() -> None:
    text = manifest_text(small_manifest())
    lines = text.splitlines()
    problem = small_problem()
    assert sum('"binds_by_bucket"' in line for line in lines) == len(problem.pools)
    assert sum('"priority"' in line for line in lines) == len(problem.languages)
    assert sum('"rule"' in line for line in lines) == len(problem.rules)
    assert str(Path.home()) not in text
    assert text.endswith("}\n")


def test_same_bytes_whatever_the_hash_seed() -> None:
    code = (
        "import sys; from review_builder import *; from mixc.compiler.review.manifest import manifest_text; "
        "sys.stdout.write(manifest_text(small_manifest()))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            cwd=Path(__file__).parent,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1", "42")
    }
    assert outputs == {manifest_text(small_manifest()).encode()}
