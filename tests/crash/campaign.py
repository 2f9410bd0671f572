"""Every fault at every point of every command, or at points evenly spaced; what was tried, and what was lost.

Runs in a process that has the shim loaded and, where that is permitted, file systems of its own: see `__main__`.
"""

from __future__ import annotations

import ctypes
import errno
import importlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.cli import forked
from tests.crash.cases import Case
from tests.crash.order import disorder
from tests.crash.power import damaged
from tests.crash.shim import Act, Call, Fault, Kinds, Shim
from tests.crash.trial import NEVER, Bench

ROOMY = "size=16g,nr_inodes=100000"  # scanning hands over by files only where there is much room; it takes none
PAGE = 4096
REMOUNT, SUBREAPER = 32, 36
LEFT_OUT = ("facade", "ray", "report", "lsp", "murating", "nag", "mubench", "models")  # too heavy, or with threads
ROOT = Path(__file__).parents[2]


@dataclass
class Row:
    """One command under one fault: points tried, those where nothing happened, and what was lost."""

    command: str
    fault: str
    points: int
    tried: int = 0
    idle: int = 0
    lost: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Sweep:
    """How many points of each kind are tried, all if None; `mounted`: the folder is a file system of its own."""

    few: int | None
    mounted: bool
    only: frozenset[str] | None = None

    def has(self, fault: str) -> bool:
        """Whether a fault is tried."""
        return self.only is None or fault in self.only

    def of(self, count: int) -> list[int]:
        """Points 1 … count, or some of them, in the middle of equal parts."""
        if self.few is None or count <= self.few:
            return list(range(1, count + 1))
        return [(2 * part + 1) * count // (2 * self.few) + 1 for part in range(self.few)]


def tried(case: Case, shim: Shim, store: Path, sweep: Sweep) -> Iterator[Row]:
    """All faults of one command."""
    if sweep.mounted:
        mounted(shim.root, ROOMY)
    bench = Bench(case, shim, store)
    yield Row(case.name, "order", len(bench.good.calls), len(bench.good.calls), 0,
              disorder(bench.good.calls, shim.root))  # fmt: skip
    for name, faults in _faults(bench.good.calls, bench.good.reading, sweep, case.workers > 1):
        if not sweep.has(name):
            continue
        row = Row(case.name, name, len(faults))
        for fault in faults:
            _try(bench, fault, row, sweep)
        yield row
    if sweep.has("power"):
        yield from damaged(bench, Row, sweep.of)
    if sweep.mounted:
        yield from _rooms(bench, sweep)


def _faults(
    calls: Sequence[Call], opened: Sequence[Call], sweep: Sweep, parallel: bool
) -> Iterator[tuple[str, list[Fault]]]:
    changes, writes = len(calls), sum(call.name in ("write", "pwrite", "writev", "copy") for call in calls)
    opens = sum(call.name.endswith("open") for call in opened)
    yield "killed before", [Fault(Act.KILL_BEFORE, at) for at in sweep.of(changes)]
    yield "killed after", [Fault(Act.KILL_AFTER, at) for at in sweep.of(changes)]
    yield "killed half-way", [Fault(Act.KILL_HALF, at, Kinds.WRITES) for at in sweep.of(writes)]
    if parallel:
        yield "one process killed", [Fault(Act.KILL_AFTER, at, group=False) for at in sweep.of(changes)]
    yield "EIO", [Fault(Act.FAIL, at, error=errno.EIO) for at in sweep.of(changes)]
    yield "EMFILE", [Fault(Act.FAIL, at, Kinds.OPENS, errno.EMFILE) for at in sweep.of(opens)]
    yield "ENFILE", [Fault(Act.FAIL, at, Kinds.OPENS, errno.ENFILE) for at in sweep.of(opens)]
    yield "short write", [Fault(Act.SHORT, at, Kinds.WRITES) for at in sweep.of(writes)]
    yield "EINTR", [Fault(Act.FAIL, at, Kinds.WRITES, errno.EINTR) for at in sweep.of(writes)]
    if sweep.mounted:
        yield "read-only", [Fault(Act.READ_ONLY, at) for at in sweep.of(changes)]


def _try(bench: Bench, fault: Fault, row: Row, sweep: Sweep, options: str | None = None, given: str = "") -> None:
    bench.restore()
    if options is not None:
        remounted(bench.work, options)
    ended = bench.run(fault)
    if sweep.mounted:
        remounted(bench.work, ROOMY)
    row.tried += 1
    row.idle += not ended.reached and options is None
    where = given or f"call {fault.at}"
    row.lost += [f"{where}: {one}" for one in bench.judged(fault, ended)]


def _rooms(bench: Bench, sweep: Sweep) -> Iterator[Row]:
    """Disks with less room than is needed, of every size; and with fewer files."""
    bench.restore()
    state = os.statvfs(bench.work)
    used, files = state.f_blocks - state.f_bfree, len(list(bench.work.rglob("*"))) + 1
    sizes = [size for size, _ in bench.good.after.values()]
    more = sum(-(-size // PAGE) for size in sizes) - sum(-(-size // PAGE) for size, _ in bench.good.before.values())
    more += max(-(-size // PAGE) for size in sizes) + 1
    made = {call.path for call in bench.good.calls if call.name.endswith("open") or call.name == "mkdir"}
    for name, count, option in (
        ("no room", max(2, more), lambda left: f"size={(used + left) * PAGE}"),
        ("no inodes", len(made), lambda left: f"nr_inodes={files + left}"),
    ):
        if not sweep.has(name):
            continue
        row = Row(bench.case.name, name, count)
        for left in sweep.of(count):
            _try(bench, Fault(Act.NOTHING, NEVER), row, sweep, option(left - 1), f"{name} for {left}")
        yield row


def mounted(folder: Path, options: str) -> None:
    """A new file system in memory, over what was there."""
    _mount(b"none", folder, b"tmpfs", 0, options)


def remounted(folder: Path, options: str) -> None:
    """The same file system with other limits, and written to again."""
    _mount(b"none", folder, b"tmpfs", REMOUNT, options)


def _mount(source: bytes, folder: Path, kind: bytes, flags: int, options: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source, os.fsencode(folder), kind, flags, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), f"mounting {options}", str(folder))


def ready() -> None:
    """Load what commands load, so that their copies need not; be told of processes whose parents died."""
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    for part in ("compiler", "backends"):
        for path in sorted((ROOT / part).rglob("*.py")):
            name = path.relative_to(ROOT).with_suffix("")
            if not set(name.parts) & set(LEFT_OUT) and "prepare" not in name.parts and path.name != "__init__.py":
                importlib.import_module("mixc." + ".".join(name.parts))
    forked.load()
