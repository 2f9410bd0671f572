"""Evaluation of expressions: exact sums of constants and, in rules, of multiples of functions of the mixture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, TypeAlias

from mixc.compiler.front.context import Context, is_circular, param_of, shortened, unknown_path
from mixc.compiler.front.errors_budget import budget_unknown
from mixc.compiler.front.errors_files import circular_value
from mixc.compiler.front.errors_names import did_you_mean, unknown_name
from mixc.compiler.front.errors_rules import not_linear
from mixc.compiler.front.errors_units import unknown_unit, unusable_number, wrong_dimension, wrong_type
from mixc.compiler.front.units import (
    LOSS,
    NUMBER,
    UNIT_SYNONYMS,
    UNITS,
    WHOLE_BUDGET,
    Dimension,
    Quantity,
    describe,
    in_reach,
    parse_literal,
    parse_unit,
    times,
)
from mixc.compiler.recipe import Term
from mixc.dsl.syntax import Binary, Boolean, Call, Expression, Items, Map, Negate, Number, Range, Reference, Text
from mixc.dsl.text import Span

BUDGET_PARTS: Final = ("model", "tokens", "compute")
_BIG_BYTES: Final = {"KB": "K", "MB": "M", "GB": "B", "TB": "T", "KiB": "K", "MiB": "M", "GiB": "B", "TiB": "T"}
_NAMES: Final[dict[type, str]] = {
    Text: "a string",
    Boolean: "true or false",
    Items: "a list",
    Map: "a map",
    Range: "a range",
    Call: "a call",
    Reference: "a name",
    Number: "a number",
    Binary: "a number",
    Negate: "a number",
}


@dataclass(frozen=True, slots=True)
class Part:
    """A multiple of one function; the term's own coefficient stays 1."""

    coefficient: Fraction
    term: Term
    span: Span


@dataclass(frozen=True, slots=True)
class Affine:
    """`constant + sum of parts`, all of one dimension."""

    constant: Fraction
    dimension: Dimension = NUMBER
    parts: tuple[Part, ...] = ()


Terms: TypeAlias = Callable[[Reference | Call], tuple[Affine | None] | None]
"""Reads a function of the mixture: None when the node is none, `(None,)` when it is one with a mistake in it."""


def describe_node(node: Expression) -> str:
    """What an expression is, in words: "a list", "the name `web`"."""
    if isinstance(node, Reference):
        return f"the name `{node.text}`"
    return f"`{shortened(node.span.text)}`" if isinstance(node, Call) else _NAMES[type(node)]


def quantity(node: Expression, context: Context, what: str) -> Quantity | None:
    """The value of an expression without functions; `what` names the place in messages, as in "`priority`"."""
    value = evaluate(node, context, what)
    return None if value is None else Quantity(value.constant, value.dimension)


def evaluate(node: Expression, context: Context, what: str, terms: Terms | None = None) -> Affine | None:
    """The value of an expression; None after a mistake, which has been reported."""
    spine: list[Binary | Negate] = []
    while isinstance(node, Binary | Negate):
        spine.append(node)
        node = node.left if isinstance(node, Binary) else node.operand
    value = _atom(node, context, what, terms)
    while spine:
        outer = spine.pop()
        if isinstance(outer, Binary):
            value = _combined(outer, value, evaluate(outer.right, context, what, terms), context)
        elif value is not None:
            value = scaled(value, Fraction(-1))
    return value


def scaled(value: Affine, factor: Fraction, dimension: Dimension = NUMBER, sign: int = 1) -> Affine:
    """The value times a constant, whose dimension is multiplied (or with `sign = -1` divided) too."""
    parts = tuple(replace(part, coefficient=part.coefficient * factor) for part in value.parts)
    return Affine(value.constant * factor, times(value.dimension, dimension, sign), parts)


def common_dimension(left: Affine, right: Affine) -> Dimension | None:
    """The dimension two sides share: a bare zero fits everything, and losses are often written without unit."""
    if left.dimension == right.dimension:
        return left.dimension
    for one, other in ((left, right), (right, left)):
        if not other.parts and other.dimension == NUMBER and (not other.constant or one.dimension == LOSS):
            return one.dimension
    return None


def _atom(node: Expression, context: Context, what: str, terms: Terms | None) -> Affine | None:
    match node:
        case Number():
            return _number(node, context)
        case Reference() | Call():
            handled = terms(node) if terms is not None else None
            if handled is not None:
                return handled[0]
            if isinstance(node, Reference):
                return _reference(node, context, what, terms)
    context.out.append(wrong_type(node.span, what, "a number", describe_node(node)))
    return None


def _number(node: Number, context: Context) -> Affine | None:
    value = parse_literal(node.literal)
    if value is None:
        reason = "too long to be meant" if len(node.literal) > 80 else "too large or too small to be meant"
        context.out.append(unusable_number(node.span, shortened(node.literal), reason))
        return None
    if node.unit is None:
        return Affine(value)
    dimension = parse_unit(node.unit.text)
    if isinstance(dimension, str):
        context.out.append(unknown_unit(node.unit.span, node.unit.text, _units(), _unit_help(node, dimension)))
        return None
    if node.literal.endswith("%"):
        context.out.append(unusable_number(node.span, node.span.text, "a percentage has no unit"))
        return None
    return Affine(value, dimension)


def _units() -> tuple[str, ...]:
    return tuple(dict.fromkeys(UNITS.values()))


def _unit_help(node: Number, part: str) -> tuple[str, ...]:
    assert node.unit is not None
    if part in _BIG_BYTES and part == node.unit.text and node.literal[-1].isdigit():
        return (f"write `{node.literal}{_BIG_BYTES[part]} bytes`",)
    if part in UNIT_SYNONYMS:
        meant = UNIT_SYNONYMS[part] if part == node.unit.text.split("/")[0] else UNIT_SYNONYMS[part].rstrip("s")
        return (f"did you mean `{node.unit.text.replace(part, meant)}`?",)
    return did_you_mean(part, tuple(UNITS))


def _reference(node: Reference, context: Context, what: str, terms: Terms | None) -> Affine | None:
    param = param_of(node, context)
    if is_circular(node, context):
        return None
    if param is not None and param.value is not None:
        return evaluate(param.value, context, what, terms)
    if node.parts[0].text == "budget" and len(node.parts) == 2:
        return _budget_part(node, context)
    if node.text.lower() in ("nan", "inf", "infinity"):
        context.out.append(unusable_number(node.span, node.text, "not an amount of anything"))
    elif len(node.parts) == 1:
        known = tuple(context.scope(node.span).params)
        context.out.append(unknown_name(node.span, node.text, "param", known, "params of the recipe"))
    else:
        found = unknown_path(node, context, "param")
        context.out.extend([found] if found else [])
    return None


def _budget_part(node: Reference, context: Context) -> Affine | None:
    """`budget.tokens`: what the budget states or what follows from it."""
    name = node.parts[1].text
    if name not in BUDGET_PARTS:
        context.out.append(unknown_name(node.parts[1].span, name, "part of the budget", BUDGET_PARTS, "parts"))
        return None
    if name not in context.budget and name not in context.budget_settings:
        context.out.append(budget_unknown(node.span, node.text, "the budget does not fix it"))
        return None
    known = stated_size(name, node.span, context)
    if known is not None and known.dimension == WHOLE_BUDGET and not context.in_phases:
        context.out.append(budget_unknown(node.span, node.text, "the size of the run is searched for"))
        return None
    return None if known is None else Affine(known.value, known.dimension)


def stated_size(name: str, span: Span, context: Context) -> Quantity | None:
    """A size that the budget states, evaluated once; `span` is what asks for it."""
    if name in context.budget_open:
        first = context.budget_open.index(name)
        circle = [f"budget.{part}" for part in (*context.budget_open[first:], name)]
        context.out.append(circular_value(span, circle[0], circle))
        return None
    if name not in context.budget:
        context.budget_open.append(name)
        found = quantity(context.budget_settings[name], context, f"`{name}`")
        context.budget_open.pop()
        context.budget[name] = found
    return context.budget[name]


def _combined(node: Binary, left: Affine | None, right: Affine | None, context: Context) -> Affine | None:
    if left is None or right is None:
        return None
    match node.operator:
        case "+" | "-":
            value = _sum(node, left, scaled(right, Fraction(1 if node.operator == "+" else -1)), context)
        case "*":
            value = _product(node, left, right, context)
        case _:
            value = _quotient(node, left, right, context)
    if value is not None and not all(map(in_reach, (value.constant, *(part.coefficient for part in value.parts)))):
        context.out.append(unusable_number(node.span, shortened(node.span.text), "too large or too small to be meant"))
        return None
    return value


def _sum(node: Binary, left: Affine, right: Affine, context: Context) -> Affine | None:
    dimension = common_dimension(left, right)
    if dimension is None:
        names = shortened(node.left.span.text), describe(left.dimension), describe(right.dimension)
        note = "only numbers of one unit can be added"
        context.out.append(wrong_dimension(node.right.span, f"`{names[0]}`", names[1], names[2], note, ""))
        return None
    return Affine(left.constant + right.constant, dimension, left.parts + right.parts)


def _product(node: Binary, left: Affine, right: Affine, context: Context) -> Affine | None:
    if left.parts and right.parts:
        what = f"`{shortened(node.span.text)}` multiplies two functions of the mixture"
        context.out.append(not_linear(node.span, what, "a product of unknowns", "multiply a function by a number only"))
        return None
    many, one = (left, right) if left.parts else (right, left)
    return scaled(many, one.constant, one.dimension)


def _quotient(node: Binary, left: Affine, right: Affine, context: Context) -> Affine | None:
    if right.parts:
        what = f"`{shortened(node.span.text)}` divides by a function of the mixture"
        over, under = shortened(node.left.span.text), shortened(node.right.span.text)
        help_ = f"multiply the rule out: `{over} >= number * {under}`"
        context.out.append(not_linear(node.span, what, "a quotient of unknowns", help_))
        return None
    if not right.constant:
        context.out.append(unusable_number(node.span, shortened(node.span.text), "a division by zero"))
        return None
    return scaled(left, 1 / right.constant, right.dimension, -1)
