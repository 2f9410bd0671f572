"""A look at data: which files there are, what their columns hold, about how many tokens of which languages.

A few files are opened, the first rows of some are read; nothing is counted exactly, that is what `mixc scan` does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mixc.compiler.documents.data import BadLines, Batch, DataFile, Format, Part, Role, Unreadable, Wanted
from mixc.compiler.documents.files import find_files, format_of
from mixc.compiler.documents.reading import columns_of, read, row_count
from mixc.compiler.recipe import Source
from mixc.compiler.starter import columns as named
from mixc.compiler.starter.messages import columns_differ, no_such_column, no_tokens
from mixc.compiler.starter.tags import code_of
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.suggest import suggest

OPENED = 64  # files whose columns are looked at
SAMPLED = 8  # files whose first rows are read
ROWS = 1000
LOOKED_THROUGH = 40  # columns whose values may be tags of languages
BYTES_PER_TOKEN = 4
MOST_DOMAINS = 24  # more different ones are hosts or titles
PACKED = 4.0  # how far compression makes text smaller, about
MISFITS = ("M510", "M511", "M512", "M513")  # what says that a column is not what its name says


@dataclass(slots=True)
class Look:
    """What data of one pattern seems to hold.

    `roles` says which column holds what, `raters` which is better of a score (`higher`, `lower`), `unsure` numbers that
    may be scores. `languages` and `domains` are tokens by value in the rows read, `codes` those languages by code and
    `unknown` the tags among them that are none. `tokens` is an estimate for all files, of `bytes` together. `whole`:
    every row was read. `per_file`: ids repeat those of other files; `repeated` is a column of ids that are none.
    `unfit` says why columns that were stated are not used.
    """

    pattern: str
    files: int
    sampled: int
    columns: tuple[str, ...]
    roles: dict[str, str] = field(default_factory=dict)
    raters: dict[str, str] = field(default_factory=dict)
    unsure: list[str] = field(default_factory=list)
    partial: list[str] = field(default_factory=list)
    languages: dict[str, float] = field(default_factory=dict)
    domains: dict[str, float] = field(default_factory=dict)
    formats: set[Format] = field(default_factory=set)
    format: Format | None = None
    per_file: bool = False
    repeated: str = ""
    unfit: dict[Role, Diagnostic] = field(default_factory=dict)
    tokens: float = 0.0
    skipped: int = 0
    whole: bool = True
    bytes: int = 0

    @property
    def codes(self) -> dict[str, float]:
        """Tokens by code in the rows read, the most first."""
        found: dict[str, float] = {}
        for tag, tokens in self.languages.items():
            if code := code_of(tag):
                found[code] = found.get(code, 0.0) + tokens
        return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))

    @property
    def unknown(self) -> list[str]:
        """Tags that are no language, or one in another than its main script, the most frequent first."""
        return [tag for tag in sorted(self.languages, key=lambda one: -self.languages[one]) if code_of(tag) is None]


def look(pattern: str, folder: Path, stated: Mapping[Role, str]) -> tuple[Look | None, list[Diagnostic]]:
    """What the data of a pattern holds, seen from `folder`; `stated` are columns that need no guess where they fit."""
    source = Source("data", "und", (pattern,))
    files, found = find_files(source, folder)
    if not files:
        loose, more = find_files(Source("data", "und", (pattern,), format="jsonl"), folder)
        files, found = (loose, []) if loose and not more else (files, found)
    if found or not files:
        return None, found
    try:
        return _looked(pattern, files, stated)
    except Unreadable as error:
        return None, [error.diagnostic]


def _looked(
    pattern: str, files: Sequence[DataFile], stated: Mapping[Role, str]
) -> tuple[Look | None, list[Diagnostic]]:
    opened = _spread(files, OPENED)
    held = {file.name: columns_of(file) for file in opened}
    empty = [file for file in opened if not held[file.name] and (row_count(file) or 0) == 0]
    opened = [file for file in opened if file not in empty]
    if not any(held.values()):  # lines that are no objects: reading says which
        _first(files[0], Wanted(), "error")
    every = list(dict.fromkeys(column for names in held.values() for column in names))
    common = tuple(column for column in every if all(column in held[file.name] for file in opened))
    made = Look(pattern, len(files), 0, common, partial=[column for column in every if column not in common])
    made.formats = {file.format for file in files}
    if all(format_of(file.name) is None for file in files):
        made.format = files[0].format
    sample = _spread(opened, SAMPLED)
    made.sampled = len(sample)
    found = _assign(made, held, sample, stated)
    if found:
        return None, found
    if "text" not in made.roles and "tokens" not in made.roles:
        return None, [*made.unfit.values()] or [no_tokens(pattern, every)]
    _rate(made, sample)
    _identify(made, sample)
    _measure(made, files, sample)
    return made, []


def _spread(files: Sequence[DataFile], most: int) -> list[DataFile]:
    """At most so many files, from all over."""
    step = max(1.0, len(files) / most)
    return [files[int(i * step)] for i in range(min(most, len(files)))]


def _assign(
    made: Look, held: Mapping[str, Sequence[str]], sample: Sequence[DataFile], stated: Mapping[Role, str]
) -> list[Diagnostic]:
    """Which column holds what: those stated, then by name, if what they hold fits in every file of the sample."""
    for role in named.ROLES:
        if role in stated:
            column = stated[role]
            if column in made.columns and _fits(sample, role, column):
                made.roles[role] = column
                continue
            made.unfit[role] = no_such_column(f"{role}={column}", column, made.columns, suggest(column, made.columns))
        fitting = (one for one in named.candidates(role, made.columns) if _fits(sample, role, one))
        column = next(fitting, "") or (_spoken(made, sample) if role == "language" else "")
        if column and column not in made.roles.values() and (role != "domain" or _few(sample, column)):
            made.roles[role] = column
        elif not column and role in ("text", "language", "tokens"):
            for with_it, names in held.items():
                for one in named.candidates(role, [name for name in names if name in made.partial]):
                    without = next(name for name, others in held.items() if one not in others)
                    return [columns_differ(made.pattern, role, with_it, one, without)]
    return []


def _fits(sample: Sequence[DataFile], role: Role, column: str) -> bool:
    """Whether the first rows of every file can be read as this."""
    wanted = _wanted({role: column})
    try:
        for file in sample:
            _first(file, wanted)
    except Unreadable as error:
        if error.diagnostic.code not in MISFITS:
            raise
        return False
    return True


def _spoken(made: Look, sample: Sequence[DataFile]) -> str:
    """A column that no name gives away, but all values of which are tags of languages, of several or with scripts."""
    taken = {*made.roles.values(), *(one for role in named.ROLES for one in named.candidates(role, made.columns))}
    for column in [one for one in made.columns if one not in taken][:LOOKED_THROUGH]:
        if _fits(sample, "language", column):
            tags = {
                tag for file in sample for tag in _values(_first(file, _wanted({"language": column})).language) if tag
            }
            if tags and all(map(code_of, tags)) and (len(tags) > 1 or any("_" in tag for tag in tags)):
                return column
    return ""


def _wanted(columns: Mapping[str, str]) -> Wanted:
    at = columns.get
    scores = ((columns["score"], columns["score"]),) if "score" in columns else ()
    return Wanted(at("id"), at("text"), at("language"), at("domain"), at("tokens"), scores)


def _few(sample: Sequence[DataFile], column: str) -> bool:
    """Whether a column of domains has few values: hosts of web pages are no domains of a mixture."""
    seen = {value for file in sample for value in _values(_first(file, Wanted(domain=column)).domain)}
    return len(seen) <= MOST_DOMAINS and not any("." in value and " " not in value for value in seen)


def _rate(made: Look, sample: Sequence[DataFile]) -> None:
    """Which columns are scores: of numbers, and by their names."""
    for column in made.columns:
        if column in made.roles.values() or not (named.better(column) or named.looks_like_score(column)):
            continue
        if _fits(sample, "score", column):
            side = named.better(column)
            if side is None or (side == "higher" and named.leaf(column) == "score" and made.raters):
                made.unsure.append(column)
            else:
                made.raters[column] = side


def _identify(made: Look, sample: Sequence[DataFile]) -> None:
    """Whether ids name one document of all files, of their own file, or none, in the rows read."""
    if "id" not in made.roles:
        return
    each = [_values(_first(file, _wanted({"id": made.roles["id"]})).id) for file in sample]
    every = [one for ids in each for one in ids]
    if any(len(set(ids)) < len(ids) for ids in each):
        made.repeated = made.roles.pop("id")
    made.per_file = len(set(every)) < len(every)


def _measure(made: Look, files: Sequence[DataFile], sample: Sequence[DataFile]) -> None:
    """Languages, domains, and tokens: by the rows read, and by the size of the files for all."""
    wanted = _wanted({role: column for role, column in made.roles.items() if role != "id"})
    tokens = 0.0
    for file in sample:
        batch = _first(file, wanted)
        made.skipped += batch.skipped
        each = _tokens(batch)
        for counter, array in ((made.languages, batch.language), (made.domains, batch.domain)):
            for value, amount in zip(_values(array, batch.rows), each, strict=True):
                if value:
                    counter[value] = counter.get(value, 0.0) + amount
        rows, whole = _rows(file, batch)
        made.whole &= whole
        tokens += sum(each) / max(1, batch.rows) * rows
    made.bytes = sum(file.size for file in files)
    size = sum(file.size for file in sample)
    made.tokens = tokens * made.bytes / max(1, size)
    made.whole &= len(sample) == len(files)


def _tokens(batch: Batch) -> list[float]:
    """Tokens of every row: as counted, else by the bytes of its text."""
    if batch.tokens is not None:
        return [float(one) for one in batch.tokens]
    texts = [] if batch.text is None else batch.text.to_pylist()
    return [len((text or "").encode()) / BYTES_PER_TOKEN for text in texts]


def _rows(file: DataFile, batch: Batch) -> tuple[float, bool]:
    """About how many rows a file has, and whether the batch has them all."""
    exact = row_count(file)
    if exact is not None:
        return exact, exact == batch.rows
    if batch.rows < ROWS:
        return batch.rows, True
    texts = sum(len((text or "").encode()) for text in batch.text.to_pylist()) if batch.text is not None else 0
    packed = PACKED if file.name.endswith((".gz", ".zst")) else 1.0
    per_row = max(1.0, 1.2 * texts / batch.rows)  # what stands around the text takes some room too
    return max(float(batch.rows), file.size * packed / per_row), False


def _first(file: DataFile, wanted: Wanted, bad_lines: BadLines = "skip") -> Batch:
    """The first rows of a file; none of a file without rows."""
    part = Part(file, 0, 1)
    if file.format == "parquet" and not row_count(file):
        return Batch(0, 0)
    return next(read(part, wanted, rows=ROWS, bad_lines=bad_lines), Batch(0, 0))


def _values(array: object, rows: int = 0) -> list[str]:
    """The values of an array of strings, empty where there is none."""
    if array is None:
        return [""] * rows
    return [value or "" for value in array.to_pylist()]  # type: ignore[attr-defined]
