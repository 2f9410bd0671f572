"""A change in words: what moved, from what, to what, and the key of its place in the recipe."""

from __future__ import annotations

from dataclasses import dataclass

from mixc.compiler.problem import Pool, Problem, ProblemLanguage, ProblemPhase, ProblemSource
from mixc.compiler.recipe import Limit, Rule
from mixc.compiler.review import words
from mixc.compiler.review.atoms import keys_of_rules
from mixc.compiler.review.binding import stated
from mixc.compiler.review.changes import Change

NONE = "none"
SHOWN = 3  # of many changes taken as one


@dataclass(frozen=True, slots=True)
class Wording:
    """`title`: `old` -> `new`; `place` where the recipe says so, or `subject`, the key of a manifest's place."""

    title: str
    old: str
    new: str
    place: str = ""
    subject: str = ""


def describe(change: Change) -> Wording:
    """The words for a change."""
    if change.parts:
        return _several(change)
    a, b, names = change.before, change.after, change.names
    match change.kind:
        case "model":
            return Wording("model size", _params(a), _params(b), subject="budget")
        case "tokens":
            return Wording("training tokens", words.tokens(a.tokens), words.tokens(b.tokens), subject="budget")
        case "compute":
            return Wording("FLOPs per parameter and token", _rate(a), _rate(b), subject="budget")
        case "phases":
            return Wording("phases", _phases(a.phases), _phases(b.phases), subject=f"phase {b.phases[-1].name}")
        case "strategy":
            return Wording("strategy", _strategy(a), _strategy(b), subject="mixture")
        case "calibration":
            return Wording("calibration of InfoLaw", _law(a), _law(b), subject="law")
        case "form" | "signal":
            return Wording(f"{change.kind} of the transfer law", *_both(change, change.kind), subject="law")
        case "buckets":
            return Wording("quality buckets", _edges(a), _edges(b), subject="quality")
        case "order":
            return Wording("order of quality buckets", a.order, b.order, subject="quality")
        case "after":
            return Wording("tokens of earlier mixtures", words.tokens(a.before), words.tokens(b.before))
        case "sampling":
            return Wording(f"sampling of `{names[0]}`", _sampled(a, names[0]), _sampled(b, names[0]), subject="quality")
        case "baseline":
            return Wording(f"manifest `{names[0]}` of `change(…)`", "old shares", "new shares")
        case "rule":
            return _rule(change)
        case "source" | "supply" | "density" | "limit" | "source phases":
            return _of_source(change, names[0])
        case _:
            return _of_language(change, names[0])


def _several(change: Change) -> Wording:
    parts = [describe(part) for part in change.parts]
    shown = "; ".join(f"{p.title} {p.old} -> {p.new}" for p in parts[:SHOWN])
    more = f"; {len(parts) - SHOWN} more" if len(parts) > SHOWN else ""
    kind = {"source phases": "phases of sources", "loss law": "loss laws"}.get(change.kind, change.kind)
    return Wording(f"{len(parts)} changes of {kind}", "", shown + more)


def _of_source(change: Change, name: str) -> Wording:
    a, b = (_source(problem, name) for problem in (change.before, change.after))
    subject = f"source {name}"
    match change.kind:
        case "source":
            old, new = (_whole_source(p, name) for p in (change.before, change.after))
            return Wording(f"source `{name}`", old, new, subject=subject)
        case "supply":
            return _supply_moved(change, name, subject)
        case "density":
            old, new = (_density(p, name) for p in (change.before, change.after))
            return Wording(f"density of `{name}`", *_told_apart(old, new, _moved_pools(change, name)), subject=subject)
        case "limit":
            phase = change.names[1] if len(change.names) > 1 else None
            limits = [_limit_of(source, phase) for source in (a, b)]
            title = f"limit of `{name}`" + (f" in phase `{phase}`" if phase else "")
            place = next((limit.place for limit in reversed(limits) if limit), "")
            old, new = (_limit(limit) for limit in limits)
            return Wording(title, old, new, place, subject)
        case _:
            old, new = (", ".join(s.phases or ("all",)) if s else NONE for s in (a, b))
            return Wording(f"phases of `{name}`", old, new, subject=subject)


def _of_language(change: Change, code: str) -> Wording:
    a, b = (_language(problem, code) for problem in (change.before, change.after))
    subject = f"language {code}"
    match change.kind:
        case "priority":
            old, new = (f"{x.priority:g}" if x else NONE for x in (a, b))
            return Wording(f"priority of `{code}`", old, new, subject=subject)
        case "transfer":
            old, new = (_terms(x.transfer if x else ()) for x in (a, b))
            return Wording(f"transfer into `{code}`", old, new, subject=subject)
        case "cost":
            old, new = (_terms(x.cost if x else ()) for x in (a, b))
            return Wording(f"cost to `{code}`", old, new, subject=subject)
        case "loss law":
            old, new = (_loss_law(x) for x in (a, b))
            return Wording(f"loss law of `{code}`", old, new, subject=subject)
        case _:
            old, new = (_whole_language(p, code) for p in (change.before, change.after))
            return Wording(f"language `{code}`", old, new, subject=subject)


def _rule(change: Change) -> Wording:
    rules = [_rule_in(problem, change) for problem in (change.before, change.after)]
    old, new = ("; ".join(f"`{stated(rule)}`" for rule in found) or NONE for found in rules)
    place = next((rule.place for found in reversed(rules) for rule in found), "")
    return Wording("rule", old, new, place=place)


def _rule_in(problem: Problem, change: Change) -> list[Rule]:
    keyed = zip(keys_of_rules(problem.rules), problem.rules, strict=True)
    return [rule for key, rule in keyed if key in change.keys]


def _params(problem: Problem) -> str:
    return f"{words.tokens(problem.params)} params"


def _rate(problem: Problem) -> str:
    return f"{problem.flops / (problem.params * problem.tokens):.4g}"


def _phases(phases: tuple[ProblemPhase, ...]) -> str:
    total = sum(phase.tokens for phase in phases)
    return ", ".join(f"{p.name} {words.percent(round(p.tokens / total, 6))}" for p in phases)


def _strategy(problem: Problem) -> str:
    strategy = problem.strategy
    if strategy.temperature is not None:
        return f"{strategy.name} (tau {strategy.temperature:g})"
    return strategy.name if strategy.epochs is None else f"{strategy.name} (at most {strategy.epochs:g} epochs)"


def _law(problem: Problem) -> str:
    law = problem.law
    return f"{law.name} (theta {law.theta:g}, a {law.a:g}, b {law.b:g}, alpha {law.alpha:g}, beta {law.beta:g})"


def _both(change: Change, name: str) -> tuple[str, str]:
    return str(getattr(change.before, name)), str(getattr(change.after, name))


def _sampled(problem: Problem, domain: str) -> str:
    pools = [pool for pool in problem.pools if pool.domain == domain]
    if any(pool.once for pool in pools):
        return "by a temperature"
    peaks = [
        pool.peak / (sum(c * b.tokens for c, b in zip(pool.copies, pool.buckets, strict=True)) / pool.tokens)
        for pool in pools
        if pool.copies and pool.tokens
    ]
    return f"a curve, the best {max(peaks):.3g} times the mean" if peaks else "by buckets"


def _edges(problem: Problem) -> str:
    return words.listed([words.percent(edge) for edge in problem.edges], 8) or NONE


def _source(problem: Problem, name: str) -> ProblemSource | None:
    return next((source for source in problem.sources if source.name == name), None)


def _language(problem: Problem, code: str) -> ProblemLanguage | None:
    return next((language for language in problem.languages if language.code == code), None)


def _pools(problem: Problem, name: str) -> list[Pool]:
    return [pool for pool in problem.pools if pool.source == name]


def _supply(problem: Problem, name: str) -> str:
    return f"{words.tokens(sum(pool.tokens for pool in _pools(problem, name)))} tokens"


def _supply_moved(change: Change, name: str, subject: str) -> Wording:
    """One language's tokens where it alone moved, for they would drown in the source's; else the source's."""
    moved, problems = _moved_pools(change, name), (change.before, change.after)
    if len(moved) == 1:
        sums = [sum(pool.tokens for pool in _pools(p, name) if pool.language == moved[0]) for p in problems]
        old, new = (f"{words.tokens(tokens)} tokens" if tokens else NONE for tokens in sums)
        return Wording(f"supply of `{moved[0]}` in `{name}`", *_told_apart(old, new, moved), subject=subject)
    old, new = (_supply(p, name) for p in problems)
    return Wording(f"supply of `{name}`", *_told_apart(old, new, moved), subject=subject)


def _density(problem: Problem, name: str) -> str:
    buckets = [bucket for pool in _pools(problem, name) for bucket in pool.buckets]
    total = sum(bucket.tokens for bucket in buckets)
    return f"{sum(b.density * b.tokens for b in buckets) / total:.4g}" if total else NONE


def _moved_pools(change: Change, name: str) -> list[str]:
    return sorted({key[2] for key in change.keys if len(key) == 4 and key[1] == name})


def _told_apart(old: str, new: str, codes: list[str]) -> tuple[str, str]:
    """Where the sums print alike, the languages that moved tell them apart."""
    return (old, new) if old != new else (old, f"{new}, moved in {words.listed(codes)}")


def _whole_source(problem: Problem, name: str) -> str:
    source = _source(problem, name)
    return f"{_supply(problem, name)}, {_limit(source.limit)}" if source else NONE


def _whole_language(problem: Problem, code: str) -> str:
    language = _language(problem, code)
    supply = sum(pool.tokens for pool in problem.pools if pool.language == code)
    return f"priority {language.priority:g}, {words.tokens(supply)} tokens of supply" if language else NONE


def _limit_of(source: ProblemSource | None, phase: str | None) -> Limit | None:
    if source is None or phase is None:
        return source.limit if source else None
    return dict(source.phase_limits).get(phase)


def _limit(limit: Limit | None) -> str:
    return f"epochs <= {limit.passes:g}" if limit else "no limit"


def _terms(terms: tuple[tuple[str, float], ...]) -> str:
    return words.listed([f"{code} {words.percent(value)}" for code, value in terms]) or NONE


def _loss_law(language: ProblemLanguage | None) -> str:
    if language is None:
        return NONE
    assumed = ", assumed" if language.assumed else ""
    return f"{language.floor:g} + {language.scale:g} x^-{language.exponent:g}{assumed}"
