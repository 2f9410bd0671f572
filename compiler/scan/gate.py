"""Documents that a gate lets through: those that models find nearest to targets, and no others (selection.md 7).

Which they are was decided once, over all documents, by `mixc score`; a file beside each file of documents says it row
by row. The decision holds for exactly these documents: with others there would be other budgets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from mixc.compiler.scan.labels import Labelled, Labeller
from mixc.compiler.scan.plan import GATE
from mixc.compiler.scan.scoring import scores_of


def admitted(batches: Iterator[tuple[Labeller, Labelled]]) -> Iterator[tuple[Labeller, Labelled]]:
    """Batches in which documents that do not pass the gate do not count."""
    for labeller, labelled in batches:
        passed = scores_of(labelled.batch, GATE)
        if passed is None:
            raise ValueError("a file without a gate")
        counts = labelled.counts & (passed > 0)
        out = int(np.count_nonzero(labelled.counts)) - int(np.count_nonzero(counts))
        yield labeller, replace(labelled, counts=counts, gated=out)
