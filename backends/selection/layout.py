"""Where the texts of a selection go: `texts/<phase>/<source>/<language>/<domain>/<bucket>/NNNNN.parquet`.

A shard holds the documents of a cell whose shuffle hash begins with its bits. How many bits follows from the manifest
alone: the tokens that the phase plans of the cell, times the bytes per token of the source's language (as the source
states, else as assumed for the script), in shards of at most so many bytes. Nothing depends on the files.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import numpy as np
import xxhash
from numpy.typing import NDArray

from mixc.backends.selection.slots import Cell, Slots
from mixc.compiler.scan.counting import rate_of
from mixc.compiler.scan.plan import Plan

TEXTS = "texts"
SHARD_BYTES = 256 << 20
MOST_BITS = 20
HASH_BITS = 60
LONGEST = 200  # bytes of one folder's name; file systems take 255

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TextShard:
    """One output: `number` among all, `name` below the folder, the cell and phase whose documents it holds."""

    number: int
    name: str
    phase: int
    cell: int
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """All outputs of a manifest; `first` and `bits` [phases, cells], of which `first` is -1 where nothing is taken."""

    shards: tuple[TextShard, ...]
    first: Ints
    bits: Ints

    def numbers(self, phase: Ints, cell: Ints, hashes: NDArray[np.uint64]) -> Ints:
        """The shard of every document, from its shuffle hash."""
        bits = self.bits[phase, cell]
        return self.first[phase, cell] + (hashes >> (HASH_BITS - bits).astype(np.uint64)).astype(np.int64)


def layout(slots: Slots, plan: Plan, shard_bytes: int = SHARD_BYTES) -> Layout:
    """The outputs of a manifest, in order of phase, cell and hash."""
    shape = (len(slots.phases), len(slots.cells))
    taken = _taken(slots)
    first, bits = np.full(shape, -1, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    shards: list[TextShard] = []
    for p, phase in enumerate(slots.phases):
        for c, cell in enumerate(slots.cells):
            if not taken[p, c]:
                continue
            rate = rate_of(plan.source(cell.source), cell.language)
            first[p, c], bits[p, c] = len(shards), leading_bits(int(cell.tokens[p] / rate), shard_bytes)
            folder = folder_of(phase, cell)
            for i in range(1 << int(bits[p, c])):
                shards.append(TextShard(len(shards), f"{folder}/{i:05d}.parquet", p, c, cell.source))
    return Layout(tuple(shards), first, bits)


def _taken(slots: Slots) -> NDArray[np.bool_]:
    """Whether a phase may take documents of a cell [phases, cells]."""
    taken = np.array([[t > 0 for t in cell.tokens] for cell in slots.cells], dtype=bool).reshape(-1, len(slots.phases))
    for s, cell in enumerate(slots.cell.tolist()):
        taken[cell] |= np.array(slots.copies[s, 1:] > slots.copies[s, :-1], dtype=bool)
    return taken.T


def leading_bits(size: int, shard_bytes: int) -> int:
    """The fewest bits that divide so many bytes into shards of at most `shard_bytes`."""
    bits = 0
    while size >> bits > shard_bytes and bits < MOST_BITS:
        bits += 1
    return bits


def folder_of(phase: str, cell: Cell) -> str:
    """The folder of a cell in a phase."""
    parts = (phase, cell.source, cell.language, cell.domain, str(cell.bucket))
    return "/".join((TEXTS, *map(escaped, parts)))


def escaped(name: str) -> str:
    """A name as a folder: what is not plain is percent-encoded, what is too long ends in a hash."""
    plain = quote(name, safe="")
    if plain.startswith("."):
        plain = "%2E" + plain[1:]
    if len(plain) > LONGEST:
        plain = plain[: LONGEST - 33] + "-" + xxhash.xxh3_128_hexdigest(name.encode())
    return plain or "%"
