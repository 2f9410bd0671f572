"""Work that worker processes import by name."""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixc.compiler.executor import say
from mixc.dsl.diagnostics import Diagnostic


class Unreadable(Exception):
    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic)
        self.diagnostic = diagnostic


class Awkward(Exception):
    """Cannot be pickled, nor made again from its arguments."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")
        self.lock = open(os.devnull)  # noqa: PTH123, SIM115


class Unloadable:
    """Pickles, and cannot be unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return _refuse, ("cannot be made again",)


def _refuse(words: str) -> None:
    raise ValueError(words)


def square(x: int) -> int:
    return x * x


def slow_square(x: int) -> int:
    time.sleep(0.002 * (7 * x % 11))
    return x * x


def takes_a_while(x: int) -> int:
    time.sleep(0.2)
    return x


def odd_fails(x: int) -> int:
    if x == 1:
        raise ValueError("one is odd")
    if x == 3:
        raise Awkward(3, 4)
    if x == 5:
        raise Unreadable(Diagnostic("M999", "five is `odd`", notes=("so it is",)))
    if x == 7:
        raise SystemExit(7)
    if x == 9:
        raise FileNotFoundError(2, "No such file or directory", "nine.parquet")
    return x * x


def returns_odd_things(x: int) -> object:
    return {0: 0, 1: lambda: 1, 2: Unloadable()}[x]


def array(x: int) -> NDArray[np.int64]:
    return np.full(1_000_000, x)


def length(text: bytes) -> bytes:
    return text[::-1]


def dies_once(task: tuple[str, int]) -> int:
    folder, x = task
    mark = Path(folder) / str(x)
    if x % 5 == 0 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return x * x


def three_dies(task: tuple[str, int]) -> int:
    folder, x = task
    if x == 3:
        with (Path(folder) / "attempts").open("a") as file:
            file.write("x")
        os.kill(os.getpid(), signal.SIGKILL)
    return x * x


def first_copy_hangs(task: tuple[str, int]) -> int:
    folder, x = task
    mark = Path(folder) / str(x)
    if x == 4 and not mark.exists():
        mark.touch()
        time.sleep(3600)
    return x * x


def leaves_a_mark(task: tuple[str, int]) -> int:
    """A file for every attempt."""
    folder, x = task
    (Path(folder) / f"{x}.{secrets.token_hex(4)}").touch()
    return x * x


def hangs(x: int) -> int:
    time.sleep(3600 if x == 4 else 0)
    return x * x


def threads_and_pid(_: int) -> tuple[str | None, int]:
    time.sleep(0.1)
    return os.environ.get("OMP_NUM_THREADS"), os.getpid()


def meets(task: tuple[str, int, int]) -> tuple[str | None, int]:
    """Waits until so many tasks are at work at the same time."""
    folder, x, others = task
    (Path(folder) / str(x)).touch()
    until = time.monotonic() + 60
    while len(list(Path(folder).iterdir())) < others:
        assert time.monotonic() < until, "nobody came"
        time.sleep(0.01)
    return os.environ.get("OMP_NUM_THREADS"), os.getpid()


def writes_pid_and_sleeps(task: tuple[str, int]) -> int:
    folder, x = task
    (Path(folder) / f"{x}.pid").write_text(str(os.getpid()))
    time.sleep(3600)
    return x


@dataclass(frozen=True)
class Slow:
    """Work that takes its time, and writes down which node of a Ray cluster began it."""

    work: Callable[[Any], Any]
    marks: str
    seconds: float = 0.5

    def __call__(self, task: Any) -> Any:
        import ray

        node = ray.get_runtime_context().get_node_id()
        mark = Path(self.marks) / f"{node}.{_name(task)}.{secrets.token_hex(4)}"
        mark.write_text(str(os.getpid()))
        time.sleep(self.seconds)
        result = self.work(task)
        mark.with_name(mark.name + ".ended").touch()
        return result


def _name(task: Any) -> str:
    """What tells a task from others, as a file may be called."""
    part = getattr(task, "part", task)
    if (name := getattr(task, "name", None)) is None:
        name = (
            f"{part.file.name}-{part.start}" if hasattr(part, "file") else sha256(repr(task).encode()).hexdigest()[:12]
        )
    return str(name).replace("/", "-").replace(".", "-")


def says(seconds: float) -> float:
    for x in range(20):
        say(x)
        time.sleep(seconds / 20)
    return seconds


@cache
def _state(folder: str) -> str:
    """What a process loads once: a file tells of it."""
    name = f"{os.getpid()}-{secrets.token_hex(4)}"
    (Path(folder) / f"{name}.loaded").touch()
    return name


def with_state(task: tuple[str, int]) -> tuple[int, int, str, int, str]:
    """(result, process, what it loaded, how many work now, the GPUs it sees); the process is killed once by five."""
    folder, x = task
    state = _state(folder)
    mark = Path(folder) / f"{state}.{x}.working"
    mark.touch()
    try:
        if x == 5 and not (Path(folder) / "killed").exists():
            (Path(folder) / "killed").touch()
            mark.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.1)
        working = len(list(Path(folder).glob("*.working")))
    finally:
        mark.unlink(missing_ok=True)
    return x * x, os.getpid(), state, working, os.environ.get("CUDA_VISIBLE_DEVICES", "")


class Idle:
    """An actor of a module that Ray's workers do not find."""

    def __init__(self, *_: object) -> None: ...

    def node(self) -> str:
        return ""
