"""How long work goes on: a bar on a terminal, a plain line now and then elsewhere. On stderr; stdout is for data."""

from __future__ import annotations

import sys
import time
from typing import Any

EVERY = 10.0  # seconds between plain lines


class Lines:
    """Plain lines, for logs."""

    def __init__(self) -> None:
        self._what, self._total, self._done, self._documents = "", 0, 0, 0
        self._start = self._said = time.monotonic()

    def begin(self, what: str, total: int) -> None:
        """A stage of `total` units."""
        self._what, self._total, self._done, self._documents = what, total, 0, 0
        self._start = self._said = time.monotonic()

    def advance(self, size: int, documents: int) -> None:
        """So much more is done."""
        self._done += size
        self._documents += documents
        now = time.monotonic()
        if now - self._said >= EVERY:
            self._said = now
            self._say(now)

    def end(self) -> None:
        """The stage is over."""
        now = time.monotonic()
        if now - self._start >= EVERY:
            self._say(now)

    def _say(self, now: float) -> None:
        spent = max(now - self._start, 1e-9)
        share = self._done / self._total if self._total else 1.0
        left = spent * (1 - share) / share if share else float("inf")
        rate = self._documents / spent
        print(f"{self._what}: {share:.0%}, {rate:,.0f} documents/s, {left:,.0f} s left", file=sys.stderr, flush=True)


class Bar:
    """A bar with documents per second and the time that is left."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None
        self._documents = 0

    def begin(self, what: str, total: int) -> None:
        """A stage of `total` units."""
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        self._documents = 0
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rate]} documents/s"),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task(what, total=total, rate="-")
        self._bar.start()

    def advance(self, size: int, documents: int) -> None:
        """So much more is done."""
        if self._bar is None:
            return
        self._documents += documents
        spent = max(self._bar.tasks[self._task].elapsed or 0.0, 1e-9)
        self._bar.update(self._task, advance=size, rate=f"{self._documents / spent:,.0f}")

    def end(self) -> None:
        """The stage is over."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def watched() -> Bar | Lines:
    """The one that fits where stderr goes."""
    return Bar() if sys.stderr.isatty() else Lines()
