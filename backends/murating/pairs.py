"""Pairs from votes: within a language, between languages, and of a text with its translation; balanced, deterministic.

    mono      (A^m, B^m)              p of the rated originals A, B
    cross     (A^m, B^m'), m != m'    p of the rated originals
    parallel  (A^m, A^m')             p = 1/2

Translation is taken to keep the order: P(A^m > B^m) ~ P(A > B). A cell is one kind in one language, or two, with
originals of one language. Languages share what is asked for equally, and inside a language the languages of originals;
where one has too few pairs the others take its part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mixc.backends.murating.candidates import Both, between, ring, same
from mixc.backends.murating.rated import Rated
from mixc.backends.murating.votes import is_confident, shares_of, votes_on

Kind: TypeAlias = Literal["mono", "cross", "parallel"]

KINDS: tuple[Kind, ...] = ("mono", "cross", "parallel")
TRIES, LEAST = 64, 1 << 18  # pairs looked at for each that is wanted, and at least


@dataclass(frozen=True, slots=True)
class Pair:
    """One pair: two texts by id, what is said of them, and the two rated documents behind."""

    id_a: str
    lang_a: str
    id_b: str
    lang_b: str
    kind: Kind
    p: float
    votes: tuple[float | None, ...]
    src_pair: tuple[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Originals:
    """Rated documents of one language with the languages they can be had in (`versions`, places by language)."""

    rated: Rated
    versions: Mapping[str, NDArray[np.intp]]
    mark: str

    def name(self, place: int, language: str) -> str:
        """The id of a document's text in a language; that of a translation is no document's."""
        id = self.rated.ids[place]
        return id if language == self.rated.language else f"{id}{self.mark}{language}"


@dataclass(slots=True)
class Cell:
    """Pairs of one kind, languages and language of originals, taken in the order of their candidates."""

    kind: Kind
    of: Originals
    languages: tuple[str, str]
    candidates: Iterator[Both]
    confidence: float
    pairs: list[Pair] = field(default_factory=list)
    looked_at: int = 0
    ties: int = 0
    dropped: int = 0
    _waiting: Both | None = None

    def take(self, wanted: int) -> int:
        """Take so many pairs more; how many there were."""
        found = 0
        while found < wanted and self.looked_at < max(LEAST, TRIES * (wanted + len(self.pairs))):
            block = self._waiting if self._waiting is not None else next(self.candidates, None)
            self._waiting = None
            if block is None:
                break
            found += self._look(block, wanted - found)
        return found

    def _look(self, block: Both, wanted: int) -> int:
        """Take pairs from a block of candidates; what is not looked at waits."""
        first, second = block
        if self.kind == "parallel":
            votes, p = np.empty((len(first), 0)), np.full(len(first), 0.5)
            good = np.ones(len(first), dtype=bool)
        else:
            scores = self.of.rated.scores
            votes = votes_on(scores[first], scores[second])
            p = shares_of(votes)
            good = is_confident(p, self.confidence)
        chosen = np.flatnonzero(good)[:wanted]
        end = len(first) if len(chosen) < wanted else int(chosen[-1]) + 1
        if end < len(first):
            self._waiting = (first[end:], second[end:])
        voted = ~np.isnan(p[:end])
        self.looked_at += int(voted.sum())
        if self.kind != "parallel":
            self.ties += int((p[:end] == 0.5).sum())
            self.dropped += int((voted & ~good[:end]).sum())
        for i in chosen.tolist():
            self.pairs.append(self._pair(int(first[i]), int(second[i]), float(p[i]), votes[i]))
        return len(chosen)

    def _pair(self, a: int, b: int, p: float, votes: NDArray[np.float64]) -> Pair:
        of, (first, second) = self.of, self.languages
        told = tuple(None if vote != vote else vote for vote in votes.tolist())
        source = (of.rated.ids[a], of.rated.ids[b])
        return Pair(of.name(a, first), first, of.name(b, second), second, self.kind, p, told, source)


Groups: TypeAlias = dict[tuple[str, ...], list[Cell]]


def cells_of(every: Sequence[Originals], confidence: float) -> dict[Kind, Groups]:
    """All cells by kind and language or two."""
    found: dict[Kind, Groups] = {kind: {} for kind in KINDS}
    for of in every:
        for language, places in sorted(of.versions.items()):
            members = places[of.rated.native[places]] if language == of.rated.language else places
            cell = Cell("mono", of, (language, language), ring(members), confidence)
            found["mono"].setdefault((language,), []).append(cell)
        for one, other in combinations(sorted(of.versions), 2):
            first, second = of.versions[one], of.versions[other]
            cross = Cell("cross", of, (one, other), between(first, second), confidence)
            found["cross"].setdefault((one, other), []).append(cross)
            parallel = Cell("parallel", of, (one, other), same(first, second), confidence)
            found["parallel"].setdefault((one, other), []).append(parallel)
    return found


def take_all(cells: Mapping[Kind, Groups], wanted: int) -> list[Pair]:
    """Up to `wanted` pairs of every kind, balanced over languages; by kind, languages and candidates."""
    for groups in cells.values():
        shared(wanted, [_of_group(groups[key]) for key in sorted(groups)])
    return [pair for groups in cells.values() for key in sorted(groups) for cell in groups[key] for pair in cell.pairs]


def shared(total: int, takers: Sequence[Callable[[int], int]]) -> int:
    """Let all take equal parts of a total; who has less leaves the rest to the others. How much was taken."""
    taken = [0] * len(takers)
    active = list(range(len(takers)))
    while sum(taken) < total and active:
        each, more = divmod(total - sum(taken), len(active))
        still = []
        for number, i in enumerate(sorted(active, key=lambda i: (taken[i], i))):  # odd ones go to who has least
            part = each + (number < more)
            got = takers[i](part) if part else 0
            taken[i] += got
            if got == part:
                still.append(i)
        active = still
    return sum(taken)


def _of_group(cells: Sequence[Cell]) -> Callable[[int], int]:
    return lambda wanted: shared(wanted, [cell.take for cell in cells])


def languages_of(pairs: Sequence[Pair]) -> Counter[str]:
    """In how many pairs each language stands."""
    found: Counter[str] = Counter()
    for pair in pairs:
        found.update({pair.lang_a, pair.lang_b})
    return found


def components(pairs: Sequence[tuple[str, str]], languages: Sequence[str]) -> list[list[str]]:
    """Groups of languages that pairs connect, sorted: scores compare inside a group only."""
    group = {language: language for language in languages}

    def root(language: str) -> str:
        while group[language] != language:
            language = group[language]
        return language

    for one, other in sorted(set(pairs)):
        first, second = sorted((root(one), root(other)))
        group[second] = first
    found: dict[str, list[str]] = {}
    for language in sorted(languages):
        found.setdefault(root(language), []).append(language)
    return sorted(found.values())
