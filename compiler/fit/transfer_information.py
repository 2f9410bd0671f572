"""InfoLaw's information of each language in a run, for a transfer law whose signal is information.

What is known of a run are its tokens per language, so that a language counts as unrated and read once: information is
x f ln K (1 - exp(-lam / ln K)) with f the mean density of a pool, in 1e9 tokens.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mixc.compiler.fit.transfer_model import columns
from mixc.compiler.fit.transfer_runs import TransferRuns
from mixc.compiler.laws.density import pool_density
from mixc.compiler.laws.infolaw import INFO_UNIT, repetition_cost
from mixc.compiler.problem import InfoLaw


def information_of(runs: TransferRuns, law: InfoLaw) -> NDArray[np.float64]:
    """J [n, M] in 1e9 tokens of the best bucket."""
    names = {code: i for i, code in enumerate(columns(runs.runs, runs.languages))}
    found = np.zeros((len(runs.runs), len(names)))
    for k, run in enumerate(runs.runs):
        first_pass = -math.expm1(-repetition_cost(law, run.params, run.tokens)) * math.log(run.tokens)
        for code, value in run.taken:
            found[k, names[code]] = value * pool_density(law) * first_pass / INFO_UNIT
    return found
