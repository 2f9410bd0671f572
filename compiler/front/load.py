"""Pass 1: read a recipe with every file that it extends or imports, and nothing outside its folder.

A `Program` is one recipe with the chain of recipes it extends; each import is a program of its own. Paths are
relative to the file that names them. Every file is parsed once per program, so that the text a node came from tells
which program's params it sees.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path, PurePath
from typing import Protocol

from mixc.compiler.front.artefacts import not_a_recipe
from mixc.compiler.front.errors_files import cyclic_files, outside_tree, too_deep
from mixc.compiler.front.errors_names import declared_twice, unusable_name
from mixc.compiler.front.kinds import RESERVED, STRATEGIES
from mixc.compiler.recipe import InputFile
from mixc.dsl.diagnostics import Diagnostic, Label
from mixc.dsl.parser import parse
from mixc.dsl.reading import read_source
from mixc.dsl.syntax import Import, RecipeFile, Text
from mixc.dsl.text import SourceText, Span

DEEPEST = 50


@dataclass(frozen=True, eq=False)
class File:
    """One recipe file: where it lies, its name relative to the root recipe's folder, its text and its tree.

    `texts` are what the tree's nodes stand in: the text, or pieces of it.
    """

    path: Path
    name: str
    source: SourceText
    tree: RecipeFile
    texts: tuple[SourceText, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was read: its text, its tree or None after a mistake, and the texts that the nodes stand in."""

    source: SourceText
    tree: RecipeFile | None
    texts: tuple[SourceText, ...]


class Reader(Protocol):
    """Where the texts of recipes come from: files, or an editor that holds what is not saved yet."""

    def __call__(self, path: Path, shown: str) -> tuple[Written | None, list[Diagnostic]]:
        """A file under the name that diagnostics show; None where it cannot be had. No text is given twice."""
        ...


def from_file(path: Path, shown: str) -> tuple[Written | None, list[Diagnostic]]:
    """A recipe as it lies on disk."""
    source, found = read_source(path, shown)
    written, mistakes = (None, found) if source is None else from_text(source)
    if (written is None or written.tree is None) and (other := not_a_recipe(path, shown, source)):
        return None, [other]
    return written, mistakes


def from_text(source: SourceText) -> tuple[Written, list[Diagnostic]]:
    """A recipe that no file holds."""
    tree, mistakes = parse(source)
    return Written(source, tree, (source,)), mistakes


@dataclass(frozen=True, slots=True)
class Imported:
    """An import: the statement, and the program it names, or None when that could not be read."""

    statement: Import
    program: Program | None


@dataclass(frozen=True, eq=False)
class Program:
    """A recipe and what it extends, the most basic file first, with the imports of all of them."""

    files: tuple[File, ...]
    imports: Mapping[str, Imported]


@dataclass(frozen=True, slots=True)
class Link:
    """How a file came to be read: its real path, its shown name, and where and by which word it was named."""

    real: str
    shown: str
    span: Span | None
    verb: str


@dataclass(slots=True)
class Tree:
    """The folder that a recipe may read from, and what was read so far."""

    folder: Path
    shown_folder: str
    allow_outside: bool
    reader: Reader = from_file
    digests: dict[str, str] = field(default_factory=dict)
    imported: dict[str, Program | None] = field(default_factory=dict)
    out: list[Diagnostic] = field(default_factory=list)

    def locate(self, text: str, near: Path, span: Span) -> Path | None:
        """The absolute path that a string in the file `near` names, or None when it may not be read."""
        if "\0" in text:
            self.out.append(outside_tree(span, text.replace("\0", "\\0"), "every folder"))
            return None
        path = Path(os.path.normpath(near.parent / text))
        inside = PurePath(os.path.realpath(path)).is_relative_to(os.path.realpath(self.folder))
        if not inside and not self.allow_outside:
            self.out.append(outside_tree(span, text, f"`{self.shown_folder or '.'}`"))
            return None
        return path

    def name(self, path: Path) -> str:
        """A file's name relative to the recipe's folder, with forward slashes."""
        return PurePath(os.path.relpath(path, self.folder)).as_posix()

    def shown(self, path: Path) -> str:
        """The name under which diagnostics show a file: as the user would type it."""
        return PurePath(os.path.normpath(PurePath(self.shown_folder) / self.name(path))).as_posix()


def load(
    path: Path, *, allow_outside: bool = False, reader: Reader = from_file
) -> tuple[Program | None, Tree, list[Diagnostic]]:
    """The program of a recipe file; the tree it was read from; syntax and file diagnostics.

    With errors among the diagnostics the program is incomplete and only good for reporting.
    """
    absolute = Path(os.path.normpath(path.absolute()))
    tree = Tree(absolute.parent, path.parent.as_posix(), allow_outside, reader)
    root = Link(os.path.realpath(absolute), PurePath(path).as_posix(), None, "checks")
    program = _program(tree, absolute, (root,))
    return program, tree, tree.out


def input_files(tree: Tree) -> tuple[InputFile, ...]:
    """Every file that was read, by name, with the SHA-256 of its bytes."""
    return tuple(InputFile(name, digest) for name, digest in sorted(tree.digests.items()))


def _program(tree: Tree, path: Path, links: tuple[Link, ...]) -> Program | None:
    chain: list[File] = []
    imports: dict[str, Imported] = {}
    current: Path | None = path
    while current is not None:
        file = _file(tree, current, links[-1])
        if file is None:
            return None
        chain.append(file)
        for statement in file.tree.statements:
            if isinstance(statement, Import):
                _import(tree, statement, file, links, imports)
        current, links = _parent(tree, file, links)
    return Program(tuple(reversed(chain)), imports)


def _file(tree: Tree, path: Path, link: Link) -> File | None:
    written, found = tree.reader(path, link.shown)
    if written is None:
        tree.out.extend(found if link.span is None else [_blame(d, link.span) for d in found])
        return None
    tree.out.extend(found)
    tree.digests[tree.name(path)] = sha256(written.source.text.encode()).hexdigest()
    if written.tree is None:
        return None
    return File(path, tree.name(path), written.source, written.tree, written.texts)


def _blame(diagnostic: Diagnostic, span: Span) -> Diagnostic:
    """The diagnostic of an unreadable file, pointing at the words that name the file."""
    if diagnostic.labels:
        return diagnostic
    return replace(diagnostic, labels=(Label(span, "named here"),), subject=None)


def _parent(tree: Tree, file: File, links: tuple[Link, ...]) -> tuple[Path | None, tuple[Link, ...]]:
    extends = file.tree.extends
    if extends is None:
        return None, links
    return _follow(tree, extends, "extends", file, links)


def _follow(
    tree: Tree, text: Text, verb: str, file: File, links: tuple[Link, ...]
) -> tuple[Path | None, tuple[Link, ...]]:
    """The path that a string names and the links that lead to it; None when it may not be read."""
    path = tree.locate(text.value, file.path, text.span)
    if path is None:
        return None, links
    link = Link(os.path.realpath(path), tree.shown(path), text.span, verb)
    first = next((i for i, earlier in enumerate(links) if earlier.real == link.real), None)
    if first is not None:
        circle = (*links[first:], link)
        spans = [(step.span, step.verb) for step in circle[1:] if step.span is not None]
        tree.out.append(cyclic_files(spans, [step.shown for step in circle]))
        return None, links
    if len(links) >= DEEPEST:
        tree.out.append(too_deep(text.span, "recipes", DEEPEST))
        return None, links
    return path, (*links, link)


def _import(tree: Tree, statement: Import, file: File, links: tuple[Link, ...], imports: dict[str, Imported]) -> None:
    alias = statement.name.text
    if alias in (*RESERVED, *STRATEGIES):
        tree.out.append(
            unusable_name(statement.name.span, alias, "import", "has a meaning of its own", ("choose another name",))
        )
    if alias in imports:
        first = imports[alias].statement.name.span
        tree.out.append(declared_twice(statement.name.span, first, "import", alias, "import", inherited=False))
        return
    path, further = _follow(tree, statement.path, "imports", file, links)
    if path is None:
        imports[alias] = Imported(statement, None)
        return
    real = os.path.realpath(path)
    if real not in tree.imported:
        tree.imported[real] = _program(tree, path, further)
    imports[alias] = Imported(statement, tree.imported[real])
