"""What may be typed at a place: words of the language from its tables, names of the recipe, files, columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mixc.backends.lsp.columns import columns_of
from mixc.backends.lsp.cursor import Spot, spot
from mixc.backends.lsp.workspace import Workspace
from mixc.compiler.front.kinds import COLUMNS, KINDS, NAMED_IN_RULES
from mixc.compiler.front.shapes import (
    Either,
    Flag,
    Invoke,
    Key,
    ListOf,
    MapOf,
    Measure,
    NameOf,
    Shape,
    String,
    Struct,
    Word,
)
from mixc.compiler.front.terms import FUNCTIONS
from mixc.compiler.front.units import SINGULAR, describe
from mixc.compiler.laws.calibration import shipped
from mixc.compiler.reference import about_function, about_key
from mixc.compiler.supply.languages import known_codes, name

Sort = Literal["kind", "key", "word", "name", "function", "unit", "file", "column", "rule"]
MOST = 500
IN_RULES = (*NAMED_IN_RULES, "param")
VERBS = {
    "require": "a rule that must hold",
    "prefer": "a rule that may be missed at a price",
    "minimize": "the objective: `minimize loss`",
}
AT_TOP = {"import": "another recipe, for its params and declarations", "override": "changes what is inherited"}


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that may be typed: its word, what it is, a line on it, and a page."""

    word: str
    sort: Sort
    about: str = ""
    page: str = ""


def choices(workspace: Workspace, path: Path, offset: int) -> tuple[Spot, list[Choice]]:
    """What may stand at an offset, and where the word begins that it takes the place of; no word twice."""
    at = spot(workspace.text(path).text, offset)
    made: dict[str, Choice] = {}
    for one in _Choosing(workspace, path, at).every():
        made.setdefault(one.word, one)
    return at, list(made.values())[:MOST]


@dataclass(slots=True)
class _Choosing:
    workspace: Workspace
    path: Path
    at: Spot

    def every(self) -> Iterator[Choice]:
        match self.at.place:
            case "statement":
                yield from _words(VERBS, "rule")
                yield from _words(AT_TOP, "rule")
                yield from self.kinds()
            case "kind":
                yield from self.kinds()
            case "item":
                yield from self.keys(self.at.kind.keys if self.at.kind else ())
                if self.at.kind is not None and self.at.kind.name == "phase":
                    yield from _words(VERBS, "rule")
                    yield from _words({"source": KINDS["source"].doc, "override": AT_TOP["override"]}, "kind")
            case "name":
                yield from self.declarable()
            case "key" if isinstance(self.at.shape, Struct):
                yield from self.keys(self.at.shape.fields)
            case "key" if isinstance(self.at.shape, MapOf):
                yield from self.of_shape(self.at.shape.key)
            case "value":
                yield from self.of_shape(self.at.shape)
            case "expression":
                yield from (Choice(one, "function", about_function(one)) for one in FUNCTIONS)
                yield from self.named(("param", "group"))
            case "argument":
                yield from self.named(IN_RULES)
                yield from _words(
                    {"each": "one rule for every member", "best": "the best part: `best(5%)`"}, "function"
                )
                yield from _words({"language": "every language, in `each(language)`"}, "kind")
            case "unit":
                yield from self.units()
            case "file":
                yield from self.files((".mix",))
            case _:
                return

    def kinds(self) -> Iterator[Choice]:
        yield from (Choice(kind.name, "kind", kind.doc) for kind in KINDS.values())

    def keys(self, keys: Iterable[Key]) -> Iterator[Choice]:
        for key in keys:
            if key.name not in self.at.written:
                yield Choice(key.name, "key", key.doc, about_key(key))

    def declarable(self) -> Iterator[Choice]:
        kind = KINDS[self.at.declared]
        yield from (Choice(one, "word", kind.doc) for one in kind.names)
        yield from self.named(("language" if kind.name == "languages" else kind.name,))
        if kind.naming in ("code", "codes"):
            yield from (Choice(code, "name", name(code)) for code in known_codes())

    def named(self, kinds: tuple[str, ...]) -> Iterator[Choice]:
        """Names of the recipe, those of the kinds that come first before others."""
        analysis = self.workspace.known(self.path)
        own = {str(file.path) for file in analysis.program.files} if analysis.program else set[str]()
        for kind in kinds:
            for one in self.workspace.names(self.path):
                if one.symbol.kind == kind and one.path in own:
                    about = f"{kind} {name(one.symbol.name)}" if kind == "language" else kind
                    yield Choice(one.symbol.name, "name", about)

    def of_shape(self, shape: Shape | None) -> Iterator[Choice]:
        match shape:
            case Either(shapes):
                for one in shapes:
                    yield from self.of_shape(one)
            case Word(allowed):
                yield from (Choice(word, "word") for word in allowed)
            case Flag():
                yield from (Choice(word, "word") for word in ("true", "false"))
            case NameOf("code"):
                yield from self.named(("language",))
                yield from (Choice(code, "name", name(code)) for code in known_codes())
            case NameOf(kind):
                yield from self.named({"rater": ("rater", "target"), "word": ()}.get(kind, (kind,)))
            case Invoke(function):
                yield from () if self.at.quoted else (Choice(function, "function", f"`{function}(...)`"),)
            case ListOf(item):
                yield from self.of_shape(item)
            case Struct(fields) if tuple(one.name for one in fields) == COLUMNS:
                yield from self.columns()
            case String():
                yield from self.strings()
            case _ if not self.at.quoted:
                yield from self.named(("param",))
            case _:
                return
        if isinstance(shape, Measure) and self.at.key is not None and self.at.key.name == "budget":
            yield Choice("budget.tokens", "word", "all tokens of the recipe")

    def strings(self) -> Iterator[Choice]:
        key = self.at.key.name if self.at.key else ""
        if key == "calibration":
            yield from (Choice(self._quoted(one), "file", "a shipped calibration") for one in shipped())
        if key in ("column", "text", *COLUMNS):
            yield from self.columns()
        elif self.at.key is not None and self.at.key.place and self.at.quoted:
            yield from self.files(())
        elif not self.at.quoted:
            yield from self.named(("param",))

    def columns(self) -> Iterator[Choice]:
        """Columns of the recipe's documents, as their files say."""
        recipe = self.workspace.last_good(self.path)
        for source, column in columns_of(recipe) if recipe is not None else ():
            yield Choice(self._quoted(column), "column", f"in `{source}`")

    def units(self) -> Iterator[Choice]:
        shape = self.at.shape
        for one in shape.shapes if isinstance(shape, Either) else (shape,):
            if isinstance(one, Measure) and one.dimension:
                yield Choice(describe(one.dimension), "unit", "its unit")
        yield from (Choice(unit, "unit") for unit in (*SINGULAR, "tokens/param"))

    def files(self, endings: tuple[str, ...]) -> Iterator[Choice]:
        """Files and folders below the recipe's own, as far as the path is written."""
        folder, _, _ = self.at.word.rpartition("/")
        try:
            entries = sorted((self.path.parent / folder).iterdir())
        except (OSError, ValueError):
            return
        for entry in entries[:MOST]:
            written = f"{folder}/{entry.name}" if folder else entry.name
            if entry.name.startswith(".") or entry == self.path:
                continue
            if entry.is_dir():
                yield Choice(f"{written}/", "file", "folder")
            elif not endings or entry.name.endswith(endings):
                yield Choice(written, "file")

    def _quoted(self, text: str) -> str:
        return text if self.at.quoted else f'"{text}"'


def _words(words: dict[str, str], sort: Sort) -> Iterator[Choice]:
    yield from (Choice(word, sort, about) for word, about in words.items())
