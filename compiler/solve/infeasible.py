"""A program without optimum, explained in the recipe's own words."""

from __future__ import annotations

import numpy as np

from mixc.compiler.recipe import Limit, Rule
from mixc.compiler.solve.conflict import Clash, Conflict, capacity, explain_infeasible, needed_factor
from mixc.compiler.solve.elastic import JUST, Elastic, Member
from mixc.compiler.solve.errors import Line, budget_unfilled, contradiction, no_optimum
from mixc.compiler.solve.lower import Lowered
from mixc.compiler.solve.structure import ORDER
from mixc.compiler.solve.wording import loosened, meaning, passes, size, tokens
from mixc.dsl.diagnostics import Diagnostic


def members_of(lowered: Lowered) -> tuple[Member, ...]:
    """All that may be in conflict: hard rules, order, limits by the name of what set them, budgets of phases."""
    rules = lowered.program.rules
    found = [
        Member("rule", rule.text, rules=(row,))
        for k, rule in enumerate(lowered.problem.rules)
        if (row := lowered.rows[k]) is not None and rule.weight is None and lowered.implied[k] is None
    ]
    ordered = tuple(k for k, name in enumerate(rules.names) if name.startswith(ORDER))
    if ordered:
        found.append(Member("order", rules.names[ordered[0]], rules=ordered))
    cells = lowered.program.cells
    setters = [text or key[1] for text, key in zip(lowered.limits, cells.keys, strict=True)]
    for name in sorted(set(setters)):
        bounded = [c for c, setter in enumerate(setters) if setter == name and np.isfinite(cells.limit[c])]
        if bounded:
            found.append(Member("limit", name, cells=tuple(bounded)))
    for p, phase in enumerate(lowered.problem.phases):
        limited = np.isfinite(cells.phase_limit[:, p]) & (cells.phase_limit[:, p] > 0)
        for source in sorted({cells.keys[c][1] for c in np.flatnonzero(limited)}):
            inside = tuple(int(c) for c in np.flatnonzero(limited) if cells.keys[c][1] == source)
            found.append(Member("limit", source, cells=inside, phase=p))
        found.append(Member("budget", phase.name, phase=p))
    return tuple(found)


def can_hold(lowered: Lowered) -> bool:
    """Whether some mixture satisfies everything, if only just."""
    members = members_of(lowered)
    given = Elastic(lowered.program, members).solve(range(len(members)))
    return given is not None and given.total <= JUST


def why(lowered: Lowered, residual: float) -> list[Diagnostic]:
    """The one diagnostic of a program that Newton left with `residual`: M303, M301 or M304."""
    most = capacity(lowered.program)
    if most < 1 - JUST:
        return [_unfilled(lowered, most)]
    conflict = explain_infeasible(lowered.program, members_of(lowered))
    if conflict is None or not conflict.clashes:
        return [no_optimum(f"{residual:.1g}")]
    return [_contradiction(lowered, conflict)]


def _contradiction(lowered: Lowered, conflict: Conflict) -> Diagnostic:
    told = [clash for clash in conflict.clashes if clash.member.kind != "budget"]
    budgets = [clash.member for clash in conflict.clashes if clash.member.kind == "budget"]
    # The primary place is the line that has to give least, in proportion to what it says.
    told.sort(key=lambda clash: (clash.member.kind != "rule", _burden(lowered, clash)))
    lines = list(dict.fromkeys(_line(lowered, clash.member) for clash in told))
    notes = []
    if budgets:
        phases = lowered.problem.phases
        where = "all tokens" if len(phases) == 1 else "all tokens of " + " and ".join(f"`{m.name}`" for m in budgets)
        notes.append(f"{where} must come from somewhere: shares sum to 100%")
    if len(lines) > 1:
        notes.append("without any one of them the others can hold; all other requirements play no part")
    return contradiction(lines, notes, _helps(lowered, told))


def _helps(lowered: Lowered, told: list[Clash]) -> list[str]:
    """What to type: one line loosened, the others as they are."""
    ways = [(clash, text) for clash in told if (text := _loosened(lowered, clash))]
    texts = [text for _, text in ways][:3]
    if not texts:
        return []
    end = "" if all(clash.enough for clash, _ in ways) else "; other requirements contradict each other beyond this"
    steps = {round(clash.distance or 0.0, 6) for clash, _ in ways}
    shares = all(_is_share(lowered, clash.member) for clash, _ in ways)
    if len(ways) > 1 and len(steps) == 1 and shares:
        points = f"{100 * steps.pop():.4g}"
        return [f"loosening any one by {points} points restores feasibility, e.g. {texts[0]}{end}"]
    lead = "it can hold as" if len(texts) == 1 else "one of these is enough:"
    return [f"{lead} {' or '.join(texts)}{end}"]


def _loosened(lowered: Lowered, clash: Clash) -> str:
    rule = _rule(lowered, clash.member)
    if clash.distance is None:
        return ""
    if rule is not None:
        bound = _bound(lowered, clash.member)
        return "" if bound is None else loosened(rule, bound, clash.distance)
    if clash.member.kind != "limit":
        return ""
    limit, text = _limit(lowered, clash.member)
    where, _, left = text.rpartition(": ")
    wider = f"`{left.split(' <= ')[0]} <= {size(limit.passes + clash.distance, up=True)}`"
    return f"{wider} in {where}" if where else wider


def _rule(lowered: Lowered, member: Member) -> Rule | None:
    return next(
        (
            rule
            for k, rule in enumerate(lowered.problem.rules)
            if member.kind == "rule" and lowered.rows[k] in member.rules and lowered.implied[k] is None
        ),
        None,
    )


def _bound(lowered: Lowered, member: Member) -> float | None:
    """The number that a rule's line states; None where its row is in other units, or quotes a baseline."""
    for k, rule in enumerate(lowered.problem.rules):
        if member.kind == "rule" and lowered.rows[k] in member.rules and lowered.implied[k] is None:
            quotes = any(term.baseline is not None or term.manifest is not None for term in rule.terms)
            return None if quotes or lowered.multiplied[k] else rule.bound
    return None


def _is_share(lowered: Lowered, member: Member) -> bool:
    rule = _rule(lowered, member)
    return rule is not None and len(rule.terms) == 1 and rule.terms[0].function == "share"


def _burden(lowered: Lowered, clash: Clash) -> float:
    rule = _rule(lowered, clash.member)
    if clash.distance is None or rule is None:
        return float("inf")
    return clash.distance / max(abs(rule.bound), 1e-9)


def _line(lowered: Lowered, member: Member) -> Line:
    rule = _rule(lowered, member)
    if rule is not None:
        return Line(rule.span, rule.place, rule.text, meaning(rule))
    if member.kind == "order":
        return Line(None, "", member.name, "better quality buckets come first")
    limit, text = _limit(lowered, member)
    unique = sum(float(lowered.program.cells.supply[c]) for c in member.cells) * lowered.frame.tokens
    said = f"over {tokens(unique)}, at most {passes(limit.passes)}"
    return Line(limit.span, limit.place, text, said)


def _limit(lowered: Lowered, member: Member) -> tuple[Limit, str]:
    """The limit of a source (`epochs <= 4`) or the `passes` rule behind a member, and its text."""
    for rule in lowered.problem.rules:
        if rule.text == member.name:
            return Limit(min(_bounds(lowered, member)), rule.span, rule.place), rule.text
    name = member.name
    source = next((source for source in lowered.problem.sources if source.name == name), None)
    if source is None:  # what a temperature allows: one pass
        return Limit(min(_bounds(lowered, member))), name
    if member.phase is None:
        found = source.limit
        where = f"source {name}"
    else:
        phase = lowered.problem.phases[member.phase].name
        found = dict(source.phase_limits).get(phase)
        where = f"source {name} in phase {phase}"
    if found is None:
        found = Limit(min(_bounds(lowered, member)))
    return found, f"{where}: epochs <= {found.passes:g}"


def _bounds(lowered: Lowered, member: Member) -> list[float]:
    cells = lowered.program.cells
    column = cells.limit if member.phase is None else cells.phase_limit[:, member.phase]
    return [float(column[c]) for c in member.cells]


def _unfilled(lowered: Lowered, most: float) -> Diagnostic:
    """M303: what the limits let in, which limits, and what would fill the budget."""
    budget = float(lowered.problem.tokens)
    members = [member for member in members_of(lowered) if member.kind == "limit"]
    lines = list(dict.fromkeys(_line(lowered, member) for member in members))
    notes = [f"{tokens((1 - most) * budget)} are missing"]
    notes += _short_phases(lowered)
    factor = needed_factor(lowered.program)
    helps = [f"lower the budget to {tokens(most * budget, down=True)}"]
    limits = {limit.passes for member in members for limit in [_limit(lowered, member)[0]]}
    if factor is not None and len(limits) == 1:
        helps.append(f"or allow `epochs <= {size(limits.pop() * factor, up=True)}`")
    elif factor is not None:
        helps.append(f"or allow {size(factor, up=True)} times as many passes everywhere")
    helps.append("or add sources")
    return budget_unfilled(tokens(budget), tokens(most * budget, down=True), lines, notes, [", ".join(helps)])


def _short_phases(lowered: Lowered) -> list[str]:
    """Phases that could not be filled even if they had all sources to themselves."""
    cells, phases = lowered.program.cells, lowered.problem.phases
    if len(phases) == 1:
        return []
    caps = np.minimum(cells.phase_limit, cells.limit[:, None]) * cells.supply[:, None]
    return [
        f"phase `{phase.name}` alone can have {tokens(float(total) * lowered.problem.tokens, down=True)} "
        f"of its {tokens(float(phase.tokens))}"
        for phase, total in zip(phases, caps.sum(axis=0), strict=True)
        if total * lowered.problem.tokens < phase.tokens * (1 - JUST)
    ]
