"""`python -m tests.corpus`: build `build/corpus` and print what it holds; exit status 1 when a package is missing."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.corpus.build import build
from tests.corpus.packages import Unavailable

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Build, and say what was built or what is missing."""
    try:
        print(build(ROOT / "build" / "corpus", ROOT / "build" / "packages"))
    except Unavailable as missing:
        print(f"the corpus cannot be built: {missing}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
