"""The shapes that a value can have: what a key asks for, and how that is said in words."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from mixc.compiler.front.units import NUMBER, Dimension, describe

NameKind: TypeAlias = Literal["source", "language", "domain", "group", "phase", "rater", "code", "word"]


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of one dimension within [low, high]; `above` leaves `low` itself out, `bare` makes the unit optional.

    `exact` reads as the quantity itself, which may be a part of a budget that is still open.
    """

    dimension: Dimension = NUMBER
    low: Fraction | None = None
    high: Fraction | None = None
    above: bool = False
    whole: bool = False
    bare: bool = False
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Amount:
    """A supply: a positive number of tokens, bytes or words."""


@dataclass(frozen=True, slots=True)
class Word:
    """One of a few words."""

    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NameOf:
    """A name of one kind. `code` is any known language code, declared or not; `word` is any word or string."""

    kind: NameKind


@dataclass(frozen=True, slots=True)
class String:
    """A string, with `${param}` substituted."""


@dataclass(frozen=True, slots=True)
class Flag:
    """`true` or `false`."""


@dataclass(frozen=True, slots=True)
class Invoke:
    """A call of one function with one argument, `tokenizer("gpt2")`; `place`: one that says where a file lies."""

    function: str
    argument: Shape
    place: bool = False


@dataclass(frozen=True, slots=True)
class Interval:
    """`0 .. 5`."""

    bound: Measure


@dataclass(frozen=True, slots=True)
class ListOf:
    """`[a, b]`."""

    item: Shape


@dataclass(frozen=True, slots=True)
class MapOf:
    """`{ key: value }` with any number of keys."""

    key: NameOf
    value: Shape


@dataclass(frozen=True, slots=True)
class Struct:
    """`{ field: value }` with known fields."""

    fields: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """One of several shapes, told apart by how they are written."""

    shapes: tuple[Shape, ...]


Shape: TypeAlias = (
    Measure | Amount | Word | NameOf | String | Flag | Invoke | Interval | ListOf | MapOf | Struct | Either
)


@dataclass(frozen=True, slots=True)
class Key:
    """One key: `limit` says whether it is set by `=`, bounded by a relation, or either.

    `example` is a value of a required key, for the diagnostic that misses it. `place`: it says where files lie.
    """

    name: str
    shape: Shape
    doc: str
    required: bool = False
    default: str = ""
    example: str = ""
    limit: Literal["no", "only", "also"] = "no"
    place: bool = False


def describe_shape(shape: Shape) -> str:
    """What a value must be, in words: "a percentage", "one of `higher`, `lower`"."""
    match shape:
        case Measure(dimension=dimension) if dimension:
            return f"a number of {describe(dimension)}"
        case Measure(whole=True):
            return "a whole number"
        case Measure(high=high) if high == 1:
            return "a percentage"
        case Measure():
            return "a number"
        case Amount():
            return "a number of tokens, bytes or words"
        case Word(choices):
            return f"`{choices[0]}`" if len(choices) == 1 else "one of " + ", ".join(f"`{c}`" for c in choices)
        case NameOf(kind):
            return {"code": "a language", "word": "a name", "rater": "a rater or target"}.get(kind, f"a {kind}")
        case _:
            return _describe_compound(shape)


def _describe_compound(shape: Shape) -> str:
    match shape:
        case ListOf(String()):
            return "a list of strings"
        case ListOf(item):
            return f"a list, each {describe_shape(item)}"
        case MapOf(key, value):
            return f"a map from {describe_shape(key)} to {describe_shape(value)}"
        case Struct(fields):
            return "a map with " + ", ".join(field.name for field in fields)
        case Either(shapes):
            return " or ".join(describe_shape(s) for s in shapes)
        case Invoke(function):
            return f"`{function}(...)`"
        case Interval():
            return "a range such as `0 .. 5`"
        case Flag():
            return "`true` or `false`"
        case _:
            return "a string"
