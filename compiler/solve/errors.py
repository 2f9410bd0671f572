"""The diagnostics of deciding a mixture: M301, M303 and M304. Each docstring is the code's manual page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mixc.dsl.diagnostics import Diagnostic, Label, page
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
