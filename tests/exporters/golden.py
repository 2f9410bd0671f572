"""What exporters write, as files to read; MIXC_UPDATE_GOLDEN=1 writes them anew."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"


def check(texts: Mapping[str, str], name: str) -> None:
    """The texts of an export are those in the folder `name`, file by file, scripts that it carries left out."""
    folder = GOLDEN / name
    texts = {path: text for path, text in texts.items() if path not in ("prepare.py", "writer.py")}
    if os.environ.get("MIXC_UPDATE_GOLDEN"):
        shutil.rmtree(folder, ignore_errors=True)
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    there = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    assert sorted(there) == sorted(texts), f"renew {folder} with MIXC_UPDATE_GOLDEN=1"
    for path, file in there.items():
        assert file.read_text(encoding="utf-8") == texts[path], f"renew {file} with MIXC_UPDATE_GOLDEN=1"
