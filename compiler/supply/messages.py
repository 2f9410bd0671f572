"""What can be wrong with a planning catalog: one function per code, its docstring the manual page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mixc.dsl.diagnostics import Diagnostic, Label, Severity, page
from mixc.dsl.text import Span
from mixc.dsl.wording import at, listed, plain


@dataclass(frozen=True, slots=True)
class Place:
    """A row of a catalog: its text where there is one, its name in a sentence, and where the recipe names the file."""

    row: Span | None
    shown: str
    recipe: Span | None

    def labels(self, text: str) -> tuple[Label, ...]:
        """The row with `text`, then the recipe; the recipe alone for a file without lines."""
        rows = (Label(self.row, text),) if self.row else ()
        return rows + at(self.recipe, "" if self.row is None else "read for this source")


def also(lines: Sequence[int]) -> tuple[str, ...]:
    """A note on further rows with the same mistake."""
    return (f"also line{'s' * (len(lines) > 2)} {listed(lines[1:])}",) if len(lines) > 1 else ()


@page("M401")
def missing_column(shown: str, span: Span | None, column: str, found: Sequence[str]) -> Diagnostic:
    """A column is not in the data.

    A column that mixc needs, or that the recipe names, is absent from the file. The note lists what the file has.
    A planning catalog needs `language` (ISO 639 codes, with `_Script` or a column `script`) unless the source says
    `language = …` for all of it.

    Rename the column in the file, or state it in the source.
    """
    several = len(found) == 1 and any(mark in found[0] for mark in "\t;|")
    return Diagnostic(
        "M401",
        f"catalog `{shown}` has no column `{column}`",
        at(span, "read here"),
        (f"columns found: {listed(found)}",),
        ("separate the columns by commas",) if several else (f"add a column `{column}`",),
        subject=shown,
    )


@page("M410")
def unreadable(shown: str, span: Span | None, reason: str) -> Diagnostic:
    """A catalog cannot be read.

    The file that `supply` names is missing, is a folder, or may not be opened. Its path is relative to the recipe
    that names it.

    Check the path, or write the sizes inline: `supply = { en: 15T tokens }`.
    """
    return Diagnostic(
        "M410",
        f"catalog `{shown}` cannot be read: {reason[:1].lower()}{reason[1:]}",
        at(span),
        (),
        ("the path is relative to the recipe; sizes can also be inline: `supply = { en: 15T tokens }`",),
        subject=shown,
    )


@page("M411")
def not_text(shown: str, span: Span | None, reason: str) -> Diagnostic:
    """A catalog is not UTF-8 text.

    CSV catalogs are UTF-8, with or without a byte-order mark, and hold no NUL characters. A spreadsheet may have
    saved the file in another encoding, or the file is not a CSV at all.

    Save it as "CSV UTF-8"; a Parquet file must begin with the bytes `PAR1`.
    """
    return Diagnostic(
        "M411", f"catalog `{shown}` is not UTF-8 text: {reason}", at(span), (), ("save it as UTF-8 CSV",), subject=shown
    )


@page("M412")
def empty(shown: str, span: Span | None) -> Diagnostic:
    """A catalog has no rows.

    There is nothing below the header, or no header either. A catalog is a header line (`language,script,bytes`) and
    one row per language.
    """
    return Diagnostic(
        "M412",
        f"catalog `{shown}` has no rows",
        at(span),
        (),
        ("a catalog is a header such as `language,bytes` and one row per language",),
        subject=shown,
    )


@page("M413")
def ragged(place: Place, found: int, wanted: int, lines: Sequence[int]) -> Diagnostic:
    """A row has more or fewer cells than the header.

    Often a comma inside a note that is not quoted, or a thousands separator: `1,000` is two cells. Nothing of such a
    file is used, because a shifted cell would be read as a size.

    Quote the cell (`"a, b"`) or complete the row.
    """
    return Diagnostic(
        "M413",
        f"{place.shown} has {found} cells where the header has {wanted}",
        place.labels(f"{found} cells"),
        also(lines),
        ('quote a cell that holds a comma: `"a, b"`',),
        subject=place.shown,
    )


@page("M414")
def unsplittable(place: Place, reason: str) -> Diagnostic:
    """A row cannot be split into cells.

    A quotation mark is opened and not closed, something follows a closing one, or a cell is longer than 128 kB.
    """
    return Diagnostic(
        "M414",
        f"{place.shown} cannot be split into cells: {reason}",
        place.labels("here"),
        (),
        ('a cell that begins with `"` ends with one, and `"` inside it is doubled',),
        subject=place.shown,
    )


@page("M415")
def bad_size(place: Place, column: str, text: str, why: str, lines: Sequence[int]) -> Diagnostic:
    """A size is not a whole number of tokens, bytes, words or documents.

    Sizes are zero or more, finite, and at most 1e18; an empty cell says "not published". `3e9` and `1.5e12` are
    understood; `3B`, `1,000` and units in the cell are not.
    """
    return Diagnostic(
        "M415",
        f"{place.shown}: `{column}` is `{plain(text)}`, which is {why}",
        place.labels(why),
        also(lines),
        ("write a number such as `1500000000` or `1.5e9`, or leave the cell empty when nothing is published",),
        subject=place.shown,
    )


@page("M416")
def duplicate(place: Place, earlier: Place, tag: str, earlier_tag: str) -> Diagnostic:
    """A language stands twice in a catalog.

    After codes are made canonical (`nob_Latn`, `nb` and `no` are one language), two rows name the same language in
    the same script. mixc does not guess whether they are parts to add or two counts of one thing. `zh_Hans` and
    `zh_Hant` differ, and are added.
    """
    tag, earlier_tag = plain(tag), plain(earlier_tag)
    same = f"`{tag}`" if tag == earlier_tag else f"`{tag}` and `{earlier_tag}` are one language, which"
    labels = place.labels("again here")
    if earlier.row is not None:
        labels = (labels[0], Label(earlier.row, "first here"), *labels[1:])
    return Diagnostic(
        "M416",
        f"{place.shown}: {same} stands twice",
        labels,
        () if earlier.row else (f"first in {earlier.shown}",),
        ("add the two rows, or remove one",),
        subject=place.shown,
    )


@page("M417")
def no_code(place: Place, lines: Sequence[int]) -> Diagnostic:
    """A row of a catalog names no language.

    The cell in `language` is empty or not text. A total of the whole corpus belongs in a comment, or in a row with the
    code `mul`, which is never planned with.
    """
    return Diagnostic(
        "M417",
        f"{place.shown} names no language",
        place.labels("no code here"),
        also(lines),
        ("write an ISO 639 code, or `und` for text whose language is not known",),
        subject=place.shown,
    )


@page("M418")
def broken_parquet(shown: str, span: Span | None, reason: str) -> Diagnostic:
    """A Parquet catalog cannot be opened.

    The file is truncated, damaged, or not Parquet in spite of its name. A Parquet file ends with its footer, so a
    broken download shows first here.
    """
    return Diagnostic(
        "M418",
        f"catalog `{shown}` is not a complete Parquet file",
        at(span),
        (f"the reader says: {reason}",),
        ("fetch or write it again",),
        subject=shown,
    )


@page("M419")
def no_unit(shown: str, span: Span | None, found: Sequence[str]) -> Diagnostic:
    """A catalog has no column of sizes.

    Sizes stand in columns named `tokens`, `bytes` (UTF-8 text) or `words` (only where words are written apart).
    Documents alone say nothing about tokens.
    """
    return Diagnostic(
        "M419",
        f"catalog `{shown}` has no column `tokens`, `bytes` or `words`",
        at(span, "read here"),
        (f"columns found: {listed(found)}",),
        ("name the column of sizes by its unit",),
        subject=shown,
    )


@page("M420")
def repeated_column(shown: str, span: Span | None, column: str) -> Diagnostic:
    """A catalog has two columns of one name.

    Which of them holds the sizes cannot be known. Names are compared without regard to case.
    """
    return Diagnostic(
        "M420", f"catalog `{shown}` has two columns `{column}`", at(span), (), ("rename one of them",), subject=shown
    )


@page("M421")
def no_size(shown: str, span: Span | None, tags: Sequence[str]) -> Diagnostic:
    """Rows of a catalog without a size.

    `tokens`, `bytes` and `words` are all empty in these rows, so they add nothing to the supply. This is a warning:
    published tables have gaps.
    """
    return Diagnostic(
        "M421",
        f"{len(tags)} row{'s' * (len(tags) > 1)} of catalog `{shown}` have no size and are not used"
        if len(tags) > 1
        else f"the row `{plain(tags[0])}` of catalog `{shown}` has no size and is not used",
        at(span),
        (f"without tokens, bytes or words: {listed(tags)}",) if len(tags) > 1 else (),
        severity=Severity.WARNING,
        subject=shown,
    )
