"""Values that refer to each other by name: params that use params, groups that hold groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

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
    graph = {name: _uses(entry, entries) for name, entry in entries.items()}
    inside: set[str] = set()
    while (circle := _circle(graph)) is not None:
        inside.update(circle)
        out.append(circular_value(entries[circle[0]].name_span, circle[0], circle))
        graph = {name: [use for use in uses if use not in inside] for name, uses in graph.items() if name not in inside}
    depth: dict[str, int] = {}
    for name in TopologicalSorter(graph).static_order():
        depth[name] = 1 + max((depth[use] for use in graph[name]), default=0)
        if depth[name] == DEEPEST + 1:
            out.append(too_deep(entries[name].name_span, what, DEEPEST))
        if depth[name] > DEEPEST:
            inside.add(name)
    return frozenset(inside)


def _uses(entry: Entry, entries: Mapping[str, Entry]) -> list[str]:
    if entry.value is None:
        return []
    found: list[str] = []
    for node in walk(entry.value):
        if isinstance(node, Reference) and len(node.parts) == 1:
            found.append(node.parts[0].text)
        elif isinstance(node, Text):
            found += [match[1].strip() for match in SUBSTITUTION.finditer(node.value)]
    return [name for name in dict.fromkeys(found) if name in entries]


def _circle(graph: Mapping[str, Sequence[str]]) -> tuple[str, ...] | None:
    """One circle, from its first name in the order of the graph back to it; None when there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        used_by: list[str] = error.args[1][:-1]
        ring = used_by[::-1]
        start = ring.index(min(ring, key=list(graph).index))
        return (*ring[start:], *ring[:start], ring[start])
    return None
