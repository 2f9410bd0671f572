"""From reductions of the grammar to syntax nodes: one small function per rule of `mix.lark`.

A function gets the kept symbols of its rule (tokens and finished nodes) and the range of the text that the whole rule
covers, punctuation included.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mixc.dsl import syntax
from mixc.dsl.lexer import Lexed, Token
from mixc.dsl.slips import unescape
from mixc.dsl.text import Span


class Builder:
    """Builds the nodes of one text; `_rule_x` makes the node of rule x."""

    def __init__(self, lexed: Lexed) -> None:
        self._source = lexed.source
        self._text = lexed.source.text
        self._comments = _comment_lines(lexed)

    def action(self, rule: str) -> Callable[[list[Any], int, int], Any]:
        """The function that makes the node of a rule, from its children and its range of the text."""
        made: Callable[[list[Any], int, int], Any] = getattr(self, f"_rule_{rule}")
        return made

    def _span(self, start: int, end: int) -> Span:
        return Span(self._source, start, end)

    def _word(self, token: Token) -> syntax.Name:
        return syntax.Name(self._text[token.start : token.end], Span(self._source, token.start, token.end))

    def _quoted(self, token: Token) -> syntax.Text:
        literal = self._text[token.start : token.end]
        return syntax.Text(unescape(literal), Span(self._source, token.start, token.end))

    def _label(self, child: Any) -> syntax.Name | syntax.Text | syntax.Items:
        if isinstance(child, syntax.Items):
            return child
        return self._quoted(child) if child.type == "STRING" else self._word(child)

    def _rule_start(self, children: list[Any], start: int, end: int) -> syntax.RecipeFile:
        (name, extends, first), *statements = children
        whole = self._span(0, len(self._text))
        return syntax.RecipeFile(name, extends, tuple(statements), self._description(first), whole)

    def _rule_recipe(self, children: list[Any], start: int, end: int) -> tuple[syntax.Name, syntax.Text | None, int]:
        return self._word(children[0]), self._quoted(children[1]) if len(children) > 1 else None, start

    def _rule_import(self, children: list[Any], start: int, end: int) -> syntax.Import:
        return syntax.Import(self._word(children[0]), self._quoted(children[1]), self._span(start, end))

    def _rule_declaration(self, children: list[Any], start: int, end: int) -> syntax.Declaration:
        override = children[0].type == "OVERRIDE"
        *front, body = children[override:]
        head = self._span(start, front[-1].span.end if isinstance(front[-1], syntax.Items) else front[-1].end)
        name = self._label(front[1]) if len(front) > 1 else None
        text = self._description(start)
        return syntax.Declaration(self._word(front[0]), name, None, body, override, text, head, self._span(start, end))

    def _rule_definition(self, children: list[Any], start: int, end: int) -> syntax.Declaration:
        override = children[0].type == "OVERRIDE"
        kind, name, value = children[override:]
        head, text = self._span(start, name.end), self._description(start)
        return syntax.Declaration(
            self._word(kind), self._word(name), value, None, override, text, head, self._span(start, end)
        )

    def _rule_block(self, children: list[Any], start: int, end: int) -> tuple[syntax.Item, ...]:
        return tuple(children)

    def _rule_attribute(self, children: list[Any], start: int, end: int) -> syntax.Attribute:
        return syntax.Attribute(self._word(children[0]), children[1], self._span(start, end))

    def _rule_limit(self, children: list[Any], start: int, end: int) -> syntax.Limit:
        return syntax.Limit(self._word(children[0]), children[1], self._span(start, end))

    def _rule_require(self, children: list[Any], start: int, end: int) -> syntax.Require:
        return syntax.Require(children[0], children[1], self._span(start, end))

    def _rule_prefer(self, children: list[Any], start: int, end: int) -> syntax.Prefer:
        weight = children[2] if len(children) > 2 else None
        return syntax.Prefer(children[0], children[1], weight, self._span(start, end))

    def _rule_minimize(self, children: list[Any], start: int, end: int) -> syntax.Aim:
        return syntax.Aim("minimize", children[0], self._span(start, end))

    def _rule_maximize(self, children: list[Any], start: int, end: int) -> syntax.Aim:
        return syntax.Aim("maximize", children[0], self._span(start, end))

    def _rule_relation(self, children: list[Any], start: int, end: int) -> syntax.Relation:
        sign: Any = self._text[children[0].start : children[0].end]
        return syntax.Relation(sign, children[1], self._span(start, end))

    def _rule_range(self, children: list[Any], start: int, end: int) -> syntax.Range:
        return syntax.Range(children[0], children[-1], self._span(start, end))

    def _rule_binary(self, children: list[Any], start: int, end: int) -> syntax.Binary:
        left, sign, right = children
        return syntax.Binary(self._text[sign.start], left, right, self._span(start, end))  # type: ignore[arg-type]

    def _rule_negate(self, children: list[Any], start: int, end: int) -> syntax.Negate:
        return syntax.Negate(children[-1], self._span(start, end))

    def _rule_quantity(self, children: list[Any], start: int, end: int) -> syntax.Number:
        number = children[0]
        unit = self._word(children[1]) if len(children) > 1 else None
        return syntax.Number(self._text[number.start : number.end], unit, self._span(start, end))

    def _rule_string(self, children: list[Any], start: int, end: int) -> syntax.Text:
        return self._quoted(children[0])

    def _rule_true(self, children: list[Any], start: int, end: int) -> syntax.Boolean:
        return syntax.Boolean(True, self._span(start, end))

    def _rule_false(self, children: list[Any], start: int, end: int) -> syntax.Boolean:
        return syntax.Boolean(False, self._span(start, end))

    def _rule_reference(self, children: list[Any], start: int, end: int) -> syntax.Reference:
        return syntax.Reference(tuple([self._word(child) for child in children]), self._span(start, end))

    def _rule_call(self, children: list[Any], start: int, end: int) -> syntax.Call:
        return syntax.Call(children[0], tuple(children[1:]), self._span(start, end))

    def _rule_list(self, children: list[Any], start: int, end: int) -> syntax.Items:
        return syntax.Items(tuple(children), self._span(start, end))

    def _rule_map(self, children: list[Any], start: int, end: int) -> syntax.Map:
        return syntax.Map(tuple(children), self._span(start, end))

    def _rule_pair(self, children: list[Any], start: int, end: int) -> syntax.Pair:
        key, value = children
        named = self._quoted(key) if key.type == "STRING" else self._word(key)
        return syntax.Pair(named, value, self._span(start, end))

    def _description(self, start: int) -> str:
        """The comment block that ends on the line above the statement at `start`, without its `#` marks."""
        line, column = self._source.position(start)
        if not self._comments or self._text[start - column + 1 : start].strip(" \t,"):
            return ""
        lines: list[str] = []
        while (line := line - 1) in self._comments:
            lines.append(self._comments[line])
        return "\n".join(reversed(lines)).strip("\n")


def _comment_lines(lexed: Lexed) -> dict[int, str]:
    """The text of every comment that has a line to itself, by line number."""
    source, found = lexed.source, {}
    for start, end in lexed.comments:
        line, column = source.position(start)
        if not source.text[start - column + 1 : start].strip():
            found[line] = source.text[start + 1 : end].removeprefix(" ").rstrip()
    return found
