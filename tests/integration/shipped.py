"""Shipped recipes as tests see them: compiled once per run, reduced to a golden text that is small and exact."""

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
NAMES = sorted(path.stem for path in RECIPES.glob("*.mix"))
GRID = 6  # digits of a share


@cache
def compiled(name: str, *params: tuple[str, str]) -> tuple[dict[str, Any], str, list[Diagnostic]]:
    """Manifest as data and as text, and the warnings; the recipe must compile."""
    made, found = run_passes(COMPILE, Artefacts(RECIPES / f"{name}.mix", dict(params)))
    assert made.manifest is not None, [d.message for d in found]
    text = manifest_text(made.manifest)
    return json.loads(text), text, found


def digest(manifest: dict[str, Any]) -> str:
    """What is decided, without figures that differ in their last digits between machines.

    Names, budgets, inputs, rules and assumptions stand exactly; shares to the grid digit; what binds, by name.
    """
    budget = manifest["budget"]
    lines = [f"{manifest['recipe']['name']}: {budget['tokens']} tokens, {budget['params']:.6g} params"]
    lines += [f"phase {phase['name']}: {phase['tokens']} tokens" for phase in manifest["phases"]]
    lines += [f"{row['kind']} {row['name']} {row['sha256'][:12]}" for row in manifest["inputs"]]
    lines += [f"language {row['code']}: {row['share']:.{GRID}f}; {row['binds']}" for row in manifest["languages"]]
    lines += [_row(row) for row in manifest["mixture"] if row["tokens"]]
    lines += [_rule(rule) for rule in manifest["rules"]]
    lines += [f"assumed: {sentence}" for sentence in manifest["assumptions"]]
    lines += [f"note: {sentence}" for sentence in manifest["notes"]]
    return "\n".join(lines) + "\n"


def _row(row: dict[str, Any]) -> str:
    shares = " ".join(f"{share:.{GRID}f}" if share else "0" for share in row["share_by_bucket"])
    return f"{row['phase']} {row['source']} {row['language']} {row['domain']}: {shares}"


def _rule(rule: dict[str, Any]) -> str:
    where = f" in {rule['phase']}" if rule.get("phase") else ""
    weight = f" weight {rule['weight']}" if rule.get("weight") is not None else ""
    return f"{rule['place']}: {rule['rule']} ({rule['sense']}){where}{weight}{' binds' * rule['active']}"
