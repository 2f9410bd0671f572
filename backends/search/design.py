"""The experiments of QuaDMix and RegMix: parameters that proxies are trained on, each as a recipe.

Draws are those of Algorithm 1 (arXiv 2504.16511), or Dirichlet mixtures of domains (arXiv 2407.01492). All experiments
have one seed, so that two of them differ in their parameters and not in chance: common random numbers. A draw takes
sum_m T_m F_m tokens; one that cannot be stretched to the budget within the limits on epochs is drawn again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mixc.backends.quadmix.sampler import LambdaLaw, draw_parameters
from mixc.backends.search import design_messages as messages
from mixc.backends.search.mixtures import draw_mixtures
from mixc.backends.search.recipes import inside, mixture_text, overlay, rounded, theta_text, write_recipe
from mixc.backends.search.space import Floats, ThetaSpace, fractions
from mixc.backends.search.table import LAW, LOSS, RUN, SUPPLY
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.pipeline import Artefacts
from mixc.compiler.recipe import Recipe
from mixc.compiler.whole import write_folder
from mixc.dsl.diagnostics import Diagnostic

Finish: TypeAlias = Callable[[tuple[Path, ...]], None]
"""What is done with the recipes before their folder is there."""

TABLE = "experiments.parquet"
PROXY_TOKENS = 10**9  # the paper's
SLACK = 2.0  # languages depart from the curve's mean repetition by this much at most, as a rule of thumb
MOST_EPOCHS = 15.0  # RegMix's cap on a share: 15 x the prior
MANY = 0.2  # of draws rejected, to be told
BATCHES = 50


@dataclass(frozen=True, slots=True)
class Supplied:
    """What a recipe's documents hold: rated domains, raters, tokens by domain [rated], and of every domain."""

    recipe: Recipe
    domains: tuple[str, ...]
    raters: tuple[str, ...]
    tokens: tuple[float, ...]
    every: tuple[tuple[str, float], ...]
    rooms: tuple[tuple[str, float], ...]  # by domain, tokens that limits on epochs allow to read

    @property
    def limits(self) -> Floats:
        """How often each rated domain may be read on the whole."""
        room = dict(self.rooms)
        return np.array([room[name] / tokens for name, tokens in zip(self.domains, self.tokens, strict=True)])


@dataclass(frozen=True, slots=True)
class DesignSettings:
    """What experiments are wanted; `tokens` None is the paper's budget, or what the pool's median draw takes."""

    runs: int
    seed: int = 0
    law: LambdaLaw = "log"
    mixtures: bool = False
    model: int = 10**6
    tokens: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Experiments as points [runs, d] with the names of their columns, and the budget of each."""

    columns: tuple[str, ...]
    points: Floats
    tokens: int
    rejected: int


def design_theta(held: Supplied, wanted: DesignSettings) -> tuple[Design, list[Diagnostic]]:
    """Draws of Algorithm 1 that can fill the budget; raises Unreadable where hardly any can."""
    shape = (len(held.domains), len(held.raters))
    trial = draw_parameters(2000, *shape, lambda_law=wanted.law, seed=wanted.seed)
    typical = float(np.median(_taken(trial, held)))
    tokens = wanted.tokens or _plain(typical)
    kept, drawn = np.empty((0, shape[0], shape[1] + 4)), 0
    for batch in range(BATCHES):
        more = rounded(draw_parameters(wanted.runs, *shape, lambda_law=wanted.law, seed=_seed(wanted.seed, batch)))
        able = _able(more, held, tokens)
        wanting = wanted.runs - len(kept)
        drawn += len(able) if able.sum() < wanting else int(np.searchsorted(np.cumsum(able), wanting)) + 1
        kept = np.concatenate([kept, more[able]])[: wanted.runs]
        if len(kept) == wanted.runs:
            break
    if len(kept) < wanted.runs:
        raise Unreadable(messages.budget_out_of_reach(tokens, len(kept), drawn, typical))
    found = [messages.draws_rejected(wanted.runs, drawn)] if drawn > wanted.runs / (1 - MANY) else []
    space = ThetaSpace(held.domains, held.raters, wanted.law, held.tokens)
    return Design(space.names, kept.reshape(wanted.runs, -1), tokens, drawn - wanted.runs), found


def design_mixtures(held: Supplied, wanted: DesignSettings) -> tuple[Design, list[Diagnostic]]:
    """Dirichlet mixtures of all domains around what they hold, none read more often than its limit allows."""
    names, amounts = tuple(name for name, _ in held.every), np.array([amount for _, amount in held.every])
    if len(names) < 2:
        raise Unreadable(messages.nothing_to_mix(held.recipe.name))
    prior = amounts / amounts.sum()
    tokens = wanted.tokens or _plain(float(amounts.sum()) / 10)
    room = np.minimum(np.array([room for _, room in held.rooms]) / SLACK / tokens, MOST_EPOCHS * prior)
    caps = np.minimum(1.0, np.minimum(room, _stated_caps(held.recipe, names)))
    if caps.sum() < 1:
        raise Unreadable(messages.budget_out_of_reach(tokens, 0, wanted.runs, float(amounts.sum())))
    shares = np.round(draw_mixtures(wanted.runs, prior, caps, wanted.seed), 6)
    rest = np.round(1.0 - (shares.sum(axis=1) - shares.max(axis=1)), 6)
    shares[np.arange(len(shares)), shares.argmax(axis=1)] = rest
    return Design(tuple(f"share:{name}" for name in names), shares, tokens, 0), []


def write_design(folder: Path, held: Supplied, wanted: DesignSettings, design: Design, finish: Finish) -> None:
    """The folder of recipes, with what `finish` adds, and the table, whole or not at all; raises Unreadable.

    The folder is written beside its place, so paths that are seen from it stay as they are.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else ["a file"]
        raise Unreadable(messages.folder_in_use(str(folder), names))

    def fill(made: Path) -> None:
        _write(made, held, wanted, design)
        finish(tuple(sorted(made.glob("*.mix"))))

    try:
        write_folder(folder, fill)
    except OSError as error:
        why = (error.strerror or "the system gave no reason").lower()
        raise Unreadable(messages.not_written(str(folder), why)) from None


def _write(made: Path, held: Supplied, wanted: DesignSettings, design: Design) -> None:
    width = max(4, len(str(wanted.runs)))
    names = [f"{i + 1:0{width}}" for i in range(wanted.runs)]
    size = f"model = {_short(wanted.model)} params, tokens = {_short(design.tokens)} tokens"
    budget = f"override budget {{ {size}, compute = none, seed = {wanted.seed} }}\n"
    for i, (name, point) in enumerate(zip(names, design.points, strict=True)):
        if wanted.mixtures:
            kind = "a Dirichlet mixture (RegMix, arXiv 2407.01492)"
            body = mixture_text([name for name, _ in held.every], point)
        else:
            kind = f"a draw of QuaDMix's Algorithm 1 (arXiv 2504.16511), lambda {wanted.law}"
            theta = point.reshape(len(held.domains), -1)
            body = theta_text(held.domains, held.raters, theta, held.tokens)
        comment = f"Experiment {name} of {wanted.runs}, seed {wanted.seed}: {kind}."
        text = overlay(comment, f"{held.recipe.name}-{name}", held.recipe, made, budget + body)
        write_recipe(made / f"{name}.mix", text, check=i == 0, part=True)  # others differ in numbers
    pq.write_table(_table(names, held, wanted, design), made / TABLE)


def _table(names: list[str], held: Supplied, wanted: DesignSettings, design: Design) -> pa.Table:
    """One row per experiment; the loss is left to be filled in."""
    count = wanted.runs
    columns: dict[str, pa.Array] = {
        RUN: pa.array(names),
        "recipe": pa.array([f"{name}.mix" for name in names]),
        "seed": pa.array([wanted.seed] * count, pa.int64()),
        "model": pa.array([wanted.model] * count, pa.int64()),
        "tokens": pa.array([design.tokens] * count, pa.int64()),
    }
    if not wanted.mixtures:
        columns[LAW] = pa.array([wanted.law] * count)
        for domain, tokens in zip(held.domains, held.tokens, strict=True):
            columns[f"{SUPPLY}{domain}"] = pa.array([tokens] * count, pa.float64())
    columns |= {name: pa.array(design.points[:, i]) for i, name in enumerate(design.columns)}
    return pa.table(columns | {LOSS: pa.nulls(count, pa.float64())})


def commands(folder: Path, made: Artefacts, compiled: bool) -> str:
    """What to type next, with the parameters that the recipe was given."""
    assert made.recipe is not None
    given = "".join(f" --param {quote(f'{name}={value}')}" for name, value in sorted(made.params.items()))
    outside = "" if inside(made.recipe, folder) else " --allow-outside"
    first = "" if compiled else f"mixc compile {quote(f'{folder}/0001.mix')}{given}{outside} && "
    return (
        f"each: {first}mixc run {quote(f'{folder}/0001.manifest.json')} -o SELECTION\n"
        f"then: fill in the column `{LOSS}` of {folder / TABLE}, and\n"
        f"      mixc fit quadmix {quote(str(folder / TABLE))} --recipe {quote(str(made.path))}{given} -o found.mix\n"
    )


def _taken(theta: Floats, held: Supplied) -> Floats:
    """Tokens that draws [n] take once: sum_m T_m F_m."""
    return np.asarray(fractions(theta[..., -4:]) @ np.array(held.tokens))


def _able(theta: Floats, held: Supplied, tokens: int) -> NDArray[np.bool_]:
    """Whether draws [n] fill the budget with no document read more often than limits allow."""
    lam, omega, eta, epsilon = np.moveaxis(theta[..., -4:], -1, 0)
    most = (2.0 / (1.0 + np.exp(-lam * omega))) ** eta + epsilon
    return np.asarray((SLACK * tokens / _taken(theta, held)[:, None] * most <= held.limits).all(axis=1))


def _stated_caps(recipe: Recipe, domains: tuple[str, ...]) -> Floats:
    """What the recipe's own rules allow a domain at most: `require share(DOMAIN) <= …`."""
    caps = dict.fromkeys(domains, 1.0)
    for rule in recipe.rules:
        if rule.weight is None and rule.sense == "<=" and len(rule.terms) == 1 and rule.phase is None:
            term = rule.terms[0]
            of = term.of
            alone = of.sources is None and of.languages is None and of.phases is None and of.best is None
            if term.function == "share" and alone and of.domains and len(of.domains) == 1 and term.coefficient > 0:
                name = of.domains[0]
                caps[name] = min(caps.get(name, 1.0), rule.bound / term.coefficient)
    return np.array([caps[domain] for domain in domains])


def _plain(tokens: float) -> int:
    """A budget of so many tokens: two digits, rounded down, no more than the paper's."""
    whole = min(PROXY_TOKENS, int(tokens))
    step: int = 10 ** max(0, len(str(whole)) - 2)
    return max(messages.LEAST, whole // step * step)


def _short(count: int) -> str:
    """`1M` for 1000000."""
    for letter, power in (("B", 10**9), ("M", 10**6), ("K", 10**3)):
        if count % power == 0:
            return f"{count // power}{letter}"
    return str(count)


def _seed(seed: int, batch: int) -> int:
    """Batches after the first have streams of their own."""
    return seed if batch == 0 else int(np.random.SeedSequence([seed, batch]).generate_state(1)[0])
