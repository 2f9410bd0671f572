"""Exact cuts: for every cell and phase the position up to which documents take copies, so that budgets are met.

A document at hash h of a segment [low, high) takes its copy n + 1 at position K = (n + u) / S, u = (h - low + 1) /
(high - low) and S = 1 without a curve; in whole numbers, the least K for which the draw's own arithmetic gives it. A
cell's cut is one K, in units of 2^-SCALE (over S in units of 2^-32 under a curve).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import xxhash
from numpy.typing import NDArray

from mixc.backends.selection.slots import FIXED, Cell, Slots
from mixc.compiler.whole import kept_json

CUT = "cut.json"
VERSION = 1
SCALE = 128


@dataclass(frozen=True, slots=True)
class CellCut:
    """The cut of one cell `at` every phase, as hexadecimal numbers; all but `largest` add up over phases.

    `target` and `reached` are tokens, `largest` the tokens of its largest document: 0 where it has none.
    """

    cell: str
    target: tuple[int, ...]
    reached: tuple[int, ...]
    at: tuple[str, ...]
    largest: int


@dataclass(frozen=True, slots=True)
class Cuts:
    """The cuts of a run, for the manifest of that integrity hash."""

    manifest: str
    cells: tuple[CellCut, ...]

    @property
    def text(self) -> str:
        """The file."""
        return json.dumps({"version": VERSION} | asdict(self), indent=1, sort_keys=True) + "\n"

    @property
    def hash(self) -> str:
        """XXH3-128 of the file, in hexadecimal."""
        return xxhash.xxh3_128_hexdigest(self.text.encode())

    def ended(self, slots: Slots) -> dict[str, int]:
        """Cells whose documents are read as often as the draw would read any, with the tokens they lack at last."""
        cells = {cell.name: cell for cell in slots.cells}
        return {
            cut.cell: cut.target[-1] - cut.reached[-1]
            for cut in self.cells
            if cut.cell in cells and any(ends_at_limit(cut, cells[cut.cell]))
        }

    @property
    def unreachable(self) -> tuple[str, ...]:
        """Cells that were to give tokens and hold no document."""
        return tuple(cell.cell for cell in self.cells if not cell.largest)


def ends_at_limit(cut: CellCut, cell: Cell) -> tuple[bool, ...]:
    """By phase, whether a cell is short of a document or more because none may get more copies than a draw gives."""
    if not cell.supply:
        return (False,) * len(cut.at)
    return tuple(
        int(at, 16) == -(-target // cell.supply) << SCALE and target - reached >= max(1, cut.largest)
        for at, target, reached in zip(cut.at, cut.target, cut.reached, strict=True)
    )


def read_cuts(path: Path, manifest: str) -> Cuts | None:
    """The cuts of a manifest; None where there are none, or none that can be used."""
    try:
        data = kept_json(path)
        if data.pop("version") != VERSION or data["manifest"] != manifest:
            return None
        cells = tuple(
            CellCut(c["cell"], tuple(c["target"]), tuple(c["reached"]), tuple(c["at"]), c["largest"])
            for c in data["cells"]
        )
        return Cuts(data["manifest"], cells)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def position(copy: int, above: int, width: int, value: int) -> int:
    """The least K at which a document has more than `copy` copies; `above` = h - low + 1, `width` = high - low."""
    part = -((-above << SCALE) // width)
    return -(-((copy << SCALE) + part) // value)


def exact_slots(slots: Slots, cuts: Cuts) -> Slots:
    """Slots whose thresholds are the cuts."""
    at = np.zeros((len(slots.cells), len(slots.phases) + 1), dtype=object)
    place = {cell.name: i for i, cell in enumerate(slots.cells)}
    for cut in cuts.cells:
        at[place[cut.cell], 1:] = [int(k, 16) for k in cut.at]
    copies = at[slots.cell] * slots.value.astype(object)[:, None]
    width = (slots.high - slots.low).astype(object)[:, None]
    cut = (width * (copies & ((1 << SCALE) - 1)) >> SCALE).astype(np.uint64)
    return replace(
        slots,
        copies=(copies >> (SCALE - FIXED)).astype(np.int64),
        whole=(copies >> SCALE).astype(np.int32),
        cut=slots.low[:, None] + cut,
        idle=idle_slots(slots, np.array(copies[:, -1] > 0, dtype=bool)),
    )


def idle_slots(slots: Slots, used: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Slots [slots] none of whose segments is used."""
    idle = np.ones(len(slots), dtype=bool)
    idle[slots.slot[used]] = False
    return idle
