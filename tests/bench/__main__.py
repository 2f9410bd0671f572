"""`python -m tests.bench`: every figure on a line, seconds beside their target and as a ratio of a reference.

Medians of several runs, ours and the reference in turn. Ratios are what to compare between machines. A selection is
made from DOCUMENTS documents, 1,000,000 by default: `make bench DOCUMENTS=10000000` needs 3 GB, 4 GB of disk and
a quarter of an hour.
"""

from __future__ import annotations

import os

from mixc.compiler.cli import ONE_THREAD

for name in ONE_THREAD:  # as `mixc` itself runs; before numpy is loaded
    os.environ[name] = "1"

from tests.bench.figures import allocation, commands, parsing, quality, selection  # noqa: E402
from tests.bench.figures_documents import processes, quadmix, texts  # noqa: E402
from tests.bench.measure import load  # noqa: E402


def main() -> None:
    """Print the report."""
    print(load(), flush=True)
    for figures in (commands, parsing, quality, allocation, selection, quadmix, texts, processes):
        for figure in figures():
            print(figure.line(), flush=True)
    print(load())


if __name__ == "__main__":
    main()
