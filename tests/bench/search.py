"""`python -m tests.bench.search [PART …]`: what the search for sampling parameters finds, scored by the true loss.

    convex      the reference data's truth over 28 parameters: 3,000 runs, ten fresh draws of noise
    multimodal  the truths of tests/search/multimodal.py, which were fixed before the search was tuned
    wide        182 parameters, 3,000 runs: CPU seconds of one core

Beside each answer stand the paper's own search (the mean of the best 10 of 100,000 draws by LightGBM), the mean of
Algorithm 1 and the best run, on the same runs.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from statistics import mean

from mixc.compiler.cli import ONE_THREAD

PARTS = ("convex", "multimodal", "wide")
SEEDS = 10


def cases(part: str) -> Iterator[tuple[object, str, object, object]]:
    """Truth, name, thetas and noisy losses of every case of a part."""
    import numpy as np

    from mixc.backends.quadmix.sampler import draw_parameters
    from tests.search import convex, multimodal

    if part == "convex":
        for seed in range(SEEDS):
            yield (convex.convex(), f"convex, noise {seed}", *convex.runs(seed))
    elif part == "multimodal":
        for make in (multimodal.wells, multimodal.separable, multimodal.shares):
            for seed in multimodal.SEEDS:
                truth = make(seed)
                yield (truth, truth.name, *multimodal.noisy(truth, seed))
    else:
        truth, theta = convex.wide(), draw_parameters(3000, 26, 3, lambda_law="linear", seed=1)
        clean = truth.loss(theta)
        yield truth, "wide", theta, clean + 0.1 * clean.std() * np.random.default_rng(1).standard_normal(len(clean))


def report(part: str) -> None:
    """One line per case, and the means."""
    from mixc.backends.search.search import search
    from mixc.backends.search.space import ThetaSpace

    rows: list[list[float]] = []
    for truth, name, theta, losses in cases(part):
        domains = theta.shape[1]  # type: ignore[attr-defined]
        tokens = truth.tokens or (1.0,) * domains  # type: ignore[attr-defined]
        space = ThetaSpace(tuple(f"d{m}" for m in range(domains)), ("x", "y", "z"), "linear", tokens)
        start = time.process_time()
        found = search(space, space.units(theta), losses)  # type: ignore[arg-type]
        seconds = time.process_time() - start
        points = [found.best, found.baselines[1], found.baselines[2], found.baselines[0]]
        true = [float(truth.loss(space.theta(point.u[None]))[0]) for point in points]  # type: ignore[attr-defined]
        rows.append(true)
        print(
            f"search {name:18} {true[0]:.4f}  paper's {true[1]:.4f}  Algorithm 1 {true[2]:.4f}  best run {true[3]:.4f}"
            f"  predicted {found.best.predicted:.3f} +- {found.best.deviation:.3f}"
            f"  MAE {found.skills[0].mae:.4f} (LightGBM {found.skills[1].mae:.4f})  {seconds:.1f} CPU s",
            flush=True,
        )
    if len(rows) > 1:
        print(f"search {part + ', mean':18} " + "  ".join(f"{mean(column):.4f}" for column in zip(*rows, strict=True)))


def main(parts: list[str]) -> None:
    """Print the report of these parts, or of all."""
    for part in parts or PARTS:
        report(part)


if __name__ == "__main__":
    for variable in ONE_THREAD:
        os.environ[variable] = "1"
    main(sys.argv[1:])
