"""Target shares of the baseline strategies (climb.md): what each would train on if there were no rules.

Within a language tokens follow supply, and phases are alike. The projection under rules and limits is the solver's.
"""

from __future__ import annotations

import numpy as np

from mixc.compiler.recipe import Strategy
from mixc.compiler.solve.program import Floats, Program

TEMPERATURE = 3.33
UNIMAX_EPOCHS = 4.0


def language_targets(strategy: Strategy, supply: Floats) -> Floats:
    """Share of every language [L] from its unique tokens `supply` [L] as fractions of the budget.

    uniform: equal. natural: by supply. temperature: p^(1/tau), tau 3.33 unless given (XLM-R, mT5). unimax: by ascending
    supply, each takes min(what is left / languages left, epochs x supply), then normalised (Chung et al. 2023).
    """
    if strategy.name == "uniform":
        weight = (supply > 0).astype(float)
    elif strategy.name == "natural":
        weight = supply
    elif strategy.name == "temperature":
        weight = supply ** (1.0 / (strategy.temperature or TEMPERATURE))
    else:
        weight = _unimax(supply, strategy.epochs or UNIMAX_EPOCHS)
    return np.asarray(weight / weight.sum())


def _unimax(supply: Floats, epochs: float) -> Floats:
    taken, left = np.zeros(len(supply)), 1.0
    order = np.lexsort((np.arange(len(supply)), supply))
    for position, i in enumerate(order):
        taken[i] = min(left / (len(supply) - position), epochs * supply[i])
        left -= taken[i]
    return taken


def cell_targets(program: Program, shares: Floats) -> Floats:
    """t [n, P]: language shares laid over cells by supply, in every phase over the cells that the phase has."""
    cells = program.cells
    present = cells.phase_limit > 0
    weight = cells.supply[:, None] * present
    by_language = program.membership @ weight
    with np.errstate(invalid="ignore", divide="ignore"):
        within = np.where(weight > 0, weight / by_language[cells.language], 0.0)
    held = np.where(by_language > 0, shares[:, None], 0.0)
    held = held / held.sum(axis=0)
    return np.asarray(within * held[cells.language] * program.phases)
