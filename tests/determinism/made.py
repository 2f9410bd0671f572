"""Compile, scan and run in one process: `python -m tests.determinism.made FOLDER WORKERS NAME...` prints digests.

Needs the core packages only, so that every environment can do it.
"""

from __future__ import annotations

import io
import json
import re
import sys
from contextlib import redirect_stderr, redirect_stdout
from hashlib import sha256
from pathlib import Path

from mixc.compiler.cli.guard import guarded
from tests.determinism.corpus import steady


def made(folder: Path, workers: int, names: list[str]) -> dict[str, str]:
    """Digests by artefact: manifests and locks of recipes, and of `pool` also what its runs select."""
    found = {}
    for name in names:
        if name == "pool":
            mixc("scan", str(folder / "pool.mix"), "--workers", str(workers))
        mixc("compile", str(folder / f"{name}.mix"))
        for kind in ("manifest.json", "lock"):
            text = steady(name, (folder / f"{name}.{kind}").read_bytes().decode())
            found[f"{name}.{kind}"] = sha256(text.encode()).hexdigest()
    if "pool" in names:
        found |= _selected(folder, workers)
    return found


def _selected(folder: Path, workers: int) -> dict[str, str]:
    found, manifest = {}, str(folder / "pool.manifest.json")
    for name, options in (("by hash", ()), ("exact", ("--exact",))):
        output = folder / f"out {name}"
        mixc("run", manifest, "-o", str(output), "--workers", str(workers), *options)
        # A manifest that differs is told of already; what is selected must not hide behind its hash.
        text = re.sub(r'"manifest": "\w+"', "", (output / "run.json").read_text(encoding="utf-8"))
        found[f"selection {name}"] = sha256(text.encode()).hexdigest()
    return found


def mixc(*arguments: str) -> None:
    """A command, which must succeed."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        code = guarded(list(arguments))
    if code:
        raise SystemExit(f"mixc {' '.join(arguments)}: {code}\n{said.getvalue()}")


if __name__ == "__main__":
    print(json.dumps(made(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]), indent=1, sort_keys=True))
