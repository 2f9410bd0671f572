"""Votes of raters on pairs of documents, and the share of them that a label is (`p`).

    vote of a rater on (A, B) = 1 where it scores A better, 0 where B, 1/2 where both score the same; none without a
    score p = P(A better than B) = mean of the votes

So only the order of scores enters, and raters need no common scale. The strict indicator of the paper counts a tie as a
vote against A; with 1/2, P(A, B) + P(B, A) = 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mixc.backends.murating.messages import bad_raters
from mixc.compiler.documents.data import Unreadable

Floats: TypeAlias = NDArray[np.floating[Any]]
Better: TypeAlias = Literal["higher", "lower"]

EXACT = 1e-9  # |2p - 1| of three votes in five is 0.2 but for rounding


@dataclass(frozen=True, slots=True)
class Voter:
    """A rater that votes: the column of its scores, and which of two scores is the better one."""

    name: str
    better: Better = "higher"


def voters_of(text: str) -> tuple[Voter, ...]:
    """`edu,dclm,perplexity:lower` as voters. Raises `Unreadable`."""
    found: list[Voter] = []
    for word in (part.strip() for part in text.split(",")):
        name, _, better = word.rpartition(":") if word.endswith((":lower", ":higher")) else (word, "", "higher")
        if not name:
            raise Unreadable(bad_raters(text, "a name is empty"))
        if name in {voter.name for voter in found}:
            raise Unreadable(bad_raters(text, f"`{name}` stands twice"))
        found.append(Voter(name, "lower" if better == "lower" else "higher"))
    return tuple(found)


def oriented(scores: Floats, voters: Sequence[Voter]) -> Floats:
    """Scores [n, R] so that higher is better for every rater."""
    signs = np.array([-1.0 if voter.better == "lower" else 1.0 for voter in voters], dtype=scores.dtype)
    return scores * signs


def votes_on(a: Floats, b: Floats) -> NDArray[np.float64]:
    """Votes [n, R] on pairs of documents with scores [n, R], higher the better; NaN where a score is missing."""
    found = np.where(a == b, 0.5, np.where(a > b, 1.0, 0.0))
    found[np.isnan(a) | np.isnan(b)] = np.nan
    return found


def shares_of(votes: Floats) -> NDArray[np.float64]:
    """p [n]: the mean of the votes there are; NaN where there is none."""
    there = ~np.isnan(votes)
    count = there.sum(axis=1)
    total = np.where(there, votes, 0.0).sum(axis=1)
    found: NDArray[np.float64] = np.divide(total, count, out=np.full(len(votes), np.nan), where=count > 0)
    return found


def is_confident(p: Floats, confidence: float) -> NDArray[np.bool_]:
    """|2p - 1| >= c [n]; not where there is no vote."""
    return np.abs(2 * np.asarray(p, dtype=np.float64) - 1) >= confidence - EXACT
