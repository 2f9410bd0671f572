"""Pass 3: phases: the sources and limits they declare, their order, and their parts of the budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from mixc.compiler.front.context import Context
from mixc.compiler.front.declare import read_limit
from mixc.compiler.front.entries import Entry, entries_of
from mixc.compiler.front.errors_budget import (
    in_phase_only_epochs,
    phase_of_open_budget,
    phases_do_not_sum,
    phases_no_chain,
)
from mixc.compiler.front.errors_files import nothing_to_override
from mixc.compiler.front.errors_names import declared_twice, misplaced, ticked, unknown_key
from mixc.compiler.front.kinds import PHASE, SOURCE
from mixc.compiler.front.merge import Merged, declared_at
from mixc.compiler.front.units import WHOLE_BUDGET, Quantity, percent
from mixc.compiler.front.values import read_entry
from mixc.compiler.recipe import Limit, Phase
from mixc.dsl.diagnostics import Diagnostic, Label
from mixc.dsl.syntax import Declaration
from mixc.dsl.text import Span

TOLERANCE: Final = Fraction(1, 10**9)


@dataclass(slots=True)
class Sources:
    """All sources with the phases that declare them (None: the recipe itself), and the overrides inside phases."""

    entries: dict[str, Entry] = field(default_factory=dict)
    phases: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    overrides: dict[tuple[str, str], Entry] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)


def collect_sources(merged: Merged, expand: Callable[[Declaration], list[Entry]], out: list[Diagnostic]) -> Sources:
    """The sources of the recipe and of its phases; `expand` turns a declaration into entries."""
    found = Sources()
    for entry in merged.of_kind("source"):
        found.entries[entry.name], found.phases[entry.name] = entry, None
    for phase in merged.of_kind("phase"):
        for node in phase.nested:
            if node.kind.text != "source":
                out.extend(_not_in_phase(node, out))
            elif node.override:
                _add_override(found, phase.name, node, out)
            else:
                _add_source(found, phase.name, node, expand(node), out)
    return found


def _not_in_phase(node: Declaration, out: list[Diagnostic]) -> list[Diagnostic]:
    if not entries_of(node, out):
        return []
    kind = node.kind.text
    helps = (f"move the {kind} to the top level",)
    return [misplaced(node.head, f"a phase declares sources and rules, not a {kind}", "stands inside a phase", helps)]


def _add_override(found: Sources, phase: str, node: Declaration, out: list[Diagnostic]) -> None:
    for entry in entries_of(node, out):
        key = (phase, entry.name)
        if key in found.overrides:
            first = found.overrides[key].head
            out.append(
                declared_twice(node.head, first, "override source", entry.name, "override source", inherited=False)
            )
        found.overrides.setdefault(key, entry)


def _add_source(found: Sources, phase: str, node: Declaration, entries: list[Entry], out: list[Diagnostic]) -> None:
    if not entries and node.name is not None:
        found.failed.add(node.name.span.text.strip('"'))
    for entry in entries:
        name, earlier = entry.name, found.entries.get(entry.name)
        phases = found.phases.get(name)
        if earlier is None:
            found.entries[name], found.phases[name] = entry, (phase,)
        elif phases is not None and phase not in phases and earlier.settings is entry.settings:
            found.phases[name] = (*phases, phase)
        else:
            out.append(declared_twice(entry.head, declared_at(earlier), "source", name, "source", inherited=False))


def phase_limits(found: Sources, context: Context) -> dict[str, tuple[tuple[str, Limit], ...]]:
    """The limits that phases add to sources, by source."""
    limits: dict[str, tuple[tuple[str, Limit], ...]] = {}
    for (phase, name), entry in found.overrides.items():
        usable = [one for one, phases in found.phases.items() if phases is None or phase in phases]
        if name not in usable:
            if name not in context.names.broken:
                what = f"source `{name}`"
                context.out.append(nothing_to_override(entry.head, what, usable, name, same_file=False))
            continue
        _check_override(entry, phase, context)
        limit = read_limit(entry.limits, context)
        if limit is not None:
            limits[name] = (*limits.get(name, ()), (phase, limit))
    return limits


def _check_override(entry: Entry, phase: str, context: Context) -> None:
    keys = [attribute.key for attribute in entry.settings.values()]
    keys += [limit.key for limit in entry.limits if limit.key.text != "epochs"]
    for key in keys:
        if SOURCE.key(key.text) is None:
            allowed = [one.name for one in SOURCE.keys]
            context.out.append(unknown_key(key.span, key.text, "source", allowed))
        else:
            context.out.append(in_phase_only_epochs(key.span, key.text, phase))


def build_phases(merged: Merged, context: Context) -> tuple[Phase, ...]:
    """The phases in the order they run, each with its part of the budget; none when they are no sequence."""
    entries = {entry.name: entry for entry in merged.of_kind("phase")}
    context.in_phases = True
    values = {name: read_entry(entry, PHASE, context) for name, entry in entries.items()}
    context.in_phases = False
    parts = {name: _part(entries[name], values[name], context) for name in entries}
    order = _order(entries, values, context)
    known = {name: part for name, part in parts.items() if part is not None}
    if not entries or len(known) < len(entries) or not order:
        return ()
    total = sum(known.values(), Fraction(0))
    if abs(total - 1) > TOLERANCE:
        context.out.append(_bad_sum(entries, known, order, total))
    return tuple(Phase(name, float(known[name]), entries[name].head) for name in order)


def _part(entry: Entry, values: dict[str, Any], context: Context) -> Fraction | None:
    budget, setting, whole = values.get("budget"), entry.setting("budget"), context.budget.get("tokens")
    if not isinstance(budget, Quantity) or setting is None:
        return None
    if budget.dimension == WHOLE_BUDGET:
        return budget.value
    if whole is not None and whole.dimension == WHOLE_BUDGET:
        context.out.append(phase_of_open_budget(setting.value.span, entry.name))
        return None
    return None if whole is None else budget.value / whole.value


def _bad_sum(
    entries: dict[str, Entry], parts: dict[str, Fraction], order: tuple[str, ...], total: Fraction
) -> Diagnostic:
    labels = [Label(_budget_span(entries[name]), f"{percent(parts[name])} of the budget") for name in reversed(order)]
    off = f"{percent(abs(total - 1))} {'short' if total < 1 else 'too much'}"
    last = order[-1]
    rest = 1 - (total - parts[last])
    helps = (f"for example, give `{last}` {percent(rest)} of the budget",) if rest > 0 else ()
    return phases_do_not_sum(labels, percent(total), off, helps)


def _budget_span(entry: Entry) -> Span:
    setting = entry.setting("budget")
    return setting.value.span if setting else entry.head


def _order(entries: dict[str, Entry], values: dict[str, dict[str, Any]], context: Context) -> tuple[str, ...]:
    """The phases along their chain; empty after a mistake."""
    after = {name: values[name].get("after") for name in entries}
    if any(after[name] is None and entry.setting("after") is not None for name, entry in entries.items()):
        return ()
    followers: dict[str | None, list[str]] = {}
    for name, before in after.items():
        followers.setdefault(before, []).append(name)
    for before, names in followers.items():
        if len(names) > 1:
            where = f"follow `{before}`" if before else "come first"
            context.out.append(_fork(entries, names, where))
            return ()
    order: list[str] = []
    current: str | None = None
    while current in followers:
        current = followers[current][0]
        order.append(current)
    if len(order) == len(entries):
        return tuple(order)
    stuck = [name for name in entries if name not in order]
    labels = [Label(_after_span(entries[name]), "comes after the other" if len(stuck) > 1 else "") for name in stuck]
    what = f"{ticked(stuck)} follow each other in a circle" if len(stuck) > 1 else f"phase `{stuck[0]}` follows itself"
    context.out.append(phases_no_chain(labels, what, ("let one phase have no `after`",)))
    return ()


def _fork(entries: dict[str, Entry], names: list[str], where: str) -> Diagnostic:
    labels = [Label(_after_span(entries[name]), "") for name in reversed(names)]
    helps = (f"let `{names[1]}` come `after = {names[0]}`",)
    return phases_no_chain(labels, f"phases {ticked(names)} both {where}", helps)


def _after_span(entry: Entry) -> Span:
    setting = entry.setting("after")
    return setting.span if setting else entry.head
