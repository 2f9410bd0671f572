"""What a loss of power leaves of files that were not synced: empty, cut off, or zeros for bytes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

from tests.crash.order import unsynced
from tests.crash.shim import Act, Fault, Kinds
from tests.crash.trial import NEVER, Bench

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "emptied": lambda data: b"",
    "cut off": lambda data: data[: len(data) // 2],
    "zeros": lambda data: bytes(len(data)),
}


def damaged(bench: Bench, row: Any, some: Callable[[int], list[int]]) -> Iterator[Any]:
    """A finished state, one file of a cache as it may be after a loss of power; then readers, then the command."""
    names = [name for name in unsynced(bench.good.calls, bench.work) if name in bench.good.after]
    for how, damage in DAMAGES.items():
        made = row(bench.case.name, how, len(names))
        for number in some(len(names)) if names else ():
            name = names[number - 1]
            bench.restore()
            bench.run(Fault(Act.NOTHING, NEVER, Kinds.CHANGES))
            path = bench.work / name
            if not path.exists():  # of a random name
                continue
            state = path.stat()
            path.write_bytes(damage(path.read_bytes()))
            os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
            made.tried += 1
            made.lost += [f"{name}: {one}" for one in bench.after_damage()]
        if made.tried:
            yield made
