"""The diagnostics of deciding a mixture. Each docstring is the code's manual page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mixc.dsl.diagnostics import Diagnostic, Label, Severity, page
from mixc.dsl.text import Span

LINES = 5


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the recipe that takes part: where (`place` where there is no text), what it says, what that means."""

    span: Span | None
    place: str
    text: str
    meaning: str


@page("M301")
def contradiction(lines: Sequence[Line], notes: Sequence[str], helps: Sequence[str]) -> Diagnostic:
    """Requirements that cannot hold together

    No mixture meets all of the recipe's requirements. mixc names a smallest set that contradicts itself: leave out any
    one of its members and the others can hold. Requirements that are not named play no part in it. Besides rules,
    the limits of sources (`epochs <= 4`), the order of quality buckets, and the budget itself may be members: the
    tokens of every phase must come from somewhere, so shares of everything sum to 100%.

        require share(web)  <= 40%
        require share(code) <= 15%      # and no third domain: 45% of the tokens have nowhere to come from

    The distances say by how much one member alone would have to give way. They are computed for that member with all
    others kept, so changing one is enough. Where a smallest set is named but a second contradiction hides behind it,
    the help says so; mend the first and compile again.

    A requirement that is a wish is better written `prefer ... weight w`: then it gives way at a price instead.
    """
    message = f"`{lines[0].text}` cannot hold" if len(lines) == 1 else "these requirements cannot hold together"
    return _placed("M301", message, lines, notes, helps)


@page("M303")
def budget_unfilled(
    budget: str, capacity: str, lines: Sequence[Line], notes: Sequence[str], helps: Sequence[str]
) -> Diagnostic:
    """A budget larger than the sources may supply

    Every source's limit (`epochs <= 4`) and its unique tokens say how many tokens it may give. All together they give
    fewer than the budget asks for. This is about limits and supply alone; no `require` has a part in it.

        source wiki { path = "wiki/*.parquet", epochs <= 2 }    # 3B unique tokens: at most 6B
        budget { model = 1B params, tokens = 20B tokens }

    Lower the budget, allow more passes (the predicted loss shows what repetition is worth), or add a source.
    """
    return _placed("M303", f"the sources' limits let in {capacity} of the budget's {budget}", lines, notes, helps)


@page("M304")
def no_optimum(residual: str) -> Diagnostic:
    """No optimum was found, though the requirements can hold

    mixc checks every optimum by its own equations and prints none that does not meet them. Here the requirements can
    hold together, but neither Newton nor the cone solver came close enough. Extreme numbers are the usual cause: cells
    with a billionth of the budget beside cells with all of it, requirements that leave no room at all, priorities many
    orders of magnitude apart.

    Give tight requirements some room (`within 9.99% .. 10.01%` instead of `== 10%`), or drop languages and domains that
    have next to nothing. If the recipe is an ordinary one, this is a fault of mixc: please report it with the recipe.
    """
    return Diagnostic(
        "M304",
        "no mixture was found, although the requirements can hold together",
        notes=(f"the best attempt leaves a residual of {residual}; an optimum has less than 1e-9",),
        helps=("give tight requirements some room, or leave out languages and domains with next to no tokens",),
    )


@page("M441")
def no_supply() -> Diagnostic:
    """There are no tokens to make a mixture of

    No source offers a single token of any language: all supply is gone. A recipe is told so earlier and more exactly;
    here it is a step between two recipes, such as the old one without its only source, which `mixc diff` tries.

    Add a source, or a language that a source has tokens of.
    """
    return Diagnostic(
        "M441",
        "no source has a token of any language",
        helps=("add a source, or a language that a source has tokens of",),
    )


@page("M442")
def language_without_tokens(code: str, supply: str, unit: str, most: str, enough: bool) -> Diagnostic:
    """A language of the mixture gets no tokens, so its predicted loss is infinite

    The budget of each phase is given out in millionths. A language whose best share is less than half of that is
    rounded to nothing, and where no other language teaches it anything, its predicted loss is infinite: no loss of
    the mixture can be stated.

        source crawl { supply = { en: 900B tokens, no: 1 tokens } }

    Remove the language from those that the recipe declares, add sources that have more of it, or ask for at least one
    millionth: `require tokens(no) >= 100K tokens`.
    """
    wanted = f"`require tokens({code}) >= {unit}`" if enough else f"sources with more of `{code}`"
    return Diagnostic(
        "M442",
        f"`{code}` gets no tokens, so its predicted loss is infinite",
        notes=(f"its supply is {supply}, of which {most} may be used; tokens are given out in steps of {unit}",),
        helps=(f"add {wanted}, or remove `{code}` from the recipe's languages",),
    )


@page("M443")
def poorly_proved(gap: str, of: str, cause: str) -> Diagnostic:
    """The mixture is not proved to be nearly the best

    Every mixture comes with a lower bound on what any mixture can reach. Usually the two differ by less than a
    millionth. Here they differ by more than one part in ten thousand, so there may be a better mixture.

    The usual cause is rounding: the budget is given out in millionths and whole tokens, which is coarse for a language
    with next to no tokens, or where limits leave only a few of these steps.

    The mixture obeys the recipe and may be used as it is. For a closer one, leave out what has next to no tokens, or
    give tight requirements some room.
    """
    return Diagnostic(
        "M443",
        f"the mixture may be worse than the best by {gap} {of}",
        notes=(cause,),
        helps=("leave out languages with next to no tokens, or give tight requirements some room",),
        severity=Severity.WARNING,
    )


def _placed(code: str, message: str, lines: Sequence[Line], notes: Sequence[str], helps: Sequence[str]) -> Diagnostic:
    """At most `LINES` labels; lines without text to point at become notes, the first of them the subject."""
    shown = lines[:LINES]
    labels = tuple(Label(line.span, line.meaning) for line in shown if line.span is not None)
    silent = [line for line in shown if line.span is None]
    told = [f"{line.place + ': ' if line.place else ''}`{line.text}`: {line.meaning}" for line in silent]
    if len(lines) > LINES:
        told.append(f"and {len(lines) - LINES} more")
    subject = next((line.place for line in silent if line.place), None) if not labels else None
    return Diagnostic(code, message, labels, (*told, *notes), tuple(helps), subject=subject)
