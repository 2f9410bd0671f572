"""From what was asked for to the text of a recipe: the steps behind `mixc new`, without terminal and files written."""

from __future__ import annotations

import glob
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from mixc.compiler.documents.data import Role
from mixc.compiler.documents.storage import is_remote, local_path
from mixc.compiler.front.errors_names import unknown_language
from mixc.compiler.review.words import count
from mixc.compiler.starter import sizes
from mixc.compiler.starter.look import Look, look
from mixc.compiler.starter.messages import more_than_there_is, no_size, not_in_data, not_new, unwritable
from mixc.compiler.starter.planned import USUAL, planned_text
from mixc.compiler.starter.seen import LIMIT, Place, seen_text
from mixc.compiler.starter.size import COMMAND_LINE, Size, figure, sized
from mixc.compiler.starter.tags import meant
from mixc.compiler.starter.write import can_hold, finished, recipe_name
from mixc.compiler.supply.languages import canonical
from mixc.compiler.whole import tidy
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.text import SourceText, Span

ENDING = ".mix"
ALL = "all"
ROOMY = 1.5  # how much more often than needed a document of tiny data may be read


@dataclass(frozen=True, slots=True)
class Started:
    """A recipe: its text, and in a few words what it is about."""

    text: str
    about: str
    scan: bool = False  # whether its data is to be scanned before it is compiled


def new_path(given: str) -> tuple[Path, list[Diagnostic]]:
    """The file of a new recipe, `.mix` added where it is missing, and why it cannot be there."""
    plain = Path(given).expanduser()
    path = plain if plain.suffix == ENDING else plain.with_name(plain.name + ENDING) if plain.name else plain
    stem = path.name.removesuffix(ENDING)
    if not stem:
        return path, [not_new(given, "that is no name of a file", "give a name: `mixc new NAME.mix`")]
    if given.endswith(("/", os.sep)) or (plain.is_dir() and plain.suffix != ENDING):
        return path, [not_new(given, "it is a folder", f"give a name in it: `mixc new {given.rstrip('/')}/NAME.mix`")]
    tidy([path])  # what a killed one left beside it, which this one, refused, would not come to
    if os.path.lexists(path):
        what = "a folder of that name" if path.is_dir() else "a file of that name"
        return path, [not_new(str(path), f"there is {what} already", "give another name: `mixc new NAME.mix`")]
    if not path.parent.is_dir():
        return path, [not_new(str(path), f"there is no folder `{path.parent}`", f"make it: `mkdir -p {path.parent}`")]
    return path, []


def looked(pattern: str, stated: Mapping[Role, str]) -> tuple[Look | None, list[Diagnostic]]:
    """A look at data, its pattern seen from the current folder; `~` is the home folder."""
    home = str(Path(pattern).expanduser()) if pattern.startswith("~") else pattern
    why = can_hold(home)
    if why:
        return None, [unwritable("the path", pattern, why)]
    return look(home, Path(), stated)


def languages(asked: str) -> tuple[dict[str, Span], list[Diagnostic]]:
    """Codes in the order they were asked for, each once, with where they were; none of `all` or nothing."""
    source = SourceText(COMMAND_LINE, asked)
    codes: dict[str, Span] = {}
    found: list[Diagnostic] = []
    at = 0
    for word in asked.replace(",", " ").split():
        at = asked.index(word, at)
        span = Span(source, at, at + len(word))
        at += len(word)
        code = canonical(word)
        if code is None and word.lower() != ALL:
            near = meant(word)
            found.append(unknown_language(span, word, (f"did you mean `{near}`?",) if near else ()))
        elif code is not None:
            codes.setdefault(code, span)
    return codes, found


def refused(asked: Mapping[str, Span], looks: Sequence[Look]) -> list[Diagnostic]:
    """Languages that there is no supply of: in the data, or without data among published sizes."""
    if not looks:
        known = sizes.known()
        return [no_size(span, code, len(known)) for code, span in asked.items() if code not in known]
    tagged = [one for one in looks if "language" in one.roles]
    if not tagged:
        return [not_in_data(span, code, (), column=False) for code, span in list(asked.items())[1:]]
    held = {code for one in tagged for code in one.codes}
    whole = all(one.whole for one in looks) and len(tagged) == len(looks)
    missing = {code: span for code, span in asked.items() if code not in held}
    return [not_in_data(span, code, sorted(held), column=True, whole=whole) for code, span in missing.items()]


def planned(path: Path, asked: Mapping[str, Span], size: Mapping[str, str]) -> tuple[Started | None, list[Diagnostic]]:
    """A recipe of published sizes, of the usual languages where none are asked for."""
    codes = list(asked) or list(USUAL)
    total = sizes.supply(codes)
    chosen, found = sized(size, total)
    if chosen is None:
        return None, found
    if chosen.tokens > LIMIT * total:
        found.append(more_than_there_is(figure(chosen.tokens), figure(total), LIMIT))
    text, more = finished(planned_text(recipe_name(path.stem), codes, chosen), path)
    return Started(text, f"published sizes of {', '.join(codes)}; {_words(chosen)}"), [*found, *more]


def from_data(
    path: Path, looks: Sequence[Look], asked: Mapping[str, Span], size: Mapping[str, str], small: int
) -> tuple[Started | None, list[Diagnostic]]:
    """A recipe for data that was looked at; `small` bytes and fewer are scanned by `mixc compile` itself."""
    total = max(1.0, sum(one.tokens * _part(one, asked) for one in looks))
    chosen, found = sized(size, total)
    if chosen is None:
        return None, found
    limit = LIMIT
    if chosen.tokens > LIMIT * total:
        if "tokens" in chosen.chosen:
            limit = math.ceil(ROOMY * chosen.tokens / total)
        else:
            found.append(more_than_there_is(figure(chosen.tokens), figure(total), LIMIT))
    root, places = _placed(path, looks)
    text = seen_text(recipe_name(path.stem), places, root, list(asked), chosen, limit)
    done, more = finished(text, path)
    about = f"about {figure(total)} tokens in {count(sum(one.files for one in looks), 'file')}; {_words(chosen)}"
    return Started(done, about, sum(one.bytes for one in looks) > small), [*found, *more]


def _part(one: Look, asked: Mapping[str, Span]) -> float:
    """Which part of the tokens of a look is in the languages asked for, by the rows read; 1 where they show none."""
    every = sum(one.languages.values())
    if not asked or not every or "language" not in one.roles:
        return 1.0
    seen = sum(tokens for code, tokens in one.codes.items() if code in asked)
    return seen / every if seen else 1.0


def _placed(path: Path, looks: Sequence[Look]) -> tuple[str | None, list[Place]]:
    """Paths as the recipe in `path` names them: from its folder, or from a param where they were absolute.

    An absolute path holds on one machine only, so it is a param's value.
    """
    here = path.parent.absolute()
    absolute = [
        one.pattern for one in looks if not is_remote(one.pattern) and PurePath(local_path(one.pattern)).is_absolute()
    ]
    outside = [one for one in absolute if not PurePath(local_path(one)).is_relative_to(here)]
    root = os.path.commonpath([_fixed(local_path(one)) for one in outside]) if outside else None
    places = []
    for one in looks:
        pattern = one.pattern
        if is_remote(pattern):
            shown = pattern
        elif pattern in outside and root is not None:
            inner = os.path.relpath(local_path(pattern), root)
            shown = "${root}" if inner == "." else f"${{root}}/{PurePath(inner).as_posix()}"
        else:
            shown = PurePath(os.path.relpath(Path(local_path(pattern)).absolute(), here)).as_posix()
        places.append(Place(one, shown))
    return root, places


def _fixed(pattern: str) -> str:
    """The folder above the first wildcard of a pattern, or above the file that it names."""
    if Path(pattern).is_dir():
        return pattern
    parts = PurePath(pattern).parts
    fixed = next((i for i, part in enumerate(parts) if glob.has_magic(part)), len(parts) - 1)
    return str(PurePath(*parts[: min(fixed, len(parts) - 1)]))


def _words(size: Size) -> str:
    return ", ".join(text for _, text in size.stated)
