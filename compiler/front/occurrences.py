"""Where names are declared and used, read from the text alone: for going to a declaration, and for renaming.

A name is known by its kind and by the file that declares it first, so a recipe and those that extend or import it agree
on what they mean. Texts with mistakes are read as far as they go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from mixc.compiler.front.context import SUBSTITUTION
from mixc.compiler.front.kinds import KINDS, schema
from mixc.compiler.front.load import File, Program
from mixc.compiler.front.shapes import Either, Key, ListOf, MapOf, NameOf, Shape, Struct
from mixc.compiler.supply.languages import canonical
from mixc.dsl.syntax import (
    Aim,
    Attribute,
    Binary,
    Call,
    Declaration,
    Expression,
    Import,
    Items,
    Limit,
    Map,
    Name,
    Negate,
    Prefer,
    Range,
    Reference,
    Require,
    Text,
)
from mixc.dsl.text import Span

IN_RULES = ("source", "language", "domain", "group", "phase")
Role = Literal["declaration", "override", "use"]


@dataclass(frozen=True, slots=True)
class Symbol:
    """What a name stands for: its kind, its name, and the path of the file that declares it first."""

    kind: str
    name: str
    home: str


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A name in the text of a file; the span is that of the name alone, in quotes where it is `quoted`."""

    symbol: Symbol
    path: str
    span: Span
    role: Role
    quoted: bool = False


def occurrences(program: Program) -> list[Occurrence]:
    """Every name of a program and of what it imports, in the order of files and text, the most basic file first."""
    walked: dict[int, _Walk] = {}
    return _walk(program, walked).every(set())


def _walk(program: Program, walked: dict[int, _Walk]) -> _Walk:
    if id(program) not in walked:
        walked[id(program)] = walk = _Walk(program, lambda other: _walk(other, walked))
        walk.run()
    return walked[id(program)]


@dataclass(slots=True)
class _Walk:
    """One program: its names by kind, and where they stand."""

    program: Program
    other: Callable[[Program], _Walk]
    names: dict[tuple[str, str], Symbol] = field(default_factory=dict)
    stated: set[Symbol] = field(default_factory=set)
    out: list[Occurrence] = field(default_factory=list)
    file: File | None = None

    def every(self, seen: set[int]) -> list[Occurrence]:
        """What stands in this program and in those that it imports, each once."""
        seen.add(id(self))
        found = list(self.out)
        for imported in self.program.imports.values():
            if imported.program is not None and id(walk := self.other(imported.program)) not in seen:
                found += walk.every(seen)
        return found

    def run(self) -> None:
        for visit in (self._declared, self._used):
            for file in self.program.files:
                self.file = file
                for statement in file.tree.statements:
                    visit(statement)

    def add(self, symbol: Symbol | None, node: Name | Text | Reference, role: Role = "use") -> None:
        if symbol is not None and self.file is not None:
            self.out.append(Occurrence(symbol, str(self.file.path), node.span, role, isinstance(node, Text)))

    def declare(self, kind: str, node: Name | Text) -> None:
        name = node.value if isinstance(node, Text) else node.text
        name = (canonical(name) or name) if kind == "language" else name
        symbol = self._symbol(kind, name)
        self.add(symbol, node, "override" if symbol in self.stated else "declaration")
        self.stated.add(symbol)

    def _symbol(self, kind: str, name: str) -> Symbol:
        assert self.file is not None
        return self.names.setdefault((kind, name), Symbol(kind, name, str(self.file.path)))

    def _declared(self, node: object) -> None:
        """Pass 1: every declaration, so that order does not matter."""
        if isinstance(node, Import):
            self.declare("import", node.name)
        if not isinstance(node, Declaration) or node.kind.text not in KINDS:
            return
        kind = "language" if node.kind.text == "languages" else node.kind.text
        if isinstance(node.name, Items):
            for item in node.name.items:
                if isinstance(item, Reference) and len(item.parts) == 1:
                    self.declare(kind, item.parts[0])
        elif node.name is not None and KINDS[node.kind.text].naming != "fixed":
            self.declare(kind, node.name)
        for inner in node.body or ():
            if isinstance(inner, Declaration):
                self._declared(inner)
            elif isinstance(inner, Attribute) and (kind, inner.key.text) == ("source", "domain"):
                word = inner.value.value if isinstance(inner.value, Text) else inner.value.span.text
                self._symbol("domain", word)  # a source's own word declares it where nothing else does

    def _used(self, node: object) -> None:
        """Pass 2: every use."""
        match node:
            case Declaration():
                self._declaration(node)
            case Require(left, relation):
                self.names_in(left)
                self.values_in(relation.value)
            case Prefer(left, relation, weight):
                self.names_in(left)
                self.values_in(relation.value)
                if weight is not None:
                    self.values_in(weight)
            case Aim(_, value):
                self.names_in(value)

    def _declaration(self, node: Declaration) -> None:
        if node.kind.text not in KINDS:
            return
        if node.value is not None:
            self._value(node, node.value)
        kind = schema(node.kind.text, node.name.text if isinstance(node.name, Name) else "")
        for item in node.body or ():
            if isinstance(item, Attribute | Limit):
                key = kind.key(item.key.text)
                written = item.value if isinstance(item, Attribute) else item.relation.value
                self.read(key.shape if key else None, written, key)
            else:
                self._used(item)

    def _value(self, node: Declaration, value: Expression) -> None:
        """`param x = …`, `group x = …`, `source x = import.name`."""
        if isinstance(value, Reference) and len(value.parts) == 2 and node.kind.text != "param":
            self._imported(value, node.kind.text)
        elif node.kind.text == "group":
            self.names_in(value)
        else:
            self.values_in(value)

    def _imported(self, node: Reference, kind: str) -> None:
        alias, name = node.parts
        if ("import", alias.text) not in self.names:
            self.add(self.find(name.text, (alias.text,)), name)  # `domain.it`
            return
        self.add(self.names["import", alias.text], alias)
        imported = self.program.imports.get(alias.text)
        if imported is not None and imported.program is not None:
            self.add(self.other(imported.program).find(name.text, (kind,)), name)

    def find(self, word: str, kinds: tuple[str, ...]) -> Symbol | None:
        """What a word stands for, as the first of some kinds that has it."""
        for kind in kinds:
            name = (canonical(word) or word) if kind == "language" else word
            if (found := self.names.get((kind, name))) is not None:
                return found
        if "domain" in kinds:  # that of a source which an import brings
            others = [one.program for one in self.program.imports.values() if one.program is not None]
            return next((found for one in others if (found := self.other(one).names.get(("domain", word)))), None)
        return None

    def names_in(self, node: Expression, *, named: bool = True) -> None:
        """A rule or a group; or, not `named`, an expression of numbers and strings.

        Arguments of functions are names in both; elsewhere only params are, and strings hold `${param}`.
        """
        match node:
            case Call(_, arguments):
                for argument in arguments:
                    self.names_in(argument)
            case Reference(parts) if len(parts) == 2:
                self._imported(node, "param")
            case Reference():
                self.add(self.find(node.text, ("param", *IN_RULES) if named else ("param",)), node)
            case Text(value) if named:
                self.add(self.find(value, IN_RULES), node)
            case Text():
                self._substitutions(node)
            case _:
                for inner in _inside(node):
                    self.names_in(inner, named=named)

    def values_in(self, node: Expression) -> None:
        """An expression of numbers and strings."""
        self.names_in(node, named=False)

    def read(self, shape: Shape | None, node: Expression, key: Key | None) -> None:
        """A value by the shape that its key asks for."""
        match shape, node:
            case Either(shapes), _:
                fitting = [one for one in shapes if isinstance(one, MapOf) == isinstance(node, Map)]
                self.read(fitting[0] if fitting else None, node, key)
            case NameOf(kind), Reference() | Text():
                self.add(self._of_kind(kind, node), node)
            case MapOf(of, value), Map(pairs):
                for pair in pairs:
                    self.add(self._of_kind(of.kind, pair.key), pair.key)
                    self.read(value, pair.value, key)
            case Struct(fields), Map(pairs):
                for pair in pairs:
                    name = pair.key.value if isinstance(pair.key, Text) else pair.key.text
                    found = next((one for one in fields if one.name == name), None)
                    self.read(found.shape if found else None, pair.value, found)
            case ListOf(item), Items(items):
                for element in items:
                    self.read(item, element, key)
            case _:
                self.values_in(node)

    def _of_kind(self, kind: str, node: Name | Text | Reference) -> Symbol | None:
        word = node.value if isinstance(node, Text) else node.text
        kinds = {"rater": ("rater", "target"), "code": ("language",)}.get(kind, (kind,))
        return self.find(word, ("param", *kinds))

    def _substitutions(self, node: Text) -> None:
        for match in SUBSTITUTION.finditer(node.span.text):
            start = node.span.start + match.start(1)
            parts, at = list[Name](), start
            for word in match[1].split("."):
                begin = at + len(word) - len(word.lstrip())
                parts.append(Name(word.strip(), Span(node.span.source, begin, begin + len(word.strip()))))
                at += len(word) + 1
            self.values_in(Reference(tuple(parts), Span(node.span.source, start, node.span.start + match.end(1))))


def _inside(node: Expression) -> Iterator[Expression]:
    match node:
        case Negate(value):
            yield value
        case Binary(_, left, right):
            yield from (left, right)
        case Range(low, high):
            yield from (low, high)
        case Items(items):
            yield from items
        case Map(pairs):
            yield from (pair.value for pair in pairs)
