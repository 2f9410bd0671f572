"""Pass 2: lay a recipe over what it extends, and fetch what it takes from imports.

Declarations of one kind and name meet here: a new one adds, an `override` changes an inherited one, anything else is
a duplicate. Rules add up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mixc.compiler.front.entries import Entry, RuleNode, entries_of, names_of, overlay, shortened
from mixc.compiler.front.errors_files import import_alias, not_in_import, nothing_to_override
from mixc.compiler.front.errors_names import declared_twice, malformed_declaration, misplaced
from mixc.compiler.front.kinds import KINDS
from mixc.compiler.front.load import Program
from mixc.compiler.supply.languages import canonical
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.syntax import Aim, Attribute, Declaration, Import, Limit, Prefer, Reference, Require
from mixc.dsl.text import Span

EntryKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Merged:
    """A program's entries by kind and name in the order of the text, its rules, and names whose declaration failed."""

    entries: Mapping[EntryKey, Entry]
    rules: tuple[RuleNode, ...]
    broken: frozenset[str]

    def of_kind(self, kind: str) -> list[Entry]:
        """The entries of one kind in the order they were declared, the most basic recipe's first."""
        return [entry for (found, _), entry in self.entries.items() if found == kind]

    def one(self, kind: str, name: str = "") -> Entry | None:
        """The entry of a kind and name, if there is one."""
        return self.entries.get((kind, name))


@dataclass(slots=True)
class Merger:
    """The work of merging; programs that are imported twice are merged once."""

    out: list[Diagnostic]
    done: dict[Program, Merged] = field(default_factory=dict)

    def merge(self, program: Program) -> Merged:
        """The merged form of a program."""
        if program not in self.done:
            self.done[program] = _Layers(self, program).merged()
        return self.done[program]

    def expand(self, program: Program, node: Declaration) -> list[Entry]:
        """The entries of a declaration; `kind name = import.name` becomes the entry that the import declares."""
        return [one for entry in entries_of(node, self.out) if (one := self._fetched(program, entry)) is not None]

    def _fetched(self, program: Program, entry: Entry) -> Entry | None:
        value = entry.value
        dotted = isinstance(value, Reference) and len(value.parts) == 2
        if value is None or entry.kind == "param" or (entry.kind == "group" and not dotted):
            return entry
        if not isinstance(value, Reference) or len(value.parts) != 2:
            example = f"{entry.kind} {entry.name} {{ ... }}` or `{entry.kind} {entry.name} = import.name"
            self.out.append(
                malformed_declaration(
                    value.span,
                    f"`{entry.kind} {entry.name}` is set to something that no import declares",
                    "not a name that an import declares",
                    example,
                )
            )
            return None
        alias, name = value.parts
        imported = program.imports.get(alias.text)
        if imported is None:
            self.out.append(import_alias(alias.span, alias.text, tuple(program.imports)))
            return None
        if imported.program is None:
            return None
        theirs = self.merge(imported.program)
        found = theirs.one(entry.kind, (canonical(name.text) or name.text) if entry.kind == "language" else name.text)
        if found is not None:
            return replace(found, name=entry.name, head=entry.head, name_span=entry.name_span)
        if name.text not in theirs.broken:
            allowed = [other.name for other in theirs.of_kind(entry.kind)]
            span = imported.statement.span
            self.out.append(not_in_import(name.span, alias.text, entry.kind, name.text, allowed, span))
        return None


@dataclass(slots=True)
class _Layers:
    """The files of one program, laid over each other."""

    merger: Merger
    program: Program
    entries: dict[EntryKey, Entry] = field(default_factory=dict)
    home: dict[EntryKey, int] = field(default_factory=dict)
    rules: list[RuleNode] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    def merged(self) -> Merged:
        overrides: list[tuple[int, Declaration]] = []
        for layer, file in enumerate(self.program.files):
            for statement in file.tree.statements:
                match statement:
                    case Import():
                        pass
                    case Declaration() if statement.override:
                        overrides.append((layer, statement))
                    case Declaration():
                        self._declare(layer, statement)
                    case Attribute() | Limit():
                        self.merger.out.append(_outside(statement))
                    case Require() | Prefer() | Aim():
                        self.rules.append(statement)
            for above, node in overrides:
                self._override(above, node)
            overrides.clear()
        return Merged(self.entries, tuple(self.rules), frozenset(self.broken))

    def _declare(self, layer: int, node: Declaration) -> None:
        found = self.merger.expand(self.program, node)
        self.broken |= names_of((node,)) if not found or node.kind.text == "languages" else frozenset()
        for entry in found:
            key = (entry.kind, entry.name)
            first = self.entries.get(key)
            if first is None:
                self.entries[key] = entry
                self.home[key] = layer
                continue
            inherited = self.home[key] < layer
            self.merger.out.append(
                declared_twice(declared_at(entry), declared_at(first), entry.kind, entry.name, first.kind, inherited)
            )

    def _override(self, layer: int, node: Declaration) -> None:
        for entry in self.merger.expand(self.program, node):
            key = (entry.kind, entry.name)
            base = self.entries.get(key)
            if base is not None and self.home[key] < layer:
                fetched = entry.value is not None and not KINDS[entry.kind].value
                self.entries[key] = entry if fetched else overlay(base, entry)
            elif entry.name not in self.broken or not entry.name:
                what = f"{entry.kind} `{entry.name}`" if entry.name else f"`{entry.kind}`"
                allowed = [
                    name for (kind, name), home in self.home.items() if kind == entry.kind and home < layer and name
                ]
                same = base is not None
                self.merger.out.append(nothing_to_override(node.head, what, allowed, entry.name, same_file=same))


def declared_at(entry: Entry) -> Span:
    """What to point at for "declared here": the head, or in a list of languages the one code."""
    whole = entry.head.text
    return entry.name_span if "[" in whole else entry.head


def _outside(item: Attribute | Limit) -> Diagnostic:
    key = item.key.text
    owners = [kind.name for kind in KINDS.values() if kind.key(key) is not None and kind.name != "languages"]
    helps = tuple(f"`{key}` is a key of `{owner}`" for owner in owners[:1])
    if key in KINDS:
        helps = (f"write `{key} {{ ... }}`",)
    elif not helps:
        value = shortened(item.value.span.text if isinstance(item, Attribute) else item.relation.value.span.text)
        helps = (f"write `param {key} = {value}` to name a value",)
    return misplaced(item.span, f"`{key}` stands outside of any declaration", "not inside a block", helps)
