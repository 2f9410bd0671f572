"""Two problems and the changes between them: exact in sum, one cause each, valid alone."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from review_builder import decided, language, pool, problems, share, small_problem

from mixc.compiler.problem import Pool, Problem, ProblemPhase, ProblemSource
from mixc.compiler.recipe import Limit, Selector, Strategy, Term
from mixc.compiler.review.changes import changed_inputs, grouped

RELAXED = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
TWO = st.sampled_from([(["web", "wiki"], ["de", "en", "no"]), (["web"], ["en", "no", "pl"]), (["books"], ["en"])])
NEAR = TWO.flatmap(lambda names: problems(*names))


@RELAXED
@given(NEAR, NEAR)
def test_all_changes_give_the_other_problem(a: Problem, b: Problem) -> None:
    changes = changed_inputs(a, b)
    assert reduce(lambda problem, change: change.apply(problem), changes, a) == b
    assert reduce(lambda problem, change: change.apply(problem), reversed(changes), a) == b


@RELAXED
@given(NEAR, NEAR, st.integers(1, 5))
def test_grouping_loses_nothing(a: Problem, b: Problem, most: int) -> None:
    changes = grouped(changed_inputs(a, b), most)
    assert reduce(lambda problem, change: change.apply(problem), changes, a) == b


@RELAXED
@given(NEAR, NEAR)
def test_each_change_alone_gives_a_problem_that_holds_together(a: Problem, b: Problem) -> None:
    for change in changed_inputs(a, b):
        alone = change.apply(a)
        codes, sources = {x.code for x in alone.languages}, {s.name for s in alone.sources}
        assert sum(phase.tokens for phase in alone.phases) == alone.tokens
        assert all(p.language in codes and p.source in sources for p in alone.pools)
        assert all(other in codes for x in alone.languages for other, _ in (*x.transfer, *x.cost))


@given(NEAR)
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_change_no_cause(a: Problem) -> None:
    assert changed_inputs(a, a) == ()


A = small_problem()
MORE = replace(A, tokens=120_000_000_000, flops=6 * 1.2e9 * 120e9, phases=(ProblemPhase("main", 120_000_000_000),))
PHASED = (ProblemPhase("pretrain", 90_000_000_000), ProblemPhase("anneal", 10_000_000_000))
POLISH = replace(
    A,
    languages=(*A.languages, language("pl", 1.0, transfer=(("de", 0.1),))),
    pools=tuple(sorted((*A.pools, pool("web", "pl", 10**10)), key=lambda p: (p.source, p.language, p.domain))),
    rules=(*A.rules, share("pl", 0.02, line=32)),
)


def sampled(one: Pool) -> Pool:
    """The pool under a curve."""
    return replace(one, copies=(1.5,) * len(one.buckets), peak=2.0)


def read_before(one: Pool, tokens: int) -> Pool:
    """The pool, its best bucket read by an earlier mixture."""
    return replace(one, buckets=(replace(one.buckets[0], taken=tokens), *one.buckets[1:]))


def cut_anew(one: Pool) -> Pool:
    """The pool in one bucket more."""
    last = one.buckets[-1]
    middle = (last.low + last.high) / 2
    halves = replace(last, high=middle, tokens=last.tokens // 2), replace(last, low=middle, tokens=last.tokens // 2)
    return replace(one, buckets=(*one.buckets[:-1], *halves))


@pytest.mark.parametrize(
    ("b", "causes"),
    [
        (replace(A, edges=(0.2, 0.6, 1.0), pools=(cut_anew(A.pools[0]), *A.pools[1:])), [("buckets",)]),
        (replace(A, pools=(sampled(A.pools[0]), *A.pools[1:])), [("sampling", A.pools[0].domain)]),
        (replace(A, before=10**9, pools=(read_before(A.pools[0], 10**9), *A.pools[1:])), [("after",)]),
        (MORE, [("tokens",)]),
        (replace(A, params=7e9, flops=6 * 7e9 * 100e9), [("model",)]),
        (replace(A, flops=8 * 1.2e9 * 100e9), [("compute",)]),
        (replace(A, phases=PHASED), [("phases",)]),
        (replace(A, strategy=Strategy("unimax", None, 4.0)), [("strategy",)]),
        (replace(A, law=replace(A.law, name="mine", theta=1.0)), [("calibration",)]),
        (replace(A, order="shares"), [("order",)]),
        (replace(A, languages=(*A.languages[:2], language("no", 1.0, transfer=(("de", 0.05),)))), [("priority", "no")]),
        (replace(A, languages=(*A.languages[:2], language("no", 0.5))), [("transfer", "no")]),
        (replace(A, sources=(ProblemSource("web", Limit(8.0)), A.sources[1])), [("limit", "web")]),
        (replace(A, pools=(pool("web", "de", 10**9), *A.pools[1:])), [("supply", "web")]),
        (replace(A, pools=A.pools[:3], sources=A.sources[:1]), [("source", "wiki")]),
        (replace(A, rules=(share("en", 0.35), A.rules[1])), [("rule", "require share(en) >= 35%", ">=", "en")]),
        (replace(A, rules=A.rules[:1]), [("rule", A.rules[1].text, ">=", "no")]),
        (POLISH, [("language", "pl")]),
    ],
)
def test_one_edit_one_cause(b: Problem, causes: list[tuple[str, ...]]) -> None:
    for one, other in ((A, b), (b, A)):
        changes = changed_inputs(one, other)
        found = [(change.kind, *change.names) for change in changes]
        assert [cause[0] for cause in found] == [cause[0] for cause in causes]
        assert changes[0].apply(one) == other
    assert [(c.kind, *c.names) for c in changed_inputs(A, b)] == causes or causes[0][0] == "rule"


def test_a_bigger_budget_alone_keeps_the_split_of_phases() -> None:
    b = replace(MORE, phases=(ProblemPhase("pretrain", 10**11), ProblemPhase("anneal", 2 * 10**10)))
    tokens, phases = changed_inputs(replace(A, phases=PHASED), b)
    assert [p.tokens for p in tokens.apply(replace(A, phases=PHASED)).phases] == [108 * 10**9, 12 * 10**9]
    assert sum(p.tokens for p in phases.apply(replace(A, phases=PHASED)).phases) == 10**11


def test_a_group_that_gains_a_member_moves_with_the_language() -> None:
    def group(*codes: str):
        term = Term(1.0, "share", Selector(languages=codes))
        return replace(share("slavic", 0.01), text="require share(slavic) >= 1%", terms=(term,))

    a, b = replace(A, rules=(group("de"),)), replace(POLISH, rules=(group("de", "pl"),))
    changes = changed_inputs(a, b)
    assert [(c.kind, *c.names) for c in changes] == [("language", "pl")]
    assert decided(changes[0].apply(a)).problem == b


def test_a_new_source_in_a_new_language_waits_for_both() -> None:
    b = replace(
        POLISH,
        sources=(ProblemSource("books", None), *POLISH.sources),
        pools=(pool("books", "pl", 10**9), *POLISH.pools),
    )
    language_pl, source_books = changed_inputs(A, b)
    assert all(p.language != "pl" for p in source_books.apply(A).pools)
    assert all(p.source != "books" for p in language_pl.apply(A).pools)
    assert source_books.apply(language_pl.apply(A)) == b
