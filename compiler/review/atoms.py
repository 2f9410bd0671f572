"""A problem as a flat dictionary of facts, and back: the ground on which two problems are compared.

A key names one fact (`("priority", "no")`, `("supply", "web", "de", "news")`), its value is what the problem says.
`assemble` drops facts about things that are not there (supply of a language that is not in the mixture), so a part of
the facts of another problem can be put in and still give a problem that holds together.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from mixc.compiler.problem import Bucket, Pool, Problem, ProblemLanguage, ProblemPhase, ProblemSource
from mixc.compiler.recipe import Rule

Key: TypeAlias = tuple[Any, ...]
Atoms: TypeAlias = dict[Key, Any]

SCALARS = ("order", "strategy", "form", "signal", "law", "edges")
CLOSE = 1e-9
SPLIT = 1e-6  # of the budget


def atoms_of(problem: Problem) -> Atoms:
    """All facts of a problem."""
    facts: Atoms = {
        ("params",): problem.params,
        ("tokens",): problem.tokens,
        ("flops",): problem.flops / (problem.params * problem.tokens),
        ("split",): problem.phases,
        ("before",): problem.before,
        ("gone",): problem.gone,
    }
    facts.update({(name,): getattr(problem, name) for name in SCALARS})
    facts.update({("baseline", name): shares for name, shares in problem.baselines})
    for language in problem.languages:
        facts.update(_language(language))
    for source in problem.sources:
        facts.update(_source(source))
    for pool in problem.pools:
        where = (pool.source, pool.language, pool.domain)
        facts["ranges", *where] = (pool.rated, tuple((b.low, b.high) for b in pool.buckets))
        facts["supply", *where] = tuple(b.tokens for b in pool.buckets)
        facts["density", *where] = tuple(b.density for b in pool.buckets)
        facts["taken", *where] = tuple(b.taken for b in pool.buckets) if any(b.taken for b in pool.buckets) else ()
        facts["sampling", *where] = (pool.copies, pool.peak, pool.once)
    facts.update(zip(keys_of_rules(problem.rules), problem.rules, strict=True))
    return facts


def same(key: Key, one: Any, other: Any) -> bool:
    """Whether two values of a key say the same; phases and FLOPs are compared apart from the size of the budget."""
    if one is None or other is None:
        return one is other
    if key == ("flops",):
        return math.isclose(one, other, rel_tol=CLOSE)
    if key == ("split",):
        before, after = (sum(phase.tokens for phase in phases) for phases in (one, other))
        return bool(one == other) if before == after else near(rescaled(one, after), other)
    return bool(one == other)


def near(one: tuple[ProblemPhase, ...], other: tuple[ProblemPhase, ...]) -> bool:
    """Whether phases are the same apart from the rounding of a split, also of one that was small once."""
    slack = len(other) * (1 + SPLIT * sum(phase.tokens for phase in other))
    return [p.name for p in one] == [p.name for p in other] and all(
        abs(p.tokens - q.tokens) <= slack for p, q in zip(one, other, strict=True)
    )


def rescaled(phases: tuple[ProblemPhase, ...], total: int) -> tuple[ProblemPhase, ...]:
    """The same phases for another budget: whole tokens, the remainder to the largest fractions."""
    before = sum(phase.tokens for phase in phases)
    if before in (0, total):
        return phases
    floors = [phase.tokens * total // before for phase in phases]
    by_fraction = sorted(range(len(phases)), key=lambda i: (-(phases[i].tokens * total % before), i))
    for i in by_fraction[: total - sum(floors)]:
        floors[i] += 1
    return tuple(ProblemPhase(phase.name, tokens) for phase, tokens in zip(phases, floors, strict=True))


def assemble(facts: Mapping[Key, Any], like: Problem) -> Problem:
    """The problem that the facts state, sorted by name; `like` is taken whole where only rounding tells it apart."""
    tokens, params = facts["tokens",], facts["params",]
    phases = rescaled(facts["split",], tokens)
    sized = tokens == like.tokens and params == like.params and same(("flops",), facts["flops",], _rate(like))
    return Problem(
        params=params,
        tokens=tokens,
        flops=like.flops if sized else facts["flops",] * params * tokens,
        phases=like.phases if tokens == like.tokens and near(phases, like.phases) else phases,
        languages=tuple(_assemble_language(facts, code) for code in _names(facts, "language")),
        sources=tuple(_assemble_source(facts, name) for name in _names(facts, "source")),
        pools=tuple(_assemble_pool(facts, key[1:]) for key in sorted(k for k in facts if k[0] == "ranges")),
        rules=tuple(sorted((rule for key, rule in facts.items() if key[0] == "rule"), key=_rule_order)),
        baselines=tuple((key[1], facts[key]) for key in sorted(k for k in facts if k[0] == "baseline")),
        before=facts["before",],
        gone=facts["gone",],
        **{name: facts[name,] for name in SCALARS},
    )


def pruned(facts: Atoms, *, known: frozenset[tuple[str, str]]) -> Atoms:
    """Without facts about languages, sources and phases that are not there; `known` are all (kind, name) ever heard of.

    A rule goes when it names something that is known but absent here.
    """
    here = present(facts)
    absent = known - here
    return {
        key: value
        for key, value in facts.items()
        if not any(need in absent for need in needs(key, value)) or key[0] in ("language", "source")
    }


def present(facts: Mapping[Key, Any]) -> frozenset[tuple[str, str]]:
    """The (kind, name) of every language, source and phase."""
    named = {(key[0], key[1]) for key in facts if key[0] in ("language", "source")}
    return frozenset(named | {("phase", phase.name) for phase in facts["split",]})


def needs(key: Key, value: Any) -> Iterator[tuple[str, str]]:
    """What a fact speaks of, as (kind, name): without it the fact means nothing."""
    match key:
        case ("ranges" | "supply" | "density" | "taken" | "sampling", source, language, _):
            yield from (("source", source), ("language", language))
        case ("priority" | "loss law" | "past" | "language", code):
            yield ("language", code)
        case ("transfer" | "cost", code, other):
            yield from (("language", code), ("language", other))
        case ("limit" | "source phases" | "source", name):
            yield ("source", name)
        case ("phase limit", name, phase):
            yield from (("source", name), ("phase", phase))
        case ("rule", *_):
            yield from _named_by(value)


def _named_by(rule: Rule) -> Iterator[tuple[str, str]]:
    if rule.phase is not None:
        yield ("phase", rule.phase)
    for term in rule.terms:
        kinds = (("source", term.of.sources), ("language", term.of.languages), ("phase", term.of.phases))
        for kind, names in kinds:
            yield from ((kind, name) for name in names or ())


def _rate(problem: Problem) -> float:
    return problem.flops / (problem.params * problem.tokens)


def _language(language: ProblemLanguage) -> Atoms:
    code = language.code
    facts: Atoms = {
        ("language", code): True,
        ("priority", code): language.priority,
        ("loss law", code): (language.floor, language.scale, language.exponent, language.assumed),
        ("past", code): language.past,
    }
    facts.update({("transfer", code, other): value for other, value in language.transfer})
    facts.update({("cost", code, other): value for other, value in language.cost})
    return facts


def _source(source: ProblemSource) -> Atoms:
    facts: Atoms = {("source", source.name): True}
    if source.limit:
        facts["limit", source.name] = source.limit
    if source.phases is not None:
        facts["source phases", source.name] = source.phases
    facts.update({("phase limit", source.name, phase): limit for phase, limit in source.phase_limits})
    return facts


def keys_of_rules(rules: tuple[Rule, ...]) -> list[Key]:
    """A key for each rule: what it compares, not its bound; equal ones are numbered."""
    seen: Counter[Key] = Counter()
    keys: list[Key] = []
    for rule in rules:
        identity = (rule.terms, rule.sense, rule.phase, rule.weight is not None)
        keys.append(("rule", *identity, seen[identity]))
        seen[identity] += 1
    return keys


def _rule_order(rule: Rule) -> tuple[str, str, str, float]:
    return rule.text, rule.sense, rule.phase or "", rule.bound


def _names(facts: Mapping[Key, Any], kind: str) -> list[str]:
    return sorted(key[1] for key in facts if key[0] == kind)


def _assemble_language(facts: Mapping[Key, Any], code: str) -> ProblemLanguage:
    floor, scale, exponent, assumed = facts["loss law", code]
    transfer, cost = (_pairs(facts, kind, code) for kind in ("transfer", "cost"))
    priority, past = facts["priority", code], facts["past", code]
    return ProblemLanguage(code, priority, transfer, cost, floor, scale, exponent, assumed, past)


def _pairs(facts: Mapping[Key, Any], kind: str, code: str) -> tuple[tuple[str, float], ...]:
    return tuple(sorted((key[2], facts[key]) for key in facts if key[:2] == (kind, code)))


def _assemble_source(facts: Mapping[Key, Any], name: str) -> ProblemSource:
    limits = sorted((key[2], facts[key]) for key in facts if key[:2] == ("phase limit", name))
    source = ProblemSource(name, facts.get(("limit", name)), tuple(limits))
    return replace(source, phases=facts.get(("source phases", name)))


def _assemble_pool(facts: Mapping[Key, Any], where: Key) -> Pool:
    rated, ranges = facts["ranges", *where]
    read = facts["taken", *where] or (0,) * len(ranges)
    columns = zip(ranges, facts["supply", *where], facts["density", *where], read, strict=True)
    buckets = tuple(Bucket(low, high, tokens, density, taken) for (low, high), tokens, density, taken in columns)
    return Pool(where[0], where[1], where[2], rated, buckets, *facts["sampling", *where])
