"""Manifests of recipes in this repository, and what a run of them might have written, for exporters of trainers."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mixc.backends.exporters.leaves import Leaf
from mixc.compiler.export import CellTexts
from mixc.compiler.review.reading import read_manifest
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic

RECIPES = Path(__file__).parents[2] / "recipes"
DATA = "corpus/{source}/{language}/{domain}/{bucket}"


@cache
def manifest(name: str) -> Manifest:
    """The manifest of a recipe."""
    found, problems = read_manifest(str(RECIPES / f"{name}.manifest.json"))
    assert found is not None, problems
    return found


def texts(of: Manifest, *, repeat: bool = False, copies: int = 3) -> tuple[CellTexts, ...]:
    """As if a run had taken a millionth of every cell, in documents of 500 tokens, `copies` of each."""
    return tuple(
        CellTexts(row.phase, row.source, row.language, row.domain, bucket,
                  f"selection/texts/{row.phase}/{row.source}/{row.language}/{row.domain}/{bucket}",
                  count * copies if repeat else count, count * copies, count * copies * 500, repeat)
        for row in of.mixture
        for bucket, tokens in enumerate(row.tokens_by_bucket)
        if (count := max(1, tokens // 1_000_000 // 500 // copies)) and tokens
    )  # fmt: skip


def leaf(tokens: int, available: int, documents: int | None = None, path: str = "place") -> Leaf:
    """A place."""
    return Leaf(path, path.replace("/", "-"), tokens, available, documents, None)


def codes(found: list[Diagnostic]) -> list[str]:
    """The codes of diagnostics."""
    return [one.code for one in found]
