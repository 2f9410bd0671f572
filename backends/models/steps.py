"""Steps of a part that takes minutes: kept in a folder beside its output until that has its place."""

from __future__ import annotations

from pathlib import Path

STEPS = "steps"


def clear_steps(folder: Path) -> None:
    """Remove the steps of outputs that are there: who made one was killed before it could.

    `PART.3.arrow` is a step of `PART.arrow`. Whoever is just using one finds the output instead.
    """
    for path in (folder / STEPS).glob("*.*.arrow"):
        if (folder / f"{path.name.rsplit('.', 2)[0]}.arrow").exists():
            path.unlink(missing_ok=True)
