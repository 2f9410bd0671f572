"""Rules and amounts in words, for diagnostics about mixtures."""

from __future__ import annotations

import math

from mixc.compiler.recipe import Rule, Selector

SENSES = {"<=": "at most", ">=": "at least", "==": "exactly"}
FRACTIONS = ("share", "quality", "change")
LETTERS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))


def size(value: float, *, up: bool = False, down: bool = False) -> str:
    """A number in four digits, rounded up or down where a bound must still be met."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 3)
    nudge = 1e-9 * abs(value) / step
    steps = math.ceil(value / step - nudge) if up else math.floor(value / step + nudge) if down else round(value / step)
    return f"{steps * step:.10g}"


def tokens(count: float, *, up: bool = False, down: bool = False) -> str:
    """`416.7B tokens`."""
    scale, letter = next(((s, c) for s, c in LETTERS if abs(count) >= s), (1.0, ""))
    return f"{size(count / scale, up=up, down=down)}{letter} tokens"


def passes(count: float) -> str:
    """`4 passes`."""
    return f"{count:g} pass" if count == 1 else f"{count:g} passes"


def selection(of: Selector) -> str:
    """`de` of `web`: what a selector names; empty for everything."""
    kinds = (of.languages, of.domains, of.sources, of.phases)
    named = [", ".join(f"`{name}`" for name in kind[:4]) + (" …" if len(kind) > 4 else "") for kind in kinds if kind]
    if of.best is not None:
        named.insert(0, f"the best {100 * of.best:g}%")
    return " in ".join(named)


def amount(rule: Rule, value: float, *, up: bool = False, down: bool = False) -> str:
    """A bound as a recipe writes it: `40%`, `2B tokens`, `4`."""
    function = rule.terms[0].function
    if function in FRACTIONS:
        return f"{size(100 * value, up=up, down=down)}%"
    if function in ("tokens", "info"):
        return tokens(value, up=up, down=down)
    return size(value, up=up, down=down)


def meaning(rule: Rule) -> str:
    """What a rule demands, in a few words, for its label."""
    bound = f"{SENSES[rule.sense]} {amount(rule, rule.bound)}"
    term, what = rule.terms[0], selection(rule.terms[0].of)
    if len(rule.terms) > 1 or term.coefficient != 1:
        return "required here" if _quotes_baseline(rule) else f"{bound} in all"
    where = f" of phase `{rule.phase}`" if rule.phase else ""
    if term.function in ("share", "tokens"):
        return f"{bound}{where} from {what}" if what else f"{bound}{where}"
    if term.function == "loss":
        return f"a loss of {bound}" + (f" in {what}" if what else "")
    names = {"epochs": "mean passes", "quality": "mean quality", "info": "information", "change": "change"}
    return f"{names.get(term.function, term.function)} of {bound}" + (f" for {what}" if what else "")


def loosened(rule: Rule, bound: float, distance: float) -> str:
    """The rule as it would have to read to give way by `distance`."""
    left = _left_side(rule.text)
    if rule.sense == "<=":
        return f"`{left} <= {amount(rule, bound + distance, up=True)}`"
    if rule.sense == ">=":
        lowest = -math.inf if len(rule.terms) > 1 else 0.0
        return f"`{left} >= {amount(rule, max(bound - distance, lowest), down=True)}`"
    return f"`{left}` within {amount(rule, distance, up=True)} of {amount(rule, bound)}"


def _left_side(text: str) -> str:
    return next((text.split(f" {word} ")[0] for word in ("within", "<=", ">=", "==") if f" {word} " in text), text)


def _quotes_baseline(rule: Rule) -> bool:
    return any(term.baseline is not None or term.manifest is not None for term in rule.terms)
