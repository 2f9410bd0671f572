"""A text that is being edited: read again piece by piece, one top-level statement each.

What did not change keeps its tree, or its mistakes, and only moves. Where a bracket is left open, or the header is
wrong, pieces depend on each other, and the whole text is read as `parse` reads it. The good pieces are the tree to go
on with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from mixc.dsl.diagnostics import Diagnostic, in_order
from mixc.dsl.driver import build_tree
from mixc.dsl.lexer import Token, lex
from mixc.dsl.parser import mistakes_in, parse
from mixc.dsl.reading import check_text
from mixc.dsl.recovery import MANY
from mixc.dsl.syntax import Name, RecipeFile, Statement
from mixc.dsl.text import Above, Piece, SourceText, Span

PART = re.compile(r'"(?:\\.|[^"\\\r\n])*"|#[^\n]*|[{(\[]|[})\]]|\n|[^\s"#{}()\[\]]+|"')
GOES_ON = ("+", "-", "*", "/", "<", ">", "<=", ">=", "==", "..")
ACROSS = frozenset({"M002", "M007"})  # brackets, which open and close across pieces
BELONGS = (*GOES_ON, "{", "within")  # a line that begins so is the rest of a statement, as its mistake says
HEADER = (Token("RECIPE", 0, 0), Token("NAME", 0, 0), Token("_NEWLINE", 0, 0))  # stands before a piece without one


@dataclass(frozen=True, slots=True)
class Parsed:
    """A text as it was read. `tree` is None where the text has a mistake; `whole` is what could be read anyway.

    `texts` are those that the nodes of the trees stand in.
    """

    source: SourceText
    tree: RecipeFile | None
    whole: RecipeFile
    texts: tuple[SourceText, ...]
    found: list[Diagnostic]


@dataclass(slots=True)
class _Read:
    """A piece with its tree, or None where it has mistakes; `alone` where they do not depend on other pieces."""

    piece: Piece
    tree: RecipeFile | None
    found: list[Diagnostic] = field(default_factory=list)
    alone: bool = True


class Edited:
    """The text of one file under the name that diagnostics show, as it changes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._before: dict[str, list[_Read]] = {}

    def read(self, text: str) -> Parsed:
        """The tree of the text, from pieces that are the same as in the text before it."""
        source = SourceText(self.name, text)
        if faults := check_text(source):
            return Parsed(
                source, None, RecipeFile(_nobody(source), None, (), "", Span(source, 0, 0)), (source,), faults
            )
        reads = self._reads(text)
        header = reads[0].tree
        texts = (source, *(one.piece for one in reads))
        whole = RecipeFile(
            name=header.name if header else _nobody(source),
            extends=header.extends if header else None,
            statements=tuple(_statements(reads)),
            description=header.description if header else "",
            span=Span(source, 0, len(text)),
        )
        if all(one.tree is not None for one in reads):
            return Parsed(source, whole, whole, texts, [])
        bad = [one for one in reads if one.tree is None]
        found = in_order(found for one in bad for found in one.found)
        if all(one.alone for one in bad) and header is not None and len(found) <= MANY:
            return Parsed(source, None, whole, texts, found)
        tree, found = parse(source)
        return Parsed(source, tree, whole if tree is None else tree, texts, found)

    def _reads(self, text: str) -> list[_Read]:
        reads, lines, characters = list[_Read](), 0, 0
        for part in pieces(text):
            same = self._before.get(part)
            one = same.pop() if same else self._read(part, header=not reads)
            one.piece.above.lines, one.piece.above.characters = lines, characters
            reads.append(one)
            lines, characters = lines + part.count("\n"), characters + len(part)
        self._before = {}
        for one in reversed(reads[1:]):  # where several are the same each finds itself again
            self._before.setdefault(one.piece.text, []).append(one)
        return reads

    def _read(self, part: str, *, header: bool) -> _Read:
        piece = Piece(self.name, part, Above())
        lexed = lex(piece)
        if not header:
            lexed.tokens[:0] = HEADER
            lexed.bad = {index + len(HEADER) for index in lexed.bad}
            lexed.joined = {index + len(HEADER) for index in lexed.joined}
        tree = build_tree(lexed) if not lexed.diagnostics else None
        if isinstance(tree, RecipeFile):
            return _Read(piece, tree)
        alone = not header and not any(one.code in ACROSS for one in lexed.diagnostics)
        return _Read(piece, None, mistakes_in(lexed) if alone else [], alone)


def pieces(text: str) -> list[str]:
    """The text cut behind every line that ends a top-level statement; the first piece holds the header."""
    cuts, depth, last = [0], 0, ""
    for found in PART.finditer(text):
        part = found.group()
        if part == "\n":
            if depth == 0 and last and not last.endswith(GOES_ON):
                cuts.append(found.end())
                last = ""
        elif part[0] != "#":
            if not last and len(cuts) > 1 and part.startswith(BELONGS):
                cuts.pop()
            depth = max(0, depth + (part in "{([") - (part in "})]"))
            last = part
    if cuts[-1] < len(text) or len(cuts) == 1:
        cuts.append(len(text))
    return [text[start:end] for start, end in pairwise(cuts)]


def _statements(reads: list[_Read]) -> Iterator[Statement]:
    for one in reads:
        if one.tree is not None:
            yield from one.tree.statements


def _nobody(source: SourceText) -> Name:
    return Name("", Span(source, 0, 0))
