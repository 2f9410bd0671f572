"""What a decision reads beside catalogs: calibrations, and the manifests that `change(…)` compares with."""

from __future__ import annotations

import hashlib
import math
import os
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from mixc.compiler.laws.calibration import CalibrationFile, load_infolaw, load_transfer, to_info_law
from mixc.compiler.plain_json import loads
from mixc.compiler.problem import InfoLaw
from mixc.compiler.recipe import Recipe
from mixc.compiler.supply.assumptions import fitted_range
from mixc.compiler.supply.extrapolation import extrapolated
from mixc.compiler.supply.supply import Baseline, SupplyFile
from mixc.dsl.diagnostics import Diagnostic, has_errors, page
from mixc.dsl.reading import file_bytes
from mixc.dsl.text import Span
from mixc.dsl.wording import at

if TYPE_CHECKING:
    from mixc.compiler.laws.calibration import TransferCalibration


@dataclass(frozen=True, slots=True)
class Readings:
    """The laws and baselines that were read, the files they came from, and what they assume."""

    law: InfoLaw
    transfer: TransferCalibration | None
    baselines: tuple[Baseline, ...]
    files: tuple[SupplyFile, ...]
    assumptions: tuple[str, ...]


def shown_path(path: str, recipe: Recipe) -> str:
    """A path relative to the recipe's folder, with forward slashes: nothing absolute reaches an artefact."""
    return PurePath(os.path.relpath(path, Path(recipe.path).parent)).as_posix()


def read_inputs(recipe: Recipe) -> tuple[Readings | None, list[Diagnostic]]:
    """Calibrations and baselines of a recipe."""
    folder, span = Path(recipe.path).parent, recipe.laws.span
    law, found = load_infolaw(recipe.laws.infolaw, folder, span)
    transfer = None
    if recipe.laws.transfer is not None:
        transfer, problems = load_transfer(recipe.laws.transfer, folder, span)
        found = found + problems
    baselines, files, problems = read_baselines(recipe)
    found = found + problems
    if law is None or has_errors(found):
        return None, found
    assumed = tuple(f"calibration {law[0].name}: {sentence}" for sentence in law[0].assumed)
    assumed += fitted_range(law[0], recipe.budget.params)
    for calibration, _ in (law, *((transfer,) if transfer else ())):
        said, problems = extrapolated(calibration, recipe.budget.params, recipe.budget.tokens, span)
        assumed, found = assumed + said, found + problems
    files.append(pinned(law[1]))
    if transfer is not None:
        files.append(pinned(transfer[1]))
        assumed += tuple(f"calibration {transfer[0].name}: {sentence}" for sentence in transfer[0].assumed)
    if recipe.laws.family is not None:
        assumed += (f"transfer between languages of one family is assumed to be {recipe.laws.family:g}",)
    fitted = transfer[0] if transfer else None
    return Readings(to_info_law(law[0]), fitted, tuple(baselines), tuple(files), assumed), found


def pinned(file: CalibrationFile) -> SupplyFile:
    """A calibration as an input of the manifest."""
    return SupplyFile("calibration", file.name, file.sha256, file.size)


def read_baselines(recipe: Recipe) -> tuple[list[Baseline], list[SupplyFile], list[Diagnostic]]:
    """The language shares of every manifest that a rule names, each read once."""
    baselines, files, found = [], [], []
    seen: set[str] = set()
    for rule in recipe.rules:
        for name in (term.manifest for term in rule.terms if term.manifest is not None):
            if name in seen:
                continue
            seen.add(name)
            path = Path(recipe.path).parent / name
            try:
                content = file_bytes(path)
            except (OSError, ValueError) as error:
                reason = (error.strerror if isinstance(error, OSError) else None) or "cannot be opened"
                found.append(baseline_unreadable(name, rule.span, f"{reason[:1].lower()}{reason[1:]}"))
                continue
            shares = language_shares(content)
            if isinstance(shares, str):
                found.append(baseline_unreadable(name, rule.span, shares))
                continue
            baselines.append((name, shares))
            sha256 = hashlib.sha256(content).hexdigest()
            files.append(SupplyFile("manifest", shown_path(str(path), recipe), sha256, len(content)))
    return sorted(baselines), files, found


def language_shares(content: bytes) -> tuple[tuple[str, float], ...] | str:
    """`languages[*].share` of a manifest, sorted by code, or why it has none."""
    try:
        data: Any = loads(content.decode("utf-8"))
    except ValueError:
        return "is not complete JSON"
    rows = data.get("languages") if isinstance(data, dict) else None
    if not isinstance(rows, list) or not rows:
        return "holds no list `languages`"
    shares = {}
    for row in rows:
        code, share = (row.get("code"), row.get("share")) if isinstance(row, dict) else (None, None)
        if not isinstance(code, str) or not isinstance(share, int | float) or not 0 <= share <= 1:
            return "holds a language without a share between 0 and 1"
        shares[code] = float(share)
    if not math.isclose(sum(shares.values()), 1, abs_tol=1e-3):
        return f"holds language shares that sum to {sum(shares.values()):.4g}, not to 1"
    return tuple(sorted(shares.items()))


@page("M435")
def baseline_unreadable(name: str, span: Span | None, reason: str) -> Diagnostic:
    """A manifest to compare with cannot be used.

    `change("prod.manifest.json")` bounds how far language shares may move from those of an earlier manifest. The file
    is missing, truncated, not a manifest, or its language shares do not sum to 1. Its path is relative to the recipe.

    Restore the file, or compile the recipe it came from again.
    """
    return Diagnostic(
        "M435",
        f"manifest `{name}` cannot be compared with: it {reason}"
        if reason.startswith(("is ", "holds "))
        else f"manifest `{name}` cannot be read: {reason}",
        at(span),
        (),
        ("the path is relative to the recipe",),
        subject=name,
    )
