"""`make crashes`: faults at every point where a command changes files; `--few N` at N points of each kind only.

Names of commands may follow, to try these alone. `--part` is what `make test` tries.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from mixc.compiler.cli import ONE_THREAD
from tests.crash.shim import STATE, Shim, built, new_state
from tests.mounting import may_mount

FEW = 2
PART = {
    "compile again": frozenset({"killed after"}),
    "scan": frozenset({"killed half-way", "EMFILE", "no inodes", "power"}),
    "run --exact --materialize": frozenset({"killed after", "EIO", "read-only", "no room"}),
    "export": frozenset({"killed before", "EMFILE"}),
}


def main() -> int:
    """Start the campaign in a process with the shim and file systems of its own; its table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--few", type=int, help="so many points of each kind, evenly spaced")
    options.add_argument("--json", type=Path, help="also write the rows here")
    options.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    options.add_argument("--mounted", action="store_true", help=argparse.SUPPRESS)
    options.add_argument("--part", action="store_true", help="a few points of what breaks most")
    options.add_argument("--faults", help="only these, separated by commas")
    options.add_argument("command", nargs="*", help="only these commands")
    given = options.parse_args()
    return _inside(given) if given.inside else _outside(given)


def _outside(given: argparse.Namespace) -> int:
    command = may_mount()
    if not command:
        print("NOT TRIED: this user may not mount, so neither a full disk nor a read-only one", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        new_state(folder / "state")
        threads = [f"{name}=1" for name in ONE_THREAD]  # copies of a process have only the thread that made them
        words = [*command, "env", f"{STATE}={folder / 'state'}", f"LD_PRELOAD={built()}", *threads, sys.executable]
        words += ["-m", "tests.crash", *sys.argv[1:], "--inside", str(folder), *(["--mounted"] if command else [])]
        return subprocess.run(words, check=False).returncode


def _inside(given: argparse.Namespace) -> int:
    from tests.crash.campaign import Sweep, ready, tried
    from tests.crash.cases import CASES, NAMES

    ready()
    folder: Path = given.inside
    (folder / "work").mkdir()
    (folder / "store").mkdir()
    (folder / "log").touch()
    shim = Shim(folder / "work", folder / "log")
    only = frozenset(given.faults.split(",")) if given.faults else None
    rows = []
    begun = time.monotonic()
    print(f"{'command':32}{'fault':20}{'points':>7}{'tried':>7}{'survived':>9}{'lost':>6}", flush=True)
    for case in CASES:
        if case.name not in (given.command or (PART if given.part else NAMES)):
            continue
        sweep = Sweep(FEW, given.mounted, PART[case.name]) if given.part else Sweep(given.few, given.mounted, only)
        for row in tried(case, shim, folder / "store", sweep):
            rows.append(row)
            lost = len({one.partition(":")[0] for one in row.lost})
            print(f"{row.command:32}{row.fault:20}{row.points:7}{row.tried:7}{row.tried - lost:9}{lost:6}", flush=True)
            for one in row.lost[:12]:
                print(f"    {one}", flush=True)
    spent = sum(os.times()[:4])
    lost = sum(len(row.lost) for row in rows)
    print(f"{sum(row.tried for row in rows)} tried, {lost} complaints; {time.monotonic() - begun:.0f} s, "
          f"{spent:.0f} s of a processor")  # fmt: skip
    if given.json:
        given.json.write_text(json.dumps([asdict(row) for row in rows]))
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
