"""A bound on the memory that one step of reading takes: how much a few kB become is decided by the data."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MOST = 8 << 30  # bytes beyond what the process has already; a batch of honest documents takes a hundredth
STATM = Path("/proc/self/statm")


@contextmanager
def bounded() -> Iterator[None]:
    """Within, allocating beyond `MOST` bytes more raises MemoryError, before the system runs out of memory.

    Of the whole process, so for the short time of decoding a batch. Without effect but on Linux. The bound is on
    addresses: what Arrow's pool keeps of earlier batches, and does not use, comes on top.
    """
    try:
        import resource

        pages = int(STATM.read_text().split()[0])
    except (ImportError, OSError):
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = pages * os.sysconf("SC_PAGE_SIZE") + MOST
    if soft != resource.RLIM_INFINITY:
        limit = min(limit, soft)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
