"""Who is told how far work has come: a protocol, for a bar, plain lines, or nobody."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told of what is being done, for a bar or plain lines."""

    def begin(self, what: str, total: int) -> None:
        """A stage of `total` bytes."""

    def advance(self, size: int, documents: int) -> None:
        """So many bytes and documents more."""

    def kept(self, size: int) -> None:
        """So many bytes were done before this stage began: they count as done, and not for how fast it goes."""

    def end(self) -> None:
        """The stage is over."""


class Quiet:
    """Progress that nobody watches."""

    def begin(self, what: str, total: int) -> None:
        """Say nothing."""

    def advance(self, size: int, documents: int) -> None:
        """Say nothing."""

    def kept(self, size: int) -> None:
        """Say nothing."""

    def end(self) -> None:
        """Say nothing."""
