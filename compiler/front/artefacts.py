"""Files of mixc that are no recipes, given as one: what they are, and which command reads them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from mixc.dsl import errors
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.reading import MAX_BYTES, file_bytes
from mixc.dsl.text import SourceText, Span

ENDINGS: Final = (".json", ".lock", ".csv", ".tsv")
SCHEMA: Final = re.compile(r'"schema"\s*:\s*(?:\{[^{}]*?"name"\s*:\s*)?"(mixc\.[a-z.]+)')
LOCK: Final = re.compile(r'^version = \d+$.*?^\[(file|source)\."', re.M | re.S)
READERS: Final = {
    "mixc.manifest": ("a manifest", "read it by `mixc explain {file}`, or compile the recipe that it comes from"),
    "mixc.calibration.infolaw": ("a calibration", 'name it in a recipe: `law infolaw { calibration = "{file}" }`'),
    "mixc.calibration.transfer": ("a calibration", 'name it in a recipe: `law transfer { calibration = "{file}" }`'),
}
OUTPUT: Final = ("JSON", "name the recipe, `….mix`")
PINS: Final = ("a lock", "compare a recipe with it by `mixc compile RECIPE --locked`")
TABLE: Final = ("a table", 'name it in a source of a recipe: `supply = "{file}"`')


def not_a_recipe(path: Path, shown: str, source: SourceText | None) -> Diagnostic | None:
    """M006 for a file that is plainly something else of ours; `source` is None where it is too large for a recipe."""
    if source is not None:
        text = source.text
    elif path.suffix in ENDINGS and path.is_file():
        text = file_bytes(path, MAX_BYTES).decode(errors="replace")
    else:
        return None
    kind = _kind(path.name, text)
    if kind is None:
        return None
    what, help_ = kind
    first = text.partition("\n")[0][:80]
    here = SourceText(shown, text if source is not None else first)
    message = f"`{shown}` is {what}, not a recipe"
    return errors.header(message, Span(here, 0, len(first)), f"{what} begins here", help=help_.replace("{file}", shown))


def _kind(name: str, text: str) -> tuple[str, str] | None:
    """What a text is, and what reads it; None where it may be a recipe with mistakes."""
    if text.lstrip()[:1] in ("{", "["):
        found = SCHEMA.search(text)
        schema = found[1] if found else "mixc.manifest" if name.endswith(".manifest.json") else ""
        return READERS.get(schema, OUTPUT)
    if name.endswith(".lock") and LOCK.search(text):
        return PINS
    return TABLE if name.endswith((".csv", ".tsv")) else None
