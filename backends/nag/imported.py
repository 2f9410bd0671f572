"""Features that were not read here: a user's own code made them, and they are a model's by his word.

They are kept under a name of their own, so that they never mix with what is read here, and are written down beside it:
for which model and parameters they stand, until they are removed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mixc.backends.nag.features import Origin, Projection, Shape
from mixc.compiler.scan.store import FOLDER, key_of
from mixc.compiler.whole import kept_json, write_whole

FEATURES = "features"
IMPORTED = "imported"  # what the origin of such features is called, and the file that lists them
UNSTATED = "unstated"  # the precision of features whose maker did not say


@dataclass(frozen=True, slots=True)
class Asked:
    """What a target asks to be read: the model as the recipe names it, the projection, K, the first tokens."""

    model: str
    projection: Projection
    top_k: int
    tokens: int

    @property
    def key(self) -> str:
        """Its name in the list of what was imported."""
        return key_of(IMPORTED, self.model, self.projection, self.top_k, self.tokens)


@dataclass(frozen=True, slots=True)
class Imported:
    """One import: `content` is the hash of all its features, `examples` the hashes of files whose own are among them.

    `model` is the name that `mixc score` shows; `precision` is what the user said of it.
    """

    model: str
    projection: Projection
    top_k: int
    tokens: int
    layers: int
    width: int
    precision: str
    content: str
    documents: int
    examples: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The name under which its features are kept."""
        return imported_key(self.content)

    @property
    def shape(self) -> Shape:
        """L, K and width."""
        return Shape(self.layers, self.top_k, self.width)

    @property
    def origin(self) -> Origin:
        """What its files of features say of their making."""
        return Origin(self.model, IMPORTED, self.projection, self.tokens, self.shape, self.precision)


def imported_key(content: str) -> str:
    """The name under which imported features of this content are kept."""
    return key_of("nag", IMPORTED, content)


def imported_for(folder: Path, asked: Asked) -> Imported | None:
    """What was imported for a target of the recipe in this folder; None where its model is to read."""
    made = _listed(folder).get(asked.key)
    if made is None:
        return None
    try:
        return Imported(**{**made, "examples": tuple(made["examples"])})
    except (KeyError, TypeError):
        return None


def remember(folder: Path, asked: Asked, made: Imported) -> None:
    """Write down an import in place of the one before, whose features go."""
    before = imported_for(folder, asked)
    _write(folder, {**_listed(folder), asked.key: asdict(made)})
    _clear(folder, before)


def forget(folder: Path, asked: Asked) -> Imported | None:
    """Remove what was imported for a target; what it was."""
    before = imported_for(folder, asked)
    if before is not None:
        _write(folder, {key: made for key, made in _listed(folder).items() if key != asked.key})
        _clear(folder, before)
    return before


def _clear(folder: Path, before: Imported | None) -> None:
    """Remove the features of an import that nothing names any more."""
    if before is not None and before.content not in [made.get("content") for made in _listed(folder).values()]:
        shutil.rmtree(folder / FOLDER / FEATURES / before.key, ignore_errors=True)


def _place(folder: Path) -> Path:
    return folder / FOLDER / FEATURES / f"{IMPORTED}.json"


def _listed(folder: Path) -> dict[str, dict[str, Any]]:
    found = kept_json(_place(folder))
    return found if isinstance(found, dict) else {}


def _write(folder: Path, listed: Mapping[str, Mapping[str, Any]]) -> None:
    text = json.dumps(listed, indent=1, sort_keys=True) + "\n"

    def write(temporary: Path) -> None:
        temporary.write_text(text, encoding="utf-8")

    write_whole(_place(folder), write)
