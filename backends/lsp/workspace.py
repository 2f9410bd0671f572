"""The recipes that an editor has open, over those on disk; what is known of each, renewed when a text changes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pygls.uris import to_fs_path

from mixc.compiler.front.load import Written
from mixc.compiler.front.memory import Memory
from mixc.compiler.front.occurrences import Occurrence, occurrences
from mixc.compiler.front.passes import Analysis, analyse
from mixc.compiler.recipe import Recipe
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.pieces import Edited, Parsed
from mixc.dsl.reading import MAX_BYTES, read_source
from mixc.dsl.text import SourceText

MOST_FILES = 20_000  # recipes of a workspace that are looked at for what they extend and import
MOST_FOLDERS = 100_000
SKIPPED = frozenset({"node_modules", "__pycache__", "build", "dist", "site-packages"})
NAMED = re.compile(r'(?:\bextends|=)[ \t]*"((?:[^"\\\n])+\.mix)"')


class TooMany(Exception):
    """The folders of the editor hold more recipes than can be looked at; the sentence says so."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a recipe as it is now: its analysis, and the texts of all files that it was read from."""

    analysis: Analysis
    texts: dict[Path, str]


class Workspace:
    """Open texts by path, folders of the editor, and analyses."""

    def __init__(self) -> None:
        self.folders: list[Path] = []
        self.open: dict[Path, str] = {}
        self._edited: dict[tuple[Path, str, int], tuple[Edited, str, Parsed]] = {}
        self._known: dict[Path, Known] = {}
        self._memories: dict[Path, Memory] = {}
        self._good: dict[Path, Recipe] = {}
        self._names: dict[Path, tuple[Analysis, list[Occurrence]]] = {}

    def text(self, path: Path) -> SourceText:
        """The text of a file as the editor has it; empty where there is none, or more than a recipe may hold."""
        if path in self.open:
            text = self.open[path]
            return SourceText(str(path), text if len(text) <= MAX_BYTES else "")
        source, _ = read_source(path, str(path))
        return source or SourceText(str(path), "")

    def put(self, path: Path, text: str) -> None:
        """Take the text that the editor shows for what stands in the file."""
        self.open[path] = text

    def drop(self, path: Path) -> None:
        """Forget an open text: what lies on disk counts again."""
        self.open.pop(path, None)

    def known(self, path: Path) -> Analysis:
        """The analysis of a recipe, made anew where any text that it was read from has changed."""
        before = self._known.get(path)
        if before is not None and all(self._same(file, text) for file, text in before.texts.items()):
            return before.analysis
        texts: dict[Path, str] = {}
        memory = self._memories.setdefault(path, Memory())
        analysis = analyse(path, lambda path, shown: self._read(path, shown, texts), memory)
        self._known[path] = Known(analysis, texts)
        if analysis.recipe is not None:
            self._good[path] = analysis.recipe
        return analysis

    def last_good(self, path: Path) -> Recipe | None:
        """The recipe as it was when it had no mistakes; None where it never was without."""
        return self.known(path).recipe or self._good.get(path)

    def tried(self, root: Path, path: Path, text: str) -> Analysis:
        """The analysis of a recipe if a file held another text."""
        before = self.open.get(path)
        self.open[path] = text
        try:
            return self.known(root)
        finally:
            del self._known[root]  # its pieces stand where they would with that text
            if before is None:
                del self.open[path]
            else:
                self.open[path] = before

    def parsed(self, path: Path) -> Parsed:
        """The text of a recipe as it was read last, with what can be read of it after a mistake."""
        return self._parsed(path, str(path), 0, self.text(path).text)

    def rests_on(self, path: Path, other: Path) -> bool:
        """Whether a recipe was read from another file."""
        return path in self._known and other in self._known[path].texts

    def names(self, path: Path) -> list[Occurrence]:
        """The names of a recipe and of all files that it was read from."""
        analysis = self.known(path)
        if analysis.program is None:
            return []
        before = self._names.get(path)
        if before is None or before[0] is not analysis:
            before = self._names[path] = (analysis, occurrences(analysis.program))
        return before[1]

    def related(self, path: Path) -> list[Path]:
        """A recipe, and those of the workspace that extend or import it, directly or not.

        Raises TooMany where not all of them can be looked at: some that know a name would be missed without a word.
        """
        uses = {file: self._named(file) for file in self._recipes({path, *self.open})}
        found = [path]
        for one in found:
            found += sorted(file for file, named in uses.items() if one in named and file not in found)
        return found

    def _read(self, path: Path, shown: str, texts: dict[Path, str]) -> tuple[Written | None, list[Diagnostic]]:
        """A file as the front wants it; a second time in one program with texts of its own."""
        if path in self.open:
            source = SourceText(shown, self.open[path])
        else:
            read, found = read_source(path, shown)
            if read is None:
                texts[path] = ""
                return None, found
            source = read
        parsed = self._parsed(path, shown, int(path in texts), source.text)
        texts[path] = source.text
        return Written(parsed.source, parsed.whole, parsed.texts), parsed.found

    def _parsed(self, path: Path, shown: str, copy: int, text: str) -> Parsed:
        before = self._edited.get((path, shown, copy))
        if before is not None and before[1] == text:
            return before[2]
        edited = before[0] if before is not None else Edited(shown)
        parsed = edited.read(text)
        self._edited[path, shown, copy] = (edited, text, parsed)
        return parsed

    def _same(self, path: Path, text: str) -> bool:
        return (self.open[path] if path in self.open else self.text(path).text) == text

    def _recipes(self, more: Iterable[Path]) -> Iterator[Path]:
        """Recipes of the workspace, those of `more` first, each once; not those in folders of tools."""
        seen: set[Path] = set()
        for path in sorted(more):
            seen.add(path)
            yield path
        folders = 0
        for top in self.folders:
            for where, inner, files in os.walk(top):
                inner[:] = sorted(name for name in inner if name not in SKIPPED and not name.startswith("."))
                here = {Path(where, name) for name in files if name.endswith(".mix")} - seen
                folders += 1
                if len(seen) + len(here) > MOST_FILES or folders > MOST_FOLDERS:
                    most = f"{MOST_FILES:,} recipes or {MOST_FOLDERS:,} folders"
                    raise TooMany(f"the editor's folders hold more than {most}")
                seen |= here
                yield from sorted(here)

    def _named(self, path: Path) -> set[Path]:
        """The files that a recipe names, without reading it as a recipe."""
        return {Path(os.path.normpath(path.parent / name)) for name in NAMED.findall(self.text(path).text)}


def path_of(uri: str) -> Path:
    """The path of a document; one that is not saved yet gets a name in the current folder."""
    path = to_fs_path(uri) if uri.startswith("file:") else None
    return Path(os.path.normpath(Path(path).absolute())) if path else Path.cwd() / re.sub(r"[^\w.-]", "_", uri)
