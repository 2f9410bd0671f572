"""Noise of a millionth on the solver's output before it is polished: `python -m tests.determinism.disturbed SEEDS`.

The output are prices: of what is learnt in every language, of tokens in every phase, of every rule. Where the
preference among equals is faint a millionth of them moves cells by many times their size, so this is a harsh test.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mixc.compiler.pipeline import COMPILE, Artefacts, run_passes
from mixc.compiler.review.manifest import manifest_text
from mixc.compiler.solve import newton
from mixc.compiler.solve.equations import Equations, Point
from mixc.compiler.solve.form import Form
from mixc.compiler.solve.program import Program
from tests.determinism.corpus import NAMES, recipes, steady

NOISE = 1e-6
KINDS = ("relative", "absolute")


@dataclass
class Disturbance:
    """Noise of a kind; `before` and `after` are the largest error of a start without it and with it."""

    kind: str
    seed: int
    size: float = NOISE
    before: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)

    @contextmanager
    def on(self) -> Iterator[None]:
        """Inside, every polish starts from a disturbed point."""
        plain, chance = newton.polish, np.random.default_rng(self.seed)

        def polish(program: Program, start: Point, taken: int = 0, form: Form | None = None) -> newton.Solution:
            noise = self.size * chance.normal(size=start.z.shape)
            moved = start.z * (1.0 + noise) if self.kind == "relative" else start.z + noise
            equations = Equations(program, form=form)
            disturbed = equations.at(equations.within(moved))
            self.before.append(start.error)
            self.after.append(disturbed.error)
            return plain(program, disturbed, taken, form)

        newton.polish = polish
        try:
            yield
        finally:
            newton.polish = plain


def manifest(path: Path) -> str:
    """The text of a recipe's manifest."""
    made, found = run_passes(COMPILE, Artefacts(path))
    if made.manifest is None:
        raise AssertionError(f"{path.stem}: {[one.message for one in found]}")
    return manifest_text(made.manifest)


def main(seeds: int) -> int:
    """Every recipe, both kinds of noise, so many seeds; 1 where a byte differs."""
    failed = 0
    with tempfile.TemporaryDirectory() as work:
        recipes(Path(work))
        for name in NAMES:
            path = Path(work) / f"{name}.mix"
            plain, tried, off = manifest(path), [], []
            for kind in KINDS:
                for seed in range(seeds):
                    noise = Disturbance(kind, seed)
                    with noise.on():
                        off += [f"{kind} {seed}"] if steady(name, manifest(path)) != steady(name, plain) else []
                    tried += noise.after
            failed += len(off)
            outcome = f"DIFFERENT: {', '.join(off)}" if off else "the same bytes"
            print(f"{name}: {2 * seeds} compiles, starts off by up to {max(tried):.0e}: {outcome}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
