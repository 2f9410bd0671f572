"""How far each language lags behind English, and whether what English knows crosses to it: C2 of the method.

    g_l = sum_d omega_d max(0, 1 - h(d,l) / h(d,en)) / sum_d omega_d      over sets where h(d,en) >= 2 s.e.
    t_l = sum_d omega_d max(0, kappa_d(en,l)) / sum_d omega_d             over the same sets

g is 0 where a language does as well as English beyond guessing, 1 where it guesses. In a replicate in which English
has no headroom, no language lags behind it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mixc.backends.mubench.bootstrap import Real, deviation, interval
from mixc.backends.mubench.measure import Measured
from mixc.backends.mubench.tasks import PIVOT

STANDARD_ERRORS = 2.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one language: gap and transfer evidence with their 95 % intervals, over which sets.

    `complete`: it has every set that English has. None: not measured, for want of sets or of replicates.
    """

    language: str
    gap: float | None
    gap_interval: tuple[float, float] | None
    transfer: float | None
    transfer_interval: tuple[float, float] | None
    datasets: tuple[str, ...]
    items: int
    complete: bool


def usable(measured: Sequence[Measured]) -> tuple[tuple[Measured, ...], tuple[Measured, ...]]:
    """Sets on which English stands out from guessing, and those on which it does not."""
    chosen: list[Measured] = []
    others: list[Measured] = []
    for one in measured:
        (chosen if _stands_out(one) else others).append(one)
    return tuple(chosen), tuple(others)


def evidence(measured: Sequence[Measured], weights: Mapping[str, float]) -> dict[str, Evidence]:
    """What is known of every language that has results, sorted by code; `measured` are usable sets alone."""
    languages = sorted({code for one in measured for code in one.languages})
    return {
        code: _of(code, [one for one in measured if code in one.languages], measured, weights) for code in languages
    }


def _of(code: str, own: Sequence[Measured], everything: Sequence[Measured], weights: Mapping[str, float]) -> Evidence:
    total = sum(weights[one.dataset] for one in own)
    gap = np.asarray(sum(weights[one.dataset] * _lag(one, code) for one in own)) / total
    crossing = [weights[one.dataset] * np.maximum(_column(one.kappa_pivot, one, code), 0.0) for one in own]
    transfer = np.asarray(sum(crossing)) / total
    pivot = code == PIVOT  # the measure itself: it neither lags behind nor learns from itself
    return Evidence(
        code,
        float(gap[0]),
        interval(gap),
        None if pivot else float(transfer[0]),
        None if pivot else interval(transfer),
        tuple(one.dataset for one in own),
        sum(one.items for one in own),
        len(own) == len(everything),
    )


def _lag(one: Measured, code: str) -> Real:
    """max(0, 1 - h(d,l) / h(d,en)) [R]; 0 where English has no headroom."""
    english, own = _column(one.headroom, one, PIVOT), _column(one.headroom, one, code)
    room = english > 0
    return np.asarray(np.where(room, np.maximum(0.0, 1 - own / np.where(room, english, 1.0)), 0.0))


def _stands_out(one: Measured) -> bool:
    if PIVOT not in one.languages:
        return False
    excess = _column(one.excess, one, PIVOT)
    error = deviation(excess)
    return bool(excess[0] > 0 and excess[0] >= STANDARD_ERRORS * (0.0 if np.isnan(error) else error))


def _column(values: Real, one: Measured, code: str) -> Real:
    return np.asarray(values[:, one.languages.index(code)])
