"""The syntax tree: what a recipe says, before it means anything.

Every node is frozen and carries the exact `span` of its text, which takes no part in comparisons: two trees are
equal when they say the same. `text[span.start:span.end]` of a rule begins at its verb, of a block ends at its `}`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from mixc.dsl.text import Span


@dataclass(frozen=True, slots=True)
class Name:
    """A bare word: `fineweb2`, `epochs`, `no`."""

    text: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Number:
    """A number with what is glued to it (`1.2B`, `30%`) and the unit that follows (`params`, `tokens/param`)."""

    literal: str
    unit: Name | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A double-quoted string; `value` has its escapes resolved, `${param}` left as written."""

    value: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Boolean:
    """`true` or `false`."""

    value: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Reference:
    """A dotted path of names: `size`, `budget.tokens`, `math.finemath`."""

    parts: tuple[Name, ...]
    span: Span = field(compare=False)

    @property
    def text(self) -> str:
        """The path as written, joined by dots."""
        return ".".join(part.text for part in self.parts)


@dataclass(frozen=True, slots=True)
class Call:
    """`share(web, de)`, `natural.loss(de)`."""

    function: Reference
    arguments: tuple[Expression, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Items:
    """`[de, fr, es]`."""

    items: tuple[Expression, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Pair:
    """One `key: value` of a map."""

    key: Name | Text
    value: Expression
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Map:
    """`{ en: 15T tokens, "Arts & Ent": 3 }`."""

    pairs: tuple[Pair, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Negate:
    """`-x`."""

    operand: Expression
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """`x + y`, `x - y`, `x * y`, `x / y`."""

    operator: Literal["+", "-", "*", "/"]
    left: Expression
    right: Expression
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Range:
    """`a .. b`, both ends included."""

    low: Expression
    high: Expression
    span: Span = field(compare=False)


Expression: TypeAlias = Number | Text | Boolean | Reference | Call | Items | Map | Negate | Binary | Range


@dataclass(frozen=True, slots=True)
class Relation:
    """`<= x`, `>= x`, `== x`, `within a .. b`; `<` and `>` are kept as written."""

    operator: Literal["<=", ">=", "==", "<", ">", "within"]
    value: Expression
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Attribute:
    """`key = value`."""

    key: Name
    value: Expression
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound on a property where it lives: `epochs <= 4`."""

    key: Name
    relation: Relation
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Require:
    """`require left <= bound`."""

    left: Expression
    relation: Relation
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Prefer:
    """`prefer left >= bound weight w`."""

    left: Expression
    relation: Relation
    weight: Expression | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Aim:
    """`minimize loss`."""

    direction: Literal["minimize", "maximize"]
    value: Expression
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Declaration:
    """`kind name { … }`, `kind { … }`, `kind [a, b] { … }` or `kind name = value`.

    `head` covers everything before the block or the `=`; `description` is the comment block right above.
    """

    kind: Name
    name: Name | Text | Items | None
    value: Expression | None
    body: tuple[Item, ...] | None
    override: bool
    description: str
    head: Span = field(compare=False)
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Import:
    """`import name = "file.mix"`."""

    name: Name
    path: Text
    span: Span = field(compare=False)


Item: TypeAlias = Declaration | Attribute | Limit | Require | Prefer | Aim
Statement: TypeAlias = Import | Item


@dataclass(frozen=True, slots=True)
class RecipeFile:
    """A whole file: its header and its statements in the order of the text."""

    name: Name
    extends: Text | None
    statements: tuple[Statement, ...]
    description: str
    span: Span = field(compare=False)
