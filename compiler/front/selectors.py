"""The arguments of functions: names of different kinds, `best(5%)` and `each(...)`, as a selector of cells."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from mixc.compiler.front.arithmetic import describe_node, quantity
from mixc.compiler.front.context import Context, resolved, shortened
from mixc.compiler.front.errors_names import did_you_mean, ticked
from mixc.compiler.front.errors_rules import wrong_arguments
from mixc.compiler.front.namespace import CELL_KINDS, CellKind, Found, find
from mixc.compiler.recipe import Selector
from mixc.dsl.syntax import Call, Expression, Reference, Text

_EVERY: Final[dict[str, CellKind]] = {kind: kind for kind in CELL_KINDS}


@dataclass(frozen=True, slots=True)
class Selected:
    """A selector, with the members of its `each(...)`: None when that repeats over all there are."""

    of: Selector
    members: tuple[str, ...] | None = None


def select(call: Call, context: Context) -> Selected | None:
    """What the arguments of a call have in common; None after a mistake, which has been reported."""
    reading = _Reading(call, context)
    for argument in call.arguments:
        reading.add(argument)
    return reading.selected()


@dataclass(slots=True)
class _Reading:
    """The arguments read so far, by kind."""

    call: Call
    context: Context
    kinds: dict[CellKind, tuple[tuple[str, ...] | None, Expression]]
    best: float | None
    each: CellKind | None
    members: tuple[str, ...] | None
    failed: bool

    def __init__(self, call: Call, context: Context) -> None:
        self.call, self.context = call, context
        self.kinds, self.best, self.each, self.members, self.failed = {}, None, None, None, False

    def add(self, argument: Expression) -> None:
        node = resolved(argument, self.context)
        match node:
            case None:
                self.failed = True
            case Call(function) if function.text == "best":
                self._best(node)
            case Call(function) if function.text == "each":
                self._each(node)
            case Reference() | Text():
                found = find(node, self.context.names, self.context.out)
                if found is None:
                    self.failed = True
                else:
                    self._put(found.kind, found.members, argument)
            case _:
                what = f"`{self.call.function.text}` takes names, not {describe_node(node)}"
                helps = did_you_mean(node.function.text, ("best", "each")) if isinstance(node, Call) else ()
                self._fail(argument, what, "not a name", "its arguments are names, `best(5%)` and `each(group)`", helps)

    def _put(self, kind: CellKind, members: tuple[str, ...] | None, argument: Expression) -> None:
        if kind not in self.kinds:
            self.kinds[kind] = members, argument
            return
        one, two = self.kinds[kind][1], argument
        texts = shortened(one.span.text), shortened(two.span.text)
        name = self.call.function.text
        help_ = f"write `{name}({texts[0]}) + {name}({texts[1]})`"
        if name not in ("share", "tokens"):
            help_ = "name a group that holds both"
        what = f"{ticked(texts)} are both {kind}s, and no token belongs to two {kind}s"
        self._fail(two, what, f"a second {kind}", "arguments of different kinds intersect", (help_,))

    def _best(self, node: Call) -> None:
        if len(node.arguments) != 1:
            self._fail(node, "`best` takes one percentage", "not one argument", "", ("write `best(5%)`",))
            return
        value = quantity(node.arguments[0], self.context, "`best`")
        if value is None:
            self.failed = True
        elif value.dimension or not Fraction(0) < value.value <= 1 or self.best is not None:
            what = "`best` takes one percentage between 0% and 100%"
            self._fail(
                node,
                what,
                "not one percentage",
                "it keeps the best part of every language and domain",
                ("write `best(5%)`",),
            )
        else:
            self.best = float(value.value)

    def _each(self, node: Call) -> None:
        argument = resolved(node.arguments[0], self.context) if len(node.arguments) == 1 else None
        if len(node.arguments) == 1 and argument is None:
            self.failed = True
            return
        if not isinstance(argument, Reference | Text) or self.each is not None:
            helps = ("write `each(language)` or `each(group)`",)
            self._fail(node, "`each` takes one group or kind, once per rule", "not one group or kind", "", helps)
            return
        every = _EVERY.get(argument.text) if isinstance(argument, Reference) else None
        found = Found(every, ()) if every else find(argument, self.context.names, self.context.out)
        if found is None:
            self.failed = True
            return
        self.each, self.members = found.kind, None if every else found.members
        self._put(found.kind, None, node)

    def _fail(self, node: Expression, what: str, label: str, note: str, helps: tuple[str, ...]) -> None:
        self.context.out.append(wrong_arguments(node.span, what, label, note, helps))
        self.failed = True

    def selected(self) -> Selected | None:
        if self.failed:
            return None
        names = {kind: members for kind, (members, _) in self.kinds.items()}
        of = Selector(
            names.get("source"), names.get("language"), names.get("domain"), names.get("phase"), self.best, self.each
        )
        return Selected(of, self.members)
