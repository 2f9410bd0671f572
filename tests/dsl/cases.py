"""Fixtures in, golden texts out. With `MIXC_UPDATE_GOLDEN=1` in the environment the golden texts are written anew."""

import os
from pathlib import Path

CASES = Path(__file__).parent.parent / "cases"


def recipes_of(folder: str) -> list[Path]:
    """The recipes under `cases/syntax` or a folder of it."""
    return sorted((CASES / "syntax" / folder).glob("*.mix"))


def check_golden(path: Path, text: str) -> None:
    """Compare a text with the golden file, or write that file when asked to."""
    if os.environ.get("MIXC_UPDATE_GOLDEN"):
        path.write_bytes(text.encode())
    assert path.exists(), f"no golden text; run with MIXC_UPDATE_GOLDEN=1 and review {path.name}"
    assert text.encode() == path.read_bytes()
