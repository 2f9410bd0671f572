"""The reference data's convex truth over 28 parameters: its runs for the search, its formula for scoring alone."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq

from tests.reference_data import shared_file
from tests.search.multimodal import SCALE, Floats, Truth

RUNS_FILE = "oracle/quadmix/search_theta_M4_n3000_seed0.parquet"
DOMAINS, RATERS, NOISE = 4, 3, 0.1
SAID, MIDDLE = 3.049, 3.258  # the re-implementation's search at this noise, and the mean of Algorithm 1


def convex() -> Truth:
    """The truth, from its formula."""
    said = json.loads(shared_file("oracle/quadmix/search_theta_M4.json").read_text())["coefficients"]
    centre = np.concatenate(
        [np.array(said["alpha"]), np.array([said[name] for name in ("lam", "omega", "eta", "eps")]).T], axis=1
    )
    stiff = np.array([2.0, 2.0, 2.0, 0.5, 4.0, 1.0, 0.2])
    v = np.array(said["v"])
    return Truth("convex", lambda theta: 3.0 + ((theta * SCALE - centre) ** 2 @ stiff) @ v)


def runs(noise: int | None) -> tuple[Floats, Floats]:
    """The 3,000 thetas [n, M, N + 4] and their losses with fresh noise of a seed; the file's own noise for None."""
    table = pq.read_table(shared_file(RUNS_FILE))
    names = [
        [*(f"alpha_{m}_{n}" for n in range(RATERS)), *(f"{p}_{m}" for p in ("lambda", "omega", "eta", "epsilon"))]
        for m in range(DOMAINS)
    ]
    theta = np.stack([np.stack([table[name].to_numpy() for name in row], axis=1) for row in names], axis=1)
    theta = theta.astype(np.float64)
    if noise is None:
        return theta, table["loss_noisy"].to_numpy()
    clean = table["loss_clean"].to_numpy()
    return theta, clean + NOISE * clean.std() * np.random.default_rng(noise).standard_normal(len(clean))


def wide(seed: int = 26, domains: int = 26) -> Truth:
    """A truth of the same form over 26 domains: 182 parameters, as in QuaDMix."""
    random = np.random.default_rng(seed)
    centre = np.concatenate(
        [random.dirichlet(np.full(RATERS, 4.0), domains), random.uniform(0.2, 0.85, (domains, 4))], axis=1
    )
    stiff = np.array([2.0, 2.0, 2.0, 0.5, 4.0, 1.0, 0.2])
    v = random.dirichlet(np.full(domains, 3.0))
    return Truth("wide", lambda theta: 3.0 + ((theta * SCALE - centre) ** 2 @ stiff) @ v)
