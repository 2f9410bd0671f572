"""What a search found, as the table that is printed and as the recipe that is written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mixc.backends.search.recipes import mixture_text, overlay, rounded, theta_text
from mixc.backends.search.search import Found, Point
from mixc.backends.search.space import Floats, ThetaSpace
from mixc.backends.search.table import Runs
from mixc.compiler.recipe import Recipe

BORDER = 0.002  # of a range


def table_text(found: Found, runs: Runs) -> str:
    """The table on stdout: surrogates on runs left out, then the answer beside its baselines."""
    named = zip(runs.names, runs.weights, strict=True)
    name = " + ".join(column if weight == 1 else f"{weight:.3g} {column}" for column, weight in named)
    lines = [f"{found.runs:,} runs, {runs.u.shape[1]} parameters, loss: {name}", ""]
    lines.append(f"{'on runs left out':44} {'MAE':>8} {'R2':>7} {'rank r':>7}")
    lines += [f"{skill.name:44} {skill.mae:8.4f} {skill.r2:7.3f} {skill.spearman:7.3f}" for skill in found.skills]
    lines += ["", f"{'point':44} {'predicted':>9} {'+-':>7}  measured"]
    lines += [_line(point) for point in (found.best, *found.baselines)]
    lines += ["", "found: where prediction and doubt in all directions together are least"]
    lines += [f"noise of a run, as learned: {found.noise:.4f}; part of the smooth surrogate: {found.trust:.0%}"]
    return "\n".join(lines) + "\n"


def _line(point: Point) -> str:
    measured = "" if point.measured is None else f"  {point.measured:.4f}"
    return f"{point.name:44} {point.predicted:9.4f} {point.deviation:7.4f}{measured}"


def recipe_text(found: Found, runs: Runs, recipe: Recipe, output: Path) -> str:
    """The recipe with what was found; the evidence stands in its comments."""
    comment = "Found by `mixc fit quadmix`; predictions are of the proxies' loss, not of a larger model's.\n\n"
    comment += table_text(found, runs)
    if isinstance(runs.space, ThetaSpace):
        comment += "\nWhere a budget is larger than these curves give, `quality { scale = omega }` widens them.\n"
    return overlay(comment, output.stem, recipe, output.parent, body_text(found.best.u, runs))


def body_text(u: Floats, runs: Runs) -> str:
    """The rules and overrides of a point."""
    space = runs.space
    if isinstance(space, ThetaSpace):
        theta = rounded(space.theta(u[None]))[0]
        return theta_text(space.domains, space.raters, theta, space.tokens if runs.supplied else None)
    return mixture_text(space.domains, u)


def at_border(found: Found, runs: Runs) -> Sequence[str]:
    """Coordinates of the answer at the end of what experiments were drawn from; a weight or share of 0 is none."""
    lower, upper = runs.space.limits
    grouped = {int(i) for group in runs.space.groups for i in group}
    span = upper - lower
    u = found.best.u
    return [
        name
        for i, name in enumerate(runs.space.names)
        if i not in grouped and min(u[i] - lower[i], upper[i] - u[i]) < BORDER * span[i]
    ]
