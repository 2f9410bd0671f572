"""Every recipe in every surrounding: `make determinism`. With `--golden`, what plain surroundings give is kept.

`--few` takes the recipes of `make test` only; other words choose among the surroundings, by their beginnings.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.determinism.corpus import NAMES, QUICK
from tests.determinism.environments import environments
from tests.determinism.surroundings import Surrounding, digests, plain, surroundings

GOLDEN = Path(__file__).with_name("golden.json")


def main(arguments: list[str]) -> int:
    """Exit code: 1 where anything differs from the digests that are kept."""
    names = [*(QUICK if "--few" in arguments else NAMES), "pool"]
    with tempfile.TemporaryDirectory() as work:
        if "--golden" in arguments:
            GOLDEN.write_text(digests(plain(), Path(work), names), encoding="utf-8")
            return 0
        expected = json.loads(GOLDEN.read_text(encoding="utf-8"))
        failed = skipped = 0
        for one in _chosen(Path(work), [word for word in arguments if not word.startswith("--")]):
            started = time.monotonic()
            if one.missing:
                print(f"{one.name}: SKIPPED, {one.missing}", flush=True)
                skipped += 1
                continue
            try:
                found = json.loads(digests(one, Path(work), names))
            except RuntimeError as wrong:
                print(f"{one.name}: FAILED\n{wrong}", flush=True)
                failed += 1
                continue
            off = sorted(name for name in found if found[name] != expected.get(name))
            failed += bool(off)
            outcome = f"DIFFERENT: {', '.join(off)}" if off else "the same"
            print(f"{one.name}: {len(found)} artefacts, {outcome} ({time.monotonic() - started:.0f} s)", flush=True)
    print(f"{failed} surroundings changed something, {skipped} were skipped; load {os.getloadavg()[0]:.0f}")
    return 1 if failed else 0


def _chosen(work: Path, beginnings: list[str]) -> Iterator[Surrounding]:
    for one in (*surroundings(work), *environments()):
        if not beginnings or any(one.name.startswith(word) for word in beginnings):
            yield one


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
