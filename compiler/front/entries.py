"""One declaration as an entry: its form checked against its kind, its body sorted into settings, limits and rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, TypeAlias, TypeVar

from mixc.compiler.front.codes import read_code
from mixc.compiler.front.errors_names import (
    key_set_twice,
    malformed_declaration,
    misplaced,
    unknown_kind,
    unusable_name,
)
from mixc.compiler.front.kinds import KINDS, NAMED_IN_RULES, RESERVED, Kind
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.suggest import suggest
from mixc.dsl.syntax import (
    Aim,
    Attribute,
    Declaration,
    Expression,
    Item,
    Items,
    Limit,
    Name,
    Prefer,
    Reference,
    Require,
    Text,
)
from mixc.dsl.text import Span

RuleNode: TypeAlias = Require | Prefer | Aim
_K = TypeVar("_K")
_V = TypeVar("_V", Attribute, Limit)
_DIRECTION: Final = {"<": "<=", ">": ">="}


@dataclass(frozen=True, slots=True)
class Entry:
    """A declaration of one name after `override`: for each key the setting that counts, and where it was written.

    `nested` are the declarations inside a phase. `value` is that of `param` and `group`.
    """

    kind: str
    name: str
    head: Span
    name_span: Span
    description: str = ""
    value: Expression | None = None
    settings: Mapping[str, Attribute] = field(default_factory=dict)
    limits: tuple[Limit, ...] = ()
    rules: tuple[RuleNode, ...] = ()
    nested: tuple[Declaration, ...] = ()

    def setting(self, key: str) -> Attribute | None:
        """What a key is set to, or None when it is not set or set to `none`."""
        found = self.settings.get(key)
        return None if found is None or is_none(found.value) else found

    def misspells(self, *wanted: str, allowed: Sequence[str]) -> bool:
        """Whether a key that does not exist means one of `wanted`, so that to call that missing would mislead."""
        written = (*self.settings, *(limit.key.text for limit in self.limits))
        return any(suggest(key, allowed) in wanted for key in written if key not in allowed)


def is_none(value: Expression) -> bool:
    """Whether a value is the word `none`, which removes an inherited attribute."""
    return isinstance(value, Reference) and value.text == "none"


def shortened(text: str) -> str:
    """Text on one line, cut to what fits into a sentence."""
    flat = " ".join(text.split())
    return flat if len(flat) <= 60 else flat[:57] + "..."


def overlay(base: Entry, over: Entry) -> Entry:
    """What an override makes of an entry: settings and limits of one key replace each other, rules add up."""
    replaced = {(limit.key.text, _side(limit)) for limit in over.limits}
    whole = {key for key, side in replaced if side not in ("<=", ">=")} | set(over.settings)
    kept = [
        limit
        for limit in base.limits
        if limit.key.text not in whole
        and (limit.key.text, _side(limit)) not in replaced
        and not (_side(limit) not in ("<=", ">=") and any(key == limit.key.text for key, _ in replaced))
    ]
    return replace(
        base,
        head=over.head if over.kind in ("param", "group") else base.head,
        description=over.description or base.description,
        value=over.value if over.value is not None else base.value,
        settings=MappingProxyType({**base.settings, **over.settings}),
        limits=(*kept, *over.limits),
        rules=(*base.rules, *over.rules),
        nested=(*base.nested, *over.nested),
    )


def entries_of(node: Declaration, out: list[Diagnostic]) -> list[Entry]:
    """The entries of one declaration: one per language of `languages [...]`, none when its form is wrong."""
    kind = KINDS.get(node.kind.text)
    if kind is None:
        out.append(unknown_kind(node.kind.span, node.kind.text, tuple(KINDS)))
        return []
    if not _form_is_right(node, kind, out):
        return []
    entry = _with_body(Entry(kind.name, "", node.head, node.kind.span, node.description, node.value), node, out)
    if kind.naming == "codes" and isinstance(node.name, Items):
        named = [_language(item, entry, out) for item in node.name.items]
        return [one for one in named if one is not None]
    if kind.naming == "code" and isinstance(node.name, Name | Text):
        one = _language(node.name, entry, out)
        return [] if one is None else [one]
    if isinstance(node.name, Name | Text):
        name = node.name.text if isinstance(node.name, Name) else node.name.value
        return [replace(entry, name=name, name_span=node.name.span)] if _may_name(node.name, kind, out) else []
    return [entry]


def _language(node: Expression | Name, entry: Entry, out: list[Diagnostic]) -> Entry | None:
    if isinstance(node, Reference | Text | Name):
        spelling = node.value if isinstance(node, Text) else node.text
        if spelling in RESERVED:
            helps = ("write `languages all { ... }`",) if spelling == "all" else ()
            out.append(unusable_name(node.span, spelling, "language", "has a meaning of its own", helps))
            return None
        code = read_code(spelling, node.span, out)
        return None if code is None else replace(entry, kind="language", name=code, name_span=node.span)
    out.append(
        malformed_declaration(
            node.span, "a list of languages holds language codes", "not a code", _EXAMPLES["languages"]
        )
    )
    return None


_EXAMPLES: Final = {
    "budget": "budget { ... }",
    "quality": "quality { ... }",
    "mixture": "mixture { ... }",
    "languages": "languages [de, fr] { ... }` or `languages all { ... }",
    "group": "group slavic = [pl, cs, ru]",
    "param": "param size = 1.2B params",
    "language": "language de { ... }",
    "evaluate": "evaluate { ... }",
    "law": "law infolaw { ... }` or `law transfer { ... }",
}


def _form_is_right(node: Declaration, kind: Kind, out: list[Diagnostic]) -> bool:
    """Whether name and block are there as the kind wants them; if not, says so once."""
    found = _form_fault(node, kind)
    if found is None:
        return True
    example = _EXAMPLES.get(kind.name, f"{kind.name} my-name {{ ... }}")
    out.append(malformed_declaration(node.head, f"`{kind.name}` {found[0]}", found[1], example))
    return False


def _form_fault(node: Declaration, kind: Kind) -> tuple[str, str] | None:
    if kind.value and node.value is None:
        return "is declared with `=`, not with a block", "has a block"
    if not kind.value and node.value is not None and kind.naming not in ("word", "text", "code", "fixed"):
        return "has a block, not a value", "has a value"
    if kind.naming == "codes":
        return None if isinstance(node.name, Items) or _word(node.name) == "all" else ("takes a list", "no list here")
    if isinstance(node.name, Items):
        return "declares one name, not a list", "a list of names"
    if kind.naming == "none":
        return None if node.name is None else ("has no name", "has a name")
    if node.name is None and kind.naming != "optional":
        return "needs a name", "no name here"
    if kind.naming == "fixed" and _word(node.name) not in kind.names:
        return "is " + " or ".join(f"`{kind.name} {name}`" for name in kind.names), "neither of them"
    return None


def _word(name: Name | Text | Items | None) -> str:
    return name.text if isinstance(name, Name) else ""


def _may_name(node: Name | Text, kind: Kind, out: list[Diagnostic]) -> bool:
    word = node.text if isinstance(node, Name) else node.value
    if kind.name in (*NAMED_IN_RULES, "param") and word in RESERVED:
        out.append(unusable_name(node.span, word, kind.name, "has a meaning of its own", ("choose another name",)))
        return False
    if isinstance(node, Text) and kind.naming != "text":
        out.append(
            unusable_name(node.span, word, kind.name, "a string", ("write a word of letters, digits, `_`, `-`",))
        )
        return False
    return True


def _with_body(entry: Entry, node: Declaration, out: list[Diagnostic]) -> Entry:
    """The entry with the items of the declaration's block."""
    settings: dict[str, Attribute] = {}
    limits: dict[tuple[str, str], Limit] = {}
    rules: list[RuleNode] = []
    nested: list[Declaration] = []
    for item in node.body or ():
        match item:
            case Attribute():
                _once(settings, item.key.text, item, out)
            case Limit():
                _once(limits, (item.key.text, _side(item)), item, out)
            case _ if entry.kind != "phase":
                out.append(_stray(item, entry.kind))
            case Declaration():
                nested.append(item)
            case Aim():
                out.append(_stray(item, "phase"))
            case _:
                rules.append(item)
    return replace(
        entry,
        settings=MappingProxyType(settings),
        limits=tuple(limits.values()),
        rules=tuple(rules),
        nested=tuple(nested),
    )


def _once(into: dict[_K, _V], key: _K, item: _V, out: list[Diagnostic]) -> None:
    if key in into:
        out.append(key_set_twice(item.key.span, into[key].key.span, item.key.text))
    else:
        into[key] = item


def _side(limit: Limit) -> str:
    return _DIRECTION.get(limit.relation.operator, limit.relation.operator)


def _stray(item: Item, kind: str) -> Diagnostic:
    if isinstance(item, Declaration):
        helps = (f"move it out of the `{kind}`",)
        return misplaced(item.head, f"a `{kind}` holds no declarations", "declared inside a block", helps)
    verb = {Require: "require", Prefer: "prefer"}.get(type(item), "minimize")
    return misplaced(
        item.span, f"`{verb}` does not stand in a `{kind}`", "a rule inside a block", ("move it to the top level",)
    )


def names_of(nodes: Iterable[Declaration]) -> frozenset[str]:
    """Every name that declarations try to declare, so that a faulty one is not also reported as unknown."""
    found: set[str] = set()
    for node in nodes:
        match node.name:
            case Name(text):
                found.add(text)
            case Text(value):
                found.add(value)
            case Items(items):
                found.update(item.text for item in items if isinstance(item, Reference))
    return frozenset(found)
