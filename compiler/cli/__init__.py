"""The command line. Exit codes: 0 fine, 1 errors, 2 changes found, 70 a bug in mixc, 130 interrupted."""

from __future__ import annotations

import sys


def main() -> None:
    """Run `mixc` and leave with its exit code."""
    from mixc.compiler.cli.guard import guarded

    sys.exit(guarded(sys.argv[1:]))
