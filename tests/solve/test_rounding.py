"""Rounding: budgets and caps exactly, rules within their tolerance, the same answer whatever the order or the noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import RuleRows, joint61, random_instance, replace_rules

from mixc.compiler.solve import controlled
from mixc.compiler.solve.apportion import UNITS, UNLIMITED, Caps, apportion, apportion_sorted, caps_of
from mixc.compiler.solve.controlled import largest_remainder
from mixc.compiler.solve.program import Cells, Floats, Ints, LanguageLaws, Program
from mixc.compiler.solve.rounding import Rounded, round_mixture, violations
from mixc.compiler.solve.task import in_key_order, plain_task

Case = tuple[Program, Floats, list[int], Caps]


def whole_budgets(phases: Floats, tokens: int) -> list[int]:
    budgets = [int(share * tokens) for share in phases]
    budgets[-1] += tokens - sum(budgets)
    return budgets


def binding_case(seed: int, *, tokens: int | None = None, tight: float = 0.2, **ranges: object) -> Case:
    """A random instance whose rules mostly bind at the point to round, some of its cells at their limits."""
    rng = np.random.default_rng(seed)
    tokens = tokens or int(10 ** rng.uniform(9, 13))
    instance = random_instance(seed, **ranges)  # type: ignore[arg-type]
    program, x, cells = instance.program, instance.witness, instance.program.cells
    at_limit = (rng.random(len(cells)) < tight) & np.isfinite(cells.limit)
    supply = np.where(at_limit, x.sum(axis=1) / np.where(np.isfinite(cells.limit), cells.limit, 1.0), cells.supply)
    with np.errstate(invalid="ignore"):
        phase_limit = cells.phase_limit * (cells.supply / supply)[:, None]
    cells = replace(cells, supply=supply, phase_limit=phase_limit)
    program = Program(cells, program.laws, program.phases, program.rules, program.curvature)
    rules, slack = program.rules, program.slacks(x)
    binds = (rng.random(len(rules)) < 0.7) & np.isinf(rules.weight) | rules.equality
    bound = rules.bound + np.where(binds, slack, np.minimum(slack, 0.0))
    program = replace_rules(program, replace(rules, bound=bound))
    return program, x, whole_budgets(program.phases, tokens), caps_of(cells, [int(s * tokens) + 1 for s in supply])


def used_once(*, tokens: int, phases: int = 1, everything: bool = False, rule: bool = True, seed: int = 0) -> Case:
    """40 languages, two sources, the second used exactly once, all of it, and a rule that asks for just that."""
    rng = np.random.default_rng(seed)
    keys = tuple((f"l{i:02}", f"s{s}", "", d) for i in range(40) for s in range(2) for d in range(6))
    n, second = len(keys), np.array([key[1] == "s1" for key in keys])
    budgets = whole_budgets(rng.dirichlet(np.full(phases, 5.0)), tokens)
    weight = rng.lognormal(0, 1, n)[:, None] * rng.uniform(0.5, 1.5, (n, phases))
    taken = np.floor(weight * budgets / weight.sum(axis=0)).astype(np.int64)
    taken[0] += budgets - taken.sum(axis=0)
    supply = np.where(second | everything, taken.sum(axis=1), 3 * taken.sum(axis=1))
    kept = supply > 0
    keys = tuple(key for key, keep in zip(keys, kept, strict=True) if keep)
    taken, supply, second, n = taken[kept], supply[kept], second[kept], int(kept.sum())
    language = np.array([int(key[0][1:]) for key in keys])
    cells = Cells(keys, language, supply / tokens, np.ones(n) * 1e4, np.ones(n), np.full((n, phases), np.inf))
    rows = RuleRows(n, phases, 40)
    if rule:
        rows.add("once", int(supply[second].sum()) / tokens, affine=np.repeat(second[:, None] * 1.0, phases, axis=1))
    zero = np.zeros((40, 40))
    laws = LanguageLaws(np.full(40, 1 / 40), np.zeros(40), np.full(40, 4.0), np.full(40, 0.0441), zero, zero)
    program = Program(cells, laws, np.array(budgets) / tokens, rows.build(), 0.12)
    return program, taken / tokens, budgets, caps_of(cells, [int(s) for s in supply])


def oracle() -> Case:
    instance = joint61()
    tokens = 10**12
    caps = caps_of(instance.program.cells, [int(np.ceil(s * tokens)) for s in instance.program.cells.supply])
    return instance.program, instance.witness, whole_budgets(instance.program.phases, tokens), caps


def permuted(case: Case, order: Ints) -> Case:
    program, x, budgets, caps = case
    return in_key_order(program, order), x[order], budgets, Caps(caps.total[order], caps.phase[order])


def plain_rounding(case: Case) -> Ints:
    """Tokens of largest remainder alone."""
    program, x, budgets, caps = case
    order = np.array(sorted(range(len(x)), key=program.cells.keys.__getitem__))
    program, x, _, caps = permuted(case, order)
    task = plain_task(program, x, budgets, caps)
    tokens = apportion_sorted(largest_remainder(task, task.floor()), budgets, caps)
    return tokens[np.argsort(order)]


def hard_faults(case: Case, tokens: Ints) -> list[str]:
    hard = np.isinf(case[0].rules.weight)
    return [
        check.name
        for check, is_hard in zip(violations(case[0], tokens), hard, strict=True)
        if is_hard and not check.holds
    ]


def assert_exact(case: Case, rounded: Rounded) -> None:
    """Grid and budget sums, caps, and what x is."""
    _, x, budgets, caps = case
    assert rounded.grid.dtype == rounded.tokens.dtype == np.int64
    assert (rounded.grid >= 0).all() and (rounded.tokens >= 0).all()
    assert rounded.grid.sum(axis=0).tolist() == [UNITS] * len(budgets)
    assert rounded.tokens.sum(axis=0).tolist() == budgets
    assert rounded.missing == (0,) * len(budgets)
    assert (rounded.tokens <= caps.phase).all()
    assert (rounded.tokens.sum(axis=1) <= caps.total).all()
    assert (rounded.grid[x == 0] == 0).all()
    np.testing.assert_array_equal(rounded.x, rounded.tokens / sum(budgets))


@pytest.mark.parametrize("block", range(3))
def test_random_instances_keep_every_promise(block: int) -> None:
    for seed in range(50 * block, 50 * block + 50):
        case = binding_case(seed, rules=(1, 6))
        rounded = round_mixture(*case)
        assert_exact(case, rounded)
        assert hard_faults(case, rounded.tokens) == [], seed
        assert rounded.worst <= 1 + 1e-6, seed


def broken_by_largest_remainder(seeds: int, languages: tuple[int, int], buckets: tuple[int, int]) -> int:
    """In how many large instances, all of which are rounded as promised, largest remainder alone is not enough."""
    broken = 0
    for seed in range(seeds):
        case = binding_case(seed, languages=languages, sources=(2, 2), buckets=buckets, rules=(5, 9), tight=0.3)
        rounded = round_mixture(*case)
        assert_exact(case, rounded)
        assert hard_faults(case, rounded.tokens) == [], seed
        broken += bool(hard_faults(case, plain_rounding(case)))
    return broken


def test_many_binding_rules_on_many_cells() -> None:
    assert broken_by_largest_remainder(8, (30, 50), (4, 6)) >= 3


def test_of_many_cells_those_near_the_margin_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controlled, "NEAREST", 120)
    assert broken_by_largest_remainder(4, (40, 50), (5, 6)) >= 2


@pytest.mark.parametrize("kind", ["affine", "info", "loss"])
def test_a_rule_that_can_hold_in_full_does(kind: str) -> None:
    """One binding inequality on a budget that the grid divides: no shortfall at all, where plain rounding has one."""
    short = 0
    for seed in range(20):
        case = binding_case(seed, tokens=10**12, tight=0.0, phases=(1, 1), rules=(1, 1), kinds=(kind,))
        slack = case[0].slacks(round_mixture(*case).x)
        assert slack.min() >= -1e-10, seed
        short += case[0].slacks(plain_rounding(case) / 10**12).min() < -1e-10
    assert short > 0


def test_an_equality_on_the_grid_is_met_to_the_token() -> None:
    program, x, budgets, caps = binding_case(3, tokens=10**12, tight=0.0, rules=(0, 0), phases=(1, 1))
    n = len(x)
    chosen = (program.cells.language == 0)[:, None] * np.ones((1, 1))
    share = round(float((chosen * x).sum()), 6)
    x = np.where(chosen > 0, x * share / (chosen * x).sum(), x * (1 - share) / ((1 - chosen) * x).sum())
    rows = RuleRows(n, 1, len(program.laws))
    rows.add("share", share, affine=chosen, equality=True)
    free = Caps(np.full_like(caps.total, UNLIMITED), np.full_like(caps.phase, UNLIMITED))
    rounded = round_mixture(replace_rules(program, rows.build()), x, budgets, free)
    assert int(rounded.tokens[program.cells.language == 0].sum()) == round(share * 10**6) * 10**6


def test_order_rules_by_the_thousand_stay_within_a_unit() -> None:
    """Buckets all at the end of their first pass: every order rule binds at once."""
    n, depth = 600, 6
    rng = np.random.default_rng(5)
    supply = rng.lognormal(0, 1.5, n)
    supply /= supply.sum()
    keys = tuple((f"l{i // depth:03}", "s", "", i % depth) for i in range(n))
    laws = LanguageLaws(np.ones(1), np.zeros(1), np.ones(1), np.full(1, 0.04), np.zeros((1, 1)), np.zeros((1, 1)))
    cells = Cells(keys, np.zeros(n, np.int64), supply, np.ones(n), np.full(n, 4.0), np.full((n, 1), np.inf))
    rows = RuleRows(n, 1, 1)
    for i in range(n - 1):
        if i % depth < depth - 1:
            affine = np.zeros((n, 1))
            affine[i], affine[i + 1] = 1 / supply[i], -1 / supply[i + 1]
            rows.add("order", 0.0, affine=affine)
    program = Program(cells, laws, np.ones(1), rows.build(), 0.1)
    caps = caps_of(cells, [int(s * 10**12) + 1 for s in supply])
    case = program, supply[:, None], [10**12], caps
    rounded = round_mixture(*case)
    assert_exact(case, rounded)
    assert hard_faults(case, rounded.tokens) == []


@pytest.mark.parametrize("phases", [1, 2, 3])
@pytest.mark.parametrize("tokens", [300, 10_000, 10**9 + 7, 10**12])
@pytest.mark.parametrize("everything", [False, True])
def test_a_source_used_exactly_once_is_used_exactly_once(phases: int, tokens: int, everything: bool) -> None:
    """Only just feasible: rounding down at every cap would leave the rule, or the whole budget, short."""
    case = used_once(tokens=tokens, phases=phases, everything=everything)
    rounded = round_mixture(*case)
    assert_exact(case, rounded)
    assert hard_faults(case, rounded.tokens) == []
    if everything:
        assert rounded.tokens.sum(axis=1).tolist() == case[3].total.tolist()


def test_a_budget_that_the_caps_cannot_hold_is_reported_and_caps_still_hold() -> None:
    program, x, budgets, caps = used_once(tokens=10**9, everything=True, rule=False)
    smaller = Caps(caps.total - 1, caps.phase)
    rounded = round_mixture(program, x, budgets, smaller)
    assert rounded.missing == (len(x),)
    assert (rounded.tokens == smaller.total[:, None]).all()


def test_one_cell_takes_everything() -> None:
    laws = LanguageLaws(np.ones(1), np.zeros(1), np.ones(1), np.full(1, 0.04), np.zeros((1, 1)), np.zeros((1, 1)))
    cells = Cells((("en", "s", "", 0),), np.zeros(1, np.int64), np.ones(1), np.ones(1), np.ones(1), np.ones((1, 2)))
    program = Program(cells, laws, np.array([0.75, 0.25]), RuleRows(1, 2, 1).build(), 0.1)
    rounded = round_mixture(program, np.array([[0.75, 0.25]]), [3, 1], caps_of(cells, [4]))
    assert rounded.grid.tolist() == [[UNITS, UNITS]]
    assert rounded.tokens.tolist() == [[3, 1]]
    assert violations(program, rounded.tokens) == []


def test_equal_cells_tie_by_key_in_spite_of_noise() -> None:
    n = 7
    laws = LanguageLaws(np.ones(1), np.zeros(1), np.ones(1), np.full(1, 0.04), np.zeros((1, 1)), np.zeros((1, 1)))
    keys = tuple(("en", "s", "", i) for i in range(n))
    cells = Cells(keys, np.zeros(n, np.int64), np.ones(n), np.ones(n), np.ones(n), np.ones((n, 1)))
    program = Program(cells, laws, np.ones(1), RuleRows(n, 1, 1).build(), 0.1)
    noise = np.random.default_rng(1).uniform(-1e-12, 1e-12, (n, 1))
    rounded = round_mixture(program, np.full((n, 1), 1 / n) + noise, [10**12], caps_of(cells, [10**12] * n))
    assert rounded.grid.ravel().tolist() == [142858] + [142857] * 6


def test_cells_at_zero_get_tokens_only_when_nothing_else_has_room() -> None:
    laws = LanguageLaws(np.ones(1), np.zeros(1), np.ones(1), np.full(1, 0.04), np.zeros((1, 1)), np.zeros((1, 1)))
    keys = tuple(("en", "s", "", i) for i in range(3))
    cells = Cells(keys, np.zeros(3, np.int64), np.ones(3), np.ones(3), np.ones(3), np.ones((3, 1)))
    program = Program(cells, laws, np.ones(1), RuleRows(3, 1, 1).build(), 0.1)
    x = np.array([[0.0], [0.6], [0.4]])
    roomy = round_mixture(program, x, [1000], Caps(np.array([1000, 600, 1000]), np.full((3, 1), 1000)))
    assert roomy.tokens.ravel().tolist() == [0, 600, 400]
    full = round_mixture(program, x, [1000], Caps(np.array([1000, 599, 399]), np.full((3, 1), 1000)))
    assert full.tokens.ravel().tolist() == [2, 599, 399]


@pytest.mark.parametrize("seed", range(25))
def test_neither_order_nor_noise_changes_the_answer(seed: int) -> None:
    case = binding_case(seed, rules=(1, 6))
    rounded = round_mixture(*case)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(case[1]))
    shuffled = round_mixture(*permuted(case, order))
    np.testing.assert_array_equal(shuffled.grid, rounded.grid[order])
    np.testing.assert_array_equal(shuffled.tokens, rounded.tokens[order])
    noise = rng.uniform(-1e-12, 1e-12, case[1].shape)
    shaken = round_mixture(case[0], np.where(case[1] > 0, case[1] + noise, 0.0), *case[2:])
    np.testing.assert_array_equal(shaken.grid, rounded.grid)


def test_the_oracle_rounds_within_its_rules_whatever_the_order_or_noise() -> None:
    case = oracle()
    program, x, budgets, caps = case
    rounded = round_mixture(*case)
    assert_exact(case, rounded)
    assert all(check.slack >= 0 for check in violations(program, rounded.tokens))
    assert program.objective(rounded.x) == pytest.approx(program.objective(x), rel=1e-7)
    assert np.abs(rounded.x - x).max() <= 1e-6
    rng = np.random.default_rng(0)
    for _ in range(5):
        order = rng.permutation(len(x))
        noise = np.where(x > 0, rng.uniform(-1e-12, 1e-12, x.shape), 0.0)
        again = round_mixture(*permuted((program, x + noise, budgets, caps), order))
        np.testing.assert_array_equal(again.grid, rounded.grid[order])


def test_violations_say_what_tokens_break() -> None:
    program, x, budgets, caps = used_once(tokens=10**9)
    rounded = round_mixture(program, x, budgets, caps)
    (met,) = violations(program, rounded.tokens)
    assert met.holds and met.name == "once" and met.slack == pytest.approx(0.0, abs=1e-12)
    worse = rounded.tokens.copy()
    second = next(i for i, key in enumerate(program.cells.keys) if key[1] == "s1" and worse[i, 0] > 5000)
    worse[second] -= 5000
    worse[0] += 5000
    (broken,) = violations(program, worse)
    assert not broken.holds
    assert broken.slack == pytest.approx(-5e-6)
    assert broken.tolerance == pytest.approx(1e-6)
    assert broken.value == pytest.approx(broken.bound - 5e-6)


@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 3), st.sampled_from([1, 7, 50, 10**6, 10**13]))
@settings(max_examples=150, deadline=None)
def test_apportionment_fills_any_budget_that_integer_caps_allow(seed: int, n: int, phases: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    taken = rng.integers(0, size + 1, (n, phases)) * (rng.random((n, phases)) < 0.7)
    taken[0] += 1
    caps = Caps(taken.sum(axis=1), taken + rng.integers(0, 3, (n, phases)))
    budgets = [int(b) for b in taken.sum(axis=0)]
    grid = np.stack([rng.multinomial(UNITS, share / share.sum()) for share in taken.T.astype(float)], axis=1)
    tokens = apportion_sorted(grid, budgets, caps)
    assert tokens.sum(axis=0).tolist() == budgets
    assert (tokens <= caps.phase).all() and (tokens.sum(axis=1) <= caps.total).all() and (tokens >= 0).all()


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=30).filter(any), st.integers(1, 10**13))
@settings(max_examples=100, deadline=None)
def test_without_caps_every_cell_is_within_a_token_of_its_share(weights: list[int], budget: int) -> None:
    grid = np.random.default_rng(0).multinomial(UNITS, np.array(weights) / sum(weights))[:, None]
    keys = [("en", "s", "", i) for i in range(len(weights))]
    caps = Caps(np.full(len(weights), UNLIMITED), np.full((len(weights), 1), UNLIMITED))
    tokens = apportion(keys, grid, [budget], caps)
    assert int(tokens.sum()) == budget
    for share, count in zip(grid.ravel().tolist(), tokens.ravel().tolist(), strict=True):
        assert abs(share * budget - count * UNITS) < UNITS


@pytest.mark.parametrize(("limit", "supply", "most"), [(0.3, 1000, 300), (4.0, 10**13, 4 * 10**13), (1.5, 3, 4)])
def test_limits_are_read_as_the_decimals_they_print(limit: float, supply: int, most: int) -> None:
    cells = Cells(
        (("en", "s", "", 0),),
        np.zeros(1, np.int64),
        np.ones(1),
        np.ones(1),
        np.array([limit]),
        np.array([[np.inf, 0.0]]),
    )
    caps = caps_of(cells, [supply])
    assert caps.total.tolist() == [most]
    assert caps.phase.tolist() == [[UNLIMITED, 0]]


def test_a_rule_about_nothing_does_not_spoil_the_choice() -> None:
    """A rule without any cell has no tolerance either; 0/0 once made every candidate look alike."""
    program, x, budgets, caps = used_once(tokens=10**9, rule=False)
    empty = RuleRows(len(program.cells), 1, 40)
    empty.add("nothing", 0.0)
    ruled = replace_rules(program, empty.build())
    with np.errstate(all="raise"):
        rounded = round_mixture(ruled, x, budgets, caps)
    assert rounded.worst == 0.0
