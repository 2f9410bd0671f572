"""What can be wrong with a prediction that is asked for: M770 to M774."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.dsl.diagnostics import Diagnostic, Severity, page
from mixc.dsl.suggest import suggest
from mixc.dsl.wording import listed, plain

EXAMPLE = "`--sweep tokens=100B..2T`, `--sweep tokens=100B..2T:12` or `--sweep size=1B,3B,7B`"


@page("M770")
def bad_sweep(text: str, why: str = "") -> Diagnostic:
    """a sweep cannot be read

    A sweep names a param and says through which values it goes: two figures with `..` between them, with `:N` for N
    points instead of seven, or a list of figures. A range of a factor of three or more is stepped through by factors,
    a narrower one by differences.

    Example: `--sweep tokens=100B..2T`, `--sweep size=1B,3B,7B`, `--sweep share=5%..30%:6`
    """
    return Diagnostic(
        "M770",
        f"the sweep `{plain(text)}` cannot be read" + (f": {why}" if why else ""),
        helps=(f"write {EXAMPLE}",),
    )


@page("M771")
def unknown_axis(name: str, known: Sequence[str]) -> Diagnostic:
    """a sweep names no param of the recipe

    A sweep moves params, as `--param` sets them, and `tokens` and `model` of a budget that states both.

    What to do: declare the param, `param size = 1.2B params`, and use it where the figure stands:
    `budget { model = size, tokens = 400B tokens }`.
    """
    close = suggest(name, known)
    return Diagnostic(
        "M771",
        f"the recipe has no param `{plain(name)}`",
        notes=(f"it can be swept by {listed([f'`{one}`' for one in known], 8)}",) if known else (),
        helps=(f"did you mean `{close}`?",) if close else ("declare it: `param size = 1.2B params`",),
    )


@page("M772")
def no_point(code: str, message: str) -> Diagnostic:
    """no point of a sweep has a mixture

    Each point is decided like the recipe itself, with the params of that point. Here none could be.

    What to do: `mixc compile` says why, with the lines of the recipe: with the same `--param`, or with the budget of
    the point written into it.
    """
    return Diagnostic(
        "M772",
        "no point of the sweep has a mixture",
        notes=(f"the first one: {message} [{code}]",),
        helps=("`mixc compile` says why, with the `--param` or the budget of one point",),
    )


@page("M773")
def too_many_points(points: int, most: int) -> Diagnostic:
    """a sweep has too many points

    Every point is a convex program of its own, and several sweeps are combined with each other.

    What to do: ask for fewer points: `tokens=100B..2T:5`.
    """
    return Diagnostic(
        "M773", f"the sweeps make {points:,} points, of at most {most:,}", helps=("write fewer: `tokens=100B..2T:5`",)
    )


@page("M774")
def lost_points(lost: int, points: int, codes: Sequence[str]) -> Diagnostic:
    """some points of a sweep have no mixture

    At these points rules, limits and supply contradict each other, most often because the budget is more than the
    supply allows. The table shows the code in place of a loss.

    What to do: `mixc compile` says why, with the lines of the recipe: with the same `--param`, or with the budget of
    the point written into it.
    """
    return Diagnostic(
        "M774",
        f"{lost} of {points} points have no mixture ({', '.join(sorted(set(codes)))})",
        helps=("`mixc compile` says why, with the `--param` or the budget of one of them",),
        severity=Severity.WARNING,
    )
