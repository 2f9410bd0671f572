"""Conflicts are minimal, their distances exact, and what can hold is never called a conflict."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from instances import RuleRows, random_instance, replace_rules

from mixc.compiler.solve.certify import certify
from mixc.compiler.solve.conflict import Conflict, capacity, explain_infeasible, needed_factor
from mixc.compiler.solve.conic import solve_conic
from mixc.compiler.solve.elastic import JUST, Elastic, Member
from mixc.compiler.solve.program import Floats, Program


def members_of(program: Program) -> tuple[Member, ...]:
    """Every hard rule, every source's limit, every budget."""
    rules, cells = program.rules, program.cells
    found = [Member("rule", rules.names[k], rules=(k,)) for k in range(len(rules)) if np.isinf(rules.weight[k])]
    for source in sorted({key[1] for key in cells.keys}):
        limited = tuple(c for c, key in enumerate(cells.keys) if key[1] == source and np.isfinite(cells.limit[c]))
        if limited:
            found.append(Member("limit", source, cells=limited))
    found += [Member("budget", f"phase {p}", phase=p) for p in range(len(program.phases))]
    return tuple(found)


def tightened(program: Program, seed: int) -> Program:
    """Every hard rule asks for more than the witness gave."""
    rng = np.random.default_rng(seed)
    bound = program.rules.bound.copy()
    for k in np.flatnonzero(np.isinf(program.rules.weight)):
        bound[k] += abs(bound[k]) * rng.choice([0.05, 0.3]) + 0.01
    return replace_rules(program, replace(program.rules, bound=bound))


def names(conflict: Conflict | None) -> set[str]:
    assert conflict is not None
    return {clash.member.name for clash in conflict.clashes}


def sources_with_caps(caps: tuple[float, ...], *, limit: float = np.inf) -> Program:
    """Three sources of plenty, one language, one phase; `share(source) <= cap` each."""
    program = random_instance(0, languages=(3, 3), sources=(1, 1), phases=(1, 1), buckets=(1, 1), rules=(0, 0)).program
    cells = program.cells
    keys = tuple(("l0", f"s{c}", "", 0) for c in range(3))
    cells = replace(cells, keys=keys, supply=np.ones(3), limit=np.full(3, limit), phase_limit=np.full((3, 1), np.inf))
    program = replace(program, cells=cells)
    rows = RuleRows(3, 1, 3)
    for c, cap in enumerate(caps):
        rows.add(f"s{c}", -cap, affine=-np.eye(3)[:, [c]])
    return replace_rules(program, rows.build())


def test_shares_that_do_not_reach_the_whole() -> None:
    program = sources_with_caps((0.15, 0.4, 0.1))
    conflict = explain_infeasible(program, members_of(program))
    assert names(conflict) == {"s0", "s1", "s2", "phase 0"}
    assert conflict is not None
    assert conflict.shortfall == pytest.approx(0.35)
    for clash in conflict.clashes:
        assert abs(clash.distance or 0.0) == pytest.approx(0.35)
        assert clash.enough
    assert next(c.distance for c in conflict.clashes if c.member.kind == "budget") == pytest.approx(-0.35)


def test_only_just_feasible_is_no_conflict() -> None:
    for margin, found in ((0.0, False), (-0.5 * JUST, False), (-1e-5, True)):
        program = sources_with_caps((0.2, 0.5, 0.3 + margin))
        assert (explain_infeasible(program, members_of(program)) is not None) is found


def test_a_limit_takes_part_and_its_distance_is_in_passes() -> None:
    program = sources_with_caps((0.9, 0.05, 0.05), limit=0.5)
    members = tuple(
        Member("limit", f"limit {m.name}", cells=m.cells) if m.kind == "limit" else m for m in members_of(program)
    )
    conflict = explain_infeasible(program, members)
    assert names(conflict) == {"limit s0", "s1", "s2", "phase 0"}
    assert conflict is not None
    assert next(c.distance for c in conflict.clashes if c.member.kind == "limit") == pytest.approx(0.4)


def test_two_conflicts_at_once_are_told_one_by_one() -> None:
    program = sources_with_caps((-0.1, -0.2, 0.4))
    conflict = explain_infeasible(program, members_of(program))
    assert conflict is not None
    assert len(conflict.clashes) == 1
    clash = conflict.clashes[0]
    assert clash.member.name in {"s0", "s1"}
    assert clash.distance == pytest.approx({"s0": 0.1, "s1": 0.2}[clash.member.name])
    assert not clash.enough


@pytest.mark.parametrize("seed", range(30))
def test_feasible_programs_have_no_conflict(seed: int) -> None:
    program = random_instance(seed, rules=(1, 6)).program
    assert explain_infeasible(program, members_of(program)) is None


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 8, 9, 10, 11, 22, 25, 27, 29, 31, 32, 34, 38])
def test_conflicts_are_minimal_and_distances_exact(seed: int) -> None:
    program = tightened(random_instance(seed, rules=(2, 6)).program, seed)
    members = members_of(program)
    conflict = explain_infeasible(program, members)
    assert conflict is not None
    elastic = Elastic(program, members)
    index = [members.index(clash.member) for clash in conflict.clashes]
    aside = [k for k in range(len(members)) if k not in index]
    together = elastic.solve(index, aside)
    assert together is not None
    assert together.total > JUST
    for k in index:
        rest = [other for other in index if other != k]
        without = elastic.solve(rest, [*aside, k])
        assert without is not None
        assert without.total <= JUST
    for clash in conflict.clashes:
        one_sided = clash.member.kind == "rule" and not program.rules.equality[clash.member.rules[0]]
        if one_sided and clash.enough and clash.distance is not None:
            assert explain_infeasible(loosened(program, clash.member, 1.0001 * clash.distance + 1e-6), members) is None
            assert explain_infeasible(loosened(program, clash.member, 0.98 * clash.distance), members) is not None


def loosened(program: Program, member: Member, distance: float) -> Program:
    """The same with the rule's bound moved by `distance`."""
    bound = program.rules.bound.copy()
    bound[member.rules[0]] -= distance
    return replace_rules(program, replace(program.rules, bound=bound))


@pytest.mark.parametrize("seed", range(6))
def test_a_loss_out_of_reach_is_as_far_as_the_least_loss(seed: int) -> None:
    program = random_instance(seed, rules=(0, 0)).program
    which = seed % len(program.laws)
    alone = replace(program, laws=replace(program.laws, weight=np.eye(len(program.laws))[which]))
    best = solve_conic(alone, tie_break=False).x
    assert best is not None
    least = certify(alone, best).value
    rows = RuleRows(*program.shape, len(program.laws))
    rows.add("loss", -(least - 0.02), loss=np.eye(len(program.laws))[which])
    program = replace_rules(program, rows.build())
    conflict = explain_infeasible(program, members_of(program))
    assert conflict is not None
    assert next(c.distance for c in conflict.clashes if c.member.name == "loss") == pytest.approx(0.02, abs=1e-5)


def test_information_out_of_reach_is_as_far_as_the_most_there_is() -> None:
    program = random_instance(1, languages=(3, 3), phases=(1, 1), rules=(0, 0), tokens_signal=0.0).program
    program = replace(program, cells=replace(program.cells, limit=np.full(len(program.cells), 2.0)))
    chosen = (program.cells.language == 0).astype(float)
    most = program.cells.limit * program.cells.supply * chosen
    assert most.sum() < 1
    reach = float(program.information(most[:, None]).sum())
    rows = RuleRows(*program.shape, 3)
    rows.add("info", 1.5 * reach, info=chosen)
    program = replace_rules(program, rows.build())
    conflict = explain_infeasible(program, members_of(program))
    assert next(c.distance for c in conflict.clashes if c.member.name == "info") == pytest.approx(0.5 * reach, rel=1e-5)


def test_soft_rules_never_conflict() -> None:
    program = sources_with_caps((0.15, 0.4, 0.1))
    program = replace_rules(program, replace(program.rules, weight=np.full(3, 0.05)))
    assert explain_infeasible(program, members_of(program)) is None


def with_cells(program: Program, supply: Floats, limit: Floats, phase_limit: Floats, phases: Floats) -> Program:
    cells = replace(program.cells, supply=supply, limit=limit, phase_limit=phase_limit)
    made = replace(program, cells=cells, phases=phases)
    return replace_rules(made, RuleRows(*made.shape, 3).build())


def test_capacity_is_what_limits_let_in_not_supply_times_epochs() -> None:
    base = sources_with_caps((1.0, 1.0, 1.0))
    infinite = np.full((3, 2), np.inf)
    supply, phases = np.array([0.1, 0.1, 0.05]), np.array([0.9, 0.1])
    assert capacity(with_cells(base, supply, np.full(3, 4.0), infinite, phases)) == pytest.approx(1.0)
    assert capacity(with_cells(base, supply, np.full(3, 2.0), infinite, phases)) == pytest.approx(0.5)
    only_late = infinite.copy()
    only_late[0, 0] = 0.0  # a source of the second phase: it cannot fill the first
    assert capacity(with_cells(base, supply, np.full(3, 4.0), only_late, phases)) == pytest.approx(0.7)


def test_the_factor_on_passes_fills_the_budget_exactly() -> None:
    base = sources_with_caps((1.0, 1.0, 1.0))
    supply, phases = np.array([0.1, 0.1, 0.05]), np.array([0.6, 0.4])
    inside = np.full((3, 2), np.inf)
    inside[:, 1] = 1.0
    program = with_cells(base, supply, np.full(3, 2.0), inside, phases)
    factor = needed_factor(program)
    assert factor is not None
    for share, full in ((factor, True), (0.99 * factor, False)):
        cells = replace(program.cells, limit=program.cells.limit * share, phase_limit=program.cells.phase_limit * share)
        assert (capacity(replace(program, cells=cells)) >= 1 - JUST) is full


def test_no_factor_helps_where_a_phase_has_no_cells() -> None:
    base = sources_with_caps((1.0, 1.0, 1.0))
    closed = np.array([[np.inf, 0.0]] * 3)
    program = with_cells(base, np.ones(3), np.full(3, 2.0), closed, np.array([0.6, 0.4]))
    assert capacity(program) == pytest.approx(0.6)
    assert needed_factor(program) is None
