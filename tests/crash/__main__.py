"""`make crashes`: faults at every point where a command changes files; `--few N` at N points of each kind only.

Names of commands may follow, to try these alone.
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

from tests.crash.shim import STATE, Shim, built, new_state


def main() -> int:
    """Start the campaign in a process with the shim and file systems of its own; its table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--few", type=int, help="so many points of each kind, evenly spaced")
    options.add_argument("--json", type=Path, help="also write the rows here")
    options.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    options.add_argument("--mounted", action="store_true", help=argparse.SUPPRESS)
    options.add_argument("--faults", help="only these, separated by commas")
    options.add_argument("command", nargs="*", help="only these commands")
    given = options.parse_args()
    return _inside(given) if given.inside else _outside(given)


def _outside(given: argparse.Namespace) -> int:
    command = may_mount()
    if not command:
        print("NOT TRIED: this user may not mount, so no full disk and no read-only one", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        new_state(folder / "state")
        words = [*command, "env", f"{STATE}={folder / 'state'}", f"LD_PRELOAD={built()}", sys.executable]
        words += ["-m", "tests.crash", *sys.argv[1:], "--inside", str(folder), *(["--mounted"] if command else [])]
        return subprocess.run(words, check=False).returncode


def may_mount() -> list[str]:
    """The command that runs another where it may mount; nothing where none works."""
    trial = ["mount", "-t", "tmpfs", "none", tempfile.gettempdir()]
    for command in (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"]):
        try:
            subprocess.run([*command, *trial], capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return command
    return []


def _inside(given: argparse.Namespace) -> int:
    from tests.crash.campaign import Sweep, ready, tried
    from tests.crash.cases import CASES

    ready()
    folder: Path = given.inside
    (folder / "work").mkdir()
    (folder / "store").mkdir()
    (folder / "log").touch()
    shim = Shim(folder / "work", folder / "log")
    sweep = Sweep(given.few, given.mounted, frozenset(given.faults.split(",")) if given.faults else None)
    rows = []
    begun = time.monotonic()
    print(f"{'command':32}{'fault':20}{'points':>7}{'tried':>7}{'survived':>9}{'lost':>6}", flush=True)
    for case in CASES:
        if given.command and case.name not in given.command:
            continue
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
