"""How far the reading of texts is: said by the tasks that read, and added up where they were asked for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from mixc.compiler.executor import say
from mixc.compiler.progress import Progress

EVERY = 0.5  # seconds between two messages of a task


@dataclass(frozen=True, slots=True)
class Reading:
    """Documents of a task: read before it began, read since, and in total; None while that is not known."""

    kept: int
    read: int
    of: int | None


class Teller:
    """In a task: tells from time to time how far it is."""

    def __init__(self, of: int | None) -> None:
        self.kept, self.whole, self.begun, self.of = 0, 0, 0, of
        self._last = 0.0

    def had(self, documents: int) -> None:
        """So many more had been read before."""
        self.kept += documents
        self._tell()

    def passed(self, documents: int) -> None:
        """So many more of the present step are read."""
        self.begun += documents
        self._tell()

    def ended(self, documents: int) -> None:
        """The present step had so many, with those that no model saw."""
        self.whole, self.begun = self.whole + documents, 0
        self._tell()

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._last >= EVERY:
            self._last = now
            say(Reading(self.kept, self.whole + self.begun, self.of))


class Watch:
    """Adds up what tasks say and shows it; `sizes` are those of the tasks, in any unit.

    Nothing is shown twice, though a task may be begun again: what it read before its worker died is then kept.
    """

    def __init__(self, progress: Progress, sizes: Sequence[int]) -> None:
        self._progress, self._sizes = progress, sizes
        self._shown = [0] * len(sizes)  # of the size
        self._documents = [0] * len(sizes)

    def said(self, index: int, reading: Reading) -> None:
        """A task is so far."""
        self._show(index, reading.kept, reading.of, kept=True)
        self._show(index, reading.kept + reading.read, reading.of, kept=False)

    def done(self, index: int, reading: Reading) -> None:
        """A task has ended."""
        self.said(index, reading)
        self._progress.kept(self._sizes[index] - self._shown[index])
        self._shown[index] = self._sizes[index]

    def _show(self, index: int, documents: int, of: int | None, *, kept: bool) -> None:
        more = documents - self._documents[index]
        if more <= 0:
            return
        self._documents[index] = documents
        done = self._sizes[index] * min(documents, of) // of if of else 0
        size = max(0, done - self._shown[index])
        self._shown[index] += size
        if kept:
            self._progress.kept(size)
        else:
            self._progress.advance(size, more)
