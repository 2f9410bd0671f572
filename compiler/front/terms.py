"""Functions of the mixture as they stand in rules: `share(web, de)`, `loss`, `natural.loss(de)`, `change("m.json")`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import PurePath
from typing import Final, cast

from mixc.compiler.front.arithmetic import Affine, Part
from mixc.compiler.front.context import Context, param_of, resolved, shortened, substituted
from mixc.compiler.front.errors_names import unknown_function, unknown_name
from mixc.compiler.front.errors_rules import not_here, wrong_arguments
from mixc.compiler.front.kinds import STRATEGIES
from mixc.compiler.front.selectors import Selected, select
from mixc.compiler.front.units import LOSS, NUMBER, TOKENS, Dimension
from mixc.compiler.recipe import Function, Selector, StrategyName, Term
from mixc.dsl.syntax import Call, Expression, Reference, Text

FUNCTIONS: Final[Mapping[str, Dimension]] = {
    "share": NUMBER,
    "tokens": TOKENS,
    "epochs": NUMBER,
    "passes": NUMBER,
    "quality": NUMBER,
    "info": TOKENS,
    "loss": LOSS,
    "change": NUMBER,
}
WITHOUT_ARGUMENTS: Final = ("loss", "info", "quality", "epochs", "passes")
WHOLE_RECIPE: Final = ("loss", "info")


@dataclass(slots=True)
class TermReader:
    """Reads the functions of one rule; `phase` is the phase whose block the rule stands in.

    `members` and `each` are those of the rule's `each(...)`, of which there is one.
    """

    context: Context
    phase: str | None = None
    each: str | None = None
    members: tuple[str, ...] | None = None
    refused: bool = False

    def __call__(self, node: Reference | Call) -> tuple[Affine | None] | None:
        """The node as a term, `(None,)` after a mistake; None when it is not a function."""
        path = node.function if isinstance(node, Call) else node
        if isinstance(node, Reference) and not self._is_bare_function(node):
            return None
        baseline = self._baseline(path)
        function = path.parts[-1].text
        if (len(path.parts) > 1 and baseline is None) or function not in FUNCTIONS:
            if len(path.parts) == 2 and baseline is None:
                self._unknown_strategy(path)
            else:
                self.context.out.append(unknown_function(path.span, path.text, tuple(FUNCTIONS)))
            return (None,)
        if not self._stands_here(node, function):
            return (None,)
        term = self._term(node, cast("Function", function), baseline)
        if term is None:
            return (None,)
        return (Affine(Fraction(0), FUNCTIONS[function], (Part(Fraction(1), term, node.span),)),)

    def _is_bare_function(self, node: Reference) -> bool:
        if param_of(node, self.context) is not None:
            return False
        last = node.parts[-1].text
        return (len(node.parts) == 1 and last in FUNCTIONS) or (
            len(node.parts) == 2 and node.parts[0].text in STRATEGIES
        )

    def _baseline(self, path: Reference) -> StrategyName | None:
        if len(path.parts) == 2 and path.parts[0].text in STRATEGIES:
            return cast("StrategyName", path.parts[0].text)
        return None

    def _unknown_strategy(self, path: Reference) -> None:
        head = path.parts[0]
        self.context.out.append(unknown_name(head.span, head.text, "strategy", STRATEGIES, "strategies"))

    def _stands_here(self, node: Reference | Call, function: str) -> bool:
        if self.phase is None or function not in WHOLE_RECIPE:
            return True
        if self.refused:
            return False
        self.refused = True
        note = f"`{function}` comes from the tokens of all phases together"
        what = f"`{function}` cannot be bounded in phase `{self.phase}` alone"
        self.context.out.append(not_here(node.span, what, note, ("move the rule to the top level",)))
        return False

    def _term(self, node: Reference | Call, function: Function, baseline: StrategyName | None) -> Term | None:
        arguments = node.arguments if isinstance(node, Call) else ()
        if function == "change":
            return self._change(node, arguments, baseline)
        if not arguments:
            if function in WITHOUT_ARGUMENTS:
                return Term(1.0, function, Selector(), baseline)
            self._refuse(node, f"`{function}` needs a name", "of what?", "", (f"write `{function}(name)`",))
            return None
        assert isinstance(node, Call)
        selected = select(node, self.context)
        if selected is None or not self._fits(node, function, selected) or not self._same_each(node, selected):
            return None
        return Term(1.0, function, selected.of, baseline)

    def _change(self, node: Reference | Call, arguments: tuple[Expression, ...], baseline: str | None) -> Term | None:
        argument = resolved(arguments[0], self.context) if len(arguments) == 1 else None
        if not isinstance(argument, Text) or baseline is not None:
            helps = ('write `change("prod.manifest.json")`',)
            self._refuse(node, "`change` takes the file of one manifest, as a string", "no file", "", helps)
            return None
        file = substituted(argument, self.context)
        near = self.context.file_path(argument.span)
        if file is None or self.context.tree.locate(file, near, argument.span) is None:
            return None
        name = PurePath(os.path.normpath(PurePath(self.context.file_name(argument.span)).parent / file)).as_posix()
        return Term(1.0, "change", Selector(), manifest=name)

    def _fits(self, node: Call, function: Function, selected: Selected) -> bool:
        of = selected.of
        if self.phase is not None and (of.phases is not None or of.each == "phase"):
            what = f"a rule in phase `{self.phase}` speaks of that phase only"
            note = "inside a phase, `share(x)` is the share of the phase's own budget"
            self.context.out.append(not_here(node.span, what, note, ("remove the phase's name from the rule",)))
            return False
        if function == "info" and (of.phases is not None or of.each == "phase"):
            note = "repetition accumulates over the phases, and so does information"
            self._refuse(node, "`info` is of all phases together", "names a phase", note, ("leave the phase out",))
            return False
        one = of.each == "language" or len(of.languages or ()) == 1
        others = (of.sources, of.domains, of.phases, of.best)
        if function == "loss" and (not one or any(x is not None for x in others) or of.each not in (None, "language")):
            text = shortened(", ".join(a.span.text for a in node.arguments))
            helps = (f"write `loss(each({text}))` for one rule per language",) if len(of.languages or ()) > 1 else ()
            note = "`loss(de)` is the loss of German, `loss` that of all languages weighted by priority"
            self._refuse(node, "`loss` takes one language", "not one language", note, helps)
            return False
        return True

    def _same_each(self, node: Call, selected: Selected) -> bool:
        if selected.of.each is None:
            return True
        if self.each is None:
            self.each, self.members = selected.of.each, selected.members
        if (self.each, self.members) == (selected.of.each, selected.members):
            return True
        note = "a rule is repeated over one group or kind; in each copy all its `each(...)` are the same member"
        self._refuse(node, "a rule repeats over one `each(...)`", "a second one", note, ())
        return False

    def _refuse(self, node: Expression, what: str, label: str, note: str, helps: tuple[str, ...]) -> None:
        self.context.out.append(wrong_arguments(node.span, what, label, note, helps))
