"""Values of attributes: an expression read as the shape its key asks for.

Results: a measure is a float (an int where whole), a word, name or string a str, a flag a bool, an interval a pair, a
list a tuple, a map a tuple of pairs, a struct a dict, an amount `(float, unit)`. None after a mistake.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mixc.compiler.front.arithmetic import describe_node, quantity
from mixc.compiler.front.codes import read_code
from mixc.compiler.front.context import Context, is_circular, resolved, shortened, substituted
from mixc.compiler.front.entries import Entry, is_none
from mixc.compiler.front.errors_files import unknown_word
from mixc.compiler.front.errors_names import key_set_twice, missing, undeclared_language, unknown_key, unknown_name
from mixc.compiler.front.errors_units import (
    out_of_range,
    upside_down,
    wrong_dimension,
    wrong_relation,
    wrong_type,
)
from mixc.compiler.front.kinds import Kind
from mixc.compiler.front.measures import measured
from mixc.compiler.front.shapes import (
    Amount,
    Either,
    Flag,
    Interval,
    Invoke,
    Key,
    ListOf,
    MapOf,
    Measure,
    NameOf,
    Shape,
    String,
    Struct,
    Word,
    describe_shape,
)
from mixc.compiler.front.units import BYTES, MOST, TOKENS, WORDS, Quantity, describe
from mixc.compiler.supply.languages import UNDETERMINED
from mixc.dsl.syntax import (
    Binary,
    Boolean,
    Call,
    Expression,
    Items,
    Map,
    Name,
    Negate,
    Number,
    Range,
    Reference,
    Text,
)
from mixc.dsl.text import Span

AMOUNT_UNITS = {TOKENS: "tokens", BYTES: "bytes", WORDS: "words"}


def read_entry(entry: Entry, kind: Kind, context: Context) -> dict[str, Any]:
    """The value of every key that a declaration sets; keys that are absent, `none` or mistaken are left out."""
    allowed = [key.name for key in kind.keys]
    values: dict[str, Any] = {}
    for name, attribute in entry.settings.items():
        key = kind.key(name)
        if key is None:
            context.out.append(unknown_key(attribute.key.span, name, kind.name, allowed))
        elif is_none(attribute.value):
            continue
        elif key.limit == "only":
            context.out.append(_set_not_bounded(attribute.key.span, key, attribute.value))
        else:
            context.in_places = key.place
            value = read(key.shape, attribute.value, key, context)
            context.in_places = False
            if value is not None:
                values[name] = value
    for limit in entry.limits:
        found = kind.key(limit.key.text)
        if found is None:
            context.out.append(unknown_key(limit.key.span, limit.key.text, kind.name, allowed))
        elif found.limit == "no":
            value = shortened(limit.relation.value.span.text)
            helps = (f"write `{found.name} = {value}`",)
            context.out.append(
                wrong_relation(limit.key.span, found.name, "is set, not bounded", "has a relation", helps)
            )
    for key in kind.keys:
        if key.required and entry.setting(key.name) is None and not entry.misspells(key.name, allowed=allowed):
            what = f"{kind.name} `{entry.name}` has no `{key.name}`"
            help_ = f"add `{key.name} = {key.example}`"
            context.out.append(missing(entry.head, what, f"`{key.name}` {key.doc}", help_))
    return values


def _set_not_bounded(span: Span, key: Key, value: Expression) -> Any:
    text = shortened(value.span.text)
    return wrong_relation(span, key.name, "is a limit, not a value", "is set here", (f"write `{key.name} <= {text}`",))


def read(shape: Shape, written: Expression, key: Key, context: Context) -> Any:
    """The value of an expression as `shape`; None after a mistake, which has been reported."""
    node = resolved(written, context)
    if node is None or (isinstance(node, Reference) and is_circular(node, context)):
        return None
    if isinstance(shape, Either):
        fitting = [one for one in shape.shapes if _looks_like(one, node)]
        if len(fitting) != 1:
            return _mistyped(shape, node, key, context)
        shape = fitting[0]
    if not _looks_like(shape, node):
        return _mistyped(shape, node, key, context)
    match shape, node:
        case Measure(), _:
            return _measure(shape, node, key, context)
        case Amount(), _:
            return _amount(node, key, context)
        case Word(choices), Reference() | Text():
            return _word(choices, node, key, context)
        case NameOf(), Reference() | Text():
            return read_name(shape, node, context)
        case String(), Text():
            return substituted(node, context)
        case Flag(), Boolean(value):
            return value
        case Invoke(_, argument), Call(_, (inner,)):
            before, context.in_places = context.in_places, context.in_places or shape.place
            value = read(argument, inner, key, context)
            context.in_places = before
            return None if value is None else (shape.function, value)
        case _:
            return _compound(shape, node, key, context)


def _compound(shape: Shape, node: Expression, key: Key, context: Context) -> Any:
    match shape, node:
        case Interval(bound), Range(low, high):
            ends = [read(bound, end, key, context) for end in (low, high)]
            if None in ends:
                return None
            if ends[0] >= ends[1]:
                context.out.append(upside_down(node.span, shortened(low.span.text), shortened(high.span.text)))
                return None
            return ends[0], ends[1]
        case ListOf(item), Items(items):
            values = [read(item, one, key, context) for one in items]
            return None if any(value is None for value in values) else tuple(values)
        case MapOf(), Map():
            return _map(shape, node, key, context)
        case Struct(fields), Map():
            return _struct(fields, node, key, context)
    return None


def _looks_like(shape: Shape, node: Expression) -> bool:
    match shape:
        case Measure() | Amount():
            return isinstance(node, Number | Binary | Negate | Reference)
        case Word():
            return isinstance(node, Reference) or (isinstance(node, Text) and node.value in shape.choices)
        case NameOf():
            return isinstance(node, Reference | Text)
        case String():
            return isinstance(node, Text)
        case Flag():
            return isinstance(node, Boolean)
        case Invoke(function):
            return isinstance(node, Call) and node.function.text == function and len(node.arguments) == 1
        case Interval():
            return isinstance(node, Range)
        case ListOf():
            return isinstance(node, Items)
        case MapOf() | Struct():
            return isinstance(node, Map)
        case Either(shapes):
            return any(_looks_like(one, node) for one in shapes)


def _mistyped(shape: Shape, node: Expression, key: Key, context: Context) -> None:
    help_ = ""
    if isinstance(node, Reference) and _looks_like(shape, Text("", node.span)):
        help_ = f'write `"{node.text}"`' if len(node.parts) == 1 else "write it in double quotes"
    context.out.append(wrong_type(node.span, f"`{key.name}`", describe_shape(shape), describe_node(node), help_))


def _measure(shape: Measure, node: Expression, key: Key, context: Context) -> float | int | Quantity | None:
    what = f"`{key.name}`"
    found = quantity(node, context, what)
    if found is None or not measured(found, shape, node, what, f"`{key.name}` {key.doc}", context):
        return None
    if shape.exact:
        return found
    return int(found.value) if shape.whole else float(found.value)


def _amount(node: Expression, key: Key, context: Context) -> tuple[float, str] | None:
    what = f"`{key.name}`"
    found = quantity(node, context, what)
    if found is None:
        return None
    unit = AMOUNT_UNITS.get(found.dimension)
    if unit is None:
        literal = node.literal if isinstance(node, Number) else ""
        help_ = f"write `{literal} tokens`, or bytes or words" if literal and not found.dimension else ""
        expected = "tokens, bytes or words"
        context.out.append(wrong_dimension(node.span, what, expected, describe(found.dimension), "", help_))
        return None
    if found.value <= 0:
        help_ = "leave the language out if the source holds none of it"
        context.out.append(out_of_range(node.span, what, shortened(node.span.text), "more than 0", "", help_))
        return None
    if found.value > MOST:
        context.out.append(out_of_range(node.span, what, shortened(node.span.text), "at most 1e18"))
        return None
    return float(found.value), unit


def _word(choices: Sequence[str], node: Reference | Text, key: Key, context: Context) -> str | None:
    word = node.text if isinstance(node, Reference) else node.value
    if word in choices:
        return word
    context.out.append(unknown_word(node.span, key.name, word, choices))
    return None


def read_name(shape: NameOf, node: Reference | Text | Name, context: Context) -> str | None:
    """A name as its kind wants it: a canonical code, a declared source or rater, or just the word."""
    word = node.value if isinstance(node, Text) else node.text
    names = context.names
    if isinstance(node, Reference) and len(node.parts) == 2 and node.parts[0].text == shape.kind:
        word = node.parts[1].text
    match shape.kind:
        case "word" | "domain":
            return word
        case "code":
            return read_code(word, node.span, context.out)
        case "language":
            code = read_code(word, node.span, context.out)
            if code is None or not names.closed or code in names.declared["language"] or code in UNDETERMINED:
                return code
            context.out.append(undeclared_language(node.span, code, tuple(names.declared["language"])))
            return None
    allowed = names.raters if shape.kind == "rater" else _declared(shape.kind, context)
    if word in allowed:
        return word
    if word not in names.broken:
        wanted = "rater or target" if shape.kind == "rater" else shape.kind
        where = "raters and targets" if shape.kind == "rater" else ""
        context.out.append(unknown_name(node.span, word, wanted, tuple(allowed), where))
    return None


def _declared(kind: str, context: Context) -> frozenset[str]:
    return next((names for one, names in context.names.declared.items() if one == kind), frozenset())


def _map(shape: MapOf, node: Map, key: Key, context: Context) -> tuple[tuple[str, Any], ...] | None:
    """The pairs of a map by their keys; two spellings of one key are one key."""
    found: dict[str, tuple[Any, Span]] = {}
    whole = True
    for pair in node.pairs:
        name = read_name(shape.key, pair.key, context)
        value = read(shape.value, pair.value, key, context)
        if name is None or value is None:
            whole = False
        elif name in found:
            context.out.append(key_set_twice(pair.key.span, found[name][1], name))
            whole = False
        else:
            found[name] = value, pair.key.span
    return tuple((name, value) for name, (value, _) in found.items()) if whole else None


def _struct(fields: tuple[Key, ...], node: Map, key: Key, context: Context) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    first: dict[str, Span] = {}
    whole = True
    for pair in node.pairs:
        word = pair.key.value if isinstance(pair.key, Text) else pair.key.text
        field = next((one for one in fields if one.name == word), None)
        if field is None:
            allowed = [one.name for one in fields]
            context.out.append(unknown_key(pair.key.span, word, key.name, allowed))
            whole = False
        elif word in first:
            context.out.append(key_set_twice(pair.key.span, first[word], word))
            whole = False
        else:
            first[word] = pair.key.span
            value = read(field.shape, pair.value, field, context)
            whole = whole and value is not None
            found[word] = value
    return found if whole else None
