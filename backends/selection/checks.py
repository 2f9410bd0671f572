"""Realised against planned tokens, cell by cell: within chance of the draw, or of exact cuts within one document."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mixc.backends.selection.cuts import Cuts, ends_at_limit
from mixc.backends.selection.slots import FIXED, Slots
from mixc.backends.selection.sums import CellSums, Sums

CHANCE = 1e-6  # that an honest run exceeds a bound anywhere


@dataclass(frozen=True, slots=True)
class CellCheck:
    """One cell in one phase: what the manifest plans, what was expected of the documents, and what was taken.

    `z` is (realised - expected) / standard deviation, to be looked at; `bound` is what |realised - expected| may be.
    """

    phase: str
    cell: str
    planned: int
    expected: float
    realised: int
    documents: int
    z: float
    bound: float

    @property
    def within(self) -> bool:
        """Whether the draw is as chance allows."""
        return abs(self.realised - self.expected) <= self.bound


def checks(slots: Slots, sums: Sums) -> tuple[CellCheck, ...]:
    """Realised against expected, cell by cell, with Bernstein's bound over all of them."""
    count = max(1, sum(1 for cell in sums.values() if cell.expected or cell.tokens))
    size = math.log(2 * count / CHANCE)
    found = []
    for (phase, c), cell in sorted(sums.items()):
        expected = cell.expected / (1 << FIXED)
        variance = max(0.0, cell.variance / (1 << (2 * FIXED)))
        bound = math.sqrt(2 * variance * size) + cell.largest * size / 3
        spread = math.sqrt(variance)
        found.append(
            CellCheck(
                phase=slots.phases[phase],
                cell=slots.cells[c].name,
                planned=slots.cells[c].tokens[phase],
                expected=expected,
                realised=cell.tokens,
                documents=cell.documents,
                z=(cell.tokens - expected) / spread if spread else 0.0,
                bound=bound,
            )
        )
    return tuple(found)


def exact_checks(slots: Slots, sums: Sums, cuts: Cuts) -> tuple[CellCheck, ...]:
    """Realised against planned where cells were cut: less than one document apart; none planned, none taken."""
    largest = {cell.cell: cell.largest for cell in cuts.cells}
    ended = set(cuts.ended(slots))
    found = []
    for c, cell in enumerate(slots.cells):
        for phase, name in enumerate(slots.phases):
            taken = sums.get((phase, c), CellSums())
            if not cell.tokens[phase] and not taken.tokens:
                continue
            most = largest.get(cell.name, 0)
            found.append(
                CellCheck(
                    phase=name,
                    cell=cell.name,
                    planned=cell.tokens[phase],
                    expected=float(taken.tokens if cell.name in ended else cell.tokens[phase] if most else 0),
                    realised=taken.tokens,
                    documents=taken.documents,
                    z=0.0,
                    bound=float(max(0, most - 1)),
                )
            )
    return tuple(sorted(found, key=lambda check: (slots.phases.index(check.phase), check.cell)))


def cut_faults(slots: Slots, sums: Sums, cuts: Cuts) -> list[str]:
    """What cuts say that is not so: targets are the manifest's, and what each phase reaches is what was taken."""
    cells = {cell.name: (c, cell) for c, cell in enumerate(slots.cells)}
    faults = []
    for cut in cuts.cells:
        if cut.cell not in cells:
            faults.append(f"the cuts name {cut.cell}, which is no cell")
            continue
        c, cell = cells[cut.cell]
        planned = realised = 0
        short = ends_at_limit(cut, cell)
        for phase, tokens in enumerate(cell.tokens):
            planned += tokens
            realised += sums.get((phase, c), CellSums()).tokens
            if cut.target[phase] != planned:
                faults.append(f"{cut.cell}: the cuts aim at {cut.target[phase]:,} tokens, the manifest at {planned:,}")
            if cut.reached[phase] != realised:
                faults.append(f"{cut.cell}: {realised:,} tokens where the cuts reach {cut.reached[phase]:,}")
            if cut.largest and not short[phase] and not abs(realised - planned) < cut.largest:
                faults.append(f"{cut.cell}: {realised:,} tokens are a document or more from {planned:,}")
    return faults
