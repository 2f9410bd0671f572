"""Canonical JSON: one text for one value, made to be read line by line in a diff.

Keys are sorted; the containers at the top two levels put one entry on a line, everything deeper stays on its line.
Numbers have one form: integers in full, other numbers by the shortest decimal that reads back to the same value,
without an exponent between 1e-7 and 1e16. So figures that decide the mixture survive a round trip exactly, and figures
for the eye only are rounded (`figure`) before they get here.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from json.encoder import encode_basestring
from typing import TypeAlias

Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None

EXPANDED_LEVELS = 2
DIGITS = 6


def canonical(value: Json) -> str:
    """The canonical text of `value`, with a final newline. NaN and infinity are a bug: ValueError."""
    return _render(value, 0) + "\n"


def digest(value: Json) -> str:
    """SHA-256 of the canonical text, in hexadecimal."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def figure(value: float, digits: int = DIGITS) -> float | None:
    """A number for the eye: `digits` significant digits; None (left out) when it is not finite."""
    return float(f"{value:.{digits}g}") + 0.0 if math.isfinite(value) else None


def at_most(value: float, digits: int, least: float) -> float:
    """A figure near rounding error for the eye: rounded up to `digits` digits, and at the least `least`.

    So that what a manifest states is true, and the last bits of a solver do not show up in diffs: whether they cancel
    to zero is an accident too.
    """
    if not value > least:
        return least
    step = 10.0 ** (math.floor(math.log10(value)) + 1 - digits)
    return float(f"{math.ceil(value / step - 1e-9) * step:.{digits}g}")


def at_least(value: float, digits: int) -> float:
    """A lower bound for the eye: rounded down to `digits` digits."""
    if value == 0 or not math.isfinite(value):
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(value))) + 1 - digits)
    return float(f"{math.floor(value / step) * step:.{digits}g}")


def number(value: float) -> str:
    """The one text of a finite number."""
    if isinstance(value, int):  # which may be beyond all floats
        return str(value)
    if not math.isfinite(value):
        raise ValueError(f"{value} has no place in an artefact")
    if value == 0:
        return "0.0"
    short = repr(value)
    if "e" not in short:
        return short
    exact = Decimal(short)
    if not -7 <= exact.adjusted() < 16:
        return short
    plain = format(exact, "f")
    return plain if "." in plain else plain + ".0"


def _render(value: Json, level: int) -> str:
    if isinstance(value, Mapping):
        pairs = [f"{_text(key)}: {_render(value[key], level + 1)}" for key in sorted(value)]
        return _join(pairs, "{", "}", level)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _join([_render(item, level + 1) for item in value], "[", "]", level)
    if value is None or isinstance(value, bool | str):
        return _text(value)
    return number(value)


def _join(parts: Sequence[str], opening: str, closing: str, level: int) -> str:
    if not parts or level >= EXPANDED_LEVELS:
        return opening + ", ".join(parts) + closing
    indent = "  " * level
    return f"{opening}\n" + ",\n".join(f"{indent}  {part}" for part in parts) + f"\n{indent}{closing}"


def _text(value: str | bool | None) -> str:
    return encode_basestring(value) if isinstance(value, str) else json.dumps(value)
