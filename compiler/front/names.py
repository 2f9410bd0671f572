"""Pass 3: the names that a program declares, and groups resolved to their members."""

from __future__ import annotations

from collections.abc import Iterable

from mixc.compiler.front.arithmetic import describe_node
from mixc.compiler.front.context import Context, resolved
from mixc.compiler.front.cycles import circular
from mixc.compiler.front.entries import Entry
from mixc.compiler.front.errors_names import declared_twice
from mixc.compiler.front.errors_rules import bad_group
from mixc.compiler.front.errors_units import wrong_type
from mixc.compiler.front.lookalikes import look_alikes
from mixc.compiler.front.merge import Merged, declared_at
from mixc.compiler.front.namespace import Found, Namespace, find
from mixc.compiler.recipe import Group
from mixc.dsl.diagnostics import Diagnostic, Label
from mixc.dsl.syntax import Expression, Items, Reference, Text
from mixc.dsl.text import Span

IN_RULES = ("source", "language", "domain", "group", "phase", "param")
IN_WEIGHTS = ("rater", "target")


def build_namespace(merged: Merged, sources: Iterable[Entry], broken: frozenset[str], context: Context) -> Namespace:
    """All declared names by kind; names that two kinds declare are reported."""
    sources = list(sources)
    declared = [(entry.kind, entry.name, declared_at(entry)) for entry in merged.entries.values()]
    declared += [(entry.kind, entry.name, declared_at(entry)) for entry in sources]
    values = [("domain", *found) for entry in sources if (found := _domain_of(entry, context)) is not None]
    context.out.extend(_clashes(declared + values))
    context.out.extend(look_alikes(declared + values))
    languages = frozenset(entry.name for entry in merged.of_kind("language"))
    return Namespace(
        {
            "source": frozenset(entry.name for entry in sources),
            "language": languages,
            "domain": frozenset(name for kind, name, _ in declared + values if kind == "domain"),
            "phase": frozenset(entry.name for entry in merged.of_kind("phase")),
        },
        closed=bool(languages) and merged.one("languages", "all") is None,
        broken=broken | merged.broken,
        raters=frozenset(entry.name for kind in ("rater", "target") for entry in merged.of_kind(kind)),
        groups=dict.fromkeys(entry.name for entry in merged.of_kind("group")),
    )


def _domain_of(entry: Entry, context: Context) -> tuple[str, Span] | None:
    setting = entry.setting("domain")
    node = resolved(setting.value, context) if setting else None
    if isinstance(node, Reference | Text):
        return (node.value if isinstance(node, Text) else node.parts[-1].text), node.span
    return None


def _clashes(declared: Iterable[tuple[str, str, Span]]) -> list[Diagnostic]:
    """Names that two kinds have although they share one namespace: that of rules, or that of `weights`.

    A domain may be spelt like a language, because either may come from the data: `domain.it`, `language.it`.
    """
    first: dict[tuple[bool, str], tuple[str, Span]] = {}
    out: list[Diagnostic] = []
    for kind, name, span in declared:
        if kind not in (*IN_RULES, *IN_WEIGHTS):
            continue
        other, place = first.setdefault((kind in IN_WEIGHTS, name), (kind, span))
        if other != kind and {other, kind} != {"language", "domain"}:
            out.append(declared_twice(span, place, kind, name, other, inherited=False))
    return out


def resolve_groups(merged: Merged, context: Context) -> tuple[Group, ...]:
    """Every group as a union of names of one kind; groups may hold groups."""
    entries = {entry.name: entry for entry in merged.of_kind("group")}
    failed = circular(entries, "groups", context.out)
    waiting = [name for name in entries if name not in failed]
    while waiting:
        ready = [name for name in waiting if not _holds_any(entries[name], waiting)]
        for name in ready:
            context.names.groups[name] = _group(entries[name], context)
        waiting = [name for name in waiting if name not in ready]
    found = context.names.groups
    return tuple(Group(name, one.kind, one.members) for name, one in found.items() if one is not None)


def _holds_any(entry: Entry, names: Iterable[str]) -> bool:
    value = entry.value
    words = (
        {item.parts[-1].text for item in value.items if isinstance(item, Reference)} if isinstance(value, Items) else ()
    )
    return any(name in words for name in names)


def _group(entry: Entry, context: Context) -> Found | None:
    node = resolved(entry.value, context) if entry.value is not None else None
    if node is None:
        return None
    if not isinstance(node, Items):
        what, help_ = f"group `{entry.name}`", f"write `group {entry.name} = [a, b]`"
        context.out.append(wrong_type(node.span, what, "a list of names", describe_node(node), help_))
        return None
    if not node.items:
        context.out.append(bad_group(node.span, entry.name, "is empty", (), "a group holds at least one name"))
        return None
    found = [_member(item, entry, context) for item in node.items]
    known = [one for one in found if one is not None]
    if len(known) < len(found):
        return None
    places = {one.kind: item.span for one, item in zip(reversed(known), reversed(node.items), strict=True)}
    if len(places) > 1:
        labels = [Label(span, f"a {kind}") for kind, span in places.items()]
        note = "a group is a union of names of one kind"
        context.out.append(bad_group(node.span, entry.name, f"mixes a {' and a '.join(places)}", labels, note))
        return None
    return Found(known[0].kind, tuple(dict.fromkeys(name for one in known for name in one.members)), entry.name)


def _member(item: Expression, entry: Entry, context: Context) -> Found | None:
    node = resolved(item, context)
    if isinstance(node, Reference | Text):
        return find(node, context.names, context.out)
    if node is not None:
        context.out.append(wrong_type(item.span, f"group `{entry.name}`", "a list of names", describe_node(node)))
    return None
