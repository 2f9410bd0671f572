"""The command line.

Exit codes: 0 fine, 1 errors, 2 changes found, 70 a bug in mixc, 130 interrupted, 143 terminated.
"""

from __future__ import annotations

import os
import sys

COMPLETING = "_MIXC_COMPLETE"  # set by a shell that asks what fits at the cursor
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def main() -> None:
    """Run `mixc` and leave with its exit code."""
    from mixc.compiler.cli.guard import die_quietly, guarded

    die_quietly()
    if COMPLETING in os.environ:
        from mixc.compiler.cli.complete import answer

        sys.exit(answer())
    for name in ONE_THREAD:  # the matrices are small, and a sum must not depend on how many threads made it
        os.environ[name] = "1"
    sys.exit(guarded(sys.argv[1:]))
