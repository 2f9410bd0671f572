"""The catalog: what all documents of a recipe hold, by source, language, domain and merged level."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mixc.compiler.scan.counts import FULL_BITS, Counts, LevelCounts
from mixc.compiler.scan.labels import Key
from mixc.compiler.scan.normalise import Tables
from mixc.compiler.scan.plan import Plan
from mixc.compiler.scan.profile import Odd

LEAST_BITS = 12
HEAVY = 100  # a level that holds more than one in so many tokens of a group is too coarse, unless it is a tie
MANY_GROUPS = 64  # beyond, levels of 16 bits are only counted where 12 turn out too coarse: they take 16 x the memory

Group = tuple[str, str, str]  # source, language, domain


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """One file of documents as it was scanned."""

    source: str
    name: str
    size: int
    identity: str
    documents: int
    tokens: int


@dataclass(frozen=True, slots=True, eq=False)
class Catalog:
    """Counts of every group at levels of `bits` bits, under the plan and the tables that they were made with.

    `excluded` counts documents without a score; per source, `empty` counts those without text, `withheld` those held
    out and `skipped` lines that are no documents; `odd` what was odd about the scores of each (rater, language).
    """

    plan: Plan
    tables: Tables
    bits: int
    groups: Mapping[Group, LevelCounts]
    files: tuple[ScannedFile, ...]
    excluded: Mapping[Group, int]
    empty: Mapping[str, int]
    skipped: Mapping[str, int]
    odd: Mapping[Key, Odd]
    withheld: Mapping[str, int] = field(default_factory=dict)
    gated: Mapping[str, int] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        """SHA-256 of what decides: counts, bits and tables."""
        digest = hashlib.sha256(f"{self.bits} {self.tables.hash}".encode())
        for group, counts in sorted(self.groups.items()):
            digest.update("\t".join(group).encode() + b"\n")
            for column in (counts.levels, counts.documents, counts.tokens):
                digest.update(column.astype("<i8").tobytes())
        return digest.hexdigest()

    def files_of(self, source: str) -> tuple[ScannedFile, ...]:
        """The files of a source, by name."""
        return tuple(file for file in self.files if file.source == source)


def first_bits(groups: int) -> int:
    """At how many bits levels are counted first."""
    return FULL_BITS if groups <= MANY_GROUPS else LEAST_BITS


def fine_enough(counts: Mapping[Key, LevelCounts], drop: int = 0) -> bool:
    """Whether levels with `drop` bits less hold at most a hundredth of their group each, ties aside.

    A tie cannot be told apart by any number of bits: what a level holds beyond its heaviest part is what counts.
    """
    for group in counts.values():
        coarse = group.coarser(drop)
        heaviest = _heaviest(group, coarse, drop)
        if ((coarse.tokens - heaviest) * HEAVY > group.tokens.sum()).any():
            return False
    return True


def _heaviest(fine: LevelCounts, coarse: LevelCounts, drop: int) -> NDArray[np.int64]:
    where = np.searchsorted(coarse.levels, fine.levels >> drop)
    heaviest = np.zeros(len(coarse.levels), dtype=np.int64)
    np.maximum.at(heaviest, where, fine.tokens)
    return heaviest


def too_coarse(counts: Mapping[Key, LevelCounts]) -> bool:
    """Whether a level counted at few bits holds more than a hundredth of its group beside its largest document.

    More bits may part such a level. They do not part a document, so all other levels are fine enough for certain.
    """
    return any(
        ((group.tokens - group.largest) * HEAVY > group.tokens.sum()).any()
        for group in counts.values()
        if len(group.levels) > 1
    )


def settled_bits(counts: Mapping[Key, LevelCounts]) -> int:
    """The least bits in 12..16 that are fine enough, for counts at 16 bits."""
    for bits in range(LEAST_BITS, FULL_BITS):
        if fine_enough(counts, FULL_BITS - bits):
            return bits
    return FULL_BITS


def at_bits(counts: Counts, bits: int) -> Counts:
    """Counts at 16 bits with the last ones dropped."""
    return Counts({key: group.coarser(FULL_BITS - bits) for key, group in counts.groups.items()}, counts.excluded)
