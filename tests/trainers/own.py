"""A recipe of two phases cut down to a few places of one's own, whose rows are counted."""

from __future__ import annotations

from mixc.compiler.export import Counted
from mixc.compiler.review.schema import Manifest
from tests.exporters.made import manifest

LANGUAGES = ("en", "hi")
PHASES = ("pretrain", "anneal")


def plan() -> Manifest:
    """The part of the recipe in two languages."""
    whole = manifest("pretrain-anneal")
    return whole.model_copy(update={"mixture": tuple(row for row in whole.mixture if row.language in LANGUAGES)})


def places(pattern: str) -> dict[str, Counted]:
    """Every place of the pattern, with 40 to 90 rows, of as many tokens as the manifest's supply."""
    cells: dict[str, int] = {}
    for row in plan().mixture:
        for bucket, supply in enumerate(row.supply_by_bucket):
            path = pattern.format(source=row.source, language=row.language, domain=row.domain, bucket=bucket)
            cells[path] = supply
    return {path: Counted(40 + 7 * i % 51, supply) for i, (path, supply) in enumerate(cells.items())}


def taken(pattern: str, phase: str) -> dict[str, int]:
    """Tokens that a phase takes of every place."""
    return {
        pattern.format(source=row.source, language=row.language, domain=row.domain, bucket=bucket): tokens
        for row in plan().mixture
        if row.phase == phase
        for bucket, tokens in enumerate(row.tokens_by_bucket)
        if tokens
    }
