"""The LALR automaton of `table.py`: tokens in, a tree or the place of the first mistake out."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from mixc.dsl.build import Builder
from mixc.dsl.lexer import Lexed
from mixc.dsl.syntax import RecipeFile
from mixc.dsl.table import Production, load_table

Make: TypeAlias = Callable[[list[Any], int, int], Any]


class Failure(NamedTuple):
    """The index of the token that did not fit, and the state that refused it."""

    at: int
    state: int


def build_tree(lexed: Lexed) -> RecipeFile | Failure:
    """The tree of a text without mistakes, or its first one. Linear in the tokens, and not recursive."""
    table, steps = load_table(), _steps(Builder(lexed))
    rows, words = table.rows, keywords()
    states, values, ranges = [table.start], list[Any](), list[tuple[int, int]]()
    for index, token in enumerate(lexed.tokens):
        kind = token.type
        while True:
            row = rows[states[-1]]
            move = row.get(kind)
            if move is None:
                if kind == "$END" and states[-1] == table.end:
                    tree: RecipeFile = values[0]
                    return tree
                if kind not in words or not _takes_name(row, kind):
                    return Failure(index, states[-1])
                kind = "NAME"
            elif move >= 0:
                states.append(move)
                values.append(token)
                ranges.append((token.start, token.end))
                break
            else:
                size, origin, make = steps[~move]
                start, end = ranges[-size][0], ranges[-1][1]
                value = make(values[-size:], start, end)
                del states[-size:], values[-size:], ranges[-size:]
                states.append(rows[states[-1]][origin])
                values.append(value)
                ranges.append((start, end))
    return Failure(len(lexed.tokens) - 1, states[-1])


class Recogniser:
    """The automaton without a tree: for going on after a mistake, and for asking what would have fitted."""

    def __init__(self, states: list[int] | None = None) -> None:
        self.states = states or [load_table().start]

    def copy(self) -> Recogniser:
        """One that goes its own way from here."""
        return Recogniser(self.states.copy())

    def feed(self, kind: str, *, as_name: bool = True) -> bool:
        """Take a token of this type; False, with `states` where the mistake was noticed, when it does not fit.

        A keyword is taken for a name where only a name fits, unless `as_name` is off.
        """
        table, words, states = load_table(), keywords(), self.states
        while True:
            row = table.rows[states[-1]]
            move = row.get(kind)
            if move is None:
                if kind == "$END" and states[-1] == table.end:
                    return True
                if not as_name or kind not in words or not _takes_name(row, kind):
                    return False
                kind = "NAME"
            elif move >= 0:
                states.append(move)
                return True
            else:
                production = table.productions[~move]
                del states[-production.size :]
                states.append(table.rows[states[-1]][production.origin])

    @property
    def expects_statement(self) -> bool:
        """Whether a statement may begin here."""
        return "REQUIRE" in load_table().rows[self.states[-1]]

    def fitting(self) -> list[str]:
        """The types of token that would fit next, sorted."""
        candidates = [symbol for symbol in table_terminals() if symbol in load_table().rows[self.states[-1]]]
        return [kind for kind in candidates if self.copy().feed(kind, as_name=False)]


def _takes_name(row: dict[str, int], keyword: str) -> bool:
    """Whether a keyword may be a name here; `recipe` and `import` never begin an attribute or a declaration."""
    return "NAME" in row and not ("REQUIRE" in row and keyword in ("RECIPE", "IMPORT"))


@cache
def keywords() -> frozenset[str]:
    """The types of the words that are names wherever the grammar wants a name."""
    return frozenset(kind for text, kind in load_table().literals.items() if text[0].isalpha())


@cache
def table_terminals() -> tuple[str, ...]:
    """Every type of token that the automaton knows, sorted."""
    table = load_table()
    return tuple(sorted({*table.patterns, *table.literals.values(), "$END"}))


def _steps(builder: Builder) -> list[tuple[int, str, Make]]:
    """For every production how many symbols it takes, what it makes them, and the function that makes the value."""
    return [(p.size, p.origin, _make(builder, p)) for p in load_table().productions]


def _make(builder: Builder, production: Production) -> Make:
    keep = production.keep
    if production.inline:
        return lambda values, start, end: _children(values, keep)
    if production.expand:  # `?rule`: every alternative that makes no node of its own keeps one value
        ((only, spliced),) = keep
        return lambda values, start, end: values[only][0] if spliced else values[only]
    act = builder.action(production.action)
    if not any(splice for _, splice in keep):
        places = [index for index, _ in keep]
        return lambda values, start, end: act([values[index] for index in places], start, end)
    return lambda values, start, end: act(_children(values, keep), start, end)


def _children(values: list[Any], keep: tuple[tuple[int, bool], ...]) -> list[Any]:
    """The kept values, lists spliced in. A list that comes first is extended in place: it has no other owner."""
    children: list[Any] = []
    for place, (index, splice) in enumerate(keep):
        if not splice:
            children.append(values[index])
        elif place == 0:
            children = values[index]
        else:
            children.extend(values[index])
    return children
