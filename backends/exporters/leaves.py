"""A mixture as what trainers read: for every phase the places where its data lie, and how much is taken of each.

A place holds whole cells of the manifest: all that a pattern such as `s3://corpus/{source}/{language}` writes alike.
So one place is never listed twice, however many cells it holds, and the mixture does not depend on how it is sharded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from string import Formatter

from mixc.backends.exporters import messages, place_messages
from mixc.backends.selection.layout import escaped
from mixc.compiler.export import WORDS, CellTexts, Settings
from mixc.compiler.review.rows import MixtureRow
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic

PREPARED = "data/{phase}/{source}/{language}/{domain}"  # where the texts of a run are prepared, unless said otherwise
COMPANIONS = ("counts", "export", "load", "mixture", "pipeline", "places", "prepare", "readme", "samples", "writer")
MAGIC = "*?[]{}"
FEWER = 0.02  # of the tokens, to be told
UNEVEN = 0.001  # share of a mixture that may be read from another cell of the same place without a word


@dataclass(frozen=True, slots=True)
class Leaf:
    """One place of one phase.

    `tokens` are taken in this phase; `available` lie there, each counted once; `documents` (rows or samples) lie there,
    None where nobody counted them. `most` is how often they may be read in all phases, None where there is no limit.
    `folders` are texts of a run, whose rows stand for several copies where `copied`.
    """

    path: str
    name: str
    tokens: int
    available: int
    documents: int | None
    most: float | None
    folders: tuple[str, ...] = ()
    copied: bool = False

    @property
    def passes(self) -> float:
        """How often this phase reads the place, as a mean over its tokens."""
        return self.tokens / self.available


@dataclass(frozen=True, slots=True)
class Stage:
    """A phase: places it takes tokens from, sorted by path; `planned` tokens of the manifest, `name` fit for a file."""

    name: str
    planned: int
    leaves: tuple[Leaf, ...]

    @property
    def tokens(self) -> int:
        """What is taken in all."""
        return sum(leaf.tokens for leaf in self.leaves)


@dataclass(frozen=True, slots=True)
class Mixture:
    """All phases in order; `selected` where texts of a run are what is read, `counted` where places were counted."""

    recipe: str
    stages: tuple[Stage, ...]
    selected: bool
    counted: bool = False


Key = tuple[str, str, str, str, int]


@dataclass(frozen=True, slots=True)
class _Cell:
    phase: int
    key: Key
    tokens: int
    supply: int
    most: float | None
    texts: CellTexts | None


def mixture(manifest: Manifest, settings: Settings, *, texts: bool = False) -> tuple[Mixture | None, list[Diagnostic]]:
    """The places of a mixture. With `texts` a program reads the texts of a run, not data prepared of them."""
    pattern = settings.data
    if pattern is None:
        if settings.texts is None:
            return None, [messages.no_place(manifest.recipe.name, manifest.runnable)]
        pattern = PREPARED
    pattern = pattern.rstrip("/") or pattern
    apart = settings.texts is not None and len(manifest.phases) > 1 and "{phase}" not in pattern
    if bad := "no {phase}, and phases read different texts" if apart else _bad(pattern):
        return None, [messages.bad_pattern(pattern, bad)]
    cells = _cells(manifest, settings.texts)
    by_place: dict[str, list[_Cell]] = {}
    for cell in cells:
        place = _place(pattern, cell.key) if not (texts and settings.data is None) else _folder(cell.texts)
        by_place.setdefault(place, []).append(cell)
    found = [] if settings.texts is not None else _mixed(manifest, by_place)
    found += _emptied(by_place, settings)
    stages = []
    for number, phase in enumerate(manifest.phases):
        leaves = []
        for path in sorted(by_place):
            leaf, wrong = _leaf(path, [one for one in by_place[path] if settings.texts is None or one.phase == number],
                                number, settings)  # fmt: skip
            found += wrong
            leaves += [leaf] if leaf is not None else []
        fitting = _fitting(leaves, settings)
        if settings.texts is not None and settings.counts is not None:
            found += _fewer(leaves, fitting, phase.tokens, settings.sequence or 1)
        stages.append(Stage(_file(phase.name), phase.tokens, fitting))
    found += _over(stages) + _magic(stages, texts and settings.data is None) + _phases_apart(manifest, settings)
    if any(one.severity == "error" for one in found):
        return None, found
    return Mixture(manifest.recipe.name, tuple(stages), settings.texts is not None, settings.counts is not None), found


def _bad(pattern: str) -> str | None:
    """What of a pattern is no word of it; None where all is well."""
    if not pattern.strip("/ "):
        return "nothing"
    try:
        for _, field, form, conversion in Formatter().parse(pattern):
            if field is not None and (field not in WORDS or form or conversion):
                return "{" + field + "}"
    except ValueError:
        return "a brace without its other half"
    return None


def _place(pattern: str, key: Key) -> str:
    return pattern.format(**dict(zip(WORDS, (escaped(str(part)) for part in key), strict=True)))


def _folder(texts: CellTexts | None) -> str:
    """The texts of all buckets of a cell lie in one folder."""
    return "" if texts is None else texts.folder.rpartition("/")[0]


def _cells(manifest: Manifest, texts: Sequence[CellTexts] | None) -> list[_Cell]:
    """Every cell of every phase; of a run, those that it wrote texts of, and what it took of them."""
    numbers = {phase.name: number for number, phase in enumerate(manifest.phases)}
    limits = {one.name: one.limit.passes for one in manifest.sources if one.limit is not None}
    if texts is not None:
        return [
            _Cell(numbers[one.phase], (one.phase, one.source, one.language, one.domain, one.bucket),
                  one.tokens, one.tokens, 1.0, one)
            for one in texts if one.tokens
        ]  # fmt: skip
    rows: list[MixtureRow] = list(manifest.mixture)
    return [
        _Cell(numbers[row.phase], (row.phase, row.source, row.language, row.domain, bucket), tokens, supply,
              limits.get(row.source), None)
        for row in rows
        for bucket, (tokens, supply) in enumerate(zip(row.tokens_by_bucket, row.supply_by_bucket, strict=True))
    ]  # fmt: skip


def _emptied(by_place: dict[str, list[_Cell]], settings: Settings) -> list[Diagnostic]:
    """Take out places of a run whose texts are too short for one sample of the trainer's; say which."""
    counts = settings.counts or {}
    empty = sorted(
        path for path in by_place if settings.texts is not None and path in counts and not counts[path].tokens
    )
    tokens = sum(one.tokens for path in empty for one in by_place.pop(path))
    return [messages.too_little(empty, tokens, settings.sequence or 1)] if empty else []


def _leaf(path: str, cells: list[_Cell], phase: int, settings: Settings) -> tuple[Leaf | None, list[Diagnostic]]:
    tokens = sum(one.tokens for one in cells if one.phase == phase)
    if not tokens:
        return None, []
    mine = {one.key[1:] if settings.texts is None else one.key: one for one in cells}  # supply of all phases is one
    available, documents = sum(one.supply for one in mine.values()), None
    written = [one.texts for one in mine.values() if one.texts is not None]
    if written:
        documents = sum(one.documents for one in written)
    if settings.counts is not None:
        if path not in settings.counts:
            return None, [messages.not_counted(path, sorted(settings.counts))]
        counted = settings.counts[path]
        available, documents = counted.tokens, counted.documents
    if not available:
        return None, [messages.nothing_there(path)]
    most = min((one.most for one in mine.values() if one.most is not None), default=None)
    words = [str(part) for part in next(iter(mine.values())).key]
    same = [all(str(one.key[i]) == words[i] for one in mine.values()) for i in range(len(words))]
    name = "-".join(escaped(word) for i, word in enumerate(words) if same[i] and i not in (0, 4)) or "all"
    folders = tuple(sorted(one.folder for one in written))
    copied = any(not one.repeat and one.rows < one.documents for one in written)
    return Leaf(path, name, tokens, available, documents, most, folders, copied), []


def _fitting(leaves: list[Leaf], settings: Settings) -> tuple[Leaf, ...]:
    """Leaves with names of their own; of a run in other tokens, as much as leaves no place short."""
    names = _names([leaf.name for leaf in leaves])
    named = [replace(leaf, name=name) for leaf, name in zip(leaves, names, strict=True)]
    if settings.texts is None or settings.counts is None or not named:
        return tuple(named)
    # Read whole is what runs short first, the others in proportion; what cannot fill one sequence holds nobody back.
    read = [leaf for leaf in named if leaf.available >= (settings.sequence or 1)] or named
    short = min(read, key=lambda leaf: Fraction(leaf.available, leaf.tokens))
    return tuple(
        replace(leaf, tokens=min(leaf.available, max(1, leaf.tokens * short.available // short.tokens)))
        for leaf in named
    )


def _names(names: Sequence[str]) -> list[str]:
    """The same names, with numbers where one comes twice, none of them another's."""
    made: list[str] = []
    once = {name for name in names if names.count(name) == 1}
    for name in names:
        number, free = 0, name
        while name not in once and (free == name or free in once or free in made):
            free, number = f"{name}-{number}", number + 1
        made.append(free)
    return made


def _file(phase: str) -> str:
    """The name of a phase as that of a file, which no other file of an export has."""
    name = escaped(phase)
    return f"phase-{name}" if name.lower() in COMPANIONS else name


def _fewer(before: Sequence[Leaf], after: Sequence[Leaf], planned: int, least: int) -> list[Diagnostic]:
    """Where one place holds so little in the trainer's tokens that all others are read less for it."""
    room = sum(leaf.available for leaf in before)
    if not before or sum(leaf.tokens for leaf in after) >= (1 - FEWER) * min(room, planned):
        return []
    read = [leaf for leaf in before if leaf.available >= least] or before
    short = min(read, key=lambda leaf: Fraction(leaf.available, leaf.tokens))
    return [place_messages.held_back(short.path, short.available, sum(leaf.tokens for leaf in after), planned)]


def _magic(stages: Sequence[Stage], texts: bool) -> list[Diagnostic]:
    """Texts are found by a pattern of files, which a few characters would change."""
    folders = sorted({folder for stage in stages for leaf in stage.leaves for folder in leaf.folders if texts})
    found = {mark for mark in MAGIC for folder in folders if mark in folder}
    return [messages.unfit_path(folders[0], "what reads texts", f"`{mark}`") for mark in sorted(found)[:1]]


def _phases_apart(manifest: Manifest, settings: Settings) -> list[Diagnostic]:
    """Data that are divided by phase hold a part of the supply each, which nobody counted."""
    apart = settings.texts is None and settings.counts is None and "{phase}" in (settings.data or "")
    return [place_messages.divided_phases()] if apart and len(manifest.phases) > 1 else []


def _over(stages: Sequence[Stage]) -> list[Diagnostic]:
    """Places that all phases together read more often than they may: that is how an epoch more starts unseen."""
    taken: dict[str, int] = {}
    last: dict[str, Leaf] = {}
    for leaf in (leaf for stage in stages for leaf in stage.leaves):
        taken[leaf.path] = taken.get(leaf.path, 0) + leaf.tokens
        last[leaf.path] = leaf
    slack = 1 + 1e-9
    return [
        messages.more_than_there_is(path, tokens, last[path].available, most)
        for path, tokens in sorted(taken.items())
        if (most := last[path].most) is not None and tokens > math.ceil(most * last[path].available * slack)
    ]


def _mixed(manifest: Manifest, by_place: Mapping[str, Sequence[_Cell]]) -> list[Diagnostic]:
    """Where places hold cells that are read unevenly, and are read as a whole: what of the mixture is lost by that."""
    worst, lost = "", 0.0
    total = sum(phase.tokens for phase in manifest.phases)
    most = 0.0
    for path, cells in by_place.items():
        moved = 0.0
        for phase in range(len(manifest.phases)):
            mine = [one for one in cells if one.phase == phase]
            tokens, supply = sum(one.tokens for one in mine), sum(one.supply for one in mine)
            moved += sum(abs(one.tokens - tokens * one.supply / supply) for one in mine) / 2 if supply else 0.0
        lost += moved
        if moved > most:
            worst, most = path, moved
    return [messages.mixed_places(worst, lost / total)] if lost > UNEVEN * total else []
