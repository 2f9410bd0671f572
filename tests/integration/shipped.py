"""Shipped recipes as tests see them: compiled once per run."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from mixc.compiler.pipeline import COMPILE, Artefacts, run_passes
from mixc.compiler.review.manifest import manifest_text
from mixc.dsl.diagnostics import Diagnostic

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "recipes"
DOCUMENTS = ("docs",)  # recipes that read `make corpus`; tests/integration/test_documents.py runs them
NAMES = sorted(path.stem for path in RECIPES.glob("*.mix") if path.stem not in DOCUMENTS)


@cache
def compiled(name: str, *params: tuple[str, str]) -> tuple[dict[str, Any], str, list[Diagnostic]]:
    """Manifest as data and as text, and the warnings; the recipe must compile."""
    made, found = run_passes(COMPILE, Artefacts(RECIPES / f"{name}.mix", dict(params)))
    assert made.manifest is not None, [d.message for d in found]
    text = manifest_text(made.manifest)
    return json.loads(text), text, found
