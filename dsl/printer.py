"""Nodes to one line of text: the canonical spelling, by which a rule is known in manifests.

Printing and parsing again gives an equal node, except that `<` and `>` become `<=` and `>=`, which they mean.
Brackets stand only where they are needed. Comments are no part of nodes; `formatter.py` keeps them.
"""

from __future__ import annotations

from typing import assert_never

from mixc.dsl.syntax import (
    Aim,
    Attribute,
    Binary,
    Boolean,
    Call,
    Declaration,
    Expression,
    Import,
    Items,
    Limit,
    Map,
    Name,
    Negate,
    Number,
    Prefer,
    Range,
    Reference,
    Relation,
    Require,
    Statement,
    Text,
)

SPELLING = {"<": "<=", ">": ">="}
ESCAPE = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"})
SUM, PRODUCT, SIGNED, ATOM = range(4)
BINDING = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT}


def format_expression(node: Expression) -> str:
    """An expression or range: `2 * share(en) + 30%`, `6% .. 20%`."""
    match node:
        case Number(literal, unit):
            return f"{literal} {unit.text}" if unit else literal
        case Text(value):
            return f'"{value.translate(ESCAPE)}"'
        case Boolean(value):
            return "true" if value else "false"
        case Reference():
            return node.text
        case Call(function, arguments):
            return f"{function.text}({_joined(arguments)})"
        case Items(items):
            return f"[{_joined(items)}]"
        case Map(pairs):
            inner = ", ".join(f"{_label(pair.key)}: {format_expression(pair.value)}" for pair in pairs)
            return f"{{ {inner} }}" if pairs else "{}"
        case Negate(operand):
            return f"-{_within(operand, SIGNED)}"
        case Binary(operator, left, right):
            level = BINDING[operator]
            return f"{_within(left, level)} {operator} {_within(right, level + 1)}"
        case Range(low, high):
            return f"{format_expression(low)} .. {format_expression(high)}"
        case _:
            assert_never(node)


def format_relation(node: Relation) -> str:
    """The right-hand side of a rule: `>= 30%`, `within 6% .. 20%`."""
    return f"{SPELLING.get(node.operator, node.operator)} {format_expression(node.value)}"


def format_comparison(node: Require | Prefer | Limit) -> str:
    """A rule without its verb and weight: `share(en) >= 30%`."""
    left = node.key.text if isinstance(node, Limit) else format_expression(node.left)
    return f"{left} {format_relation(node.relation)}"


def format_rule(node: Require | Prefer | Aim | Limit) -> str:
    """A whole rule: `require share(en) >= 30%`, `prefer share(hi) >= 5% weight 0.05`, `minimize loss`."""
    match node:
        case Require():
            return f"require {format_comparison(node)}"
        case Prefer():
            weight = f" weight {format_expression(node.weight)}" if node.weight is not None else ""
            return f"prefer {format_comparison(node)}{weight}"
        case Aim(direction, value):
            return f"{direction} {format_expression(value)}"
        case Limit():
            return format_comparison(node)
        case _:
            assert_never(node)


def format_statement(node: Statement) -> str:
    """Any statement on one line, blocks included; descriptions are left out."""
    match node:
        case Import(name, path):
            return f"import {name.text} = {format_expression(path)}"
        case Attribute(key, value):
            return f"{key.text} = {format_expression(value)}"
        case Declaration():
            return _declaration(node)
        case _:
            return format_rule(node)


def _declaration(node: Declaration) -> str:
    words = ["override"] if node.override else []
    words.append(node.kind.text)
    if node.name is not None:
        words.append(_label(node.name) if isinstance(node.name, Name | Text) else format_expression(node.name))
    if node.value is not None:
        return f"{' '.join(words)} = {format_expression(node.value)}"
    inner = ", ".join(format_statement(item) for item in node.body or ())
    return f"{' '.join(words)} {{ {inner} }}" if inner else f"{' '.join(words)} {{}}"


def _joined(nodes: tuple[Expression, ...]) -> str:
    return ", ".join(format_expression(node) for node in nodes)


def _label(node: Name | Text) -> str:
    return node.text if isinstance(node, Name) else format_expression(node)


def _within(node: Expression, level: int) -> str:
    """The text of an operand, in brackets when it binds less tightly than `level`."""
    binding = BINDING[node.operator] if isinstance(node, Binary) else SIGNED if isinstance(node, Negate) else ATOM
    text = format_expression(node)
    return f"({text})" if binding < level else text
