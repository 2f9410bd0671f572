"""Pass 4: rules become sums of terms against a bound, everything unknown on the left, checked for curvature."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Final

from mixc.compiler.front.arithmetic import Affine, Part, common_dimension, evaluate, quantity, scaled
from mixc.compiler.front.context import Context, shortened
from mixc.compiler.front.curvature import fits
from mixc.compiler.front.entries import RuleNode
from mixc.compiler.front.errors_names import key_set_twice
from mixc.compiler.front.errors_rules import absolute_loss, only_loss, says_nothing
from mixc.compiler.front.errors_units import out_of_range, percent_forgotten, upside_down, wrong_dimension
from mixc.compiler.front.memory import Memory
from mixc.compiler.front.terms import TermReader
from mixc.compiler.front.units import describe, percent
from mixc.compiler.recipe import Rule, Sense
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.printer import format_expression
from mixc.dsl.syntax import Aim, Expression, Number, Prefer, Range, Reference, Relation, Require

DEFAULT_WEIGHT: Final = 0.05
FRACTIONS: Final = ("share", "quality", "change")
_SENSES: Final[dict[str, Sense]] = {"<=": "<=", ">=": ">=", "<": "<=", ">": ">=", "==": "=="}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison of a rule: `left sense bound`, with what the bound was written as."""

    left: Affine
    sense: Sense
    bound: Affine
    written: Expression


def lower(
    nodes: Iterable[RuleNode], context: Context, phase: str | None = None, memory: Memory | None = None
) -> list[Rule]:
    """The rules of a recipe, or of one phase, in the order of the text; `memory` holds those of an earlier reading."""
    found: list[Rule] = []
    aims: dict[str, Aim] = {}  # one per file: a recipe may say what the one that it extends says
    for node in nodes:
        if isinstance(node, Aim):
            _check_aim(node, context)
            first = aims.setdefault(node.span.source.name, node)
            if first is not node and first == node:
                context.out.append(key_set_twice(node.span, first.span, shortened(node.span.text)))
        elif memory is not None:
            found += memory.of(node, phase, context, partial(_rule, node, context, phase))
        else:
            found += _rule(node, context, phase)
    return found


def _check_aim(node: Aim, context: Context) -> None:
    target = node.value
    if node.direction == "minimize" and isinstance(target, Reference) and target.text == "loss":
        return
    what = f"`{node.direction} {shortened(target.span.text)}`"
    context.out.append(only_loss(node.span, what))


def _rule(node: Require | Prefer, context: Context, phase: str | None) -> list[Rule]:
    reader = TermReader(context, phase)
    left = evaluate(node.left, context, "this side of the rule", reader)
    comparisons = _comparisons(node.relation, left, context, reader)
    weight = _weight(node, context)
    text = rule_text(node.left, node.relation)
    made = [_lowered(one, node, text, context) for one in comparisons]
    rules = [replace(rule, weight=weight, phase=phase, members=reader.members) for rule in made if rule is not None]
    return rules if len(rules) == len(comparisons) else []


def rule_text(left: Expression, relation: Relation) -> str:
    """The rule in the one formatting, without verb and weight; `<` and `>` mean `<=` and `>=`."""
    operator = _SENSES.get(relation.operator, "within")
    return f"{format_expression(left)} {operator} {format_expression(relation.value)}"


def _weight(node: Require | Prefer, context: Context) -> float | None:
    if isinstance(node, Require):
        return None
    if node.weight is None:
        return DEFAULT_WEIGHT
    value = quantity(node.weight, context, "`weight`")
    if value is None:
        return DEFAULT_WEIGHT
    span = node.weight.span
    if value.dimension:
        context.out.append(wrong_dimension(span, "`weight`", "", describe(value.dimension), "", ""))
    elif value.value <= 0:
        note = "0.05 nudges, 1 is nearly hard"
        context.out.append(out_of_range(span, "`weight`", shortened(span.text), "more than 0", note))
    return float(value.value)


def _comparisons(relation: Relation, left: Affine | None, context: Context, reader: TermReader) -> list[Comparison]:
    """One comparison, or two for `within`; none after a mistake."""
    value = relation.value
    ends: tuple[Expression, ...] = (value.low, value.high) if isinstance(value, Range) else (value,)
    senses: tuple[Sense, ...] = (">=", "<=") if len(ends) == 2 else (_SENSES[relation.operator],)
    bounds = [evaluate(end, context, "this side of the rule", reader) for end in ends]
    known = [bound for bound in bounds if bound is not None]
    if left is None or len(known) < len(bounds):
        return []
    low, high = known[0], known[-1]
    if not low.parts and not high.parts and low.constant > high.constant:
        context.out.append(upside_down(value.span, shortened(ends[0].span.text), shortened(ends[-1].span.text)))
        return []
    return [Comparison(left, sense, bound, end) for sense, bound, end in zip(senses, known, ends, strict=True)]


def _lowered(one: Comparison, node: Require | Prefer, text: str, context: Context) -> Rule | None:
    dimension = common_dimension(one.left, one.bound)
    if dimension is None:
        context.out.append(_wrong_units(one, node))
        return None
    difference = Affine(
        one.left.constant - one.bound.constant, dimension, one.left.parts + scaled(one.bound, Fraction(-1)).parts
    )
    parts = _collected(difference.parts)
    if all(part.term.baseline is not None for part in parts):
        context.out.append(says_nothing(node.span, shortened(text), _nothing_note(parts)))
        return None
    if not fits(parts, one.sense, node.relation.operator, isinstance(node, Require), context):
        return None
    bound = -difference.constant
    if not _sensible(one, parts, bound, context):
        return None
    if _is_absolute_loss(parts):
        context.out.append(absolute_loss(node.span, shortened(text), _relative_help(parts, one.sense)))
    terms = tuple(replace(part.term, coefficient=float(part.coefficient)) for part in parts)
    return Rule(text, terms, one.sense, float(bound), span=node.span, place=context.place(node.span))


def _collected(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Equal functions added up, in the order of their first appearance; those that cancel are gone."""
    found: dict[object, Part] = {}
    for part in parts:
        earlier = found.get(part.term)
        total = part.coefficient + (earlier.coefficient if earlier else 0)
        found[part.term] = replace(earlier or part, coefficient=total)
    return tuple(part for part in found.values() if part.coefficient)


def _nothing_note(parts: tuple[Part, ...]) -> str:
    return "a strategy's value is a constant; compare the mixture with it" if parts else "both sides are constants"


def _wrong_units(one: Comparison, node: Require | Prefer) -> Diagnostic:
    expected, found = describe(one.left.dimension), describe(one.bound.dimension)
    left, right = shortened(node.left.span.text), shortened(one.written.span.text)
    literal = isinstance(one.written, Number)
    other = left.replace("share(", "tokens(") if found == "tokens" else left.replace("tokens(", "share(")
    help_ = ""
    if literal and other != left and (found == "tokens" or right.endswith("%")):
        help_ = f"write `{other} {one.sense} {right}`"
    elif literal and expected and not right.endswith("%"):
        help_ = f"write `{right.split(' ')[0]} {expected}`"
    return wrong_dimension(one.written.span, f"`{left}`", expected, found, "", help_)


def _sensible(one: Comparison, parts: tuple[Part, ...], bound: Fraction, context: Context) -> bool:
    """Whether a function that stands alone is compared with something it can be."""
    if len(parts) != 1 or parts[0].coefficient != 1 or one.bound.parts:
        return True
    function, text, span = parts[0].term.function, shortened(one.written.span.text), one.written.span
    what = f"`{function}`"
    if bound < 0:
        context.out.append(out_of_range(span, what, text, "0 or more"))
        return False
    if function in FRACTIONS and bound > 1:
        if "%" in text or bound < 2:
            context.out.append(
                out_of_range(span, what, text if "%" in text else f"{text}, which is {percent(bound)}", "at most 100%")
            )
        else:
            context.out.append(percent_forgotten(span, what, text, percent(bound)))
        return False
    return True


def _is_absolute_loss(parts: tuple[Part, ...]) -> bool:
    return all(part.term.function == "loss" and part.term.baseline is None and part.coefficient > 0 for part in parts)


def _relative_help(parts: tuple[Part, ...], sense: Sense) -> tuple[str, ...]:
    if len(parts) != 1 or sense != "<=":
        return ()
    text = shortened(parts[0].span.text)
    return (f"state it against a baseline: `{text} <= 101% * natural.{text}`",)
