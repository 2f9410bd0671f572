"""Rules made concrete: `each(…)` becomes one rule per member, and every rule speaks of something there is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal, TypeAlias

from mixc.compiler.problem import Pool, ProblemPhase, ProblemSource
from mixc.compiler.recipe import Rule, Selector
from mixc.dsl.diagnostics import Diagnostic, Label, Severity, page

EACH = re.compile(r"each\([^()]*\)")
Kind: TypeAlias = Literal["source", "language", "domain", "phase"]
PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(-[A-Za-z0-9_]+)*")


class Inventory:
    """What there is: pools, and in which phases their sources may be used."""

    def __init__(self, pools: Iterable[Pool], sources: Iterable[ProblemSource], phases: Iterable[ProblemPhase]) -> None:
        self.pools = tuple(pools)
        self.phases = tuple(phase.name for phase in phases)
        self.allowed = {source.name: source.phases for source in sources}

    def members(self, kind: Kind) -> tuple[str, ...]:
        """Every name of a kind that is in the mixture; phases by time, others sorted."""
        if kind == "phase":
            return self.phases
        return tuple(sorted({str(getattr(pool, kind)) for pool in self.pools}))

    def holds(self, of: Selector, phase: str | None) -> bool:
        """Whether any cell matches the selector, inside `phase` when the rule stands there."""
        return any(self._matches(pool, of, phase) for pool in self.pools)

    def _matches(self, pool: Pool, of: Selector, phase: str | None) -> bool:
        wanted = set(self.phases if of.phases is None else of.phases) & ({phase} if phase else set(self.phases))
        allowed = self.allowed.get(pool.source)
        return (
            (of.sources is None or pool.source in of.sources)
            and (of.languages is None or pool.language in of.languages)
            and (of.domains is None or pool.domain in of.domains)
            and bool(wanted if allowed is None else wanted & set(allowed))
        )


def concrete_rules(rules: Iterable[Rule], inventory: Inventory) -> tuple[tuple[Rule, ...], list[Diagnostic]]:
    """The rules one by one, sorted by text; those about nothing are reported, and left out where they hold anyway."""
    kept, found = [], []
    for rule in rules:
        for one in one_by_one(rule, inventory):
            if any(reaches(one, term.function, term.of, inventory) for term in one.terms):
                kept.append(one)
            elif one is rule or cannot_hold(one):
                found.append(about_nothing(one))
    kept.sort(key=lambda rule: (rule.text, rule.sense, rule.phase or "", rule.bound, rule.place))
    return tuple(kept), _worst(found)


def _worst(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """One diagnostic per text: `within` is two rules, of which one may be impossible and the other without effect."""
    worst: dict[tuple[str, tuple[str, ...], str], Diagnostic] = {}
    for one in sorted(found, key=lambda one: one.severity is Severity.ERROR):
        worst[one.place, one.notes, one.message.split("`")[1]] = one
    return list(worst.values())


def one_by_one(rule: Rule, inventory: Inventory) -> Iterator[Rule]:
    """The rule itself, or one rule per member of its `each`; the text then names the member."""
    kind: Kind | None = next((term.of.each for term in rule.terms if term.of.each is not None), None)
    if kind is None:
        yield rule
        return
    for member in inventory.members(kind) if rule.members is None else rule.members:
        terms = tuple(replace(term, of=only(term.of, kind, member)) if term.of.each else term for term in rule.terms)
        word = member if PLAIN_NAME.fullmatch(member) else f'"{member}"'
        yield replace(rule, text=word.join(EACH.split(rule.text)), terms=terms, members=None)


def only(of: Selector, kind: Kind, member: str) -> Selector:
    """The selector with one member in the place of `each`."""
    match kind:
        case "source":
            return replace(of, each=None, sources=(member,))
        case "language":
            return replace(of, each=None, languages=(member,))
        case "domain":
            return replace(of, each=None, domains=(member,))
        case "phase":
            return replace(of, each=None, phases=(member,))


def reaches(rule: Rule, function: str, of: Selector, inventory: Inventory) -> bool:
    """Whether a term of the rule speaks of something in the mixture."""
    if function == "change" or (function == "loss" and of.languages is None):
        return True
    if function == "loss":
        return inventory.holds(Selector(languages=of.languages), None)
    return inventory.holds(of, rule.phase)


def cannot_hold(rule: Rule) -> bool:
    """Whether a rule about nothing asks for something."""
    if any(term.function == "quality" for term in rule.terms):
        return False
    return (rule.sense in {">=", "=="} and rule.bound > 0) or (rule.sense in {"<=", "=="} and rule.bound < 0)


@page("M438")
def about_nothing(rule: Rule) -> Diagnostic:
    """A rule speaks of something that has no supply.

    No source holds tokens of what the rule names: the names are right, but their intersection is empty. `share(web,
    ceb)` is the Cebuano text of `web`, and `web` may have none; inside a phase, a source that is declared in another
    phase counts as absent. A rule that asks for some of it can never hold and is an error; one that only limits it
    holds anyway, and is reported as a warning.

    Remove the rule, or add a source that holds what it names.
    """
    impossible = cannot_hold(rule) and rule.weight is None
    verb = "can never hold" if impossible else "has no effect"
    return Diagnostic(
        "M438",
        f"`{rule.text}` {verb}: there is no supply of what it names",
        (Label(rule.span),) if rule.span else (),
        (f"inside phase `{rule.phase}`",) if rule.phase else (),
        ("remove it, or add a source that holds what it names",),
        Severity.ERROR if impossible else Severity.WARNING,
        subject=rule.place or None,
    )
