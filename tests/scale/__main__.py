"""`python -m tests.scale`: documents, stages, the simulation against Ray, the forecast, the largest recipes.

`DOCUMENTS` says how many documents, in turn: `make scale DOCUMENTS="1e7 1e8"`. 10^8 take about a quarter of an hour on
two idle processors, and 5 GB of disk for what a scan keeps. `SHAPE` is that of the largest recipe: languages, domains,
sources.
"""

from __future__ import annotations

import os
import subprocess
import sys

PARTS = (
    ["documents", *os.environ.get("DOCUMENTS", "1e5 1e6 1e7").split()],
    ["stages", "3"],
    ["validated"],
    ["forecast"],
    ["largest", *os.environ.get("SHAPE", "61 26 2").split()],
)


def main() -> None:
    """Run all parts, each in a process of its own."""
    for part, *arguments in PARTS:
        print(f"== {part}", flush=True)
        subprocess.run([sys.executable, "-m", f"tests.scale.{part}", *arguments], check=True)


if __name__ == "__main__":
    main()
