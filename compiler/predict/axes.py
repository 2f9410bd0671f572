"""`--sweep NAME=LOW..HIGH`: which params of a recipe are moved, and through which values."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mixc.compiler.predict.messages import bad_sweep, too_many_points
from mixc.dsl.diagnostics import Diagnostic

SCALES = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
FIGURE = re.compile(r"(?P<number>[0-9][0-9_]*(?:\.[0-9]+)?)\s*(?P<scale>[KMBT]?)(?P<unit>%|\s*[a-z]+)?", re.ASCII)
RANGE = re.compile(r"(?P<low>[^.:]+(?:\.[0-9][^.:]*)?)\.\.(?P<high>[^:]+?)(?::(?P<points>[0-9]+))?")
POINTS = 7
MOST = 200  # points in all: minutes of solving
WIDE = 3.0  # a range of this factor is stepped through by factors, a narrower one by differences


@dataclass(frozen=True, slots=True)
class Axis:
    """A param and its values as a command line would give them, in the order they are told."""

    name: str
    values: tuple[str, ...]


def read_axes(sweeps: Iterable[str]) -> tuple[tuple[Axis, ...], list[Diagnostic]]:
    """The axes of a sweep, each name once; values rise where they are a range."""
    axes: list[Axis] = []
    found: list[Diagnostic] = []
    for text in sweeps:
        name, equals, written = (part.strip() for part in text.partition("="))
        values = _values(written) if equals and name else None
        if values is None:
            found.append(bad_sweep(text, _falling(written)))
        elif name in {axis.name for axis in axes}:
            found.append(bad_sweep(text, f"`{name}` is swept twice"))
        else:
            axes.append(Axis(name, values))
    points = math.prod(len(axis.values) for axis in axes)
    if points > MOST:
        found.append(too_many_points(points, MOST))
    return tuple(axes), found


def points_of(axes: Iterable[Axis]) -> Iterator[Mapping[str, str]]:
    """Every combination of values, the last axis fastest."""
    named = list(axes)
    for values in itertools.product(*(axis.values for axis in named)):
        yield {axis.name: value for axis, value in zip(named, values, strict=True)}


def amount(text: str) -> float | None:
    """What a figure is worth: `1.2B` is 1.2e9, `40%` is 0.4; None for anything else."""
    read = FIGURE.fullmatch(text.strip())
    if read is None:
        return None
    value = float(read["number"].replace("_", "")) * SCALES[read["scale"]]
    return value / 100 if read["unit"] == "%" else value


def _values(written: str) -> tuple[str, ...] | None:
    spread = RANGE.fullmatch(written)
    if spread is None:
        values = [one.strip() for one in written.split(",")]
        return tuple(values) if all(amount(one) is not None for one in values) else None
    low, high = amount(spread["low"]), amount(spread["high"])
    count = POINTS if spread["points"] is None else int(spread["points"])
    if low is None or high is None or not low < high or count < 2 or count > MOST:
        return None
    unit = _unit(spread["high"]) or _unit(spread["low"])
    by_factors = low > 0 and high / low >= WIDE
    inner = [
        low * (high / low) ** (i / (count - 1)) if by_factors else low + (high - low) * i / (count - 1)
        for i in range(1, count - 1)
    ]
    shown = [spread["low"].strip(), *(_shown(value, unit) for value in inner), spread["high"].strip()]
    return tuple(one if _unit(one) or not unit else f"{one}{unit}" for one in dict.fromkeys(shown))


def _falling(written: str) -> str:
    """What is wrong with a range whose ends are in the wrong order; nothing of any other."""
    spread = RANGE.fullmatch(written)
    low, high = (amount(spread["low"]), amount(spread["high"])) if spread else (None, None)
    if spread is None or low is None or high is None or low < high:
        return ""
    return f"a range rises, and `{spread['low'].strip()}` is not below `{spread['high'].strip()}`"


def _unit(text: str) -> str:
    read = FIGURE.fullmatch(text.strip())
    return (read["unit"] or "") if read else ""


def _shown(value: float, unit: str) -> str:
    """Three digits, as a recipe writes them."""
    if unit == "%":
        return f"{100 * value:.3g}%"
    scale = next((name for name, size in sorted(SCALES.items(), key=lambda one: -one[1]) if value >= size * 0.9995), "")
    return f"{float(f'{value / SCALES[scale]:.3g}'):.15g}{scale}{unit}"
