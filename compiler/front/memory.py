"""What rules came to, kept while a recipe is being edited.

A rule is read again only where its own text has changed, or anything that it may refer to: names, params, the budget.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mixc.compiler.front.context import Context
from mixc.compiler.front.entries import Entry, RuleNode
from mixc.compiler.front.namespace import Namespace
from mixc.compiler.front.units import Quantity
from mixc.compiler.recipe import Rule
from mixc.dsl.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class World:
    """All that a rule may refer to."""

    names: Namespace
    budget: Mapping[str, Quantity | None]
    params: tuple[Mapping[str, Entry], ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A rule as it was read: the node, what came of it, what was found, the params that it used."""

    node: RuleNode
    rules: list[Rule]
    found: list[Diagnostic]
    deciding: frozenset[str]


@dataclass(slots=True)
class Memory:
    """Rules of the last reading, by the identity of their nodes: a text that did not change keeps its tree."""

    world: World | None = None
    before: dict[tuple[int, str | None], Kept] = field(default_factory=dict)
    now: dict[tuple[int, str | None], Kept] = field(default_factory=dict)

    def begin(self, context: Context) -> None:
        """Begin a reading: what was kept counts if the world is the same."""
        scopes = {id(scope): scope.params for scope in context.scopes.values()}
        world = World(context.names, context.budget, tuple(scopes.values()))
        self.before = self.now if world == self.world else {}
        self.world, self.now = world, {}

    def of(self, node: RuleNode, phase: str | None, context: Context, make: Callable[[], list[Rule]]) -> list[Rule]:
        """What a rule comes to: as it was kept, or made now."""
        key = id(node), phase
        kept = self.before.get(key)
        if kept is None or kept.node is not node:
            first, used = len(context.out), set(context.deciding)
            context.deciding.clear()
            rules = make()
            kept = Kept(node, rules, context.out[first:], frozenset(context.deciding))
            context.deciding |= used
        else:
            context.out.extend(kept.found)
            context.deciding |= kept.deciding
        self.now[key] = kept
        return kept.rules
