"""From evidence and a manifest to proposed priorities and shares of parallel text, never applied by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mixc.backends.mubench.gaps import Evidence
from mixc.backends.mubench.parallel import parallel_share
from mixc.backends.mubench.priorities import EPOCHS, FLOOR, Bounds, Update, update
from mixc.backends.mubench.result_messages import no_room
from mixc.backends.mubench.tasks import PIVOT
from mixc.compiler.review.schema import Manifest
from mixc.compiler.review.words import share
from mixc.dsl.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class Change:
    """One language: its priority and share as they are, and as they are proposed.

    `parallel` is rho_l; None where nothing is known of its gap. `moved`: whether the priority changes as it is written.
    """

    language: str
    priority: float
    proposed: float
    share: float
    proposed_share: float
    parallel: float | None

    @property
    def moved(self) -> bool:
        """Whether the line of the recipe changes."""
        return written(self.proposed) != written(self.priority)


@dataclass(frozen=True, slots=True)
class Proposal:
    """All languages of a recipe, sorted by code; `mean_gap` is what gaps are compared with."""

    recipe: str
    changes: tuple[Change, ...]
    mean_gap: float

    @property
    def moved(self) -> tuple[Change, ...]:
        """Those whose line changes."""
        return tuple(one for one in self.changes if one.moved)


def written(priority: float) -> str:
    """A priority as the recipe gets it: four digits."""
    return f"{priority:.4g}"


def propose(manifest: Manifest, found: Mapping[str, Evidence]) -> tuple[Proposal | None, list[Diagnostic]]:
    """Priorities multiplied as the shares of tokens should change; the manifest says which shares they led to."""
    shares = {row.code: row.share for row in manifest.languages}
    limits = bounds(manifest)
    step = update(shares, found, limits)
    if not isinstance(step, Update):
        return None, [no_room(step, _caps(step, shares, limits))]
    changes = tuple(
        Change(
            row.code,
            row.priority,
            row.priority * step.factor(row.code),
            row.share,
            step.after[row.code],
            _parallel(found.get(row.code), step.after[row.code] * manifest.budget.tokens),
        )
        for row in sorted(manifest.languages, key=lambda row: row.code)
    )
    return Proposal(manifest.recipe.name, changes, step.mean_gap), []


def bounds(manifest: Manifest) -> Bounds:
    """What supply allows, passes (4 where none are stated) x unique tokens over the budget; the floor of English."""
    passes = {row.name: row.limit.passes if row.limit is not None else EPOCHS for row in manifest.sources}
    tokens: dict[str, float] = {row.code: 0.0 for row in manifest.languages}
    for row in manifest.supply:
        if row.language in tokens:
            tokens[row.language] += passes.get(row.source, EPOCHS) * sum(row.tokens)
    budget = manifest.budget.tokens
    low = {row.code: FLOOR * row.tokens / budget for row in manifest.languages if row.code == PIVOT}
    return Bounds(low, {code: min(1.0, amount / budget) for code, amount in tokens.items()})


def _parallel(found: Evidence | None, tokens: float) -> float | None:
    if found is None or found.gap is None or found.transfer is None:
        return None
    return parallel_share(found.gap, found.transfer, tokens)


def _caps(codes: tuple[str, ...], shares: Mapping[str, float], limits: Bounds) -> list[str]:
    return [
        f"`{code}` has {share(shares[code])}, supply allows {share(limits.high.get(code, 1.0))}"
        + (f", its floor is {share(limits.low[code])}" if code in limits.low else "")
        for code in codes
    ]
