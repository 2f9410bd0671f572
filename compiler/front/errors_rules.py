"""Diagnostics about rules and groups: curvature, arguments, and what a rule may speak of (M210 to M219)."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.dsl.diagnostics import Diagnostic, Label, Severity, page
from mixc.dsl.text import Span


@page("M210")
def wrong_curvature(span: Span, what: str, label: str, reason: str, helps: tuple[str, ...]) -> Diagnostic:
    """A rule in a direction that has no certain answer

    mixc finds the best mixture and proves it. That works for rules whose solutions form a convex set: a loss, the
    largest repetition and the change from another manifest can be bounded from above, information from below.
    Quality is a ratio and is bounded by a constant. Shares, tokens and mean epochs can be bounded either way.

        require loss(de) >= 2.5

    Turn the relation round if that is what you mean, or bound a share or tokens instead.
    """
    return Diagnostic("M210", what, (Label(span, label),), (reason,), helps)


@page("M211")
def not_linear(span: Span, what: str, label: str, help_: str) -> Diagnostic:
    """A product or quotient of two unknowns

    A rule is a sum of multiples of functions. A function times a function, or divided by one, is not.

        require tokens(de) / tokens(fr) >= 2

    Multiply the rule out: `tokens(de) >= 2 * tokens(fr)`.
    """
    return Diagnostic("M211", what, (Label(span, label),), helps=(help_,))


@page("M212")
def wrong_arguments(span: Span, what: str, label: str, note: str, helps: tuple[str, ...]) -> Diagnostic:
    """Arguments that the function does not take

    The arguments of `share`, `tokens`, `epochs`, `passes`, `quality` and `info` are names of different kinds, and the
    function speaks of what they have in common: `share(web, de)` is the German part of `web`. Two names of one kind
    have nothing in common. `loss` takes one language, `change` the file of a manifest, `best` a percentage, `each` a
    group or one of `source`, `language`, `domain`, `phase`.

        require share(de, fr) >= 10%

    Add the functions, `share(de) + share(fr)`, or name a group.
    """
    return Diagnostic("M212", what, (Label(span, label),), (note,) if note else (), helps)


@page("M213")
def not_here(span: Span, what: str, note: str, helps: tuple[str, ...]) -> Diagnostic:
    """A function that does not stand in a phase

    Information and loss come from all tokens of the recipe together, since repetition accumulates over the phases;
    they have no meaning for one phase alone. A rule in the block of a phase already speaks of that phase and of no
    other.

        phase anneal { budget = 40B tokens, require loss(de) <= 2.5 }

    Move the rule out of the phase.
    """
    return Diagnostic("M213", what, (Label(span, "stands inside a phase"),), (note,), helps)


@page("M214")
def says_nothing(span: Span, text: str, note: str) -> Diagnostic:
    """A rule without an unknown

    Both sides of the rule are constants, so no mixture can change whether it holds.

        require share(de) >= share(de)

    Remove it, or name what is meant.
    """
    return Diagnostic(
        "M214",
        f"`{text}` does not depend on the mixture",
        (Label(span, "always true or never"),),
        (note,) if note else (),
    )


@page("M215")
def only_loss(span: Span, what: str) -> Diagnostic:
    """An objective other than the predicted loss

    A recipe minimizes `loss`, the priority-weighted predicted loss of its languages. Everything else that matters is
    a rule: `require` where it must hold, `prefer ... weight w` where it has a price.

        maximize quality(web)

    Write `minimize loss`, which is also the default, and state the rest as rules.
    """
    return Diagnostic(
        "M215",
        f"{what} cannot be the objective",
        (Label(span, "not something mixc optimizes"),),
        ("a recipe minimizes `loss`; give a language more `priority` to make its loss matter more",),
        ("write `minimize loss`, and state the rest as `require` or `prefer`",),
    )


@page("M216")
def bad_group(span: Span, name: str, what: str, labels: Sequence[Label], note: str) -> Diagnostic:
    """A group that is not a union of names of one kind

    A group stands for its members in `share(...)` and `each(...)`, so all of them must be of one kind: all sources,
    all languages, all domains or all phases.

        group mixed = [de, wikipedia]

    Make one group per kind; a rule may name both: `share(languages, sources)` is what they have in common.
    """
    return Diagnostic("M216", f"group `{name}` {what}", (Label(span), *labels), (note,) if note else ())


@page("M217")
def own_language(span: Span, key: str, code: str) -> Diagnostic:
    """A language that gives to itself

    `transfer` and `cost` say what other languages do to this one. Its own information counts in full already.

        language de { transfer = { de: 50%, en: 35% } }

    Remove the language from its own map.
    """
    return Diagnostic(
        "M217",
        f"`{key}` of `{code}` names `{code}` itself",
        (Label(span, "the language itself"),),
        ("a language's own information always counts in full",),
        (f"remove `{code}` from its own `{key}`",),
    )


@page("M218")
def no_priority(span: Span, message: str, note: str, helps: tuple[str, ...]) -> Diagnostic:
    """A language that nothing asks for

    The objective weighs each language's loss by its priority. With priority 0 the best mixture holds none of it
    unless a rule demands some, and where all priorities are 0 there is nothing to optimize.

        language la { priority = 0 }

    Give it a priority, or a lower bound: `require share(la) >= 1%`.
    """
    return Diagnostic("M218", message, (Label(span, "priority 0 here"),), (note,), helps)


@page("M219")
def absolute_loss(span: Span, text: str, helps: tuple[str, ...]) -> Diagnostic:
    """A loss bounded by an absolute number (warning)

    Predicted losses depend on the vocabulary and the validation text that the law was calibrated on, so an absolute
    number means little for another tokenizer. Differences and ratios carry over.

        require loss(de) <= 2.4

    State the bound against a baseline: `require loss(de) <= 101% * natural.loss(de)`.
    """
    return Diagnostic(
        "M219",
        f"`{text}` bounds a loss by an absolute number",
        (Label(span, "holds for this calibration only"),),
        ("absolute losses depend on the calibration's tokenizer and validation text",),
        helps,
        Severity.WARNING,
    )
