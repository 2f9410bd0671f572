"""Which inputs differ between two problems, each as a change that can be applied alone.

Facts that only make sense together move together: a new language comes with its supply and the rules that name it, a
new calibration with the densities it gives. A fact may belong to several changes (the supply of a new source in a new
language); it takes effect once all it needs is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from mixc.compiler.problem import Problem
from mixc.compiler.review.atoms import Atoms, Key, assemble, atoms_of, needs, present, pruned, same

Cause: TypeAlias = tuple[str, ...]  # kind, then names
PER_POOL = ("ranges", "supply", "density", "taken", "sampling")


@dataclass(frozen=True, slots=True)
class Change:
    """One changed input: what it is (`kind` and `names`), and the facts that it moves from one problem to the other."""

    kind: str
    names: tuple[str, ...]
    keys: frozenset[Key] = field(repr=False)
    before: Problem = field(repr=False)
    after: Problem = field(repr=False)
    parts: tuple[Change, ...] = field(default=(), repr=False)  # of several changes taken as one

    def apply(self, problem: Problem) -> Problem:
        """`problem` with this change made; the problem compared with, once every change is made."""
        return apply(problem, self.keys, self.before, self.after)


def changed_inputs(a: Problem, b: Problem) -> tuple[Change, ...]:
    """The changes that lead from `a` to `b`, in a fixed order; applying all of them to `a` gives `b`."""
    old, new = atoms_of(a), atoms_of(b)
    keys = [key for key in {**old, **new} if not same(key, old.get(key), new.get(key))]
    causes: dict[Cause, set[Key]] = {}
    owners = _Owners(old, new, dict.fromkeys(keys))
    for key in keys:
        for cause in owners.of(key):
            causes.setdefault(cause, set()).add(key)
    ordered = sorted(causes, key=lambda cause: (_rank(cause[0]), cause))
    return tuple(Change(cause[0], cause[1:], frozenset(causes[cause]), a, b) for cause in ordered)


def merged(changes: Iterable[Change]) -> Change:
    """Several changes of one kind as one."""
    parts = list(changes)
    names = tuple(name for part in parts for name in part.names)
    keys = frozenset[Key]().union(*(part.keys for part in parts))
    first = parts[0]
    return first if len(parts) == 1 else Change(first.kind, names, keys, first.before, first.after, tuple(parts))


def grouped(changes: Iterable[Change], most: int) -> tuple[Change, ...]:
    """The changes, or one per kind where there are more than `most`."""
    listed = list(changes)
    if len(listed) <= most:
        return tuple(listed)
    kinds = list(dict.fromkeys(change.kind for change in listed))
    return tuple(merged(change for change in listed if change.kind == kind) for kind in kinds)


def apply(problem: Problem, keys: Iterable[Key], before: Problem, after: Problem) -> Problem:
    """`problem` with the facts `keys` as `after` states them."""
    facts, target = atoms_of(problem), atoms_of(after)
    for key in keys:
        if key in target:
            facts[key] = target[key]
        else:
            facts.pop(key, None)
    known = present(atoms_of(before)) | present(target) | present(facts)
    facts = _completed(pruned(facts, known=known), target)
    arrived = facts.keys() == target.keys() and all(same(key, facts[key], target[key]) for key in facts)
    return after if arrived else assemble(facts, after)


def _completed(facts: Atoms, target: Atoms) -> Atoms:
    """Supply whose facts do not fit together yet (one moved, another not) as the target states it."""
    result = dict(facts)
    for where in [key[1:] for key in facts if key[0] in PER_POOL]:
        columns = [_columns(result.get((name, *where)), name) for name in PER_POOL]
        if len({len(column) for column in columns if column is not None}) > 1:
            for name in PER_POOL:
                result.pop((name, *where), None)
                if (name, *where) in target:
                    result[name, *where] = target[name, *where]
    return result


def _columns(value: Any, name: str) -> tuple[Any, ...] | None:
    """What a fact says by bucket; None where it fits any buckets."""
    if value is None:
        return ()
    if name == "sampling":
        return value[0] or None
    if name == "taken":
        return value or None
    columns: tuple[Any, ...] = value[1] if name == "ranges" else value
    return columns


def _rank(kind: str) -> int:
    order = (
        "model", "tokens", "compute", "phases", "strategy", "calibration", "form", "signal", "buckets", "order",
        "baseline", "after", "language", "source", "supply", "density", "sampling", "limit", "source phases",
        "priority", "transfer", "cost", "loss law", "rule",
    )  # fmt: skip
    return order.index(kind)


@dataclass(frozen=True, slots=True)
class _Owners:
    """Which causes a changed fact belongs to."""

    old: Atoms
    new: Atoms
    keys: dict[Key, None]  # in a fixed order

    def of(self, key: Key) -> list[Cause]:
        """The causes that a changed fact moves with; most often one."""
        moved = self._moved(key)
        if moved:
            return moved
        return self._rule(key) if key[0] == "rule" else [self._single(key)]

    def _value(self, key: Key) -> Any:
        return self.new[key] if key in self.new else self.old[key]

    def _moved(self, key: Key) -> list[Cause]:
        """The new or gone languages, sources and phases that a fact speaks of."""
        moved = present(self.old) ^ present(self.new)
        spoken = [need for need in needs(key, self._value(key)) if need in moved]
        causes: list[Cause] = [("phases",) if kind == "phase" else (kind, name) for kind, name in spoken]
        return list(dict.fromkeys(causes))

    def _rule(self, key: Key) -> list[Cause]:
        """A rule whose group changed is the same text with other members: both go with what moved."""
        rule = self._value(key)
        for twin in (other for other in self.keys if other[0] == "rule" and (other in self.new) != (key in self.new)):
            other = self._value(twin)
            if (other.text, other.sense) == (rule.text, rule.sense) and self._moved(twin):
                return self._moved(twin)
        return [("rule", rule.text, rule.sense, *_members(rule))]

    def _single(self, key: Key) -> Cause:
        match key:
            case ("params",):
                return ("model",)
            case ("tokens",):
                return ("tokens",)
            case ("flops",):
                return ("compute",)
            case ("split",):
                return ("phases",)
            case ("law",):
                return ("calibration",)
            case ("edges",):
                return ("calibration",) if self._law else ("buckets",)
            case ("before",) | ("gone",) | ("past", _) | ("taken", *_):
                return ("after",)
            case ("ranges" | "supply" | "density" | "sampling", *where):
                return self._pool(key[0], tuple(where))
            case ("loss law", code):
                return ("calibration",) if self._law and self._assumed(code) else ("loss law", code)
            case ("transfer" | "cost", code, _):
                return (key[0], code)
            case ("phase limit", source, phase):
                return ("limit", source, phase)
            case _:
                return key

    @property
    def _law(self) -> bool:
        return ("law",) in self.keys

    def _assumed(self, code: str) -> bool:
        return all(facts["loss law", code][3] for facts in (self.old, self.new))

    def _pool(self, kind: str, where: tuple[str, ...]) -> Cause:
        ranges = ("ranges", *where)
        if ranges not in self.old or ranges not in self.new:
            return ("supply", where[0])
        if ranges in self.keys:
            return ("calibration",) if self._law else ("buckets",)
        if kind == "density":
            return ("calibration",) if self._law else ("density", where[0])
        if kind == "sampling":
            return ("sampling", where[2])
        return ("supply", where[0])


def _members(rule: Any) -> Iterator[str]:
    """Names that tell the rules of one `each(…)` apart."""
    for term in rule.terms:
        for names in (term.of.sources, term.of.languages, term.of.domains, term.of.phases):
            yield from names or ()
