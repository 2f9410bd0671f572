"""From scored documents to a verified selection, as the commands do it, for tests that go all the way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from mixc.backends.nag.extract import features_of
from mixc.backends.nag.kernel import scorer
from mixc.backends.nag.model import Model, origin_of
from mixc.backends.nag.profile import profile_of
from mixc.backends.selection.backend import run, verify
from mixc.compiler.cli.compile import artefacts
from mixc.compiler.cli.run import opened
from mixc.compiler.executor import run_on
from mixc.compiler.pipeline import COMPILE, Artefacts, run_passes
from mixc.compiler.progress import Quiet
from mixc.compiler.review.schema import Manifest
from mixc.compiler.score import Scored
from mixc.dsl.diagnostics import Diagnostic, has_errors
from tests.nag.scoring_pool import scored_on, told


def scored(path: Path, workers: int = 1) -> tuple[Scored | None, list[Diagnostic]]:
    """What scoring does here."""
    return run_on("local", workers, lambda executor: scored_on(path, executor))


def compiled(path: Path) -> Manifest:
    """The manifest of a recipe, written beside it."""
    made, found = run_passes(COMPILE, Artefacts(path))
    assert not has_errors(found), told(found)
    assert made.manifest is not None
    for name, data in artefacts(made, path.with_suffix(".manifest.json")).items():
        name.write_bytes(data)
    return made.manifest


def selection(path: Path, output: Path) -> dict[str, int]:
    """Copies by id that a verified run takes."""
    job, found = opened(path.with_suffix(".manifest.json"))
    assert job is not None, told(found)
    outcome, found = run_on("local", 1, lambda executor: run(job, output, executor, Quiet()))
    assert outcome is not None, told(found)
    report, found = run_on("local", 1, lambda executor: verify(job, output, 1.0, executor, Quiet()))
    assert report is not None, told(found)
    assert not found
    tables = [pq.read_table(file) for file in sorted((output / "selection").rglob("*.parquet"))]
    return {name: n for t in tables for name, n in zip(t["id"].to_pylist(), t["copies"].to_pylist(), strict=True)}


def errors(path: Path) -> list[str]:
    """The codes with which a recipe does not compile."""
    _, found = run_passes(COMPILE, Artefacts(path))
    return [one.code for one in found if has_errors([one])]


def whole_scores(
    model: Model, examples: list[str], texts: list[str]
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """S of texts, straight from their neurons."""
    origin = origin_of(model, "up", 5, 40)
    profile = profile_of("t", features_of(model, origin, examples), origin.shape)
    return scorer([profile])(features_of(model, origin, texts))[:, 0]
