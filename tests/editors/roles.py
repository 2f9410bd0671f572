"""What every piece of a recipe is, by mixc's own lexer and parser: what both colourings are held against."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from mixc.dsl.driver import Failure, build_tree
from mixc.dsl.lexer import lex
from mixc.dsl.syntax import Attribute, Call, Declaration, Import, Limit, Name, Pair, RecipeFile, Reference
from mixc.dsl.text import SourceText
from tests.fuzz.trees import nodes

ROOT = Path(__file__).parents[2]
TRICKY = Path(__file__).with_name("tricky.mix")
RECIPES = [
    TRICKY,
    *sorted((ROOT / "recipes").rglob("*.mix")),
    *sorted((ROOT / "tests" / "cases" / "syntax" / "good").glob("*.mix")),
]
BROKEN = sorted((ROOT / "tests" / "cases" / "syntax" / "bad").glob("*.mix"))

ROLES = {
    **dict.fromkeys(("RECIPE", "EXTENDS", "IMPORT", "WEIGHT"), "keyword"),
    **dict.fromkeys(("REQUIRE", "PREFER", "MINIMIZE", "MAXIMIZE"), "verb"),
    **dict.fromkeys(("TRUE", "FALSE"), "truth"),
    **dict.fromkeys(("PLUS", "MINUS", "TIMES", "OVER"), "arithmetic"),
    **dict.fromkeys(("LPAR", "RPAR", "LSQB", "RSQB", "LBRACE", "RBRACE", "COMMA", "COLON", "DOT"), "mark"),
    **{name: name.lower() for name in ("OVERRIDE", "WITHIN", "RELATION", "RANGE", "EQUAL", "NUMBER", "UNIT", "STRING")},
}


class Piece(NamedTuple):
    """A range of a text and its role; `kind` is the kind of the declaration that a kind or its name belongs to."""

    start: int
    end: int
    role: str
    kind: str = ""


def pieces(text: str) -> list[Piece]:
    """Every token and comment of a recipe that parses, in order. A name has the role that its place gives it."""
    lexed = lex(SourceText("", text))
    assert lexed.diagnostics == []
    tree = build_tree(lexed)
    assert not isinstance(tree, Failure), text
    named = dict(_names(tree))
    found = [Piece(start, end, "comment") for start, end in lexed.comments]
    for type_, start, end in lexed.tokens:
        if type_ not in ("_NEWLINE", "$END"):
            found.append(Piece(start, end, *named.get((start, end), (ROLES.get(type_, "?"), ""))))
    return sorted(found)


def _names(tree: RecipeFile):
    """(start, end) -> (role, kind) of every name in a tree; names in expressions come first, others overrule them."""
    places = {}

    def put(name: object, role: str, kind: str = "") -> None:
        if isinstance(name, Name):
            places[name.span.start, name.span.end] = role, kind

    for reference in nodes(tree, Reference):
        for part in reference.parts:
            put(part, "name")
    for call in nodes(tree, Call):
        put(call.function.parts[-1], "function")
    for node in nodes(tree, (Attribute, Limit, Pair)):
        put(node.key, "key")
    for node in nodes(tree, Declaration):
        put(node.kind, "kind", node.kind.text)
        put(node.name, "declared", node.kind.text)
    for node in nodes(tree, Import):
        put(node.name, "namespace")
    put(tree.name, "recipe")
    return places
