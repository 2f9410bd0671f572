"""`python -m tests.bench.reporting`: the page of polyglot61 against compiling it; whole processes, CPU seconds."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

RECIPES = Path(__file__).parents[2] / "recipes"
PAIRS = 3
WANTED, SIZE = 5.0, 1_000_000


def spent(*arguments: str) -> float:
    """CPU seconds of a run of mixc."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "mixc", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        page, manifest = Path(folder) / "report.html", Path(folder) / "polyglot61.manifest.json"
        ours, reference = [], []
        for _ in range(PAIRS):
            reference.append(spent("compile", str(RECIPES / "polyglot61.mix"), "-o", str(manifest)))
            ours.append(spent("report", str(manifest), "-o", str(page)))
        size = page.stat().st_size
    print(
        f"report of polyglot61, CPU: {median(ours):.2f} s (wanted < {WANTED:g}), "
        f"{median(ours) / median(reference):.2f} x compiling it ({median(reference):.2f} s); "
        f"{size:,} bytes (wanted < {SIZE:,})"
    )


if __name__ == "__main__":
    main()
