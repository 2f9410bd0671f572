"""Where a decision comes from: all that a manifest and a lock say beside the problem and its solution."""

from __future__ import annotations

from dataclasses import dataclass

from mixc.compiler.recipe import Evaluation


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """A file that was read, by its path from the recipe's folder: kind is recipe, catalog, calibration or manifest."""

    kind: str
    name: str
    sha256: str
    size: int | None = None  # bytes


@dataclass(frozen=True, slots=True)
class PinnedSource:
    """What a source held: its files, their bytes and joint hash, its unique tokens and, where known, its documents."""

    name: str
    planning: bool
    files: tuple[str, ...]
    size: int  # bytes
    sha256: str
    tokens: int
    documents: int | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """The recipe's words and inputs. `reason` says why the mixture cannot be run, None when it can.

    `places` maps what can change (`budget`, `language en`, `source web`, `phase anneal`) to `file:line`.
    """

    name: str
    description: str = ""
    params: tuple[tuple[str, str], ...] = ()
    files: tuple[PinnedFile, ...] = ()
    sources: tuple[PinnedSource, ...] = ()
    licences: tuple[tuple[str, str | None], ...] = ()  # per source
    evaluations: tuple[Evaluation, ...] = ()
    assumptions: tuple[str, ...] = ()
    places: tuple[tuple[str, str], ...] = ()
    seed: int = 0
    reason: str | None = None
