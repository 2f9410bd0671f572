"""What is measured: shipped recipes as problems, a large one made of them, a long recipe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from mixc.compiler.laws.density import cut
from mixc.compiler.pipeline import PROBLEM, Artefacts, run_passes
from mixc.compiler.problem import Pool, Problem

RECIPES = Path(__file__).parents[2] / "recipes"
DOMAINS = 26


def problem_of(name: str, **params: str) -> Problem:
    """The problem that a shipped recipe states."""
    made, found = run_passes(PROBLEM, Artefacts(RECIPES / f"{name}.mix", params))
    if made.problem is None:
        raise ValueError([diagnostic.message for diagnostic in found])
    return made.problem


def by_domain(problem: Problem) -> Problem:
    """The problem with one rated pool per language, each cut into 26 domains of uneven, fixed sizes."""
    rng = np.random.default_rng(17)
    pools: list[Pool] = []
    for language in problem.languages:
        own = [pool for pool in problem.pools if pool.language == language.code and pool.rated]
        largest = max(own, key=lambda pool: pool.tokens)
        for index, part in enumerate(rng.dirichlet(np.full(DOMAINS, 0.7))):
            tokens = 1 + int(largest.tokens * part)
            buckets = cut(tokens, problem.edges, problem.law)
            pools.append(Pool(largest.source, language.code, f"domain{index:02}", True, buckets))
    pools.sort(key=lambda pool: (pool.source, pool.language, pool.domain))
    named = {pool.source for pool in pools}
    sources = tuple(source for source in problem.sources if source.name in named)
    return replace(problem, pools=tuple(pools), sources=sources)


def long_recipe(lines: int = 1000) -> str:
    """A recipe of that many lines: sources, domains, groups and rules in the proportions of real ones."""
    block = """\
source s{i} {{
  supply  = {{ en: {i}B tokens, de: 1.5B tokens, fr: 800M tokens }}
  domain  = d{i}
  assume  = rated
  epochs  <= 4
  license = "ODC-By-1.0"  # as published
}}

require share(s{i}, de) + 2 * share(s{i}, fr) <= 5% + 1%
prefer  tokens(d{i}) within 1B tokens .. 20B tokens weight 0.05
"""
    text = "recipe long\n\nbudget { model = 1.2B params, tokens = 400B tokens }\n"
    blocks = (block.format(i=i) for i in range(1, lines))
    rows = (text + "".join(next(blocks) for _ in range(lines // 10))).splitlines()
    return "\n".join((rows + ["# the end"] * lines)[:lines]) + "\n"
