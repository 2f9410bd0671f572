"""What every later pass looks things up in: params, imports, names, the budget; and where diagnostics are collected."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Final

from mixc.compiler.front.entries import Entry, shortened
from mixc.compiler.front.errors_files import import_alias, not_in_import, unknown_param
from mixc.compiler.front.load import File, Imported, Tree
from mixc.compiler.front.namespace import Namespace
from mixc.compiler.front.units import Quantity
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.syntax import Expression, Name, Number, Reference, Text
from mixc.dsl.text import SourceText, Span

SUBSTITUTION: Final = re.compile(r"\$\{([^}]*)\}")


@dataclass(frozen=True, slots=True)
class Scope:
    """What the text of one program sees: its params, its imports, and params that are defined by themselves."""

    params: Mapping[str, Entry]
    imports: Mapping[str, Imported]
    circular: frozenset[str] = frozenset()


@dataclass(slots=True)
class Context:
    """The checked program so far. `scopes` and `files` are found by the text that a node stands in.

    `budget` holds the sizes known so far, `budget_settings` what states them, `budget_open` those being evaluated.
    `in_phases` while the budgets of phases are read, which may be parts of a budget that is still open, `in_places`
    while names of files are. `root` is the scope that the command line sets, `placing` and `deciding` are its params
    that were used in names of files, and elsewhere.
    """

    tree: Tree
    scopes: Mapping[SourceText, Scope]
    files: Mapping[SourceText, File]
    names: Namespace
    out: list[Diagnostic]
    budget: dict[str, Quantity | None] = field(default_factory=dict)
    budget_settings: Mapping[str, Expression] = field(default_factory=dict)
    budget_open: list[str] = field(default_factory=list)
    in_phases: bool = False
    in_places: bool = False
    root: Scope | None = None
    placing: set[str] = field(default_factory=set)
    deciding: set[str] = field(default_factory=set)

    def scope(self, span: Span) -> Scope:
        """The scope of the file that a span lies in."""
        return self.scopes[span.source]

    def imported_scope(self, imported: Imported) -> Scope | None:
        """The scope of an imported program; None when it could not be read."""
        return None if imported.program is None else self.scopes[imported.program.files[-1].source]

    def place(self, span: Span) -> str:
        """`file:line` of a span, the file relative to the recipe's folder."""
        return f"{self.file_name(span)}:{span.source.position(span.start)[0]}"

    def file_name(self, span: Span) -> str:
        """The name of a span's file relative to the recipe's folder."""
        file = self.files.get(span.source)
        return span.source.name if file is None else file.name

    def near(self, path: str, span: Span) -> str:
        """A path or pattern of the file that a span lies in, as seen from the recipe's folder.

        Addresses such as `s3://` and absolute paths stay as they are.
        """
        folder = PurePath(self.file_name(span)).parent
        if "://" in path or PurePath(path).is_absolute() or folder == PurePath():
            return path
        if "${" in path:  # whatever `..` behind it goes up from
            return f"{folder.as_posix()}/{path}"
        return PurePath(os.path.normpath(folder / path)).as_posix()

    def file_path(self, span: Span) -> Path:
        """The path of a span's file; of text from the command line, the recipe's own."""
        file = self.files.get(span.source)
        return self.tree.folder / "recipe.mix" if file is None else file.path


def param_of(node: Reference, context: Context) -> Entry | None:
    """The param that a reference names, directly or through an import; None when it names none."""
    scope = context.scope(node.span)
    names = [part.text for part in node.parts]
    if len(names) == 2 and names[0] in scope.imports:
        theirs = context.imported_scope(scope.imports[names[0]])
        return None if theirs is None else theirs.params.get(names[1])
    if scope is context.root and names[0] in scope.params and len(names) == 1:
        (context.placing if context.in_places else context.deciding).add(names[0])
    return scope.params.get(names[0]) if len(names) == 1 else None


def is_circular(node: Reference, context: Context) -> bool:
    """Whether a reference names a param that is defined by itself, which was said before."""
    scope = context.scope(node.span)
    name = node.parts[-1].text
    if len(node.parts) == 2 and node.parts[0].text in scope.imports:
        theirs = context.imported_scope(scope.imports[node.parts[0].text])
        return theirs is None or name in theirs.circular
    return len(node.parts) == 1 and name in scope.circular


def resolved(node: Expression, context: Context) -> Expression | None:
    """The expression with leading params replaced by their values; None for one that is defined by itself."""
    while isinstance(node, Reference):
        if is_circular(node, context):
            return None
        param = param_of(node, context)
        if param is None or param.value is None:
            return node
        node = param.value
    return node


def unknown_path(node: Reference, context: Context, wanted: str) -> Diagnostic | None:
    """What is wrong with a dotted name that is no param; None when its import could not be read."""
    scope = context.scope(node.span)
    head, last = node.parts[0], node.parts[-1]
    if len(node.parts) == 2 and head.text in scope.imports:
        imported = scope.imports[head.text]
        theirs = context.imported_scope(imported)
        if theirs is None:
            return None
        return not_in_import(last.span, head.text, wanted, last.text, tuple(theirs.params), imported.statement.span)
    return import_alias(head.span, head.text, tuple(scope.imports))


def substituted(node: Text, context: Context) -> str | None:
    """A string with every `${param}` replaced; None, with a diagnostic, when one of them is unknown."""
    pieces: list[str] = []
    end = 0
    for match in SUBSTITUTION.finditer(node.value):
        piece = _piece(match[1].strip(), node, context)
        if piece is None:
            return None
        pieces += [node.value[end : match.start()], piece]
        end = match.end()
    return "".join(pieces) + node.value[end:]


def _piece(name: str, node: Text, context: Context) -> str | None:
    parts = tuple(Name(part, node.span) for part in name.split("."))
    reference = Reference(parts, node.span)
    if is_circular(reference, context):
        return None
    value = resolved(reference, context)
    match value:
        case Text():
            return substituted(value, context)
        case Number(literal):
            return literal
        case Reference() if value is not reference:
            return value.text
    if value is not None:
        context.out.append(unknown_param(node.span, name, tuple(context.scope(node.span).params)))
    return None


__all__ = ["Context", "Scope", "is_circular", "param_of", "resolved", "shortened", "substituted", "unknown_path"]
