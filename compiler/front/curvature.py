"""Which directions a rule may have: its solutions must form a convex set, or no optimum could be certified."""

from __future__ import annotations

from typing import Final, Literal

from mixc.compiler.front.arithmetic import Part
from mixc.compiler.front.context import Context, shortened
from mixc.compiler.front.errors_rules import wrong_curvature
from mixc.compiler.recipe import Selector, Sense

Curvature = Literal["affine", "convex", "concave"]
CURVATURE: Final[dict[str, Curvature]] = {"passes": "convex", "loss": "convex", "change": "convex", "info": "concave"}
ALONE: Final = ("passes", "change")
_REASONS: Final = {
    "passes": "the largest repetition can only be bounded from above: `passes(x) <= n`",
    "change": 'the change from a manifest can only be bounded from above: `change("m.json") <= 5%`',
    "loss": "a loss falls ever more slowly with data, so it can only be bounded from above: `loss(x) <= n`",
    "info": "information grows ever more slowly with data, so it can only be bounded from below: `info(x) >= n`",
}


def fits(parts: tuple[Part, ...], sense: Sense, operator: str, hard: bool, context: Context) -> bool:
    """Whether `sum of parts sense constant` describes a convex set; if not, says which term is in the way."""
    unknown = [part for part in parts if part.term.baseline is None]
    limits = next((part for part in unknown if part.term.function == "passes"), None)
    if limits is not None and not hard:
        text = shortened(limits.span.text)
        what = f"`{text}` can be required, and not preferred"
        help_ = ("write `require`, or prefer a bound on the mean: `epochs(...)`",)
        context.out.append(wrong_curvature(limits.span, what, "limits every cell by itself", _LIMIT, help_))
        return False
    for part in unknown:
        found = _fault(part, unknown, sense, operator)
        if found is not None:
            what, label, reason = found
            context.out.append(wrong_curvature(part.span, what, label, reason, _help(part, unknown)))
            return False
    return True


def _fault(part: Part, unknown: list[Part], sense: Sense, operator: str) -> tuple[str, str, str] | None:
    """What is wrong with one term: a sentence, a label, and which directions there are."""
    function, text = part.term.function, shortened(part.span.text)
    if function == "quality":
        if _is_linear_quality(unknown) or len(unknown) == 1:
            return None
        return f"`{text}` can only be compared with a number", "a mean, compared with another unknown", _QUALITY
    curvature = CURVATURE.get(function, "affine")
    if curvature == "affine":
        return None
    if function in ALONE and len(unknown) > 1:
        return f"`{text}` can only be compared with a number", "not alone", _REASONS[function]
    small = (curvature == "convex") == (part.coefficient > 0)
    if sense != "==" and small == (sense == "<="):
        return None
    if part.coefficient < 0 and len(unknown) > 1:
        return f"`{text}` cannot be the bound of another function", "bounds something unknown", _REASONS[function]
    return f"`{text}` cannot be bounded with `{operator}`", "bounded from the wrong side", _REASONS[function]


_LIMIT = "a limit on the repetition of each cell has no single shortfall that a weight could price"
_QUALITY = (
    "quality is a mean over what is taken: it is compared with a number, `quality(x) >= 60%`, or between whole phases, "
    "`quality(anneal) >= quality(pretrain) + 10%`"
)


def _is_linear_quality(unknown: list[Part]) -> bool:
    """Whether the tokens under every mean are fixed: the whole mixture or whole phases."""
    return all(part.term.function == "quality" and _whole(part.term.of) for part in unknown)


def _whole(of: Selector) -> bool:
    return of.sources is of.languages is of.domains is None and of.best is None and of.each in (None, "phase")


def _help(part: Part, unknown: list[Part]) -> tuple[str, ...]:
    """The same rule turned round, where that is one function against a number."""
    function = part.term.function
    if function == "quality":
        return ()
    if len(unknown) > 1:
        return ("bound a share or tokens instead",)
    turned = ">=" if CURVATURE.get(function) == "concave" else "<="
    other = ", or bound a share or tokens instead" if function in ("loss", "info") else ""
    return (f"turn it round with `{turned}`{other}",)
