"""The shape of a recipe: its outline, what can be folded, and colours by what a word means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mixc.backends.lsp.workspace import Workspace
from mixc.compiler.front.kinds import KINDS
from mixc.compiler.front.terms import FUNCTIONS
from mixc.dsl.driver import keywords
from mixc.dsl.lexer import lex
from mixc.dsl.syntax import Aim, Attribute, Declaration, Import, Limit, Prefer, RecipeFile, Require, Statement
from mixc.dsl.text import SourceText, Span

COLOURS = (
    "comment", "string", "number", "keyword", "type", "property", "function", "variable", "parameter", "operator",
    "namespace",
)  # fmt: skip
BY_KIND = {"param": "parameter", "import": "namespace"}
OPERATORS = frozenset({"PLUS", "MINUS", "TIMES", "OVER", "RELATION", "RANGE", "EQUAL"})


@dataclass(frozen=True, slots=True)
class Heading:
    """A line of the outline: name, what it is, its range, that of its head, and what stands in it."""

    name: str
    sort: str
    span: Span
    head: Span
    inner: tuple[Heading, ...] = ()


@dataclass(frozen=True, slots=True)
class Colour:
    """A range [start, end) of a text, what it is, and whether it is declared there."""

    start: int
    end: int
    sort: str
    declares: bool = False


def outline(tree: RecipeFile) -> list[Heading]:
    """The statements of a recipe, with those in them."""
    return [_heading(one) for one in tree.statements]


def _heading(node: Statement) -> Heading:
    match node:
        case Import(name, _, span):
            return Heading(name.text, "import", span, name.span)
        case Declaration():
            head = node.head.text.removeprefix("override").split()
            inner = tuple(_heading(one) for one in node.body or ())
            return Heading(" ".join(head), node.kind.text, node.span, node.head, inner)
        case Attribute(key, _, span) | Limit(key, _, span):
            return Heading(key.text, "key", span, key.span)
        case Require(_, _, span) | Aim(_, _, span):
            return Heading(" ".join(span.text.split()), "rule", span, span)
        case Prefer():
            return Heading(" ".join(node.span.text.split()), "rule", node.span, node.span)


def folds(source: SourceText) -> list[tuple[int, int, bool]]:
    """Ranges of lines from 0 that can be folded: brackets over several lines, and blocks of comments (True)."""
    lexed = lex(source)
    found: list[tuple[int, int, bool]] = []
    opened: list[int] = []
    for token in lexed.tokens:
        if token.type in ("LBRACE", "LSQB", "LPAR"):
            opened.append(_line(source, token.start))
        elif token.type in ("RBRACE", "RSQB", "RPAR") and opened:
            start, end = opened.pop(), _line(source, token.start)
            found += [(start, end - 1, False)] if end - 1 > start else []
    lines = [line for start, _ in lexed.comments if source.line(line := _line(source, start) + 1).lstrip()[:1] == "#"]
    first = last = -1
    for line in [*lines, -1]:
        if line != last + 1:
            found += [(first - 1, last - 1, True)] if last > first >= 0 else []
            first = line
        last = line
    return sorted(set(found))


def colours(workspace: Workspace, path: Path) -> Iterator[Colour]:
    """What every word of a text is, in the order of the text: by its name where it has one, else by its form."""
    source = workspace.text(path)
    names = {one.span.offset: one for one in workspace.names(path) if one.path == str(path)}
    lexed = lex(source)
    comments = [(start, end, "COMMENT") for start, end in lexed.comments]
    tokens = [(token.start, token.end, token.type) for token in lexed.tokens]
    ordered = sorted([*comments, *tokens])
    for number, (start, end, kind) in enumerate(ordered):
        following = ordered[number + 1][2] if number + 1 < len(ordered) else ""
        if end > start and (found := names.get(start)) is not None and end - start == len(found.span.text):
            sort = BY_KIND.get(found.symbol.kind, "variable")
            yield Colour(start, end, sort, found.role == "declaration")
        elif sort := _by_form(kind, source.text[start:end], following, ordered[number - 1][2] if number else ""):
            yield Colour(start, end, sort)


def _by_form(kind: str, word: str, following: str, before: str) -> str:
    first = before in ("", "_NEWLINE", "LBRACE", "COMMA", "OVERRIDE", "COMMENT")
    if kind in ("COMMENT", "STRING"):
        return kind.lower()
    if kind in ("NUMBER", "UNIT"):
        return "number"
    if kind in OPERATORS:
        return "operator"
    if word in FUNCTIONS and following == "LPAR":
        return "function"
    if kind in keywords() or kind in ("TRUE", "FALSE"):
        return "keyword"
    if kind != "NAME":
        return ""
    if following == "LPAR":
        return "function"
    if first and following in ("EQUAL", "RELATION", "WITHIN", "COLON"):
        return "property"
    return "type" if first and word in KINDS else ""


def _line(source: SourceText, offset: int) -> int:
    return source.position(offset)[0] - 1
