"""The sections of a report on a manifest, in the order in which a reviewer asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from mixc.backends.report.allocation import benefit, languages, transfer
from mixc.backends.report.content import Make, Plot, Report
from mixc.backends.report.outlook import outlook
from mixc.backends.report.reading import quality, repetition
from mixc.backends.report.recorded import evaluation, provenance, realised, rules, selection
from mixc.compiler.predict.assumptions import Evaluate
from mixc.compiler.problem import Decision
from mixc.compiler.review import words
from mixc.compiler.review.effect import Decide
from mixc.compiler.review.rebuild import decision_from_manifest
from mixc.compiler.review.schema import Manifest
from mixc.compiler.review.summary import proof

Rows: TypeAlias = Sequence[Mapping[str, Any]]


class Sections:
    """What there is to say of a manifest, each section made when it is asked for.

    `before` is an earlier manifest, `run` what a run selected by phase and source; `losses` gives the predicted loss of
    a mixture as it stands under another problem.
    """

    def __init__(
        self, manifest: Manifest, before: Manifest | None, run: Rows | None, decide: Decide, losses: Evaluate
    ) -> None:
        self.manifest, self.before = manifest, before
        self.decision = decision_from_manifest(manifest)
        self._plotted: dict[str, Make] = {
            "languages": partial(languages, manifest, before),
            "quality": partial(quality, manifest),
            "repetition": partial(repetition, manifest),
            "benefit": partial(benefit, manifest),
            "budget": partial(outlook, self.decision, decide, losses),
            "transfer": partial(transfer, manifest),
        }
        self._told: tuple[Make, ...] = (
            partial(rules, manifest),
            partial(selection, manifest),
            partial(realised, manifest, run),
            partial(evaluation, manifest),
            partial(provenance, manifest),
        )

    def report(self) -> Report:
        """The whole; sections without content are left out."""
        made = [make() for make in (*self._plotted.values(), *self._told)]
        return Report(
            self.manifest.recipe.name,
            self.manifest.recipe.description,
            _facts(self.manifest, self.before, self.decision),
            () if self.manifest.runnable else (f"It cannot be run: {self.manifest.reason}.",),
            [section for section in made if section is not None],
        )

    def plot(self, name: str) -> Plot | None:
        """The plot of that name, if there is one."""
        section = self._plotted[name]() if name in self._plotted else None
        return section.plots[0] if section is not None else None

    def plots(self) -> dict[str, Plot]:
        """All plots by name, in the order of the page."""
        found = {name: self.plot(name) for name in self._plotted}
        return {name: plot for name, plot in found.items() if plot is not None}


def _facts(manifest: Manifest, before: Manifest | None, decision: Decision) -> list[tuple[str, str]]:
    totals = manifest.totals
    facts = [("Proof", proof(decision).strip())]
    if before and totals.loss is not None and before.totals.loss is not None:
        facts.append(("Against the previous", f"loss {words.change(totals.loss - before.totals.loss)}"))
    return [
        *facts,
        ("Tokens", f"{words.tokens(totals.tokens)}, of them {words.tokens(totals.unique)} unique"),
        ("Supply", words.tokens(totals.supply)),
        ("Epochs", f"{totals.mean_epochs:.2f} on average, {totals.max_epochs:.2f} at most"),
        ("Model", f"{words.tokens(manifest.budget.params)} parameters, {manifest.budget.flops:.3g} FLOPs"),
        ("Phases", ", ".join(f"{row.name} {words.tokens(row.tokens)}" for row in manifest.phases)),
        ("Manifest", (manifest.integrity or "")[:12]),
    ]
