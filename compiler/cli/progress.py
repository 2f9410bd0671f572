"""How long work goes on: a bar on a terminal, a plain line now and then elsewhere. On stderr; stdout is for data."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

EVERY = 10.0  # seconds between plain lines


@dataclass(slots=True)
class Pace:
    """How far a stage is, and how fast: what was done before it began is done, yet says nothing of its speed."""

    total: int
    done: int = 0
    kept: int = 0
    documents: int = 0
    start: float = field(default_factory=lambda: time.monotonic())

    @property
    def share(self) -> float:
        """What is done of all, at most 1."""
        return min(1.0, self.done / self.total) if self.total else 1.0

    def rate(self, now: float) -> float:
        """Documents per second."""
        return self.documents / max(now - self.start, 1e-9)

    def left(self, now: float) -> float:
        """Seconds until the end, infinite where nothing says how many."""
        made, more = self.done - self.kept, max(0, self.total - self.done)
        return (now - self.start) * more / made if made > 0 else float("inf") if more else 0.0


class Lines:
    """Plain lines, for logs."""

    def __init__(self) -> None:
        self._what, self._pace = "", Pace(0)
        self._said = self._pace.start

    def begin(self, what: str, total: int) -> None:
        """A stage of `total` units."""
        self._what, self._pace = what, Pace(total)
        self._said = self._pace.start

    def advance(self, size: int, documents: int) -> None:
        """So much more is done."""
        self._pace.done += size
        self._pace.documents += documents
        now = time.monotonic()
        if now - self._said >= EVERY:
            self._said = now
            self._say(now)

    def kept(self, size: int) -> None:
        """So much was done before."""
        self._pace.done += size
        self._pace.kept += size

    def end(self) -> None:
        """The stage is over."""
        now = time.monotonic()
        if now - self._pace.start >= EVERY:
            self._say(now)

    def _say(self, now: float) -> None:
        pace = self._pace
        words = f"{pace.share:.0%}, {pace.rate(now):,.0f} documents/s, {pace.left(now):,.0f} s left"
        print(f"{self._what}: {words}", file=sys.stderr, flush=True)


class Bar:
    """A bar with documents per second and the time that is left."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None
        self._pace = Pace(0)

    def begin(self, what: str, total: int) -> None:
        """A stage of `total` units."""
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

        self._pace = Pace(total)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rate]} documents/s, {task.fields[left]} left"),
        )
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task(what, total=total, rate="-", left="-")
        self._bar.start()

    def advance(self, size: int, documents: int) -> None:
        """So much more is done."""
        self._pace.done += size
        self._pace.documents += documents
        self._show()

    def kept(self, size: int) -> None:
        """So much was done before."""
        self._pace.done += size
        self._pace.kept += size
        self._show()

    def end(self) -> None:
        """The stage is over."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _show(self) -> None:
        if self._bar is not None:
            now = time.monotonic()
            rate, left = f"{self._pace.rate(now):,.0f}", self._pace.left(now)
            known = "-" if left == float("inf") else str(timedelta(seconds=round(left)))
            self._bar.update(self._task, completed=self._pace.done, rate=rate, left=known)


def watched() -> Bar | Lines:
    """The one that fits where stderr goes."""
    return Bar() if sys.stderr.isatty() else Lines()
