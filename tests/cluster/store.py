"""A faulty object store under whole commands of mixc: `python -m tests.cluster.store`, with a table in the end.

Each command must end with the result of a store without faults, or with a diagnostic that names the object; and the
same command afterwards, without faults, with that result.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mixc.compiler.documents import objects as patience
from tests.cli.forked import run
from tests.cli.ran import Ran
from tests.cluster.proxy import ALWAYS, BUCKET, Fault
from tests.cluster.server import FILES, S3_RECIPE, environment, filled, objects, server
from tests.selection.kill import bytes_of

PATIENCE = 5.0  # seconds, instead of `objects.PATIENCE`, and two attempts of the client's own: lasting faults are many
BOUND = 180  # seconds that one command may take
PASSING = (
    Fault("latency", "any", times=ALWAYS),
    Fault("silence", "read", after=2),
    Fault("slow down", "any", after=2, times=4),
    Fault("internal error", "any", after=3, times=4),
    Fault("reset", "any", after=2, times=4),
    Fault("reset inside", "read", after=1, times=4),
    Fault("cut, length right", "read", after=1, times=4),
    Fault("cut, length wrong", "read", after=1, times=4),
    Fault("empty", "read", after=1, times=3),
    Fault("empty", "read", after=1, times=3, inside="jsonl"),
    Fault("wrong ETag", "read", after=2, times=2),
    Fault("wrong ETag", "look", after=2, times=1),
    Fault("other version", "read", after=2, times=2),
    Fault("torn list", "list", times=2),
    Fault("short list", "list", times=2),
    Fault("endless list", "list", times=2),
)
LASTING = (
    Fault("slow down", "read", after=3, times=ALWAYS),
    Fault("reset", "any", after=6, times=ALWAYS),
    Fault("cut, length wrong", "read", after=4, times=ALWAYS),
    Fault("other version", "read", after=5, times=ALWAYS),
    Fault("short list", "list", times=ALWAYS),
    Fault("endless list", "list", times=ALWAYS),
    Fault("denied", "list", times=ALWAYS, inside="crawl%2Fb"),
    Fault("slow down", "list", times=ALWAYS, inside="crawl%2Fb"),
    Fault("expired", "any", times=ALWAYS),
    Fault("expired", "any", after=9, times=ALWAYS),
    Fault("vanished", "read", after=4),
    Fault("vanished", "look", after=4),
    *(Fault("overwritten", "read", after=after) for after in (0, 1, 3, 5, 8, 13, 21)),
    *(Fault("overwritten", "read", after=after, inside="jsonl") for after in (0, 1, 2, 3)),
)
FEW = (
    *(one for one in (*PASSING, *LASTING) if one.name in ("cut, length wrong", "other version", "expired")),
    Fault("overwritten", "read", after=2),
    Fault("overwritten", "read", after=6),
)


@dataclass(frozen=True)
class Command:
    """Words of a command, the bytes in its folder that it makes, the commands before it, and what it meets."""

    words: tuple[str, ...]
    made: Callable[[Path], dict[str, bytes]]
    before: tuple[tuple[str, ...], ...] = ()
    faults: tuple[Fault, ...] = FEW


@dataclass(frozen=True)
class Ended:
    """How a command under a fault ended: `same`, `stopped` or `LOST`; its codes, the seconds it took."""

    fault: Fault
    command: str
    how: str
    seconds: float
    codes: str = ""
    why: str = ""


def _manifest(folder: Path) -> dict[str, bytes]:
    assert mixc(folder, "compile", "pool.mix").code == 0
    return {name: (folder / name).read_bytes() for name in ("pool.manifest.json", "pool.tables.parquet")}


def _output(folder: Path) -> dict[str, bytes]:
    return bytes_of(folder / "out")


ALONE = ("--workers", "1")
RUN = ("run", "pool.manifest.json", "-o", "out", *ALONE)
COMPILED = (("scan", "pool.mix", *ALONE), ("compile", "pool.mix"))
COMMANDS = {
    "scan": Command(COMPILED[0], _manifest, (), (*PASSING, *LASTING)),
    "run": Command(RUN, _output, COMPILED, (*PASSING, *LASTING)),
    "materialize": Command((*RUN, "--materialize"), _output, COMPILED),
    "verify": Command(
        ("verify", "pool.manifest.json", "out", "--recompute", "100%", *ALONE), _output, (*COMPILED, RUN)
    ),
}


class Hung(Exception):
    """A command that does not end."""


def mixc(folder: Path, *words: str) -> Ran:
    """A command. Raises `Hung`."""

    def late(*_: object) -> None:
        raise Hung

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(BOUND)
    try:
        return run(words, folder)
    except Hung:
        _end_copies()
        raise
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def judged(folder: Path, name: str, fault: Fault) -> Ended:
    """Run a command under a fault, which is on already."""
    begun = time.monotonic()
    try:
        ran = mixc(folder, *COMMANDS[name].words)
    except Hung:
        return Ended(fault, name, "LOST", BOUND, why="it did not end")
    seconds = time.monotonic() - begun
    if ran.code == 0:
        return Ended(fault, name, "same", seconds)
    codes = "/".join(dict.fromkeys(line[6:10] for line in ran.err.splitlines() if line.startswith("error[M")))
    told = ran.code == 1 and codes and "Traceback" not in ran.err and f"s3://{BUCKET}/" in ran.err and "help" in ran.err
    return Ended(fault, name, "stopped" if told else "LOST", seconds, codes, ran.err[-1500:])


def _end_copies() -> None:
    """Kill the copies of this process that still run; the server is none."""
    mine = Path("/proc/self/cmdline").read_bytes()
    for children in Path("/proc/self/task").glob("*/children"):
        for pid in children.read_text().split():
            if Path(f"/proc/{pid}/cmdline").read_bytes() == mine:
                os.kill(int(pid), signal.SIGKILL)


@dataclass(frozen=True)
class Place:
    """A server, the objects that cases begin with, and for each command a folder and what it makes without faults."""

    where: tuple[str, int]
    folder: Path
    data: dict[str, bytes]
    expected: dict[str, dict[str, bytes]]

    def meet(self, name: str, fault: Fault, number: int) -> Ended:
        """One fault under one command, and the command again without it."""
        proxy = filled(self.where, f"case{number}", self.data)
        folder = self.folder / f"case{number}"
        shutil.copytree(self.folder / name, folder)
        with proxy.serving() as address:
            os.environ.update(environment(address))
            proxy.faults.append(replace(fault))
            ended = judged(folder, name, fault)
            struck = proxy.faults[0].struck
            proxy.faults.clear()
            if not struck:
                return replace(ended, how="not met")
            if ended.how == "same":
                lost = self._differs(name, folder)
                return replace(ended, how="LOST", why=f"other bytes: {lost}") if lost else ended
            for key in FILES:
                proxy.put(key, self.data[key])
            again = mixc(folder, *COMMANDS[name].words)
            if again.code or (lost := self._differs(name, folder)):
                return replace(ended, how="LOST", why=f"afterwards: {again.err[-800:]} {again.out[-300:]}")
        shutil.rmtree(folder)
        return ended

    def _differs(self, name: str, folder: Path) -> str:
        found, expected = COMMANDS[name].made(folder), self.expected[name]
        return ", ".join(key for key in sorted(found.keys() | expected.keys()) if found.get(key) != expected.get(key))


def prepared(where: tuple[str, int], folder: Path, names: Sequence[str]) -> Place:
    """A place where commands can meet faults."""
    place = Place(where, folder, objects(folder), {})
    with filled(where, "plain", place.data).serving() as address:
        os.environ.update(environment(address))
        for name in names:
            (folder / name).mkdir()
            (folder / name / "pool.mix").write_text(S3_RECIPE)
            for words in COMMANDS[name].before:
                ran = mixc(folder / name, *words)
                assert ran.code == 0, ran.err
            shutil.copytree(folder / name, folder / f"{name}-plain")
            assert mixc(folder / f"{name}-plain", *COMMANDS[name].words).code == 0
            place.expected[name] = COMMANDS[name].made(folder / f"{name}-plain")
    return place


def campaign(names: Sequence[str]) -> list[Ended]:
    """Every fault under every command."""
    import s3fs  # noqa: F401  once, for all copies

    patience.PATIENCE = PATIENCE
    os.environ["AWS_MAX_ATTEMPTS"] = "2"
    with tempfile.TemporaryDirectory() as folder, server() as where:
        place = prepared(where, Path(folder), names)
        pairs = [(name, fault) for name in names for fault in COMMANDS[name].faults]
        return [shown(place.meet(name, fault, i)) for i, (name, fault) in enumerate(pairs)]


def shown(ended: Ended) -> Ended:
    """One line for a case; all that is known of one that was lost."""
    fault = ended.fault
    often = "always" if fault.times == ALWAYS else f"{fault.times}x"
    what = f"{fault.name}, {fault.of}{' ' + fault.inside if fault.inside else ''} {often} after {fault.after}"
    print(f"{what:48} {ended.command:12} {ended.how:8} {ended.codes:10} {ended.seconds:5.1f} s", flush=True)
    if ended.how == "LOST":
        print(ended.why, flush=True)
    return ended


def table(found: Sequence[Ended]) -> str:
    """Faults by name: tried, the same, stopped, lost."""
    lines = [f"{'fault':20} {'tried':>6} {'same':>6} {'stopped':>8} {'lost':>5}  codes"]
    for name in [*dict.fromkeys(one.fault.name for one in found), ""]:
        mine = [one for one in found if one.how != "not met" and one.fault.name in (name, name or one.fault.name)]
        counts = [sum(one.how == how for one in mine) for how in ("same", "stopped", "LOST")]
        codes = ", ".join(sorted({one.codes for one in mine if one.codes}))
        lines.append(f"{name or 'all':20} {len(mine):>6} {counts[0]:>6} {counts[1]:>8} {counts[2]:>5}  {codes}")
    return "\n".join([*lines, f"the longest took {max(one.seconds for one in found):.0f} s"])


if __name__ == "__main__":
    ended = campaign(sys.argv[1:] or list(COMMANDS))
    print(table(ended))
    sys.exit(any(one.how == "LOST" for one in ended))
