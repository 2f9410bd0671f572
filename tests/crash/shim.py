"""Python's side of `shim.c`: built once, told what is to happen, read afterwards."""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import shutil
import struct
import subprocess
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from pathlib import Path

from tests.models import BUILD, absent

SOURCE = Path(__file__).with_name("shim.c")
STATE = "MIXC_SHIM_STATE"
FORM = struct.Struct("6i4q1024s1024s")  # as `struct state`


class Act(IntEnum):
    """What happens at a call."""

    NOTHING = 0
    KILL_BEFORE = 1
    KILL_AFTER = 2
    KILL_HALF = 3  # after half of what was to be written
    FAIL = 4
    SHORT = 5  # half of it is written, which the caller is told
    READ_ONLY = 6  # the file system, from the first moment on at which nothing is open for writing


class Kinds(IntFlag):
    """Which calls are counted."""

    CHANGES = 1
    READS = 2  # opening for reading
    OPENS = 4
    WRITES = 8


@dataclass(frozen=True)
class Call:
    """One call as it was recorded; `bytes` and `crc` of the file that got the name `other`, -1 and 0 if it has none."""

    number: int
    process: int
    name: str
    path: str
    other: str
    bytes: int
    crc: int


@dataclass(frozen=True)
class Fault:
    """What is to happen at the `at`-th call of some kinds; `group`: to all processes of the command."""

    act: Act
    at: int
    kinds: Kinds = Kinds.CHANGES
    error: int = 0
    group: bool = True


def built() -> Path:
    """The shim as a library, in `build/`; skips where no compiler is there."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        absent("crashes are NOT TESTED: there is no C compiler")
        raise AssertionError
    name = f"shim-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]}.so"
    place = BUILD / "crash" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.exists():
        made = place.with_name(f"{name}.{os.getpid()}")
        flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
        subprocess.run([compiler, *flags, "-o", made, SOURCE, "-ldl"], check=True)
        made.replace(place)
    return place


class Shim:
    """The state that this process and all that it starts share; needs the library to be loaded here."""

    def __init__(self, root: Path, log: Path) -> None:
        self.root, self.log = root, log
        with Path(os.environ[STATE]).open("r+b") as file:
            self._state = mmap.mmap(file.fileno(), FORM.size)

    def arm(self, fault: Fault, *, record: bool = False) -> None:
        """From now on something is to happen."""
        flags = (1, fault.act, fault.error, fault.kinds, fault.group, record)
        root, log = os.fsencode(self.root), os.fsencode(self.log)
        self._state[:] = FORM.pack(*map(int, flags), fault.at, 0, 0, 0, root, log)

    def disarm(self) -> tuple[int, bool]:
        """From now on nothing is; how many calls there were, and whether it happened."""
        found = FORM.unpack(self._state[:])
        self._state[:4] = bytes(4)
        return found[7], found[8] > 0

    def calls(self) -> list[Call]:
        """What was recorded, in order; the record is empty afterwards."""
        lines = [line.split("\t") for line in self.log.read_text().splitlines()]
        self.log.write_text("")
        found = [
            Call(int(number), int(process), name, path, other, int(size), int(crc, 16))
            for number, process, name, path, other, size, crc in lines
        ]
        return sorted(found, key=lambda call: call.number)


def new_state(path: Path) -> None:
    """A state that says nothing, to be mapped by processes that are started with `STATE` naming it."""
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(bytes(FORM.size))
