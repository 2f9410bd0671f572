"""The parity audit: whether a rater scores translations alike.

For texts x_i in the reference language and their translations x_i^l:

    delta_l = mean_i [s(x_i^l) - s(x_i)] / sd(s)      the gate: |delta_l| <= 0.25
    slope_l, of the least-squares line of s(x_i^l) over s(x_i); mse_l = mean_i [s(x_i^l) - s(x_i)]^2 / sd(s)^2
    gap_l   = mean_i |s(x_i^l) - s(x_i)| / separation

`separation` is how much higher the better texts of held-out pairs within a language score than the worse ones, on
average. The parity gap is the same quotient over all languages. Above 1, languages differ more than good and bad do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixc.backends.murating.loss import Reals
from mixc.backends.murating.measures import Measures
from mixc.backends.murating.pair_files import PairTable
from mixc.backends.murating.train_messages import blind_encoder, not_audited, parity_failed
from mixc.dsl.diagnostics import Diagnostic

LIMIT = 0.25  # of |delta|
FEWEST = 8  # translations of a language, below which nothing is said
GAP = 1.0  # translations differ as good and bad texts do
WORSE = 0.2  # accuracy below the reference language's, beyond what chance explains
SURE = 2.5  # standard errors
MAIN = "en"


@dataclass(frozen=True, slots=True)
class Parity:
    """One language against the reference, over `texts` texts; `unknown` is the share of tokens without meaning."""

    language: str
    texts: int
    delta: float
    slope: float
    mse: float
    gap: float
    unknown: float | None


@dataclass(frozen=True, slots=True)
class Audit:
    """The parity of every language that has enough translations, the gap over all of them, and who has too few."""

    reference: str
    rows: tuple[Parity, ...]
    gap: float | None
    missing: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every language is audited, and none is off."""
        return not self.missing and all(abs(row.delta) <= LIMIT for row in self.rows)


def audit(
    scores: Reals,
    table: PairTable,
    chosen: NDArray[np.bool_],
    separation: float,
    unknown: Callable[[Sequence[str]], float | None],
) -> Audit:
    """Compare the chosen texts [m] with their translations among them; `unknown` tells of texts what share is."""
    places = _versions(table, chosen & np.isfinite(scores))
    languages = sorted({language for some in places.values() for language in some})
    reference = _reference(places, languages)
    deviation = float(scores[chosen].std()) if chosen.any() else 0.0
    rows, missing, gaps = [], [], []
    for language in languages:
        if language == reference:
            continue
        both = [(some[language], some[reference]) for some in places.values() if {language, reference} <= some.keys()]
        if len(both) < FEWEST or deviation == 0:
            missing.append(language)
            continue
        mine, theirs = (scores[[pair[i] for pair in both]] for i in (0, 1))
        gaps.append(np.abs(mine - theirs))
        share = unknown([table.texts[place] for place, _ in both])
        rows.append(_parity(language, mine, theirs, deviation, separation, share))
    gap = float(np.concatenate(gaps).mean()) / separation if gaps and separation > 0 else None
    return Audit(reference, tuple(rows), gap, tuple(missing))


def findings(encoder: str, found: Audit, measures: Measures) -> list[Diagnostic]:
    """What is to be said of an audit: an encoder that does not know a language, offsets, languages not looked at."""
    blind = [(row.language, why) for row in found.rows if (why := _blind(row, found.reference, measures))]
    told = [blind_encoder(encoder, blind, found.reference)] if blind else []
    off = [(row.language, row.delta) for row in found.rows if abs(row.delta) > LIMIT]
    told += [parity_failed(off, found.reference, LIMIT)] if off else []
    return told + ([not_audited(found.missing, found.reference)] if found.missing else [])


def _blind(row: Parity, reference: str, measures: Measures) -> str:
    """Why an encoder seems not to know a language, in words; nothing where it does."""
    why = []
    if row.gap > GAP or measures.separation <= 0:
        why.append(f"translations differ {row.gap:.1f} times as much as good and bad texts")
    mine, theirs = measures.languages.get(row.language), measures.languages.get(reference)
    if mine is not None and theirs is not None and _worse(mine.right, mine.pairs, theirs.right, theirs.pairs):
        why.append(f"{mine.right:.0%} of pairs in order, {theirs.right:.0%} in {reference}")
    if why and row.unknown:
        why.append(f"{row.unknown:.0%} of tokens unknown")
    return ", ".join(why)


def _worse(mine: float, n: int, theirs: float, m: int) -> bool:
    """Whether an accuracy over n pairs lies below another over m by more than chance and `WORSE` explain."""
    spread = ((mine * (1 - mine) + 1 / n) / n + (theirs * (1 - theirs) + 1 / m) / m) ** 0.5
    return bool(theirs - mine > max(WORSE, SURE * spread))


def _versions(table: PairTable, chosen: NDArray[np.bool_]) -> dict[int, dict[str, int]]:
    """Places of texts by document and language, of documents in two languages or more."""
    found: dict[int, dict[str, int]] = {}
    for place in np.flatnonzero(chosen & (table.sources >= 0)).tolist():
        found.setdefault(int(table.sources[place]), {})[str(table.languages[place])] = place
    return {source: some for source, some in sorted(found.items()) if len(some) > 1}


def _reference(places: dict[int, dict[str, int]], languages: Sequence[str]) -> str:
    """English where there are translations of it, else the language of most texts, the first by code of several."""
    if MAIN in languages or not languages:
        return MAIN
    return min(languages, key=lambda language: (-sum(language in some for some in places.values()), language))


def _parity(
    language: str, mine: Reals, theirs: Reals, deviation: float, separation: float, unknown: float | None
) -> Parity:
    gap = mine - theirs
    spread = float(((theirs - theirs.mean()) ** 2).mean())
    slope = float(((theirs - theirs.mean()) * (mine - mine.mean())).mean()) / spread if spread > 0 else 0.0
    return Parity(
        language,
        len(mine),
        float(gap.mean()) / deviation,
        slope,
        float((gap**2).mean()) / deviation**2,
        float(np.abs(gap).mean()) / separation if separation > 0 else float("inf"),
        unknown,
    )
