"""What `mixc design quadmix` and `mixc fit quadmix` start: the search for sampling parameters or mixtures."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from mixc.backends.quadmix.sampler import LambdaLaw
from mixc.backends.search import design_messages, messages
from mixc.backends.search.design import (
    Design,
    DesignSettings,
    Finish,
    Supplied,
    commands,
    design_mixtures,
    design_theta,
    write_design,
)
from mixc.backends.search.design_messages import experiments_lost
from mixc.backends.search.recipes import write_recipe
from mixc.backends.search.report import at_border, recipe_text, table_text
from mixc.backends.search.search import DRAWS, search
from mixc.backends.search.table import Rated, read_runs
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.pipeline import Artefacts, find_supply, load, read_documents, run_passes
from mixc.compiler.recipe import Recipe
from mixc.dsl.diagnostics import Diagnostic

__all__ = ["DesignSettings", "FitSettings", "design", "experiments_lost", "fit"]

WEAK = 0.25
UNLIMITED = 1e6  # epochs, of a source without a limit


@dataclass(frozen=True, slots=True)
class FitSettings:
    """Losses with their weights (none: the column `loss`), how lambda was drawn, the cap of a share, the seed."""

    losses: dict[str, float] = field(default_factory=dict)
    law: LambdaLaw | None = None
    cap: float | None = None
    seed: int = 0
    draws: int = DRAWS


def design(
    made: Artefacts, folder: Path, wanted: DesignSettings, finish: Finish | None = None
) -> tuple[str | None, list[Diagnostic]]:
    """Write the experiments for a recipe into a folder of their own; what to tell, and what was found.

    `finish` compiles the recipes before the folder is there.
    """
    made, found = run_passes((load, read_documents, find_supply), made)
    if made.recipe is None or made.supply is None:
        return None, found
    try:
        held = _supplied(made)
        if not wanted.mixtures and not held.domains:
            raise Unreadable(messages.nothing_rated(held.recipe.name))
        plan, more = (design_mixtures if wanted.mixtures else design_theta)(held, wanted)
        write_design(folder, held, wanted, plan, finish or (lambda recipes: None))
    except Unreadable as problem:
        return None, [*found, problem.diagnostic]
    return _told(plan, folder, held, wanted, commands(folder, made, finish is not None)), found + more


def fit(table: Path, recipe: Recipe, output: Path, wanted: FitSettings) -> tuple[str | None, list[Diagnostic]]:
    """Search what runs say is best and write it as a recipe; the table to print, and what was found."""
    try:
        _check_output(table, recipe, output)
        runs, found = read_runs(table, _rated(recipe), wanted.losses, wanted.law, wanted.cap)
    except Unreadable as problem:
        return None, [problem.diagnostic]
    try:
        losses = runs.losses, runs.parts, runs.weights
        answer = search(runs.space, runs.u, *losses, seed=wanted.seed, draws=wanted.draws)
    except ImportError:
        return None, [*found, messages.no_lightgbm()]
    best = max(skill.r2 for skill in answer.skills)
    found += [messages.weak_surrogate(best)] if best < WEAK else []
    border = at_border(answer, runs)
    found += [messages.at_the_border(border)] if border else []
    try:
        write_recipe(output, recipe_text(answer, runs, recipe, output))
    except Unreadable as problem:
        return None, [*found, problem.diagnostic]
    return table_text(answer, runs), found


def _supplied(made: Artefacts) -> Supplied:
    """Tokens by domain in the languages of the mixture. Raises Unreadable where there is nothing to draw."""
    recipe, supply, catalog = made.recipe, made.supply, made.catalog
    assert recipe is not None and supply is not None
    if catalog is None:
        raise Unreadable(design_messages.no_documents(recipe.name))
    limits = {source.name: source.limit.passes if source.limit else UNLIMITED for source in recipe.sources}
    every: dict[str, float] = {}
    rooms: dict[str, float] = {}
    for pool in supply.pools:
        every[pool.domain] = every.get(pool.domain, 0.0) + pool.tokens
        rooms[pool.domain] = rooms.get(pool.domain, 0.0) + pool.tokens * limits[pool.source]
    rated = _rated(recipe)
    domains = tuple(name for name in rated.domains if every.get(name, 0.0) > 0)
    tokens = tuple(every[name] for name in domains)
    return Supplied(recipe, domains, rated.raters, tokens, tuple(sorted(every.items())), tuple(sorted(rooms.items())))


def _rated(recipe: Recipe) -> Rated:
    """The rated domains of a recipe, and all raters that any of them weighs, in the order of the text."""
    domains = [domain for domain in recipe.domains if domain.weights]
    raters = dict.fromkeys(name for domain in domains for name, _ in domain.weights)
    return Rated(recipe.name, tuple(domain.name for domain in domains), tuple(raters))


def _check_output(table: Path, recipe: Recipe, output: Path) -> None:
    taken = {table.resolve(), Path(recipe.path).resolve()}
    if output.suffix != ".mix" or output.resolve() in taken:
        raise Unreadable(design_messages.wrong_output(str(output), "a recipe of its own, `NAME.mix`"))


def _told(plan: Design, folder: Path, held: Supplied, wanted: DesignSettings, following: str) -> str:
    what = (
        f"Dirichlet mixtures of {len(plan.columns)} domains"
        if wanted.mixtures
        else (
            f"draws of Algorithm 1 for {len(held.domains)} domains and {len(held.raters)} raters, lambda {wanted.law}"
        )
    )
    again = f"; {plan.rejected:,} more were drawn that cannot fill it" if plan.rejected else ""
    each = f"each {wanted.model:,} parameters on {plan.tokens:,} tokens, seed {wanted.seed}{again}"
    size = f"{wanted.runs:,} {what}; {each}\n"
    return f"{size}wrote {folder}\n{following}"
