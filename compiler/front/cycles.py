"""Values that refer to each other by name: params that use params, groups that hold groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter

from mixc.compiler.front.context import SUBSTITUTION
from mixc.compiler.front.entries import Entry
from mixc.compiler.front.errors_files import circular_value, too_deep
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.syntax import Binary, Call, Expression, Items, Map, Negate, Range, Reference, Text

DEEPEST = 50


def walk(node: Expression) -> Iterator[Expression]:
    """Every node of an expression, itself first, without recursion."""
    stack: list[Expression] = [node]
    while stack:
        node = stack.pop()
        yield node
        match node:
            case Binary(_, left, right):
                stack += [right, left]
            case Range(low, high):
                stack += [high, low]
            case Negate(operand):
                stack.append(operand)
            case Call(_, arguments) | Items(arguments):
                stack += reversed(arguments)
            case Map(pairs):
                stack += [pair.value for pair in reversed(pairs)]


def circular(entries: Mapping[str, Entry], what: str, out: list[Diagnostic]) -> frozenset[str]:
    """Entries that are defined by themselves or by too long a chain, each circle reported once."""
    uses = {name: _uses(entry, entries) for name, entry in entries.items()}
    inside: set[str] = set()
    for start, entry in entries.items():
        circle = () if start in inside else _circle(start, uses)
        if circle:
            inside.update(circle)
            out.append(circular_value(entry.name_span, start, circle))
    graph = {name: [use for use in found if use not in inside] for name, found in uses.items() if name not in inside}
    depth: dict[str, int] = {}
    for name in TopologicalSorter(graph).static_order():
        depth[name] = 1 + max((depth[use] for use in graph[name]), default=0)
        if depth[name] == DEEPEST + 1:
            out.append(too_deep(entries[name].name_span, what, DEEPEST))
        if depth[name] > DEEPEST:
            inside.add(name)
    return frozenset(inside)


def _uses(entry: Entry, params: Mapping[str, Entry]) -> tuple[str, ...]:
    if entry.value is None:
        return ()
    found: list[str] = []
    for node in walk(entry.value):
        if isinstance(node, Reference) and len(node.parts) == 1:
            found.append(node.parts[0].text)
        elif isinstance(node, Text):
            found += [match[1].strip() for match in SUBSTITUTION.finditer(node.value)]
    return tuple(name for name in found if name in params)


def _circle(start: str, uses: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """A shortest way from a param back to itself, both ends included; empty when there is none."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    for way in ways:
        for name in uses[way[-1]]:
            if name == start:
                return (*way, start)
            if name not in seen:
                seen.add(name)
                ways.append((*way, name))
    return ()
