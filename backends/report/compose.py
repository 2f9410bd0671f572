"""The sections of a report on a manifest, in the order in which a reviewer asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mixc.backends.report.allocation import benefit, languages, transfer
from mixc.backends.report.content import Report
from mixc.backends.report.outlook import outlook
from mixc.backends.report.reading import quality, repetition
from mixc.backends.report.recorded import evaluation, provenance, realised, rules, selection
from mixc.compiler.predict.assumptions import Evaluate
from mixc.compiler.review import words
from mixc.compiler.review.effect import Decide
from mixc.compiler.review.rebuild import decision_from_manifest
from mixc.compiler.review.schema import Manifest


def compose(
    manifest: Manifest, before: Manifest | None, run: Mapping[str, Any] | None, decide: Decide, evaluate: Evaluate
) -> Report:
    """Everything that there is to say; sections without content are left out."""
    sections = (
        languages(manifest, before),
        quality(manifest),
        repetition(manifest),
        benefit(manifest),
        outlook(decision_from_manifest(manifest), decide, evaluate),
        transfer(manifest),
        rules(manifest),
        selection(manifest),
        realised(manifest, run) if run else None,
        evaluation(manifest),
        provenance(manifest),
    )
    return Report(
        manifest.recipe.name,
        manifest.recipe.description,
        _facts(manifest, before),
        () if manifest.runnable else (f"It cannot be run: {manifest.reason}.",),
        [section for section in sections if section is not None],
    )


def _facts(manifest: Manifest, before: Manifest | None) -> list[tuple[str, str]]:
    totals, proof = manifest.totals, manifest.certificate
    loss = f"{words.loss(totals.loss)} nats per token"
    if before and totals.loss is not None and before.totals.loss is not None:
        loss += f" ({words.change(totals.loss - before.totals.loss)} against the previous)"
    return [
        ("Predicted loss", loss),
        ("Proved", f"no mixture under these rules is better than {proof.bound:.6f}: gap {proof.gap:.1g}"),
        ("Tokens", f"{words.tokens(totals.tokens)}, of them {words.tokens(totals.unique)} unique"),
        ("Supply", words.tokens(totals.supply)),
        ("Epochs", f"{totals.mean_epochs:.2f} on average, {totals.max_epochs:.2f} at most"),
        ("Model", f"{words.tokens(manifest.budget.params)} parameters, {manifest.budget.flops:.3g} FLOPs"),
        ("Phases", ", ".join(f"{row.name} {words.tokens(row.tokens)}" for row in manifest.phases)),
        ("Manifest", (manifest.integrity or "")[:12]),
    ]
