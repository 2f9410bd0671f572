"""Whether a number has the dimension and the range that its place asks for."""

from __future__ import annotations

from typing import Final

from mixc.compiler.front.context import Context, shortened
from mixc.compiler.front.errors_units import out_of_range, percent_forgotten, wrong_dimension
from mixc.compiler.front.shapes import Measure
from mixc.compiler.front.units import NUMBER, WHOLE_BUDGET, Quantity, describe, percent
from mixc.dsl.syntax import Binary, Expression, Number

_COST: Final = "what another language takes away is `cost`"


def measured(found: Quantity, shape: Measure, node: Expression, what: str, note: str, context: Context) -> bool:
    """Whether a quantity has the dimension and the range of a measure; if not, says so."""
    text = shortened(node.span.text)
    free = (shape.bare and found.dimension == NUMBER) or (shape.exact and found.dimension == WHOLE_BUDGET)
    if found.dimension != shape.dimension and not free:
        expected, got = describe(shape.dimension), describe(found.dimension)
        literal = node.literal if isinstance(node, Number) and not node.literal.endswith("%") else ""
        help_ = f"write `{literal} {expected}`" if literal and expected else f"write `{literal}`" if literal else ""
        context.out.append(wrong_dimension(node.span, what, expected, got, note, help_))
        return False
    value = found.value
    if shape.high == 1 and value > 1 and not isinstance(node, Binary) and "%" not in text and value >= 2:
        context.out.append(percent_forgotten(node.span, what, text, percent(value)))
        return False
    if shape.whole and value.denominator != 1:
        context.out.append(out_of_range(node.span, what, text, "a whole number", note))
        return False
    too_low = shape.low is not None and (value < shape.low or (shape.above and value == shape.low))
    if too_low or (shape.high is not None and value > shape.high):
        help_ = _COST if what == "`transfer`" and too_low else ""
        context.out.append(out_of_range(node.span, what, text, _range(shape, too_low), note, help_))
        return False
    return True


def _range(shape: Measure, too_low: bool) -> str:
    if shape.high == 1:
        return "more than 0% and at most 100%" if shape.above else "between 0% and 100%"
    if too_low:
        low = f"{float(shape.low or 0):g}"
        return f"more than {low}" if shape.above else f"{low} or more"
    return f"at most {float(shape.high or 0):.3g}".replace("e+0", "e").replace("e+", "e")
