"""The semantic difference of two manifests, as data: inputs that changed and what each does, what moved, what binds.

Renderers (`diff_text.py`, `diff_markdown.py`, `as_json`) see only this.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from mixc.compiler.problem import Decision, RuleOutcome
from mixc.compiler.review.atoms import Key, keys_of_rules
from mixc.compiler.review.binding import Axis, stated, taken, what_binds
from mixc.compiler.review.canonical import canonical, figure
from mixc.compiler.review.changes import Change, changed_inputs, grouped
from mixc.compiler.review.describe import describe
from mixc.compiler.review.effect import AXES, MOST_CAUSES, Decide, Effect, attribute, names_of
from mixc.compiler.review.evaluation import evaluation_changes
from mixc.compiler.review.plan import plan_changes
from mixc.compiler.review.rebuild import decision_from_manifest
from mixc.compiler.review.schema import Manifest

Binding: TypeAlias = Literal["now binds", "still binds", "no longer binds"]
SAME_SHARE = 5e-7  # half a step of the grid


@dataclass(frozen=True, slots=True)
class Cause:
    """One changed input in words, where the recipe says so, and what it does alone."""

    title: str
    old: str
    new: str
    place: str
    effect: Effect


@dataclass(frozen=True, slots=True)
class Held:
    """What one side holds of a language, source, domain or phase; `loss` is None for all but languages."""

    share: float
    tokens: int
    epochs: float | None
    loss: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """A language, source, domain or phase on both sides; None where it is not in the mixture."""

    axis: Axis
    name: str
    old: Held | None
    new: Held | None

    @property
    def moved(self) -> float:
        """The difference of its shares."""
        return (self.new.share if self.new else 0.0) - (self.old.share if self.old else 0.0)

    @property
    def same(self) -> bool:
        """Whether its share is the same grid value and it stands on both sides."""
        return self.old is not None and self.new is not None and abs(self.moved) < SAME_SHARE


@dataclass(frozen=True, slots=True)
class Bound:
    """A rule that binds on one side or both, with the loss that one point more would cost there."""

    rule: str
    place: str
    state: Binding
    old_price: float | None
    new_price: float | None


@dataclass(frozen=True, slots=True)
class Holding:
    """What holds a language where it is, in few words; empty where it is not in the mixture."""

    language: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything a reviewer asks of two manifests.

    `losses` are those the two manifests state, each weighted by its own priorities; `old_weights` is the new mixture's
    loss under the old priorities, where every old language is still there. `other` are facts that decide nothing.
    """

    old: str
    new: str
    recipe: str
    identical: bool
    factor: float
    causes: tuple[Cause, ...]
    together: Effect
    interaction: Effect | None
    lines: tuple[Line, ...]
    bounds: tuple[Bound, ...]
    holdings: tuple[Holding, ...]
    losses: tuple[float, float]
    old_weights: float | None
    gaps: tuple[float, float]
    other: tuple[str, ...]


def difference(old: tuple[str, Manifest], new: tuple[str, Manifest], decide: Decide) -> Difference:
    """Compare two manifests, given with the names under which they are shown; `decide` solves what attribution asks."""
    (old_name, a), (new_name, b) = old, new
    before, after = decision_from_manifest(a), decision_from_manifest(b)
    changes = grouped(changed_inputs(before.problem, after.problem), MOST_CAUSES)
    found = attribute(before, after, changes, decide)
    return Difference(
        old=old_name,
        new=new_name,
        recipe=b.recipe.name,
        identical=a == b,
        factor=after.problem.tokens / before.problem.tokens,
        causes=tuple(_cause(change, effect, a, b) for change, effect in found.alone),
        together=found.together,
        interaction=found.interaction,
        lines=_lines(before, after),
        bounds=_bounds(before, after),
        holdings=_holdings(before, after),
        losses=(before.loss, after.loss),
        old_weights=_old_weights(before, after),
        gaps=(before.certificate.gap, after.certificate.gap),
        other=_other(a, b),
    )


def as_json(found: Difference) -> str:
    """The difference as canonical JSON; figures rounded as in a manifest, unknown ones null."""
    return canonical({"schema": {"name": "mixc.diff", "version": 1}, **_rounded(asdict(found))})


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return figure(value, 9)
        case dict():
            return {key: _rounded(item) for key, item in value.items()}
        case list() | tuple():
            return [_rounded(item) for item in value]
        case _:
            return value


def _cause(change: Change, effect: Effect, a: Manifest, b: Manifest) -> Cause:
    wording = describe(change)
    place = wording.place or _place(b, wording.subject) or _place(a, wording.subject)
    return Cause(wording.title, wording.old, wording.new, place, effect)


def _place(manifest: Manifest, subject: str) -> str:
    kind, _, name = subject.partition(" ")
    match kind:
        case "budget":
            return manifest.budget.place or ""
        case "language":
            return next((row.place or "" for row in manifest.languages if row.code == name), "")
        case "source":
            return next((row.place or "" for row in manifest.sources if row.name == name), "")
        case "phase":
            return next((row.place or "" for row in manifest.phases if row.name == name), "")
        case _:
            return ""


def _lines(before: Decision, after: Decision) -> tuple[Line, ...]:
    """Every name of both sides: by axis, the largest move first."""
    lines = []
    for axis in AXES:
        old, new = names_of(before.problem, axis), names_of(after.problem, axis)
        for name in dict.fromkeys((*old, *new)):
            held = _held(before, axis, name) if name in old else None
            holds = _held(after, axis, name) if name in new else None
            lines.append(Line(axis, name, held, holds))
    return tuple(sorted(lines, key=lambda line: (AXES.index(line.axis), -abs(line.moved), line.name)))


def _held(decision: Decision, axis: Axis, name: str) -> Held:
    take = taken(decision, axis, name)
    losses = {outcome.code: outcome.loss for outcome in decision.languages}
    return Held(
        take.tokens / decision.problem.tokens,
        take.tokens,
        None if axis == "phase" else take.epochs,
        losses.get(name) if axis == "language" else None,
    )


def _bounds(before: Decision, after: Decision) -> tuple[Bound, ...]:
    """Active rules of both sides, told apart by what they compare, so that a moved bound is the same rule."""
    old, new = _active(before), _active(after)
    result = []
    for key in dict.fromkeys((*new, *old)):
        was, now = old.get(key), new.get(key)
        state: Binding = "still binds" if was and now else "now binds" if now else "no longer binds"
        rule = next(outcome.rule for outcome in (now, was) if outcome is not None)
        result.append(
            Bound(stated(rule), rule.place, state, was.tighten if was else None, now.tighten if now else None)
        )
    order = ("now binds", "no longer binds", "still binds")
    return tuple(sorted(result, key=lambda bound: (order.index(bound.state), bound.rule)))


def _holdings(before: Decision, after: Decision) -> tuple[Holding, ...]:
    old, new = ({c: what_binds(d, "language", c) for c in names_of(d.problem, "language")} for d in (before, after))
    return tuple(Holding(code, old.get(code, ""), new.get(code, "")) for code in sorted(old.keys() | new.keys()))


def _active(decision: Decision) -> dict[Key, RuleOutcome]:
    keys = keys_of_rules(tuple(outcome.rule for outcome in decision.rules))
    return {key: outcome for key, outcome in zip(keys, decision.rules, strict=True) if outcome.active}


def _old_weights(before: Decision, after: Decision) -> float | None:
    losses = {outcome.code: outcome.loss for outcome in after.languages}
    weights = {language.code: language.priority for language in before.problem.languages}
    total = sum(weights.values())
    if not total or not weights.keys() <= losses.keys():
        return None
    return sum(weight * losses[code] for code, weight in weights.items()) / total


def _other(a: Manifest, b: Manifest) -> tuple[str, ...]:
    """What differs and decides no share: names, seed, files whose words changed, licences, versions."""
    facts = []
    if a.recipe.name != b.recipe.name:
        facts.append(f"the recipe is `{b.recipe.name}`, it was `{a.recipe.name}`")
    if a.selection.seed != b.selection.seed:
        facts.append(f"seed {a.selection.seed} -> {b.selection.seed}: other documents of the same shares")
    hashes_a, hashes_b = ({row.name: row.sha256 for row in m.inputs} for m in (a, b))
    for name in sorted(hashes_a.keys() | hashes_b.keys()):
        if hashes_a.get(name) != hashes_b.get(name):
            verb = "is new" if name not in hashes_a else "is gone" if name not in hashes_b else "has other content"
            facts.append(f"file `{name}` {verb}")
    facts += plan_changes(a, b)
    facts += evaluation_changes(a, b)
    facts.extend(
        f"param `{key}` {a.params.get(key, 'none')} -> {b.params.get(key, 'none')}"
        for key in sorted(a.params.keys() | b.params.keys())
        if a.params.get(key) != b.params.get(key)
    )
    licences_a, licences_b = ({row.name: row.licence for row in m.sources} for m in (a, b))
    facts.extend(
        f"licence of `{name}`: {licences_a[name] or 'not stated'} -> {licences_b[name] or 'not stated'}"
        for name in sorted(licences_a.keys() & licences_b.keys())
        if licences_a[name] != licences_b[name]
    )
    if a.versions != b.versions:
        facts.append(f"law {a.versions.law}, numerics {a.versions.numerics} -> {b.versions.law}, {b.versions.numerics}")
    facts.extend(f"newly assumed: {text}" for text in b.assumptions if text not in a.assumptions)
    facts.extend(f"no longer assumed: {text}" for text in a.assumptions if text not in b.assumptions)
    return tuple(facts)
