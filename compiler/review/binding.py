"""What binds: the rules and limits that hold a language, source or domain where it is.

Works on a `Decision`, freshly made or rebuilt from a manifest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mixc.compiler.problem import CellChoice, Decision, Pool
from mixc.compiler.recipe import Rule, Selector

Axis = Literal["source", "language", "domain", "phase"]
PRICE = "price"  # nothing binds: the marginal benefit meets the common price
TARGET = "target"  # nothing binds: it has the share that a strategy of target shares gives it
MOST = 0.5


@dataclass(frozen=True, slots=True)
class Take:
    """What the mixture takes of some cells: tokens, supply, and their split by what binds the cell."""

    tokens: int
    supply: int
    by_reason: tuple[tuple[str, int], ...]  # (binds, tokens)

    @property
    def epochs(self) -> float | None:
        """Mean passes; None without supply."""
        return self.tokens / self.supply if self.supply else None


def speaks_of(rule: Rule, axis: Axis, name: str) -> bool:
    """Whether a term of the rule names it, or it is the phase in whose block the rule stands."""
    return (axis == "phase" and rule.phase == name) or any(name in (named(term.of, axis) or ()) for term in rule.terms)


def concerns(rule: Rule, decision: Decision, axis: Axis, name: str) -> bool:
    """Whether the rule names it, or names the domains of all of a source (the sources of all of a domain)."""
    return speaks_of(rule, axis, name) or _covers(rule, decision, axis, name)


def _covers(rule: Rule, decision: Decision, axis: Axis, name: str) -> bool:
    if axis not in ("source", "domain"):
        return False
    other: Axis = "domain" if axis == "source" else "source"
    own = [pool for pool in decision.problem.pools if member_of(pool, axis, name)]
    chosen = [named(term.of, other) or () for term in rule.terms if named(term.of, axis) is None]
    return bool(own) and any(all(any(member_of(pool, other, n) for n in names) for pool in own) for names in chosen)


def named(selector: Selector, axis: Axis) -> tuple[str, ...] | None:
    """The names of one kind in a selector; None when it does not choose by that kind."""
    match axis:
        case "source":
            return selector.sources
        case "language":
            return selector.languages
        case "domain":
            return selector.domains
        case "phase":
            return selector.phases


def member_of(pool: Pool, axis: Axis, name: str) -> bool:
    """Whether a pool belongs to a source, language or domain; every pool belongs to every phase."""
    match axis:
        case "source":
            return pool.source == name
        case "language":
            return pool.language == name
        case "domain":
            return pool.domain == name
        case "phase":
            return True


def taken(decision: Decision, axis: Axis, name: str) -> Take:
    """What is taken of a source, language or domain in all phases, or of everything in one phase."""
    phases = [phase.name for phase in decision.problem.phases]
    tokens = supply = 0
    reasons: dict[str, int] = {}
    for pool, cells in zip(decision.problem.pools, decision.cells, strict=True):
        if not member_of(pool, axis, name):
            continue
        supply += pool.tokens
        for cell in cells:
            amount = cell.tokens[phases.index(name)] if axis == "phase" else sum(cell.tokens)
            tokens += amount
            reasons[cell.binds] = reasons.get(cell.binds, 0) + amount
    return Take(tokens, supply, tuple(sorted(reasons.items())))


def active_rules(decision: Decision, axis: Axis, name: str) -> tuple[str, ...]:
    """The active rules that name it, without their verbs unless they are preferences, in the problem's order."""
    texts = [brief(o.rule) for o in decision.rules if o.active and concerns(o.rule, decision, axis, name)]
    return tuple(dict.fromkeys(texts))


def what_binds(decision: Decision, axis: Axis, name: str) -> str:
    """In few words: the rules that name it and are active, or the limit that holds most of its tokens, or the price."""
    rules = active_rules(decision, axis, name)
    if rules:
        return "; ".join(rules)
    take = taken(decision, axis, name)
    if take.tokens == 0:
        return "not used"
    for reason, tokens in take.by_reason:
        if reason not in ("", "kink", "zero") and tokens > MOST * take.tokens:
            return limits_of(decision, axis, name) if reason == "limit" else short(reason)
    return PRICE if decision.distance is None else TARGET


def limits_of(decision: Decision, axis: Axis, name: str) -> str:
    """The limits that its cells have reached: `epochs <= 4 (fineweb2)`, or `(best of fineweb2)` of some buckets."""
    reached: dict[str, list[bool]] = {}
    for pool, cells in zip(decision.problem.pools, decision.cells, strict=True):
        if member_of(pool, axis, name):
            reached.setdefault(pool.source, []).extend(at_limit(cell) for cell in cells)
    limits = {source.name: source.limit for source in decision.problem.sources}
    by_passes: dict[str, list[str]] = {}
    for source in sorted(source for source in reached if any(reached[source])):
        limit = limits[source]
        shown = source if all(reached[source]) else f"best of {source}"
        by_passes.setdefault(f"epochs <= {limit.passes:g}" if limit else "limit", []).append(shown)
    return "; ".join(f"{text} ({', '.join(names)})" for text, names in sorted(by_passes.items()))


def at_limit(cell: CellChoice) -> bool:
    """Whether a cell is used as often as its source allows."""
    return cell.binds == "limit" and sum(cell.tokens) > 0


def stated(rule: Rule) -> str:
    """A rule with its verb, as a recipe states it."""
    if short(rule.text) != rule.text:
        return rule.text
    return f"require {rule.text}" if rule.weight is None else f"prefer {rule.text} weight {rule.weight:g}"


def brief(rule: Rule) -> str:
    """A requirement without its verb; a preference is marked as one, for it may fall short."""
    return short(rule.text) if rule.weight is None else f"prefer {short(rule.text)}"


def short(text: str) -> str:
    """A rule without its verb."""
    verb, _, rest = text.partition(" ")
    return " ".join(rest.split()) if verb in ("require", "prefer") else text
