"""Pass 3: the budget. compute = f * model * tokens; two of the three fix the third, and every bound is checked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, Literal, cast

from mixc.compiler.front.arithmetic import quantity, stated_size
from mixc.compiler.front.checks import UNDECLARED
from mixc.compiler.front.context import Context, shortened
from mixc.compiler.front.entries import Entry
from mixc.compiler.front.errors_budget import budget_bound, budget_disagrees, budget_open
from mixc.compiler.front.errors_names import missing, ticked
from mixc.compiler.front.errors_units import out_of_range
from mixc.compiler.front.kinds import BUDGET
from mixc.compiler.front.measures import measured
from mixc.compiler.front.shapes import Measure
from mixc.compiler.front.units import (
    FLOPS,
    MOST,
    PARAMS,
    RATIO,
    TOKENS,
    WHOLE_BUDGET,
    Dimension,
    Quantity,
    percent,
    show,
)
from mixc.compiler.front.values import read_entry
from mixc.compiler.recipe import Bound, Budget, Figure, Sense
from mixc.dsl.diagnostics import Label
from mixc.dsl.syntax import Range
from mixc.dsl.text import Span

Part = Literal["model", "tokens", "compute", "ratio"]
DIMENSIONS: Final[dict[Part, Dimension]] = {"model": PARAMS, "tokens": TOKENS, "compute": FLOPS, "ratio": RATIO}
SIZES: Final[tuple[Part, ...]] = ("model", "tokens", "compute")
AGREEMENT: Final = Fraction(5, 1000)
LEAST: Final = Fraction(10**6)  # tokens: fewer, and a millionth of the budget is no token
_SENSES: Final[dict[str, Sense]] = {"<=": "<=", ">=": ">=", "<": "<=", ">": ">=", "==": "=="}


@dataclass(frozen=True, slots=True)
class Sizes:
    """Exact sizes; the ones that nothing fixes are None."""

    model: Fraction | None
    tokens: Fraction | None
    compute: Fraction | None

    def of(self, part: Part) -> Fraction | None:
        """A size, or the ratio of two."""
        if part == "ratio":
            return None if self.model is None or self.tokens is None else self.tokens / self.model
        return cast("Fraction | None", getattr(self, part))


def build_budget(entry: Entry | None, context: Context, header: Span) -> Budget | None:
    """The budget; None after a mistake. From then on `budget.tokens` has a value in expressions."""
    if entry is None:
        what, note = "the recipe has no budget", "shares and repetition only mean something for a run of known size"
        if not any(d.code in UNDECLARED for d in context.out):
            context.out.append(
                missing(header, what, note, "add `budget { model = 1.2B params, tokens = 400B tokens }`")
            )
        context.budget.update(dict.fromkeys(SIZES))
        return None
    given, sound = _given(entry, context)
    values = read_entry(entry, BUDGET, context)
    factor = Fraction(str(values.get("flops_per_param_token", 6)))
    bounds = _bounds(entry, context)
    wanted: set[Part] = {part for part in SIZES if entry.setting(part) is not None}
    if not sound or wanted != set(given):
        context.budget.update({part: given.get(part) for part in SIZES})
        return None
    if not _is_closed(entry, wanted, bounds, context):
        context.budget.update(dict.fromkeys(SIZES))
        return None
    stated = Sizes(*(given[part].value if part in given else None for part in SIZES))
    sizes = _solved(stated, factor)
    _publish(sizes, context)
    if not (_agree(entry, stated, sizes, factor, context) & _bounds_hold(entry, bounds, sizes, context)):
        return None
    return Budget(
        params=_float(sizes.model),
        tokens=None if sizes.tokens is None else round(sizes.tokens),
        flops=_float(stated.compute if stated.compute is not None else sizes.compute),
        bounds=bounds,
        flops_per_param_token=float(factor),
        seed=values.get("seed", 0),
        tokenizer=values.get("tokenizer"),
        span=entry.head,
    )


def _given(entry: Entry, context: Context) -> tuple[dict[Part, Quantity], bool]:
    """The sizes that the budget states, and whether all of them could be read."""
    context.budget_settings = {part: setting.value for part in SIZES if (setting := entry.setting(part)) is not None}
    found: dict[Part, Quantity] = {}
    for part, node in context.budget_settings.items():
        size = cast("Part", part)
        value = stated_size(part, node.span, context)
        if value is not None and value.dimension == DIMENSIONS[size] and value.value > 0:
            found[size] = value
    return found, len(found) == len(context.budget_settings)


def _bounds(entry: Entry, context: Context) -> tuple[Bound, ...]:
    found: list[Bound] = []
    for limit in entry.limits:
        part = cast("Part", limit.key.text)
        if part not in DIMENSIONS:
            continue
        value = limit.relation.value
        ends = (value.low, value.high) if isinstance(value, Range) else (value,)
        senses: tuple[Sense, ...] = (">=", "<=") if len(ends) == 2 else (_SENSES[limit.relation.operator],)
        key = BUDGET.key(part)
        assert key is not None and isinstance(key.shape, Measure)
        for sense, end in zip(senses, ends, strict=True):
            number = quantity(end, context, f"`{part}`")
            note = f"`{part}` {key.doc}"
            if number is not None and measured(number, key.shape, end, f"`{part}`", note, context):
                figure = Figure(float(number.value), shortened(end.span.text), limit.span)
                found.append(Bound(part, sense, figure))
    return tuple(found)


def _is_closed(entry: Entry, wanted: set[Part], bounds: tuple[Bound, ...], context: Context) -> bool:
    """Whether the size of the run is fixed, or compute alone leaves a bounded search."""
    if len(wanted) >= 2 or (wanted == {"compute"} and bounds):
        return True
    given = f"only `{next(iter(wanted))}`" if wanted else "none of `model`, `tokens` and `compute`"
    helps = [f"add {' or '.join(ticked([part]) for part in SIZES if part not in wanted)}"]
    if not wanted:
        helps = ["add two of them, such as `model = 1.2B params, tokens = 400B tokens`"]
    if wanted == {"compute"}:
        helps.append("or bound the search over model sizes: `ratio >= 20 tokens/param`")
    context.out.append(budget_open(entry.head, given, tuple(helps)))
    return False


def _solved(stated: Sizes, factor: Fraction) -> Sizes:
    model, tokens, compute = stated.model, stated.tokens, stated.compute
    if model is not None and tokens is not None:
        return replace(stated, compute=factor * model * tokens)
    if model is not None and compute is not None:
        return replace(stated, tokens=compute / (factor * model))
    if tokens is not None and compute is not None:
        return replace(stated, model=compute / (factor * tokens))
    return stated


def _publish(sizes: Sizes, context: Context) -> None:
    """Make the sizes known to expressions; while the search is open, tokens stand for themselves."""
    for part in SIZES:
        value = sizes.of(part)
        if value is not None:
            context.budget[part] = Quantity(Fraction(round(value)) if part == "tokens" else value, DIMENSIONS[part])
        else:
            context.budget.pop(part, None)
    if sizes.tokens is None:
        context.budget["tokens"] = Quantity(Fraction(1), WHOLE_BUDGET)


def _agree(entry: Entry, stated: Sizes, sizes: Sizes, factor: Fraction, context: Context) -> bool:
    told = stated.tokens is not None and stated.tokens > MOST
    if sizes.tokens is not None and not told and not LEAST <= sizes.tokens <= MOST:
        note = "shares are decided to a millionth of the budget"
        if stated.tokens is None:
            note = f"compute = {float(factor):g} * model * tokens, and {note}"
        setting = entry.setting("tokens")
        where = entry.head if setting is None else setting.value.span
        context.out.append(out_of_range(where, "`tokens`", show(sizes.tokens, TOKENS), "between 1M and 1e18", note))
        return False
    computed, compute = sizes.compute, stated.compute
    if None in (stated.model, stated.tokens) or compute is None or computed is None:
        return True
    off = abs(computed / compute - 1)
    if off <= AGREEMENT:
        return True
    texts = {"compute": "compute stated here", "model": "", "tokens": ""}
    labels = [Label(setting.span, text) for part, text in texts.items() if (setting := entry.setting(part))]
    context.out.append(
        budget_disagrees(
            labels,
            show(computed, FLOPS),
            show(compute, FLOPS),
            percent(float(f"{float(off):.3g}")),
            f"{float(factor):g}",
        )
    )
    return False


def _bounds_hold(entry: Entry, bounds: tuple[Bound, ...], sizes: Sizes, context: Context) -> bool:
    """Check every bound on a size that is known; the others bind the search."""
    held = True
    for bound in bounds:
        value = sizes.of(bound.key)
        limit = Fraction(bound.figure.value)
        if value is None or _holds(value, bound.sense, limit):
            continue
        held = False
        used = ("model", "tokens") if bound.key == "ratio" else (bound.key,)
        labels = [Label(setting.span, "") for part in used if (setting := entry.setting(part)) is not None]
        how = f"`{bound.key}` is {show(value, DIMENSIONS[bound.key])}"
        if bound.key == "ratio" and sizes.tokens is not None and sizes.model is not None:
            how += f": {show(sizes.tokens, TOKENS)} over {show(sizes.model, PARAMS)}"
        assert bound.figure.span is not None
        context.out.append(
            budget_bound(bound.figure.span, f"{bound.key} {bound.sense} {bound.figure.text}", how, labels)
        )
    return held


def _holds(value: Fraction, sense: Sense, limit: Fraction) -> bool:
    slack = abs(limit) * Fraction(1, 10**9)
    return (sense == ">=" or value <= limit + slack) and (sense == "<=" or value >= limit - slack)


def _float(value: Fraction | None) -> float | None:
    return None if value is None else float(value)
