"""Diagnostics about numbers, units and the types of values (M201 to M209)."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.compiler.front.errors_names import did_you_mean, some
from mixc.dsl.diagnostics import Diagnostic, Label, page
from mixc.dsl.text import Span


@page("M201")
def wrong_dimension(span: Span, what: str, expected: str, found: str, note: str, help_: str) -> Diagnostic:
    """A number in the wrong unit

    Units are part of a number, and every key and function has one: `model` is measured in params, `tokens(x)` in
    tokens, `ratio` in tokens/param. Shares, epochs and priorities are plain numbers or percentages.

        budget { model = 1.2B params, tokens = 400B tokens, ratio >= 20 params/token }

    Write the number in the unit that is asked for. `K`, `M`, `B`, `T` attach to the digits, the unit follows a space.
    """
    if not expected:
        message, label = f"{what} is a plain number, not {found}", f"this is {found}"
    elif not found:
        message, label = f"{what} is measured in {expected}, but this number has no unit", "a plain number"
    else:
        message, label = f"{what} is measured in {expected}, not {found}", f"this is {found}"
    return Diagnostic("M201", message, (Label(span, label),), (note,) if note else (), (help_,) if help_ else ())


@page("M202")
def unknown_unit(span: Span, unit: str, allowed: Sequence[str], helps: tuple[str, ...]) -> Diagnostic:
    """A unit that mixc does not know

    The units are params, tokens, FLOPs, bytes, words and nats, and their quotients such as tokens/param. Thousands
    and more are letters on the digits, not part of the unit.

        source web { supply = { en: 3.2 TB } }

    Write `3.2T bytes`.
    """
    return Diagnostic(
        "M202",
        f"unknown unit `{unit}`",
        (Label(span, "not a unit"),),
        (f"units: {some(list(allowed))}, and quotients such as tokens/param",),
        helps or did_you_mean(unit, allowed),
    )


@page("M203")
def unusable_number(span: Span, text: str, reason: str) -> Diagnostic:
    """A number that mixc cannot count with

    mixc computes exactly. Numbers beyond 1e60, below 1e-60 or with more than 80 characters are surely mistakes, and
    infinity, NaN and a division by zero are no amounts of anything.

        budget { model = 1e999 params, tokens = 10B tokens }

    Write the number that is meant.
    """
    return Diagnostic("M203", f"`{text}` is not a number that mixc can use", (Label(span, reason),))


@page("M204")
def out_of_range(span: Span, what: str, found: str, allowed: str, note: str = "", help_: str = "") -> Diagnostic:
    """A number outside the range that makes sense

    A model has more than 0 parameters, a share lies between 0% and 100%, a seed is a whole number. A value outside
    its range is refused where it is written rather than surprising you in the mixture.

        budget { model = -3B params, tokens = 0 tokens }

    Write a value within the range that the message states.
    """
    return Diagnostic(
        "M204",
        f"{what} must be {allowed}, not {found}",
        (Label(span, f"this is {found}"),),
        (note,) if note else (),
        (help_,) if help_ else (),
    )


@page("M205")
def percent_forgotten(span: Span, what: str, text: str, percent: str) -> Diagnostic:
    """A share written without its percent sign

    A share is a fraction of one: `30%` and `0.3` are the same, but `30` is 3000%.

        require share(en) >= 30

    Add the percent sign.
    """
    return Diagnostic(
        "M205",
        f"{what} is at most 100%, but `{text}` is {percent}",
        (Label(span, f"this is {percent}"),),
        helps=(f"write `{text}%`?",),
    )


@page("M206")
def wrong_type(span: Span, what: str, expected: str, found: str, help_: str = "") -> Diagnostic:
    """A value of the wrong type

    Every key holds one type of value: a number, a string in double quotes, a word, a list in `[ ]` or a map in `{ }`.

        source web { path = 3 }

    Write a value of the type that the message names.
    """
    return Diagnostic(
        "M206",
        f"{what} is {expected}, not {found}",
        (Label(span, f"this is {found}"),),
        helps=(help_,) if help_ else (),
    )


@page("M207")
def wrong_relation(span: Span, key: str, what: str, label: str, helps: tuple[str, ...]) -> Diagnostic:
    """A key that is set where it can only be bounded, or bounded where it can only be set

    Most keys are facts, set with `=`. A few are limits and take a relation: `epochs <= 4` in a source, `ratio >= 20
    tokens/param` in the budget. The repetition of a source can only be limited from above; a lower bound on its use
    is a rule.

        source web { path = "web/*.parquet", epochs = 4 }

    Write it as the help line shows.
    """
    return Diagnostic("M207", f"`{key}` {what}", (Label(span, label),), helps=helps)


@page("M208")
def upside_down(span: Span, low: str, high: str) -> Diagnostic:
    """A range whose ends are exchanged

    `a .. b` holds everything from `a` up to `b`, both included; here `a` is larger than `b` and nothing lies between.

        require share(de) within 20% .. 6%

    Exchange the ends.
    """
    return Diagnostic(
        "M208",
        f"nothing lies between {low} and {high}",
        (Label(span, "the low end is above the high end"),),
        helps=(f"write `{high} .. {low}`",),
    )


@page("M209")
def keys_exclude(span: Span, what: str, label: str, others: Sequence[Label], note: str, help_: str) -> Diagnostic:
    """Keys that do not go together

    Some keys are two ways to say one thing, or only mean something beside another one: a source has a `path` or a
    `supply`, `temperature` belongs to `strategy = temperature`, a domain with a sampling curve leaves no room for
    `order = shares`.

        source web { path = "web/*.parquet", supply = "web.csv" }

    Keep the one that you mean.
    """
    return Diagnostic("M209", what, (Label(span, label), *others), (note,) if note else (), (help_,) if help_ else ())
