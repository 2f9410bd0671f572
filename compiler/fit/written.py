"""What a fit hands to the command line, and the figures of its reports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mixc.compiler.review.output import misplaced, write_atomically
from mixc.dsl.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class Written:
    """The canonical text of a calibration, and the report for people."""

    content: str
    report: str


def write_calibration(made: Written, output: Path, runs: Path) -> list[Diagnostic]:
    """Write a calibration whole or not at all, never over the runs that it came from."""
    return misplaced({"calibration": output}, [runs]) or write_atomically(output, made.content.encode())


def interval_text(ends: tuple[float | None, float | None]) -> str:
    """`0.78 to 1.43`, `open` where the runs do not bound it."""
    low, high = ("open" if end is None else f"{end:.3g}" for end in ends)
    return f"{low} to {high}"


def percent(value: float) -> str:
    """A relative error: `0.14%`, `0%` for what is rounding."""
    return "0%" if value < 1e-12 else f"{100 * value:.2g}%"
