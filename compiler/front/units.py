"""Numbers with dimensions, exact: `1.2B params`, `20 tokens/param`, `30%`.

A dimension is a product of powers of base units; a percentage is a plain number. All arithmetic is on fractions, so
`(100% - 10%) * 500B tokens` is exactly 450B tokens, and nothing is rounded before the recipe is complete.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final, TypeAlias

Dimension: TypeAlias = tuple[tuple[str, int], ...]

NUMBER: Final[Dimension] = ()
PARAMS: Final[Dimension] = (("params", 1),)
TOKENS: Final[Dimension] = (("tokens", 1),)
FLOPS: Final[Dimension] = (("FLOPs", 1),)
BYTES: Final[Dimension] = (("bytes", 1),)
WORDS: Final[Dimension] = (("words", 1),)
RATIO: Final[Dimension] = (("params", -1), ("tokens", 1))
TOKENS_PER_BYTE: Final[Dimension] = (("bytes", -1), ("tokens", 1))
TOKENS_PER_WORD: Final[Dimension] = (("tokens", 1), ("words", -1))
LOSS: Final[Dimension] = (("nats", 1), ("tokens", -1))
WHOLE_BUDGET: Final[Dimension] = (("budget.tokens", 1),)
"""The recipe's tokens while they are still unknown: `10% * budget.tokens` is then a tenth of whatever they become."""

SINGULAR: Final = {
    "params": "param",
    "tokens": "token",
    "FLOPs": "FLOP",
    "bytes": "byte",
    "words": "word",
    "nats": "nat",
}
UNITS: Final = {spelling: plural for plural, one in SINGULAR.items() for spelling in (plural, one)}
UNIT_SYNONYMS: Final = {
    "flop": "FLOPs",
    "flops": "FLOPs",
    "FLOPS": "FLOPs",
    "Flops": "FLOPs",
    "parameters": "params",
    "parameter": "params",
    "weights": "params",
    "tok": "tokens",
    "toks": "tokens",
    "B": "bytes",
    "KB": "bytes",
    "MB": "bytes",
    "GB": "bytes",
    "TB": "bytes",
}

MOST: Final = Fraction(10**18)
"""The most tokens, parameters or bytes that any recipe counts; what follows fits into 64 bits."""

LARGEST: Final = Fraction(10) ** 60
SMALLEST: Final = Fraction(1, 10**60)
LONGEST: Final = 80
WIDEST: Final = 4096
_SUFFIX: Final = {
    "": Fraction(1),
    "%": Fraction(1, 100),
    "K": Fraction(10**3),
    "M": Fraction(10**6),
    "B": Fraction(10**9),
    "T": Fraction(10**12),
}
_LITERAL: Final = re.compile(r"([0-9_]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?([%KMBT]?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact value in base units and its dimension."""

    value: Fraction
    dimension: Dimension = NUMBER


@lru_cache(maxsize=4096)
def parse_literal(literal: str) -> Fraction | None:
    """The exact value of `1.2B`, `30%`, `3e21`; None when it is too large, too small or too long to be meant."""
    match = _LITERAL.fullmatch(literal)
    if match is None or len(literal) > LONGEST:
        return None
    whole, decimals, exponent, suffix = match.group(1).replace("_", ""), match[2] or "", match[3] or "0", match[4]
    if not whole or len(exponent) > 4 or abs(int(exponent)) > 400:
        return None
    value = Fraction(int(whole + decimals)) * Fraction(10) ** (int(exponent) - len(decimals)) * _SUFFIX[suffix]
    return value if in_reach(value) else None


def in_reach(value: Fraction) -> bool:
    """Whether a value is zero or of a size that any recipe can mean, and not absurdly precise."""
    if not value:
        return True
    precise = value.numerator.bit_length() < WIDEST and value.denominator.bit_length() < WIDEST
    return precise and SMALLEST <= abs(value) <= LARGEST


def parse_unit(unit: str) -> Dimension | str:
    """The dimension of `tokens` or `tokens/param`; the part that is no unit, as a string, when there is one."""
    powers: dict[str, int] = {}
    for index, part in enumerate(unit.split("/")):
        if part not in UNITS:
            return part
        plural = UNITS[part]
        powers[plural] = powers.get(plural, 0) + (-1 if index else 1)
    return _dimension(powers)


def times(left: Dimension, right: Dimension, sign: int = 1) -> Dimension:
    """The dimension of a product, or with `sign = -1` of a quotient."""
    powers = dict(left)
    for unit, power in right:
        powers[unit] = powers.get(unit, 0) + sign * power
    return _dimension(powers)


def _dimension(powers: dict[str, int]) -> Dimension:
    return tuple(sorted((unit, power) for unit, power in powers.items() if power))


def describe(dimension: Dimension) -> str:
    """`tokens`, `tokens/param`, or for a plain number the empty string."""
    over = [_power(unit, power) for unit, power in dimension if power > 0]
    under = [_power(SINGULAR.get(unit, unit), -power) for unit, power in dimension if power < 0]
    if not under:
        return "*".join(over)
    return "/".join(["*".join(over) or "1", *under])


def _power(unit: str, power: int) -> str:
    return unit if power == 1 else f"{unit}^{power}"


def show(value: Fraction | float, dimension: Dimension = NUMBER) -> str:
    """A computed value as people write it: `416.7B tokens`, `80.65 tokens/param`, `0.25`."""
    number = float(value)
    text = f"{number:.4g}".replace("e+", "e")
    if dimension == NUMBER:
        return text
    scale, letter = next(
        ((s, c) for s, c in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")) if abs(number) >= s), (1.0, "")
    )
    if abs(number) < 1e15:
        text = f"{number / scale:.4g}{letter}"
    return f"{text} {describe(dimension)}"


def percent(value: Fraction | float) -> str:
    """A fraction as a percentage with at most six digits: `97.5%`."""
    return f"{float(value) * 100:.6g}%"
