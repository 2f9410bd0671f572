"""A proposal as a recipe that extends the one it is about: what would change, with the evidence beside it.

It can be checked, compiled and compared like any recipe, and changes nothing until somebody takes its lines over.
"""

from __future__ import annotations

import os
from pathlib import Path

from mixc.backends.mubench.measure import Measured
from mixc.backends.mubench.priorities import ETA, RADIUS
from mixc.backends.mubench.proposal import Change, Proposal, written
from mixc.backends.mubench.report import figure, spanned
from mixc.backends.mubench.study import Study
from mixc.compiler.review.schema import Manifest
from mixc.compiler.review.words import share

MANIFEST, RECIPE = ".manifest.json", ".mix"


def patch(proposal: Proposal, study: Study, formula: str, base: str) -> str:
    """The recipe; `base` is the path of the one it extends, seen from where it will lie."""
    lines = [
        f"# Proposed by `mixc mubench` ({formula}) from the half of the items that sets weights. To be reviewed: take",
        f"# over into {Path(base).name} what is agreed with. Nothing applies it.",
        "#",
        *(f"# {one.dataset}: {one.metric}, {one.items:,} items" for one in study.measured if _used(study, one)),
        f"# Step: eta {ETA:g} on the lower bound of a gap less their mean, {proposal.mean_gap:.3f}; shares move by at",
        f"# most {RADIUS:g} in all.",
    ]
    if not proposal.moved:
        lines.append("# Nothing is proposed: no gap differs from the mean beyond its interval.")
    lines.append(f'recipe {proposal.recipe}-proposed extends "{base}"')
    for one in proposal.changes:
        lines += ["", *_of(one, study)]
    return "\n".join(lines) + "\n"


def base_of(manifest_name: str, manifest: Manifest, output: Path | None) -> str:
    """The recipe of a manifest as seen from the folder of `output`: the file of the same name, if it was read."""
    path = Path(manifest_name.rpartition(":")[2] if not Path(manifest_name).exists() else manifest_name)
    recipes = [row.name for row in manifest.inputs if row.kind == "recipe"]
    same = path.name.removesuffix(MANIFEST) + RECIPE
    name = same if same in recipes or not recipes else recipes[0]
    return Path(os.path.relpath(path.parent / name, output.parent if output is not None else ".")).as_posix()


def _used(study: Study, one: Measured) -> bool:
    return one.dataset not in study.unusable


def _of(one: Change, study: Study) -> list[str]:
    found = study.evidence.get(one.language)
    if found is None:
        return [f"# {one.language}: no results; priority {written(one.priority)} stays."]
    lines = [f"# {one.language}: gap {spanned(found.gap, found.gap_interval)}, n {found.items:,}."]
    if found.transfer is not None:
        lines.append(f"# Transfer (kappa with en) {spanned(found.transfer, found.transfer_interval)}.")
    if not found.complete:
        lines.append(f"# Only on {', '.join(found.datasets)}.")
    if one.parallel is not None:
        crossing = f"gap {figure(found.gap)} x {figure(1 - (found.transfer or 0.0))} that does not cross"
        lines.append(f"# Parallel text: {share(one.parallel)} of its tokens ({crossing}).")
    if not one.moved:
        return [*lines, f"# Priority {written(one.priority)} stays."]
    lines.append(f"# Share {share(one.share)} to {share(one.proposed_share)}; priority was {written(one.priority)}.")
    return [*lines, f"override language {one.language} {{ priority = {written(one.proposed)} }}"]
