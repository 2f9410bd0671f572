"""Mutations of syntax trees that still parse: other names, numbers, units, bounds, verbs; statements exchanged."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from mixc.dsl.parser import parse
from mixc.dsl.printer import format_expression, format_statement
from mixc.dsl.syntax import (
    Attribute,
    Binary,
    Call,
    Declaration,
    Items,
    Limit,
    Map,
    Name,
    Number,
    Prefer,
    Range,
    RecipeFile,
    Reference,
    Relation,
    Require,
)
from mixc.dsl.text import SourceText

LITERALS = (
    "0",
    "1",
    "2",
    "0.5",
    "3",
    "10",
    "17",
    "1e-9",
    "1e3",
    "1e18",
    "1e999",
    "0.001%",
    "1%",
    "5%",
    "20%",
    "30%",
    "50%",
    "90%",
    "100%",
    "120%",
    "1K",
    "3M",
    "100M",
    "2B",
    "20B",
    "400B",
    "1T",
    "15T",
    "0.0001",
)
UNITS = ("tokens", "params", "FLOPs", "tokens/param", "bytes", "words", "params/token", "token", None)
RELATIONS = ("<=", ">=", "==", "<", ">")
FUNCTIONS = ("share", "tokens", "epochs", "passes", "quality", "info", "loss", "each", "best", "change")
WORDS = (
    "direct",
    "two_step",
    "unimax",
    "temperature",
    "natural",
    "uniform",
    "free",
    "epochs",
    "shares",
    "rated",
    "logc",
    "linear",
    "isolated",
    "info",
    "tokens",
    "none",
    "higher",
    "rank",
)
CODES = ("en", "de", "no", "fr", "nb", "zh", "xx", "zxx", "ceb")
GRAFTS = (Path(__file__).parents[1] / "cases" / "fuzz" / "grafts.txt").read_text()
Mutation = Callable[[random.Random, RecipeFile, tuple[RecipeFile, ...]], RecipeFile]


def read(text: str) -> RecipeFile:
    """The tree of a text that has no mistake."""
    tree, found = parse(SourceText("recipe.mix", text))
    assert tree is not None, (text, [d.message for d in found])
    return tree


def printed(tree: RecipeFile) -> str:
    """A tree as text, a statement a line."""
    extends = f" extends {format_expression(tree.extends)}" if tree.extends else ""
    return "\n".join([f"recipe {tree.name.text}{extends}", *map(format_statement, tree.statements)]) + "\n"


def mutate_tree(chance: random.Random, trees: tuple[RecipeFile, ...]) -> str:
    """A recipe with one to four mutations, which parses; now and then its statements are shuffled."""
    tree = chance.choice(trees)
    for _ in range(chance.randint(1, 4)):
        tree = chance.choices(MUTATIONS, WEIGHTS)[0](chance, tree, trees)
    if chance.random() < 0.1:
        tree = replace(tree, statements=tuple(chance.sample(tree.statements, len(tree.statements))))
    text = printed(tree)
    read(text)
    return text


def nodes(node: Any, kind: type | tuple[type, ...]) -> Iterator[Any]:
    """Every node of a kind, in the order of the text; the head of a file is none."""
    if isinstance(node, kind):
        yield node
    if isinstance(node, tuple):
        for child in node:
            yield from nodes(child, kind)
    elif is_dataclass(node) and not isinstance(node, type):
        for child in fields(node):
            if not (isinstance(node, RecipeFile) and child.name in ("name", "extends")):
                yield from nodes(getattr(node, child.name), kind)


def exchanged(node: Any, old: Any, new: Any) -> Any:
    """The tree with the very node `old` replaced."""
    if node is old:
        return new
    if isinstance(node, tuple):
        return tuple(exchanged(child, old, new) for child in node)
    if is_dataclass(node) and not isinstance(node, type):
        changed = {}
        for child in fields(node):
            before = getattr(node, child.name)
            after = exchanged(before, old, new) if isinstance(before, tuple) or is_dataclass(before) else before
            if (after is not before and after != before) or _differs(before, after):
                changed[child.name] = after
        return replace(node, **changed) if changed else node
    return node


def _differs(before: Any, after: Any) -> bool:
    return isinstance(before, tuple) and any(a is not b for a, b in zip(before, after, strict=True))


def _swap(chance: random.Random, tree: RecipeFile, kind: Any, other: Callable[[Any], Any]) -> RecipeFile:
    found = list(nodes(tree.statements, kind))
    if not found:
        return tree
    old = chance.choice(found)
    result = exchanged(tree, old, other(old))
    assert isinstance(result, RecipeFile)
    return result


def number(chance: random.Random, tree: RecipeFile, _: tuple[RecipeFile, ...]) -> RecipeFile:
    """Another number of the same unit, or the same number of another unit."""

    def other(old: Number) -> Number:
        if chance.random() < 0.2:
            unit = chance.choice(UNITS)
            return replace(old, unit=Name(unit, old.span) if unit else None)
        return replace(old, literal=chance.choice(LITERALS))

    return _swap(chance, tree, Number, other)


def name(chance: random.Random, tree: RecipeFile, _: tuple[RecipeFile, ...]) -> RecipeFile:
    """Another word in the place of a name; a unit of two words can stand nowhere else."""
    words = [node.text for node in nodes(tree.statements, Name) if "/" not in node.text]
    pool = chance.choice([words, words, CODES, WORDS, FUNCTIONS])
    return _swap(chance, tree, Name, lambda old: replace(old, text=chance.choice(list(pool))))


def function(chance: random.Random, tree: RecipeFile, _: tuple[RecipeFile, ...]) -> RecipeFile:
    """Another function of the same arguments."""

    def other(old: Call) -> Call:
        word = Name(chance.choice(FUNCTIONS), old.span)
        return replace(old, function=Reference((*old.function.parts[:-1], word), old.span))

    return _swap(chance, tree, Call, other)


def relation(chance: random.Random, tree: RecipeFile, _: tuple[RecipeFile, ...]) -> RecipeFile:
    """A bound in the other direction."""

    def other(old: Relation) -> Relation:
        operator = "within" if old.operator == "within" else chance.choice(RELATIONS)
        return replace(old, operator=operator)  # type: ignore[arg-type]

    return _swap(chance, tree, Relation, other)


def verb(chance: random.Random, tree: RecipeFile, _: tuple[RecipeFile, ...]) -> RecipeFile:
    """`require` becomes `prefer` and back."""

    def other(old: Require | Prefer) -> Require | Prefer:
        if isinstance(old, Prefer):
            return Require(old.left, old.relation, old.span)
        return Prefer(
            old.left, old.relation, Number(chance.choice(("0.05", "1", "0", "1e6")), None, old.span), old.span
        )

    return _swap(chance, tree, (Require, Prefer), other)


def operator(chance: random.Random, tree: RecipeFile, _: tuple[RecipeFile, ...]) -> RecipeFile:
    """Another operation of the same operands."""
    return _swap(chance, tree, Binary, lambda old: replace(old, operator=chance.choice("+-*/")))


def drop(chance: random.Random, tree: RecipeFile, _: tuple[RecipeFile, ...]) -> RecipeFile:
    """One statement, item, element or pair less."""
    holders = [tree, *nodes(tree.statements, (Declaration, Items, Map))]
    holder = chance.choice(holders)
    for key in ("statements", "body", "items", "pairs"):
        listed = getattr(holder, key, None)
        if listed:
            gone = chance.randrange(len(listed))
            result = exchanged(tree, holder, replace(holder, **{key: listed[:gone] + listed[gone + 1 :]}))
            assert isinstance(result, RecipeFile)
            return result
    return tree


def graft(chance: random.Random, tree: RecipeFile, trees: tuple[RecipeFile, ...]) -> RecipeFile:
    """A statement of another recipe, or of the list above, at the top or inside a phase."""
    other = read(GRAFTS) if chance.random() < 0.8 else chance.choice(trees)
    statement = chance.choice(other.statements)
    if isinstance(statement, Declaration) and chance.random() < 0.6:
        same = [
            s
            for s in tree.statements
            if isinstance(s, Declaration) and (s.kind, s.name) == (statement.kind, statement.name)
        ]
        tree = replace(tree, statements=tuple(s for s in tree.statements if not any(s is one for one in same)))
    phases = [s for s in tree.statements if isinstance(s, Declaration) and s.kind.text == "phase" and s.body]
    if phases and chance.random() < 0.2 and isinstance(statement, Declaration | Require | Prefer):
        phase = chance.choice(phases)
        result = exchanged(tree, phase, replace(phase, body=(*(phase.body or ()), statement)))
        assert isinstance(result, RecipeFile)
        return result
    return replace(tree, statements=(*tree.statements, statement))


def twice(chance: random.Random, tree: RecipeFile, _: tuple[RecipeFile, ...]) -> RecipeFile:
    """A statement or an item that stands there a second time."""

    def other(old: Any) -> Any:
        return replace(old, body=(*old.body, chance.choice(old.body))) if old.body else old

    if chance.random() < 0.5 and tree.statements:
        return replace(tree, statements=(*tree.statements, chance.choice(tree.statements)))
    return _swap(chance, tree, Declaration, other)


def bound(chance: random.Random, tree: RecipeFile, _: tuple[RecipeFile, ...]) -> RecipeFile:
    """A limit becomes an attribute and back."""

    def other(old: Attribute | Limit) -> Attribute | Limit:
        if isinstance(old, Limit):
            return Attribute(old.key, old.relation.value, old.span)
        if isinstance(old.value, Range):  # which stands after `within` only, and that is for rules
            return old
        return Limit(old.key, Relation(chance.choice(RELATIONS), old.value, old.span), old.span)  # type: ignore[arg-type]

    return _swap(chance, tree, (Attribute, Limit), other)


MUTATIONS: tuple[Mutation, ...] = (number, name, function, relation, verb, operator, drop, graft, twice, bound)
WEIGHTS = (8, 2, 1, 2, 2, 1, 2, 12, 1, 0.5)
