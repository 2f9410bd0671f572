"""How much a gate let through, by source and language: counted while it is written down, and kept beside it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mixc.backends.nag.cut import Mask
from mixc.compiler.plain_json import loads
from mixc.compiler.scan.beside import SCORES
from mixc.compiler.scan.labels import Key, Labelled
from mixc.compiler.scan.plan import Passed
from mixc.compiler.scan.store import Store
from mixc.compiler.whole import write_whole

AMOUNTS = 5  # documents, tokens, those that passed of both, documents without a score of quality


class Sums:
    """Sums of documents and tokens under way."""

    def __init__(self) -> None:
        self._sums: defaultdict[tuple[str, str], NDArray[np.int64]] = defaultdict(lambda: np.zeros(AMOUNTS, np.int64))

    def add(self, source: str, keys: Sequence[Key], batch: Labelled, passed: Mask, unrated: Mask) -> None:
        """Count the documents of a batch that are any, of which some passed."""
        rows = np.flatnonzero(batch.counts)
        group, tokens, through = batch.group[rows], batch.tokens[rows], passed[rows]
        for place in np.unique(group).tolist():
            mine = group == place
            kept = mine & through
            amounts = mine.sum(), tokens[mine].sum(), kept.sum(), tokens[kept].sum(), unrated[rows][mine].sum()
            self._sums[source, keys[place][0]] += np.array(amounts, dtype=np.int64)

    def result(self) -> tuple[Passed, ...]:
        """The sums, by source and language."""
        return tuple(Passed(*key, *amounts.tolist()) for key, amounts in sorted(self._sums.items()))


def passed_of(store: Store, key: str) -> Path:
    """Where the sums of a gate are kept."""
    return store.folder / SCORES / key / "passed.json"


def write_passed(path: Path, passed: Sequence[Passed]) -> None:
    """Keep the sums of a gate."""
    text = json.dumps([astuple(one) for one in passed]) + "\n"

    def write(temporary: Path) -> None:
        temporary.write_text(text, encoding="utf-8")

    write_whole(path, write, lasting=False)


def read_passed(path: Path) -> tuple[Passed, ...] | None:
    """The sums that were kept; None where they cannot be read."""
    try:
        return tuple(Passed(*one) for one in loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
