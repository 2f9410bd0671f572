"""One trial: a command in a folder, a fault at one of its calls, and what has to be so afterwards."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mixc.compiler.whole import kept_json
from tests.cli import forked
from tests.cli.ran import Ran
from tests.crash.cases import Case
from tests.crash.shim import Act, Call, Fault, Kinds, Shim

PATIENCE = 300.0
NEVER = 1 << 60
RANDOM = re.compile(r"[0-9a-f]{32}|\.[0-9a-f]{16}(?=\.tmp$)|(?<=/tmp)[a-z0-9_]{8}(?=/|$)")
TEMPORARY = re.compile(r"(^|/)\.[^/]*\.(tmp|old)(/|$)|(^|/)\.spill/|(^|/)handover/")
RESUMED = re.compile(r"^\.mixc/open/|(^|/)\.spill/")  # left on purpose: what the next run is to look at, or to use
STEPS = re.compile(r"(^|/)\.mixc/(spills|open)/")  # written in place under a name that nothing knows yet
GROWS = ".mixc/files.json"  # of a command that was stopped it holds what it came to
NAMING = re.compile(r"^\.mixc/ids/")  # their bytes name spills, whose names are random
TOLD = re.compile(r"^error\[M\d{3}\]: \S.*$", re.MULTILINE)

Tree = dict[str, tuple[int, int]]
"""Bytes and crc32 of every file below a folder."""


@dataclass(frozen=True)
class Good:
    """What undisturbed runs did: the tree before and after, the calls, and names whose bytes no two runs agree on."""

    before: Tree
    after: Tree
    calls: tuple[Call, ...]
    reading: tuple[Call, ...]
    unsteady: frozenset[str]
    whole: frozenset[tuple[str, int, int]]  # name, bytes, crc32 of all that ever got a final name
    grown: frozenset[tuple[str, str]]  # what `GROWS` holds in the end
    said: tuple[tuple[int, str], ...]  # of the readers, before and after
    seconds: float


@dataclass(frozen=True)
class Ended:
    """How a run ended; `code` is negative where a signal did it."""

    code: int
    out: str
    err: str
    reached: bool


def shown(name: str) -> str:
    """A name without what is random in it; names made from contents stay."""
    if name.startswith(".mixc/") and not TEMPORARY.search(name) and not STEPS.search(name):
        return name
    return RANDOM.sub("*", name)


def tree(folder: Path) -> Tree:
    """Every file below a folder; files and folders that are locks or links by themselves."""
    found: Tree = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            found[path.relative_to(folder).as_posix()] = (len(data), zlib.crc32(data))
    return found


def strays(found: Iterable[str]) -> Counter[str]:
    """Files under random names, counted."""
    return Counter(shown(name) for name in found if shown(name) != name or TEMPORARY.search(name))


class Bench:
    """A case, its folder as it was before, and the undisturbed run."""

    def __init__(self, case: Case, shim: Shim, store: Path) -> None:
        self.case, self.shim, self.work = case, shim, shim.root
        self.template = store / case.name.replace(" ", "-")
        self.empty()
        case.prepare(self.work)
        shutil.copytree(self.work, self.template, symlinks=True)
        self.good = self._good()

    def empty(self) -> None:
        """Nothing in the folder; it may be a file system by itself."""
        for path in self.work.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    def restore(self) -> None:
        """The folder as it was before."""
        self.empty()
        shutil.copytree(self.template, self.work, symlinks=True, dirs_exist_ok=True)

    def _good(self) -> Good:
        self.restore()
        before = tree(self.work)
        said_before = self.readers()
        self.restore()
        begun = time.monotonic()
        ended = self.run(Fault(Act.NOTHING, NEVER, Kinds.CHANGES), record=True)
        seconds = time.monotonic() - begun
        assert ended.code == 0, ended.err
        calls, after = self.shim.calls(), tree(self.work)
        said_after, grown = self.readers(), _held(self.work / GROWS)
        self.restore()
        assert self.run(Fault(Act.NOTHING, NEVER, Kinds.CHANGES | Kinds.READS), record=True).code == 0
        opened, again = self.shim.calls(), tree(self.work)
        names = after.keys() & again.keys()
        unsteady = frozenset(name for name in names if NAMING.search(name) or after[name] != again[name])
        whole = {(shown(self.name(call.other)), call.bytes, call.crc) for call in calls if call.other}
        whole |= {(name, *one) for state in (before, after, again) for name, one in state.items()}
        return Good(before, after, tuple(calls), tuple(opened), unsteady, frozenset(whole),
                    grown, (*said_before, *said_after), seconds)  # fmt: skip

    def name(self, path: str) -> str:
        """A path below the folder."""
        return os.path.relpath(path, self.work)

    def run(self, fault: Fault, *, record: bool = False) -> Ended:
        """The command with a fault; waits for all of its processes."""
        return self._run(self.case.command, fault, record)

    def readers(self) -> list[tuple[int, str]]:
        """What those say who read what was written."""
        found = []
        for words in self.case.readers:
            ran: Ran = forked.run(words, self.work)
            found.append((ran.code, ran.out if ran.code == 0 else ran.err))
        return found

    def _run(self, words: Sequence[str], fault: Fault, record: bool) -> Ended:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            self.shim.arm(fault, record=record)
            child = os.fork()
            if child == 0:
                os.setsid()
                forked.become(tuple(words), self.work, out.fileno(), err.fileno())
            status = _ended(child)
            _, reached = self.shim.disarm()
            out.seek(0)
            err.seek(0)
            code = os.waitstatus_to_exitcode(status)
            return Ended(code, out.read().decode(errors="replace"), err.read().decode(errors="replace"), reached)

    def judged(self, fault: Fault, ended: Ended) -> list[str]:
        """What is not as it has to be after a fault; the room and the file system are as before again."""
        killing = fault.act in (Act.KILL_BEFORE, Act.KILL_AFTER, Act.KILL_HALF)
        found = [] if killing and ended.code == -signal.SIGKILL else self._told(ended)
        there = tree(self.work)
        found += self._torn(there)
        if not killing and fault.act != Act.READ_ONLY:
            left = strays(there) - strays(self.good.before) - strays(self.good.after)
            named = {shown(name) for name in there if name in ended.err}  # its removal is what failed, and was said to
            found += [f"left {name}" for name in left if name not in named and not RESUMED.search(name)]
        differs = self._differs(there) if ended.code == 0 else []
        marked = "left .mixc/open/*" in differs  # it says itself that the next one is to tidy up
        kept = (
            "left " if fault.act == Act.READ_ONLY else "left .mixc/" if marked else "-"
        )  # nothing can be removed there
        found += [one for one in differs if not one.startswith(kept)]
        if killing or marked or ended.code != 0:
            found += self._read()
            again = self._run(self.case.command, Fault(Act.NOTHING, NEVER), record=False)
            if again.code == 1 and self.case.once and not self._differs(tree(self.work)):
                pass  # it was done, and says that it is
            elif again.code != 0:
                found.append(f"next run: code {again.code}: {_first(again.err)}")
            else:
                found += [f"next run: {one}" for one in self._differs(tree(self.work))]
        return found

    def after_damage(self) -> list[str]:
        """What is not as it has to be where a finished state lost a file's bytes."""
        found = self._read()
        for _ in range(2):  # what the first finds damaged, the second may still tidy up after
            again = self._run(self.case.command, Fault(Act.NOTHING, NEVER), record=False)
            if again.code == 1 and self.case.once:  # it is done, and a cache is made again by who reads it
                return found + [one for one in self._differs(tree(self.work)) if " .mixc/" not in one]
            if again.code != 0:
                return [*found, f"next run: code {again.code}: {_first(again.err)}"]
        return found + [f"next run: {one}" for one in self._differs(tree(self.work))]

    def _told(self, ended: Ended) -> list[str]:
        if ended.code == 0 or (ended.code == 1 and TOLD.search(ended.err)):
            return []
        return [f"code {ended.code}: {_first(ended.err)}"]

    def _torn(self, there: Tree) -> list[str]:
        """Files at a final name that are none of the whole ones."""
        naming = [name for name in there if NAMING.search(name) and not TEMPORARY.search(name)]
        found = [f"torn {name}" for name in naming if not _names(self.work / name)]
        if GROWS in there and not _held(self.work / GROWS) <= self.good.grown:
            found.append(f"torn {GROWS}")
        return found + [
            f"torn {name}"
            for name, one in there.items()
            if not TEMPORARY.search(name)
            and not STEPS.search(name)
            and name not in (GROWS, *self.good.unsteady)
            and (name, *one) not in self.good.whole
        ]

    def _differs(self, there: Tree) -> list[str]:
        good = self.good
        steady = {name: one for name, one in there.items() if shown(name) == name and name not in good.unsteady}
        wanted = {name: one for name, one in good.after.items() if shown(name) == name and name not in good.unsteady}
        found = [f"lacks {name}" for name in wanted.keys() - steady.keys()]
        found += [f"has {name}" for name in steady.keys() - wanted.keys()]
        found += [f"other bytes in {name}" for name in wanted.keys() & steady.keys() if wanted[name] != steady[name]]
        more = strays(there) - strays(good.after)
        return sorted(found) + [f"left {name}" for name in more]

    def _read(self) -> list[str]:
        """A reader refuses by a diagnostic, or says what it says of one of the two whole states."""
        if not self.case.readers:
            return []
        aside = self.template.with_name("aside")
        shutil.copytree(self.work, aside, symlinks=True)
        found = []
        for (code, text), words in zip(self.readers(), self.case.readers, strict=True):
            if code == 0 and (code, text) not in self.good.said:
                found.append(f"`{words[0]}` reads something else")
            elif code != 0 and (code != 1 or not TOLD.search(text)):
                found.append(f"`{words[0]}`: code {code}: {_first(text)}")
        self.empty()  # readers may write, and the next run is to find what was left
        shutil.copytree(aside, self.work, symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(aside)
        return found


def _held(path: Path) -> frozenset[tuple[str, str]]:
    """The entries of an object in JSON; one that no command writes where it is none."""
    found = kept_json(path)
    return frozenset((key, str(value)) for key, value in (found if isinstance(found, dict) else {"": ""}).items())


def _names(path: Path) -> bool:
    """Whether a table can be read and the spills that it names are there."""
    try:
        named = pq.read_table(path, memory_map=False)["spill"].to_pylist()
    except (OSError, KeyError, pa.ArrowException):
        return False
    return all((path.parents[1] / "spills" / name).is_file() for name in named)


def _first(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip() and "docum" not in line]
    return lines[0][:200] if lines else "nothing said"


def _ended(child: int) -> int:
    """Wait for a process and for all of its group; the status of the first."""
    deadline = time.monotonic() + PATIENCE
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        if time.monotonic() > deadline:
            os.killpg(child, signal.SIGKILL)
            raise TimeoutError("a command did not end")
        time.sleep(0.002)
    with contextlib.suppress(ChildProcessError):
        while time.monotonic() < deadline:  # workers whose parent died are this process's to wait for
            os.waitpid(-child, 0)
    return status
