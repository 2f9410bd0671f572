"""What the last compile decided, from the manifest beside a recipe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mixc.compiler.review import words
from mixc.compiler.review.beside import MANIFEST
from mixc.compiler.review.binding import PRICE, TARGET, taken, what_binds
from mixc.compiler.review.effect import names_of
from mixc.compiler.review.reading import read_manifest
from mixc.compiler.review.rebuild import decision_from_manifest
from mixc.compiler.review.schema import Manifest

MOST = 64 << 20  # bytes of a manifest that is read while somebody types


@dataclass(frozen=True, slots=True)
class Compiled:
    """A manifest, and by (kind, name) what its mixture takes, in a sentence."""

    manifest: Manifest
    taken: dict[tuple[str, str], str]


class Manifests:
    """Manifests beside recipes, each read once for as long as its file stays the same."""

    def __init__(self) -> None:
        self._read: dict[Path, tuple[tuple[int, int], Compiled | None]] = {}

    def beside(self, recipe: Path) -> Compiled | None:
        """What was compiled last of a recipe; None where nothing was, or where it cannot be read."""
        path = recipe.with_name(recipe.stem + MANIFEST)
        try:
            status = path.stat()
        except OSError:
            return None
        stamp = status.st_mtime_ns, status.st_size
        before = self._read.get(path)
        if before is None or before[0] != stamp:
            self._read[path] = before = (stamp, _compiled(path) if status.st_size <= MOST else None)
        return before[1]


def _compiled(path: Path) -> Compiled | None:
    manifest, _ = read_manifest(str(path))
    if manifest is None:
        return None
    decision = decision_from_manifest(manifest)
    found: dict[tuple[str, str], str] = {}
    for axis in ("source", "language", "domain", "phase"):
        for name in names_of(decision.problem, axis):
            take = taken(decision, axis, name)
            share = words.share(take.tokens / decision.problem.tokens)
            amount = f"share {share}, {words.tokens(take.tokens)} tokens"
            if axis != "phase":
                binds = what_binds(decision, axis, name)
                free = binds in (PRICE, TARGET)
                amount += (
                    f", read {words.epochs(take.epochs)} times; {'nothing binds it' if free else f'bound by {binds}'}"
                )
            found[axis, name] = amount
    return Compiled(manifest, found)
