"""How large the training run is: what was asked for, read by the language's own rules, and what follows from it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mixc.compiler.front.errors_units import wrong_type
from mixc.compiler.front.load import from_text
from mixc.compiler.front.passes import load_recipe
from mixc.compiler.front.units import FLOPS, PARAMS, TOKENS, UNIT_SYNONYMS, UNITS, describe, parse_literal
from mixc.compiler.recipe import Budget
from mixc.dsl.diagnostics import Diagnostic, has_errors
from mixc.dsl.text import SourceText, Span

COMMAND_LINE = "<command line>"
PARTS = {"model": describe(PARAMS), "tokens": describe(TOKENS), "compute": describe(FLOPS)}
SOURCE = "source web { supply = { en: 1T tokens }, epochs <= 4 }\n"  # without one it were no recipe
USUAL_MODEL = 1.2e9
TOKENS_PER_PARAM = 20  # what a model of least loss for its compute sees, about
LEAST_TOKENS = 1e6  # that a recipe may ask for
ONE_VALUE = re.compile(r"[^\n\r,;={}\[\]#\"]+")  # anything else would be more than the value of one key
SCALES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))


@dataclass(frozen=True, slots=True)
class Size:
    """The two figures that the budget states, as it states them, and the tokens and parameters that they mean."""

    stated: tuple[tuple[str, str], tuple[str, str]]
    model: float
    tokens: float
    chosen: tuple[str, ...] = ()  # those of them that nobody asked for


def sized(asked: Mapping[str, str], supply: float) -> tuple[Size | None, list[Diagnostic]]:
    """The size that at most two of `model`, `tokens` and `compute` say.

    What is not said follows: twenty tokens a parameter, and no more tokens than `supply` where nothing is said of
    them. A number without its unit is taken in the unit of its part.
    """
    texts = {part: _with_unit(text, PARTS[part]) for part, text in asked.items()}
    rough = {part: _rough(text) for part, text in texts.items()}
    full = _completed(texts, rough, supply)
    lines = "".join(f"  {part} = {text}\n" for part, text in full.items())
    for part, text in texts.items():
        if not ONE_VALUE.fullmatch(text):
            source = SourceText(COMMAND_LINE, f"{part} = {text}")
            span = Span(source, len(part) + 3, len(source.text))
            return None, [wrong_type(span, part, f"one number of {PARTS[part]}", "more than that")]
    source = SourceText(COMMAND_LINE, f"recipe command-line\nbudget {{\n{lines}}}\n{SOURCE}")
    recipe, found = load_recipe(Path("command-line.mix"), reader=lambda path, shown: from_text(source))
    if recipe is None:
        return None, found
    stated = tuple(full.items())
    return _size(recipe.budget, (stated[0], stated[1]), tuple(part for part in full if part not in asked)), found


def parts_of(answer: str) -> tuple[dict[str, str] | None, list[Diagnostic]]:
    """Up to two parts of the budget, told apart by their units: `1.2B params, 100B tokens`."""
    found: dict[str, str] = {}
    for text in (one.strip() for one in answer.split(",")):
        unit = text.rpartition(" ")[2]
        plural = UNIT_SYNONYMS.get(unit, UNITS.get(unit, ""))
        part = next((part for part, one in PARTS.items() if one == plural), None)
        if text and (part is None or part in found or len(found) == 2):
            source = SourceText(COMMAND_LINE, text)
            allowed = "a number of params, of tokens or of FLOPs, or two of these"
            return None, [wrong_type(Span(source, 0, len(text)), "the budget", allowed, "something else")]
        if part is not None:
            found[part] = text
    problems = sized(found, math.inf)[1]
    return (None if has_errors(problems) else found), problems


def figure(value: float) -> str:
    """A size with two digits, `24B`, never more than it."""
    scale, letter = next(((s, c) for s, c in SCALES if value >= s), (1.0, ""))
    shown = value / scale
    digits = 1 if shown < 10 else 0 if shown < 100 else -1
    step = 10.0**-digits
    down = math.floor(shown / step + 1e-9) * step
    return f"{down:.1f}".removesuffix(".0") + letter


def _size(budget: Budget, stated: tuple[tuple[str, str], tuple[str, str]], chosen: tuple[str, ...]) -> Size:
    assert budget.params is not None
    assert budget.tokens is not None
    return Size(stated, float(budget.params), float(budget.tokens), chosen)


def _with_unit(text: str, unit: str) -> str:
    stripped = text.strip()
    return f"{stripped} {unit}" if parse_literal(stripped) is not None and not stripped.endswith("%") else stripped


def _rough(text: str) -> float:
    """The number that a quantity begins with; 0 where it has none, and checking says why."""
    value = parse_literal(text.partition(" ")[0])
    return float(value) if value else 0.0


def _completed(texts: Mapping[str, str], rough: Mapping[str, float], supply: float) -> dict[str, str]:
    """Two parts of a budget, in the order in which recipes state them."""
    if len(texts) >= 2:
        return {part: texts[part] for part in PARTS if part in texts}
    if not texts:
        tokens = max(LEAST_TOKENS, min(USUAL_MODEL * TOKENS_PER_PARAM, supply))
        model = min(USUAL_MODEL, tokens / TOKENS_PER_PARAM)
        return {"model": f"{figure(model)} params", "tokens": f"{figure(tokens)} tokens"}
    ((part, text),) = texts.items()
    if part == "model":
        tokens = max(LEAST_TOKENS, min(rough[part] * TOKENS_PER_PARAM, supply))
        return {"model": text, "tokens": f"{figure(tokens)} tokens"}
    sure = max(rough[part], 1.0)
    model = sure / TOKENS_PER_PARAM if part == "tokens" else math.sqrt(sure / (6 * TOKENS_PER_PARAM))
    return {"model": f"{figure(max(model, 1.0))} params", part: text}
