"""What a run of `mixc` leaves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Ran:
    """What a run left: exit code, data, diagnostics."""

    code: int
    out: str
    err: str
