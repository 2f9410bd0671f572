"""Where a decision comes from: all that a manifest and a lock say beside the problem and its solution."""

from __future__ import annotations

from dataclasses import dataclass

from mixc.compiler.review.plan_rows import EvaluationRow, StageRow, TaskRow


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """A file that was read, by its path from the recipe's folder: kind is recipe, catalog, calibration or manifest."""

    kind: str
    name: str
    sha256: str
    size: int | None = None  # bytes


@dataclass(frozen=True, slots=True)
class PinnedSource:
    """What a source held: its files, their bytes and joint hash, its unique tokens and, where known, its documents.

    Of documents only the `count` of files is told; their names and hashes are in the tables.
    """

    name: str
    planning: bool
    files: tuple[str, ...]
    size: int  # bytes
    sha256: str
    tokens: int
    documents: int | None = None
    count: int = 0


@dataclass(frozen=True, slots=True)
class Provenance:
    """The recipe's words and inputs. `reason` says why the mixture cannot be run, None when it can.

    `stages` are how documents are read and rated; `bits` and `tables` (a hash) go with them. `after` is the manifest
    of the mixture that this one continues.
    `places` maps what can change (`budget`, `language en`, `source web`, `phase anneal`) to `file:line`.
    """

    name: str
    description: str = ""
    params: tuple[tuple[str, str], ...] = ()
    files: tuple[PinnedFile, ...] = ()
    sources: tuple[PinnedSource, ...] = ()
    licences: tuple[tuple[str, str | None], ...] = ()  # per source
    evaluations: tuple[EvaluationRow, ...] = ()
    tasks: tuple[TaskRow, ...] = ()
    assumptions: tuple[str, ...] = ()
    places: tuple[tuple[str, str], ...] = ()
    seed: int = 0
    reason: str | None = None
    stages: tuple[StageRow, ...] = ()
    bits: int | None = None
    tables: str | None = None
    after: str | None = None
