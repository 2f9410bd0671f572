"""`mixc predict`: sweeps agree with compiling each point, and what-ifs with deciding anew."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mixc.compiler.pipeline import PROBLEM, Artefacts, run_passes
from mixc.compiler.predict.assumptions import assumptions, possible, with_law
from mixc.compiler.predict.supply import crawls, repetition
from mixc.compiler.problem import Decision, Problem
from mixc.compiler.review.compare import reads_of
from mixc.compiler.solve.decide import decide, loss_of
from tests.cli.conftest import mixc as mixc
from tests.cli.ran import Ran
from tests.examples import shown

Mixc = Callable[..., Ran]
RECIPE = """recipe toy
param size = 1B params
param cap = 4
budget { model = size, tokens = 100B tokens }
source crawl { supply = { de: 40B tokens, en: 300B tokens, no: 2B tokens }, assume = rated, epochs <= cap }
language en { priority = 2 }
language de { priority = 1 }
language no { priority = 0.5, transfer = { de: 20% } }
require share(en) >= 40%
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "toy.mix").write_text(RECIPE)
    return tmp_path


@pytest.fixture(scope="module")
def problem(tmp_path_factory: pytest.TempPathFactory) -> Problem:
    path = tmp_path_factory.mktemp("toy") / "toy.mix"
    path.write_text(RECIPE)
    made, _ = run_passes(PROBLEM, Artefacts(path))
    assert made.problem is not None
    return made.problem


@pytest.fixture(scope="module")
def decision(problem: Problem) -> Decision:
    return decided(problem)


def decided(problem: Problem) -> Decision:
    found, _ = decide(problem)
    assert found is not None
    return found


def test_a_sweep_gives_what_compiling_each_point_gives(mixc: Mixc, folder: Path) -> None:
    ran = mixc("predict", "toy.mix", "--sweep", "size=1B,4B", "--sweep", "cap=2,4", "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    found = json.loads(ran.out)
    assert [point["values"] for point in found["points"]] == [
        {"size": size, "cap": cap} for size in ("1B", "4B") for cap in ("2", "4")
    ]
    for point in found["points"]:
        params = [f"--param={name}={value}" for name, value in point["values"].items()]
        assert mixc("compile", "toy.mix", *params).code == 0
        manifest = json.loads((folder / "toy.manifest.json").read_text())
        assert point["loss"] == pytest.approx(manifest["totals"]["loss"], abs=1e-8)


def test_the_budget_is_swept_without_a_param(mixc: Mixc, folder: Path) -> None:
    ran = mixc("predict", "toy.mix", "--sweep", "tokens=10B..300B:3", "--format", "json")
    points = json.loads(ran.out)["points"]
    losses = [point["loss"] for point in points]
    assert losses == sorted(losses, reverse=True)
    (folder / "toy.mix").write_text(RECIPE.replace("tokens = 100B tokens", "tokens = 300B tokens"))
    mixc("compile", "toy.mix")
    assert points[-1]["loss"] == pytest.approx(
        json.loads((folder / "toy.manifest.json").read_text())["totals"]["loss"], abs=1e-8
    )


def test_what_runs_out_is_told_between_points(mixc: Mixc) -> None:
    ran = mixc("predict", "toy.mix", "--sweep", "tokens=1B,10B,100B", "--format", "json")
    events = json.loads(ran.out)["runs_out"]
    assert any(one["languages"] == ["no"] and one["event"] == "read once" for one in events)
    assert {(one["after"], one["before"]) for one in events} <= {("1B", "10B"), ("10B", "100B")}
    text = mixc("predict", "toy.mix", "--sweep", "tokens=1B,10B,100B").out
    assert "read once" in text
    assert "best 5% of crawl" in text


def test_points_without_a_mixture_are_marked(mixc: Mixc) -> None:
    ran = mixc("predict", "toy.mix", "--sweep", "tokens=100B,5T")
    assert ran.code == 0
    assert ran.err.startswith("warning[M774]: 1 of 2 points have no mixture")
    about = "The sources hold 342B tokens, with `epochs <= 4`."
    shown("M774", ran.err, about=about, command="mixc predict toy.mix --sweep tokens=100B,5T", numbers=False)
    assert "none [M3" in ran.out


def test_no_point_at_all_is_an_error(mixc: Mixc) -> None:
    ran = mixc("predict", "toy.mix", "--sweep", "tokens=5T,6T")
    assert (ran.code, ran.out) == (1, "")
    assert "error[M772]: no point of the sweep has a mixture" in ran.err
    about = "The sources hold 342B tokens, with `epochs <= 4`."
    shown("M772", ran.err, about=about, command="mixc predict toy.mix --sweep tokens=5T,6T", numbers=False)


def test_an_axis_must_be_a_param(mixc: Mixc) -> None:
    ran = mixc("predict", "toy.mix", "--sweep", "siz=1B,2B")
    assert ran.code == 1
    assert "error[M771]: the recipe has no param `siz`" in ran.err
    assert "did you mean `size`?" in ran.err
    about = "The recipe has `param size = 1B params`."
    shown("M771", ran.err, about=about, command="mixc predict toy.mix --sweep siz=1B,2B")


def test_a_param_is_given_once(mixc: Mixc) -> None:
    ran = mixc("predict", "toy.mix", "--sweep", "size=1B,2B", "--param", "size=3B")
    assert "set by `--param` and by `--sweep`" in ran.err


def test_a_mixture_has_no_regret_under_its_own_law(problem: Problem, decision: Decision) -> None:
    assert loss_of(problem, decision) == pytest.approx(decision.loss, abs=1e-12)
    assert possible(problem, decision)


def test_the_law_moves_densities_and_nothing_else(problem: Problem) -> None:
    same = with_law(problem, problem.law)
    assert same == problem
    steeper = with_law(problem, replace(problem.law, theta=2 * problem.law.theta))
    for old, new in zip(problem.pools, steeper.pools, strict=True):
        for before, after in zip(old.buckets, new.buckets, strict=True):
            assert after.density == pytest.approx(before.density**2)


def test_every_assumption_is_tried_both_ways(decision: Decision) -> None:
    found = assumptions(decision, decide, loss_of)
    names = [one.name for one in found]
    assert {"supply of crawl", "transfer from de to no", "transfer, all of it", "theta: how fast quality falls"} <= set(
        names
    )
    for one in found:
        assert [side.factor for side in one.sides] == [0.8, 1.2]
        assert all(side.regret is None or 0 <= side.regret < 0.1 for side in one.sides)
    assert [one.regret for one in found] == sorted((one.regret for one in found), reverse=True)


@pytest.mark.parametrize("strategy", ["natural", "uniform", "unimax"])
def test_what_a_wrong_assumption_costs_is_loss_under_every_strategy(tmp_path: Path, strategy: str) -> None:
    """A strategy's objective is the distance from the shares that it asks for, which is no loss."""
    path = tmp_path / "toy.mix"
    path.write_text(f"{RECIPE}mixture {{ strategy = {strategy} }}\n")
    made, _ = run_passes(PROBLEM, Artefacts(path))
    assert made.problem is not None
    there = decided(made.problem)
    (supply,) = [one for one in assumptions(there, decide, loss_of) if one.name == "supply of crawl"]
    more = supply.sides[1]
    assert more.regret is not None
    pools = tuple(
        replace(pool, buckets=tuple(replace(one, tokens=round(1.2 * one.tokens)) for one in pool.buckets))
        for pool in made.problem.pools
    )
    then = replace(made.problem, pools=pools)
    assert more.regret == pytest.approx(loss_of(then, there) - decided(then).loss, abs=1e-7)


def test_a_limit_that_today_would_break_is_no_regret(decision: Decision) -> None:
    (supply,) = [one for one in assumptions(decision, decide, loss_of) if one.name == "supply of crawl"]
    less, more = supply.sides
    assert less.regret is None  # `no` is read four times of four already
    assert more.regret is not None


def test_more_supply_never_hurts_and_helps_where_it_is_short(decision: Decision) -> None:
    found = {one.language: one for one in crawls(decision, decide)}
    assert set(found) == {"de", "en", "no"}
    for code, one in found.items():
        pools = tuple(
            replace(p, buckets=tuple(replace(b, tokens=round(1.1 * b.tokens)) for b in p.buckets))
            if p.language == code
            else p
            for p in decision.problem.pools
        )
        after = decided(replace(decision.problem, pools=pools))
        assert decision.loss - after.loss >= -1e-9
        assert one.gain == pytest.approx(max(0.0, decision.loss - after.loss), abs=1e-12)
    assert found["no"].per_billion > found["en"].per_billion


def test_looser_limits_never_hurt(decision: Decision) -> None:
    tried = repetition(decision, decide)
    losses = [one.decision.loss for one in tried if one.decision is not None]
    assert losses == sorted(losses, reverse=True)
    for one in tried[:-1]:
        assert one.decision is not None
        assert one.passes is not None
        assert reads_of(one.decision)[1] <= one.passes * (1 + 1e-9)
    assert tried[-1].decision is decision


def test_what_ifs_are_printed(mixc: Mixc) -> None:
    ran = mixc("predict", "toy.mix")
    assert (ran.code, ran.err) == (0, "")
    for words in ("assumption", "crawl more of", "at most", "as the recipe", "too often"):
        assert words in ran.out
    found = json.loads(mixc("predict", "toy.mix", "--format", "json").out)
    assert [one["language"] for one in found["crawl"]]
    assert found["repetition"][-1]["passes"] is None
