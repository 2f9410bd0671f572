"""`python -m tests.docs.tutorial`: the tutorial as its reader goes through it, in a new empty folder.

Every file is saved and every command typed as the page shows it; what a command prints is compared with the page. The
time of each command is printed, and their sum. Exit status 1 when the page shows something else.
"""

from __future__ import annotations

import difflib
import sys
import tempfile
import time
from pathlib import Path

from tests.docs.shown import TINY, in_shell, replay

PAGE = Path(__file__).parents[2] / "recipes" / "manual" / "tutorial.md"


def main() -> int:
    """Walk through, and say what took how long."""
    took: list[float] = []

    def timed(command: str, folder: Path, codes: tuple[int, ...]) -> str:
        before = time.perf_counter()
        printed = in_shell(command, folder, codes)
        took.append(time.perf_counter() - before)
        print(f"{took[-1]:6.1f} s  {command}", flush=True)
        return printed

    with tempfile.TemporaryDirectory(prefix="mixc-tutorial-") as name:
        replayed = replay(PAGE, Path(name), timed)
    print(f"{sum(took):6.1f} s  {replayed.commands} commands")
    if not replayed.same:
        texts = (TINY.sub("tiny", text).splitlines() for text in (replayed.text, replayed.now))
        print("\n".join(difflib.unified_diff(*texts, "the page", "printed now", lineterm="", n=1)))
    return 0 if replayed.same else 1


if __name__ == "__main__":
    sys.exit(main())
