"""Phases as blocks of training sequences, each of which holds as many of a place as every other.

Mixtures that are drawn block by block know a share to one sequence of a block only. Large blocks state shares well,
small ones state the length of a phase well, which is a whole number of blocks and of steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from math import gcd
from typing import Final

from mixc.backends.exporters import messages
from mixc.backends.exporters.leaves import Leaf, Mixture
from mixc.backends.exporters.steps import by_pass, short_phase
from mixc.dsl.diagnostics import Diagnostic

PARTS: Final = 65  # a phase is tried in less than so many blocks, and in blocks of common sizes


@dataclass(frozen=True, slots=True)
class Amounts:
    """Sequences that a phase is to read of every place, and the most that it may."""

    wanted: tuple[int, ...]
    most: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Blocks:
    """Every phase as `numbers[phase]` blocks of `size` sequences, of which places give `counts[phase]`."""

    size: int
    counts: tuple[tuple[int, ...], ...]
    numbers: tuple[int, ...]

    def deviation(self, amounts: Sequence[Amounts]) -> int:
        """Sequences that are read beyond or short of what is wanted."""
        return sum(
            abs(count * many - wanted)
            for one, counts, many in zip(amounts, self.counts, self.numbers, strict=True)
            for count, wanted in zip(counts, one.wanted, strict=True)
        )


def in_blocks(
    mixed: Mixture, amounts: Sequence[Amounts], batch: int, most: int, told: Callable[[Sequence[int]], object]
) -> tuple[Blocks | None, list[Diagnostic]]:
    """The phases in blocks of the size which comes nearest to what is wanted, in steps of `batch` sequences.

    Blocks have at most so many sequences; `told` gives None for counts of a block that a trainer cannot be told.
    """
    made = [
        blocks
        for size in _sizes(amounts, batch, most)
        if (blocks := _of_size(amounts, size, batch)) is not None
        and all(told(counts) is not None for counts in blocks.counts)
    ]
    if made:
        return min(made, key=lambda one: (one.deviation(amounts), one.size)), []
    for stage, one in zip(mixed.stages, amounts, strict=True):
        if sum(one.wanted) < max(batch, len(one.wanted)):
            return None, [short_phase(stage.name, sum(one.wanted), len(one.wanted), batch)]
    shares = [
        (wanted / sum(one.wanted), leaf.path)
        for stage, one in zip(mixed.stages, amounts, strict=True)
        for leaf, wanted in zip(stage.leaves, one.wanted, strict=True)
    ]
    least, path = min(shares)
    return None, [messages.weight_too_small(path, least)]


def _sizes(amounts: Sequence[Amounts], batch: int, most: int) -> list[int]:
    """Sizes to try: powers of two, whole steps, and those of which a phase has a whole number."""
    powers = [2**i for i in range(most.bit_length())]
    steps = [batch * power for power in powers]
    parts = [sum(one.wanted) // batch // i * batch for one in amounts for i in range(1, PARTS)]
    return sorted({size for size in (*powers, *steps, *parts) if 0 < size <= most})


def _of_size(amounts: Sequence[Amounts], size: int, batch: int) -> Blocks | None:
    unit = batch // gcd(size, batch)  # so many blocks are the fewest that end with a step
    counts, numbers = [], []
    for one in amounts:
        many = _longest(one, size, unit)
        found = within(one.wanted, [most // many for most in one.most], size) if many else None
        if found is None:
            return None
        counts.append(found)
        numbers.append(many)
    return Blocks(size, tuple(counts), tuple(numbers))


def _longest(one: Amounts, size: int, unit: int) -> int:
    """The most blocks, a multiple of `unit`, for which the places may give enough; 0 where none are."""
    low, high = 0, sum(one.wanted) // size // unit
    while low < high:
        middle = (low + high + 1) // 2
        enough = sum(min(size, most // (middle * unit)) for most in one.most) >= size
        low, high = (middle, high) if enough else (low, middle - 1)
    return low * unit


def within(wanted: Sequence[int], most: Sequence[int], total: int) -> tuple[int, ...] | None:
    """Whole numbers of sum `total`, in proportion to what is wanted, none above its `most`, each at least one.

    What is furthest short is rounded up first. None where one would be less than half, or where the sum cannot be.
    """
    whole = sum(wanted)
    if any(2 * one * total < whole or limit < 1 for one, limit in zip(wanted, most, strict=True)):
        return None
    counts = [min(limit, max(1, one * total // whole)) for one, limit in zip(wanted, most, strict=True)]
    short = [(count * whole - one * total, i) for i, (one, count) in enumerate(zip(wanted, counts, strict=True))]
    rest = total - sum(counts)
    step = 1 if rest > 0 else -1
    heap = [(step * gap, i) for gap, i in short if (counts[i] < most[i] if rest > 0 else counts[i] > 1)]
    heapify(heap)
    for _ in range(abs(rest)):
        if not heap:
            return None
        gap, i = heappop(heap)
        counts[i] += step
        if counts[i] < most[i] if rest > 0 else counts[i] > 1:
            heappush(heap, (gap + whole, i))
    return tuple(counts)


def wanted(mixed: Mixture, length: int) -> tuple[Mixture, tuple[Amounts, ...], list[Diagnostic]]:
    """Sequences that every phase reads of places, which go on from phase to phase; places that give none left out.

    What of a place is no whole sequence is read in no pass. Rounding may take what limits leave, a part in each phase.
    """
    read: dict[str, int] = {}
    amounts: list[list[int]] = []
    left: list[Leaf] = []
    stages = []
    for stage in mixed.stages:
        kept: list[Leaf] = []
        given: list[int] = []
        for leaf in stage.leaves:
            before = read.get(leaf.path, 0)
            read[leaf.path] = before + leaf.tokens
            until, done = (by_pass(replace(leaf, tokens=one), length) for one in (before + leaf.tokens, before))
            if until > done:
                kept, given = [*kept, leaf], [*given, until - done]
            else:
                left.append(leaf)
        stages.append(replace(stage, leaves=tuple(kept)))
        amounts.append(given)
    found = [messages.too_little([one.path for one in left], sum(one.tokens for one in left), length)] if left else []
    found += [messages.empty_phase(stage.name) for stage in stages if not stage.leaves]
    made = replace(mixed, stages=tuple(stages))
    return made, _limited(made, amounts, length), found


def _limited(mixed: Mixture, amounts: Sequence[Sequence[int]], length: int) -> tuple[Amounts, ...]:
    total: dict[str, int] = {}
    phases: dict[str, int] = {}
    for stage, given in zip(mixed.stages, amounts, strict=True):
        for leaf, amount in zip(stage.leaves, given, strict=True):
            total[leaf.path] = total.get(leaf.path, 0) + amount
            phases[leaf.path] = phases.get(leaf.path, 0) + 1
    made = []
    for stage, given in zip(mixed.stages, amounts, strict=True):
        everything = sum(given)
        most = []
        for leaf, amount in zip(stage.leaves, given, strict=True):
            room = everything
            if leaf.most is not None:
                allowed = by_pass(replace(leaf, tokens=int(leaf.most * leaf.available)), length)
                room = max(0, allowed - total[leaf.path]) // phases[leaf.path]
            most.append(amount + room)
        made.append(Amounts(tuple(given), tuple(most)))
    return tuple(made)
