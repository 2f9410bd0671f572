"""The one namespace of rules: sources, languages, domains, groups and phases, and how a name is looked up in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from mixc.compiler.front.codes import SLIPS
from mixc.compiler.front.errors_names import ambiguous_name, undeclared_language, unknown_name
from mixc.compiler.supply.languages import canonical
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.syntax import Expression, Name, Reference, Text
from mixc.dsl.text import Span

CellKind: TypeAlias = Literal["source", "language", "domain", "phase"]
CELL_KINDS: Final[tuple[CellKind, ...]] = ("source", "language", "domain", "phase")
SHORT_CODE: Final = 3


@dataclass(frozen=True, slots=True)
class Found:
    """What a name stands for: members of one kind; `group` when they came from a group of that name."""

    kind: CellKind
    members: tuple[str, ...]
    group: str | None = None


@dataclass(slots=True)
class Namespace:
    """Declared names by kind. `closed` when exactly the declared languages are in the mixture.

    `raters` are those and targets. `broken` names failed before and are silently unknown from then on.
    """

    declared: Mapping[CellKind, frozenset[str]]
    closed: bool
    broken: frozenset[str] = frozenset()
    raters: frozenset[str] = frozenset()
    groups: dict[str, Found | None] = field(default_factory=dict)

    def everything(self) -> list[str]:
        """All names that could stand in a rule."""
        return sorted({*self.groups, *(name for names in self.declared.values() for name in names)})

    def lookup(self, word: str) -> list[Found]:
        """All that a bare word could mean, declared names first; an undeclared language code only when nothing else."""
        found = [Found(kind, (word,)) for kind in CELL_KINDS if kind != "language" and word in self.declared[kind]]
        group = self.groups.get(word)
        if group is not None:
            found.append(group)
        code = canonical(word)
        if code is not None and (code in self.declared["language"] or not (found or self.closed)):
            found.append(Found("language", (code,)))
        return found


def find(node: Expression | Name, names: Namespace, out: list[Diagnostic]) -> Found | None:
    """What a name in a rule or a group stands for; None with a diagnostic, or silently for one that failed before."""
    match node:
        case Reference(parts) if len(parts) == 2:
            return _qualified(parts[0], parts[1], names, out)
        case Reference() | Name():
            word = node.text
        case Text(value):
            word = value
        case _:
            return None
    found = names.lookup(word)
    if len(found) == 1:
        return found[0]
    if found:
        if any(one.kind == "language" for one in found):  # any other clash was reported where the name is declared
            out.append(ambiguous_name(node.span, word, sorted({one.kind for one in found})))
    elif word not in names.broken and word not in names.groups:
        out.append(_unknown(node.span, word, names))
    return None


def _qualified(kind: Name, name: Name, names: Namespace, out: list[Diagnostic]) -> Found | None:
    word = name.text
    if kind.text == "group":
        if word in names.groups:
            return names.groups[word]
        out.append(unknown_name(name.span, word, "group", tuple(names.groups)))
        return None
    for one in CELL_KINDS:
        if one == kind.text:
            wanted = (canonical(word) or word) if one == "language" else word
            if wanted in names.declared[one] or (one == "language" and not names.closed and canonical(word)):
                return Found(one, (wanted,))
            if word not in names.broken:
                out.append(
                    _unknown(name.span, word, names)
                    if one == "language"
                    else unknown_name(name.span, word, one, tuple(names.declared[one]))
                )
            return None
    allowed = ("source", "language", "domain", "group", "phase")
    out.append(unknown_name(kind.span, kind.text, "kind of name", allowed, "before a dot stand"))
    return None


def _unknown(span: Span, word: str, names: Namespace) -> Diagnostic:
    """A name that nothing declares: a language that could be declared, or a slip of the pen."""
    declared = names.declared["language"]
    code = canonical(word) or (SLIPS.get(word.lower()) if len(word) <= SHORT_CODE else None)
    if code is not None and names.closed and (canonical(word) is not None or code in declared):
        if canonical(word) is not None:
            return undeclared_language(span, code, tuple(declared))
        diagnostic = unknown_name(span, word, "name", names.everything(), "names of the recipe")
        return Diagnostic(
            diagnostic.code, diagnostic.message, diagnostic.labels, diagnostic.notes, (f"did you mean `{code}`?",)
        )
    return unknown_name(span, word, "name", names.everything(), "names of the recipe")
