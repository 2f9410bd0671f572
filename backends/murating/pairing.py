"""`mixc rater pairs`: rated documents and their translations -> pairs, their texts, and what they were made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from mixc.backends.murating import messages
from mixc.backends.murating.arrays import among, joined
from mixc.backends.murating.candidates import prefix_of
from mixc.backends.murating.pair_files import write_pairs
from mixc.backends.murating.pairs import KINDS, Cell, Groups, Kind, Originals, Pair, cells_of, components, take_all
from mixc.backends.murating.rated import Documents, files_of, ids_of, read_rated
from mixc.backends.murating.settings import PairSettings, check_pair_settings
from mixc.backends.murating.translations import (
    KEY,
    Translations,
    read_translations,
    strays,
    translation_rows,
    versions_of,
)
from mixc.backends.murating.votes import Voter, voters_of
from mixc.compiler.documents.data import DataFile, Unreadable, Wanted
from mixc.compiler.documents.reading import columns_of, identity, parts, read
from mixc.compiler.progress import Progress
from mixc.compiler.review.canonical import Json
from mixc.compiler.review.words import count, table
from mixc.dsl.diagnostics import Diagnostic, has_errors


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """What was made: pairs, and by kind and languages how many were looked at, ties, dropped."""

    pairs: tuple[Pair, ...]
    cells: Mapping[Kind, Groups]
    components: list[list[str]]

    def text(self) -> str:
        """Tables for people: pairs by kind and language, and what the filter dropped."""
        kept: Counter[tuple[Kind, str]] = Counter()
        for pair in self.pairs:
            for language in sorted({pair.lang_a, pair.lang_b}):
                kept[pair.kind, language] += 1
        languages = sorted({language for _, language in kept})
        rows = [[language, *(f"{kept[kind, language]:,}" for kind in KINDS)] for language in languages]
        totals = Counter(pair.kind for pair in self.pairs)
        lines = table(("language", *KINDS), [*rows, ["all", *(f"{totals[kind]:,}" for kind in KINDS)]])
        looked_at, ties, dropped = self.figures()
        lines += f"{count(looked_at, 'pair')} looked at for votes: {dropped:,} dropped for want of confidence, "
        return lines + f"{ties:,} of all are ties\n"

    def figures(self) -> tuple[int, int, int]:
        """(pairs looked at for votes, ties among them, dropped for want of confidence)."""
        cells = [cell for kind in ("mono", "cross") for cell in _cells(self.cells[kind])]
        return sum(c.looked_at for c in cells), sum(c.ties for c in cells), sum(c.dropped for c in cells)


def make_pairs(settings: PairSettings, output: Path, progress: Progress) -> tuple[Paired | None, list[Diagnostic]]:
    """Make pairs of documents and write them with their texts."""
    try:
        check_pair_settings(settings)
        voters = voters_of(settings.raters)
        files, found = files_of(settings.documents, "documents")
        parallel, more = files_of(settings.parallel, "parallel text")
        found += more
        if has_errors(found):
            return None, found
        return _made(settings, voters, files, parallel, output, progress)
    except Unreadable as error:
        return None, [error.diagnostic]


def _made(
    settings: PairSettings,
    voters: Sequence[Voter],
    files: Sequence[DataFile],
    parallel: Sequence[DataFile],
    output: Path,
    progress: Progress,
) -> tuple[Paired | None, list[Diagnostic]]:
    progress.begin("reading scores", sum(file.size for file in (*files, *parallel)))
    translations = read_translations(parallel)
    most = max(2 * settings.pairs, 1024)
    prefix = prefix_of(settings.seed)
    documents = read_rated(files, voters, settings.language, translations.every(), prefix, most)
    progress.end()
    originals = [
        Originals(rated, versions_of(rated, translations), documents.mark) for rated in documents.kept.values()
    ]
    cells = cells_of(originals, settings.confidence)
    pairs = take_all(cells, settings.pairs)
    connected = components([(pair.lang_a, pair.lang_b) for pair in pairs], _languages(originals))
    made = Paired(tuple(pairs), cells, connected)
    found = _warnings(settings, voters, documents, translations, made, bool(parallel))
    if has_errors(found):
        return None, found
    texts = _texts(pairs, files, parallel, documents, progress)
    write_pairs(output, pairs, texts, _about(settings, voters, files, parallel, documents, made))
    return made, found


def _languages(originals: Sequence[Originals]) -> list[str]:
    return sorted({language for of in originals for language in of.versions})


def _cells(groups: Groups) -> Iterator[Cell]:
    return (cell for group in groups.values() for cell in group)


def _warnings(
    settings: PairSettings,
    voters: Sequence[Voter],
    documents: Documents,
    translations: Translations,
    made: Paired,
    has_parallel: bool,
) -> list[Diagnostic]:
    """What is to be said of documents, votes and pairs."""
    found = [messages.unknown_languages(documents.unknown)] if documents.unknown else []
    found += strays(documents.kept, translations, has_parallel)
    if len(voters) == 1:
        found.append(messages.one_rater(voters[0].name))
    looked_at, ties, _ = made.figures()
    if not any(pair.kind != "parallel" for pair in made.pairs):
        rated = sum(documents.counts.values())
        return [*found, messages.no_pairs(rated, looked_at, ties, settings.confidence)]
    in_pairs = {language for pair in made.pairs for language in (pair.lang_a, pair.lang_b)}
    every = {language for group in made.components for language in group}
    if lacking := every - in_pairs:
        found.append(messages.languages_without_pairs({one: _why(one, made) for one in sorted(lacking)}))
    groups = [kept for group in made.components if (kept := [one for one in group if one in in_pairs])]
    if len(groups) > 1:
        found.append(messages.offsets_free(groups))
    return found


def _why(language: str, made: Paired) -> str:
    cells = [cell for cell in _cells(made.cells["mono"]) if cell.languages[0] == language]
    looked_at = sum(cell.looked_at for cell in cells)
    if looked_at:
        return f"the raters contradict each other on all of {looked_at:,} pairs"
    return "it has no two documents that one rater scored"


def _texts(
    pairs: Sequence[Pair],
    files: Sequence[DataFile],
    parallel: Sequence[DataFile],
    documents: Documents,
    progress: Progress,
) -> dict[str, tuple[str, str]]:
    """(language, text) by id of all that pairs name."""
    wanted = {id: lang for pair in pairs for id, lang in ((pair.id_a, pair.lang_a), (pair.id_b, pair.lang_b))}
    asked = pa.array(sorted(wanted), pa.string())
    found: dict[str, tuple[str, str]] = {}
    progress.begin("reading texts", sum(file.size for file in (*files, *parallel)))
    for ids, texts in _document_texts(files):
        _collect(ids, texts, asked, wanted, found)
    for file in parallel:
        for keys, codes, texts in translation_rows(file):
            languages = pa.array(codes.tolist(), pa.string())
            ids = joined(keys, languages, documents.mark)
            _collect(ids, texts, asked, wanted, found)
    progress.end()
    return found


def _document_texts(files: Sequence[DataFile]) -> Iterator[tuple[Any, Any]]:
    for file in files:
        id = "id" if "id" in columns_of(file) else None
        for part in parts(file):
            for batch in read(part, Wanted(id=id, text="text")):
                if batch.rows and batch.text is not None:
                    yield ids_of(batch), batch.text.cast(pa.large_string())


def _collect(ids: Any, texts: Any, asked: Any, wanted: Mapping[str, str], found: dict[str, tuple[str, str]]) -> None:
    there = pa.array(among(ids, asked))
    for id, text in zip(ids.filter(there).to_pylist(), texts.filter(there).to_pylist(), strict=True):
        found.setdefault(id, (wanted[id], text or ""))


def _about(
    settings: PairSettings,
    voters: Sequence[Voter],
    files: Sequence[DataFile],
    parallel: Sequence[DataFile],
    documents: Documents,
    made: Paired,
) -> dict[str, Json]:
    """What pairs were made of, for the card of the rater."""
    looked_at, ties, dropped = made.figures()
    columns = tuple((voter.name, voter.name) for voter in voters)
    about: dict[str, Json] = {
        "raters": [{"name": voter.name, "better": voter.better} for voter in voters],
        "documents": sorted(identity(file, Wanted(text="text", scores=columns)) for file in files),
        "parallel": sorted(identity(file, Wanted(id=KEY, text="text")) for file in parallel),
        "rated": documents.counts,
        "confidence": settings.confidence,
        "seed": settings.seed,
        "pairs": dict(Counter(pair.kind for pair in made.pairs)),
        "looked_at": looked_at,
        "ties": ties,
        "dropped": dropped,
    }
    return about | ({"licence": settings.licence} if settings.licence else {})
