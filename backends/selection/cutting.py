"""From tokens by position to the cuts of a run: where every cell first reaches its targets."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from mixc.backends.selection.cuts import SCALE, CellCut, Cuts, position
from mixc.backends.selection.exact import Count, Counted, Fetch, Grid, Taking, chosen, grid, joined
from mixc.backends.selection.mapping import mapped
from mixc.backends.selection.shard import Task, Work, loaded_by
from mixc.backends.selection.slots import Slots
from mixc.compiler.executor import Executor
from mixc.compiler.progress import Progress
from mixc.dsl.diagnostics import Diagnostic

Ints = NDArray[np.int64]
Entry = tuple[int, int, int, int]  # position, copy, row among the fetched, tokens


@dataclass(frozen=True, slots=True)
class Search:
    """Where a target lies: after `whole` copies of all documents and `before` tokens, `left` tokens into a bin.

    Without a `key` the cut is known: whole copies.
    """

    whole: int
    before: int
    left: int
    key: int | None


def find_cuts(
    work: Work, tasks: Sequence[Task], executor: Executor, progress: Progress
) -> tuple[Cuts | None, list[Diagnostic]]:
    """The cuts of a manifest over all its documents."""
    made = grid(loaded_by(work).slots)
    sums = np.zeros(len(made.cells) * made.stride, dtype=np.int64)
    largest = np.zeros(len(made.cells), dtype=np.int64)

    def counted(part: Counted) -> None:
        sums[part.key] += part.tokens
        np.maximum(largest, part.largest, out=largest)
        progress.advance(1, 0)

    if problems := mapped(Count(work), tasks, counted, ("finding cuts", executor, progress)):
        return None, problems
    targets = [tuple(accumulate(made.slots.cells[c].tokens)) for c in made.cells.tolist()]
    by_cell = sums.reshape(-1, made.stride)
    searches = [_searches(made, i, by_cell[i], target) for i, target in enumerate(targets)]
    keys = np.array(sorted({s.key for row in searches for s in row if s.key is not None}), dtype=np.int64)
    fetched: list[Taking] = []

    def kept(part: Taking) -> None:
        fetched.append(part)
        progress.advance(1, len(part.key))

    if problems := mapped(Fetch(work, keys.tobytes()), tasks, kept, ("finding cuts", executor, progress)):
        return None, problems
    found = _by_key(joined(fetched))
    cells = [
        _cell(made, i, targets[i], int(largest[i]), [_found(made, search, found) for search in searches[i]])
        for i in range(len(made.cells))
    ]
    return Cuts(work.integrity, tuple(cells)), []


def _cell(made: Grid, i: int, target: tuple[int, ...], largest: int, found: list[tuple[int, int, int]]) -> CellCut:
    name = made.slots.cells[int(made.cells[i])].name
    most = max(largest, *(step for _, _, step in found))
    return CellCut(name, target, tuple(r for _, r, _ in found), tuple(f"{k:x}" for k, _, _ in found), most)


def _searches(made: Grid, i: int, sums: Ints, targets: tuple[int, ...]) -> list[Search]:
    """Where each of a cell's targets lies.

    Without a curve no document gets more copies than the draw gives at the most: where the documents that fall into a
    cell are fewer than its supply, more copies of them would break limits of repetition.
    """
    plain = not made.slots.curved[made.cells[i]]
    supply = made.slots.cells[made.cells[i]].supply
    ends = [0, *np.cumsum(sums[:-1]).tolist()]
    found = []
    for target in targets:
        if not sums.any():
            found.append(Search(0, 0, 0, None))
            continue
        most = -(-target // supply) if plain and supply else 0
        if most and target > most * ends[-1]:
            found.append(Search(most, most * ends[-1], 0, None))
            continue
        whole, rest = divmod(target, ends[-1]) if plain else (0, target)
        if not rest:
            found.append(Search(whole, target, 0, None))
            continue
        place = int(np.searchsorted(ends[1:], rest))
        found.append(Search(whole, target - rest + ends[place], rest - ends[place], i * made.stride + place))
    return found


def _by_key(taking: Taking) -> dict[int, Taking]:
    order = np.argsort(taking.key, kind="stable")
    keys, starts = np.unique(taking.key[order], return_index=True)
    rows = np.split(order, starts[1:]) if len(keys) else []
    return {int(key): chosen(taking, mine) for key, mine in zip(keys, rows, strict=True)}


def _found(made: Grid, search: Search, fetched: dict[int, Taking]) -> tuple[int, int, int]:
    """(cut, tokens reached, tokens at the cut): the position that is nearest to the target; ties are taken together.

    That is the first that reaches it, or what comes before. Of documents in the bin after the last, later copies
    follow; in other bins each copy was fetched.
    """
    base = search.whole << SCALE
    if search.key is None:
        return base, search.before, 0
    mine = fetched[search.key]
    beyond = search.key % made.stride == made.bins
    heap = [_entry(made.slots, mine, row, int(mine.copy[row])) for row in range(len(mine.key))]
    heapq.heapify(heap)
    taken = place = step = 0
    while heap and (taken < search.left or heap[0][0] == place):
        at, copy, row, tokens = heap[0]
        step = tokens + (step if at == place else 0)
        place, taken = at, taken + tokens
        if beyond:
            heapq.heapreplace(heap, _entry(made.slots, mine, row, copy + 1))
        else:
            heapq.heappop(heap)
    if taken - search.left > search.left - (taken - step):
        return base + place - 1, search.before + taken - step, step
    return base + place, search.before + taken, step


def _entry(slots: Slots, taking: Taking, row: int, copy: int) -> Entry:
    s = int(taking.segment[row])
    above = int(taking.hash[row]) - int(slots.low[s]) + 1
    at = position(copy, above, int(slots.high[s]) - int(slots.low[s]), int(slots.value[s]))
    return at, copy, row, int(taking.tokens[row])
