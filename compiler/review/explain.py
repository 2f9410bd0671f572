"""Why a share is what it is, in sentences: the rule, the supply, the price, and what one more point would change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mixc.compiler.problem import Decision, Problem, RuleOutcome
from mixc.compiler.recipe import Rule, Selector, Term
from mixc.compiler.review import words
from mixc.compiler.review.binding import Axis, active_rules, at_limit, concerns, limits_of, member_of, stated, taken
from mixc.compiler.review.effect import AXES, Decide, effect, names_of
from mixc.compiler.review.errors import no_such_name
from mixc.compiler.review.rebuild import decision_from_manifest
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.suggest import suggest

POINT = 0.01
VISIBLE = 5e-5
MOST_PUSHING = 2
SAME_LOSS = 5e-7


def explain(manifest: Manifest, file: str, name: str, decide: Decide) -> tuple[str | None, list[Diagnostic]]:
    """Sentences about one language, source, domain, phase or rule; `decide` answers what one more point would do."""
    decision = decision_from_manifest(manifest)
    axes: list[Axis] = [axis for axis in AXES if name in names_of(decision.problem, axis)]
    if axes:
        return "\n".join(_explain_name(decision, axis, name, decide) for axis in axes), []
    rules = [outcome for outcome in decision.rules if name in outcome.rule.text]
    if rules and len(name) > 1:
        return "\n".join(_explain_rule(decision, outcome) for outcome in rules), []
    return None, [_unknown(decision.problem, file, name)]


def _unknown(problem: Problem, file: str, name: str) -> Diagnostic:
    names = [known for axis in AXES for known in names_of(problem, axis)]
    listing = "; ".join(
        f"{words.count(len(found), axis)}: {words.listed(found, 12)}"
        for axis in AXES
        if (found := names_of(problem, axis))
    )
    return no_such_name(name, file, suggest(name, names), listing)


def _explain_name(decision: Decision, axis: Axis, name: str, decide: Decide) -> str:
    parts = [
        _position(decision, axis, name),
        _marginal(decision, name) if axis == "language" else "",
        _rules(decision, axis, name, decide),
        _supply(decision, axis, name),
        _origin(decision, axis, name),
        "" if axis == "phase" else _one_more_point(decision, axis, name, decide),
    ]
    return "".join(parts)


def _position(decision: Decision, axis: Axis, name: str) -> str:
    take, problem = taken(decision, axis, name), decision.problem
    share = words.share(take.tokens / problem.tokens)
    text = f"{axis} {name} gets {share} of the budget: {words.tokens(take.tokens)} of {words.tokens(problem.tokens)}"
    if axis == "phase":
        return f"{text} tokens.\n"
    if not take.supply:
        return f"{text} tokens; it has no supply.\n"
    epochs = words.epochs(take.epochs)
    return f"{text} tokens, {epochs} epochs of its {words.tokens(take.supply)} unique tokens.\n"


def _marginal(decision: Decision, code: str) -> str:
    outcomes = {outcome.code: outcome for outcome in decision.languages}
    outcome = outcomes[code]
    language = next(found for found in decision.problem.languages if found.code == code)
    better = sorted(decision.languages, key=lambda o: -o.benefit)
    place = [o.code for o in better].index(code) + 1
    law = " (InfoLaw's constants, assumed)" if language.assumed else ""
    text = f"Its predicted loss is {words.loss(outcome.loss)}{law}; its priority is {language.priority:g}.\n"
    if outcome.benefit == outcome.benefit:
        text += (
            f"One percent more information in it would lower the loss of the mixture by {outcome.benefit:.2g}, "
            f"the {_ordinal(place)} most of {len(better)} languages.\n"
        )
    for other, value in language.transfer:
        text += f"It learns from {other}: its information counts {words.percent(value)} here.\n"
    return text


def _rules(decision: Decision, axis: Axis, name: str, decide: Decide) -> str:
    concerned = [outcome for outcome in decision.rules if concerns(outcome.rule, decision, axis, name)]
    active = [outcome for outcome in concerned if outcome.active]
    text = "".join(f"{_rule_sentence(outcome)}\n" for outcome in active)
    binding = {stated(outcome.rule) for outcome in active}
    idle = dict.fromkeys(stated(outcome.rule) for outcome in concerned if not outcome.active)  # `within` is two rules
    if idle := dict.fromkeys(text for text in idle if text not in binding):
        names = words.listed([f"`{text}`" for text in idle], 3)
        text += f"Without effect here: {names}.\n"
    return text if active else (text or "No rule names it.\n") + _pushed(decision, axis, name, decide)


def _pushed(decision: Decision, axis: Axis, name: str, decide: Decide) -> str:
    """What the dearest rules on others do to its share: it is decided again without each of them.

    A price says what a rule costs, not who pays for it, so nothing less tells.
    """
    if axis == "phase":
        return ""
    priced = sorted((o for o in decision.rules if o.active and o.tighten > 0), key=lambda o: -o.tighten)
    share = taken(decision, axis, name).tokens / decision.problem.tokens
    text = ""
    for rule in dict.fromkeys(stated(outcome.rule) for outcome in priced[:MOST_PUSHING]):
        left = tuple(one for one in decision.problem.rules if stated(one) != rule)
        other, _ = decide(replace(decision.problem, rules=left))
        if other is None:
            continue
        was = taken(other, axis, name).tokens / other.problem.tokens
        if abs(share - was) >= VISIBLE:
            text += f"Without `{rule}` it would have {words.share(was)}, {words.points(was - share)} points.\n"
    return text


def _rule_sentence(outcome: RuleOutcome) -> str:
    place = f" ({outcome.rule.place})" if outcome.rule.place else ""
    unit = _unit(outcome.rule)
    price = f"for small changes, tightening it costs {outcome.tighten:.2g} of loss per {unit}"
    if abs(outcome.loosen - outcome.tighten) > 0.01 * abs(outcome.tighten):
        price += f", loosening it gains {outcome.loosen:.2g}"
    text = f"`{stated(outcome.rule)}`{place} binds: {price}."
    return text if outcome.shortfall <= 0 else f"{text} It falls short by {outcome.shortfall:.3g}."


def _unit(rule: Rule) -> str:
    return "point" if all(term.function == "share" for term in rule.terms) else "1% of its bound"


def _supply(decision: Decision, axis: Axis, name: str) -> str:
    cells = [
        cell
        for pool, choices in zip(decision.problem.pools, decision.cells, strict=True)
        if member_of(pool, axis, name)
        for cell in choices
    ]
    full, used = [cell for cell in cells if at_limit(cell)], [cell for cell in cells if sum(cell.tokens)]
    if not cells or axis == "phase":
        return ""
    if not used:
        return "Nothing of it is used: elsewhere a token is worth more.\n"
    if full:
        held = "all" if len(full) == len(used) else f"{len(full)} of {len(used)}"
        return f"Of its buckets in use, {held} are at their limit, {limits_of(decision, axis, name)}.\n"
    kinks = sum(cell.binds == "kink" for cell in used)
    if kinks:
        return f"{kinks} of its {len(used)} buckets in use are read exactly once: a second pass is worth less.\n"
    if active_rules(decision, axis, name):
        return "No bucket is at its limit.\n"
    return "No bucket is at its limit: one more token is worth what it is worth elsewhere.\n"


def _origin(decision: Decision, axis: Axis, name: str) -> str:
    """Where its tokens come from, or for a source, where they go."""
    if axis == "phase":
        return ""
    other: Axis = "language" if axis in ("source", "domain") else "source"
    parts: dict[str, int] = {}
    for pool, choices in zip(decision.problem.pools, decision.cells, strict=True):
        if member_of(pool, axis, name):
            key = pool.language if other == "language" else f"{pool.source} ({pool.domain})"
            parts[key] = parts.get(key, 0) + sum(sum(cell.tokens) for cell in choices)
    total = sum(parts.values())
    if not total:
        return ""
    largest = sorted(((v, k) for k, v in parts.items() if v), key=lambda item: (-item[0], item[1]))
    named = [f"{key} {words.share(value / total)}" for value, key in largest]
    verb = "Its tokens are in" if other == "language" else "Its tokens come from"
    return f"{verb} {words.listed(named)}.\n"


def _one_more_point(decision: Decision, axis: Axis, name: str, decide: Decide) -> str:
    """Solve again with the share at least one point higher."""
    share = taken(decision, axis, name).tokens / decision.problem.tokens
    if share + POINT > 1:
        return ""
    wanted, found = decide(_with_more(decision.problem, axis, name, share + POINT))
    if wanted is None:
        why = next((d.message for d in found), "no mixture was found")
        return f"One more point is not possible: {why}.\n"
    moved = effect(decision, wanted)
    payers = [m for m in moved.moves if m.axis == axis and m.name != name and m.share <= -VISIBLE]
    paid = words.listed([f"{m.name} {words.points(m.share)}" for m in payers], 5) or "no other one"
    cost = "nothing" if abs(moved.loss) < SAME_LOSS else words.change(moved.loss)
    return f"One more point of share would change the loss by {cost}; paid by {paid}.\n"


def _with_more(problem: Problem, axis: Axis, name: str, bound: float) -> Problem:
    one = (name,)
    selector = Selector(
        sources=one if axis == "source" else None,
        languages=one if axis == "language" else None,
        domains=one if axis == "domain" else None,
    )
    rule = Rule(f"require share({name}) >= {words.percent(bound)}", (Term(1.0, "share", selector),), ">=", bound)
    return replace(problem, rules=(*problem.rules, rule))


def _explain_rule(decision: Decision, outcome: RuleOutcome) -> str:
    rule = outcome.rule
    state = (
        _rule_sentence(outcome) if outcome.active else f"`{stated(rule)}` holds with room to spare and costs nothing."
    )
    value = (
        f"Its value is {outcome.value:.6g}, the bound {outcome.bound:.6g}, the slack {round(outcome.slack, 9):.3g}.\n"
    )
    soft = f"It is a preference with weight {rule.weight:g}: it may fall short.\n" if rule.weight is not None else ""
    return f"{state}\n{value}{soft}Names: {words.listed(sorted(set(_names(rule))), 12) or 'everything'}.\n"


def _names(rule: Rule) -> Iterable[str]:
    for term in rule.terms:
        for names in (term.of.sources, term.of.languages, term.of.domains, term.of.phases):
            yield from names or ()


def _ordinal(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"
