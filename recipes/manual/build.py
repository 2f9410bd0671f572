"""`make docs`: the manual, from its sources here and from the code's own tables, into `build/docs`.

Hand-written pages are copied, generated ones are written beside them, in `build/manual`; Sphinx reads that folder. A
page that has not changed is not written again, so that Sphinx reads what is new only.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parents[1]
KEPT: Final = {".md", ".py", ".css", ".js"}


def main() -> int:
    """Write the sources, let Sphinx build them; its exit status."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--output", type=Path, default=ROOT / "build" / "docs")
    options.add_argument("--sources", type=Path, default=ROOT / "build" / "manual")
    chosen = options.parse_args()
    write(chosen.sources)
    from sphinx.cmd.build import build_main

    words = ["-b", "html", "-W", "--keep-going", "-q", "-d", str(chosen.sources.parent / "manual-doctrees")]
    status = build_main([*words, str(chosen.sources), str(chosen.output)])
    if status == 0:
        print(f"open {chosen.output / 'index.html'}")
    return status


def write(folder: Path) -> None:
    """Bring the folder of sources up to date: what is stale goes, what is equal stays untouched."""
    wanted = dict((*_copied(), *_generated()))
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file() and path.relative_to(folder).as_posix() not in wanted:
            path.unlink()
    for name, text in wanted.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def _copied() -> Iterator[tuple[str, str]]:
    for path in sorted(HERE.rglob("*")):
        if path.is_file() and path.suffix in KEPT and path != Path(__file__).resolve():
            yield path.relative_to(HERE).as_posix(), path.read_text(encoding="utf-8")


def _generated() -> Iterator[tuple[str, str]]:
    sys.path[:0] = [str(HERE), str(ROOT)]
    from pages.codes import diagnostics
    from pages.commands import commands
    from pages.exporters import exporters

    from mixc.compiler.reference import reference

    yield "language.md", reference()
    yield "commands.md", commands()
    yield "exporters.md", exporters()
    yield from diagnostics()


if __name__ == "__main__":
    sys.exit(main())
