"""What a gate let through: sums by language or source, and the same in words."""

from __future__ import annotations

from collections.abc import Iterable

from mixc.compiler.scan.plan import GatePlan, Passed
from mixc.dsl.wording import listed


def by_language(gate: GatePlan) -> dict[str, Passed]:
    """The sums over all sources, by language."""
    found: dict[str, list[Passed]] = {}
    for one in gate.passed:
        found.setdefault(one.language, []).append(one)
    return {language: _sum(language, some) for language, some in sorted(found.items())}


def of_source(gate: GatePlan, source: str) -> Passed | None:
    """The sum over all languages of a source; None where the gate saw nothing of it."""
    some = [one for one in gate.passed if one.source == source]
    return _sum("", some) if some else None


def told(gate: GatePlan, passed: Passed) -> str:
    """What of some documents a gate let through, as a note."""
    ranked = "" if gate.quality is None else f" and rater `{gate.quality.rater}`"
    lost = f"; {passed.unrated:,} have no score of it" if passed.unrated else ""
    return (
        f"the gate of {listed([f'`{name}`' for name in gate.targets])}{ranked} let {passed.kept_documents:,} of "
        f"{passed.documents:,} document{'s' * (passed.documents != 1)} through, {passed.kept_tokens:,} of "
        f"{passed.tokens:,} tokens{lost}"
    )


def _sum(language: str, some: Iterable[Passed]) -> Passed:
    every = list(some)
    return Passed(
        every[0].source,
        language,
        sum(one.documents for one in every),
        sum(one.tokens for one in every),
        sum(one.kept_documents for one in every),
        sum(one.kept_tokens for one in every),
        sum(one.unrated for one in every),
    )
