"""Documents that are kept out of training: a share of each source, told by a hash of its own (selection.md 3).

A document is held out iff the hash of `"<seed>:split:<source>:<id>"` is below share * 2^60. So it is in every phase and
under every recipe with that seed and share; a larger share holds out the same documents and more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mixc.compiler.documents.data import Batch, Part
from mixc.compiler.keyed_hash import BITS, hash60, text_id
from mixc.compiler.scan.gate import admitted
from mixc.compiler.scan.labels import Labelled, Labeller
from mixc.compiler.scan.plan import Holdout, Plan

PURPOSE = "split"


def kept(plan: Plan, part: Part, batches: Iterator[tuple[Labeller, Labelled]]) -> Iterator[tuple[Labeller, Labelled]]:
    """Batches of a part in which documents do not count that are held out, or that a gate keeps out."""
    if plan.holdout is not None:
        prefix = split_prefix(plan, plan.holdout, part.file.source, part.file.name)
        batches = _without(plan.holdout, prefix, batches)
    return batches if plan.gate is None else admitted(batches)


def held_out(plan: Plan, holdout: Holdout, source: str, file: str, ids: pa.ChunkedArray) -> int:
    """How many of some ids of a file are held out."""
    prefix, limit = split_prefix(plan, holdout, source, file), below(holdout)
    return sum(int(np.count_nonzero(hash60(prefix, chunk) < limit)) for chunk in ids.chunks)


def split_prefix(plan: Plan, holdout: Holdout, source: str, file: str) -> bytes:
    """What is hashed before the ids of a file."""
    own = plan.source(source).ids == "per-file"
    return key_prefix(holdout.seed, PURPOSE, source, file if own else None)


def below(holdout: Holdout) -> np.uint64:
    """Hashes below this are of documents that are held out."""
    return np.uint64(round(Fraction(repr(holdout.share)) * (1 << BITS)))


def _without(
    holdout: Holdout, prefix: bytes, batches: Iterator[tuple[Labeller, Labelled]]
) -> Iterator[tuple[Labeller, Labelled]]:
    limit = below(holdout)
    for labeller, labelled in batches:
        rows = np.flatnonzero(labelled.counts)
        out = rows[hash60(prefix, identifiers(labelled.batch, rows)) < limit]
        counts = labelled.counts.copy()
        counts[out] = False
        yield labeller, replace(labelled, counts=counts, withheld=len(out))


def identifiers(batch: Batch, rows: NDArray[np.int64]) -> pa.Array:
    """The ids of some of a batch's documents; of documents without one, a hash of their text."""
    if batch.id is not None:
        return batch.id.take(pa.array(rows))
    assert batch.text is not None
    return text_id(batch.text.take(pa.array(rows)))


def key_prefix(seed: int, purpose: str, source: str, file: str | None = None) -> bytes:
    """What is hashed before an id; streams of different purposes are independent. `file` where ids are its own."""
    inside = "" if file is None else f"{file}:"
    return f"{seed}:{purpose}:{source}:{inside}".encode()
