"""What is said of ids that stand twice: M540."""

from __future__ import annotations

from mixc.compiler.recipe import Source
from mixc.dsl.diagnostics import Diagnostic, page
from mixc.dsl.wording import at, plain

SHOWN = 80  # characters of an id


@page("M540")
def duplicate_ids(source: Source, first: tuple[str, int], second: tuple[str, int], id: str, total: int) -> Diagnostic:
    """An id stands twice in a source.

    Documents are drawn by a hash of their id, so two documents of one id are always drawn together, and a list of ids
    cannot tell them apart. A place is a file and the number of a row in it, from 0. `ids` of the source says what an
    id means:

    - `ids = unique`, the default: an id names one document of the source. One that stands twice is this error.
    - `ids = per-file`: an id names one document of its file, as row numbers do. The path of the file becomes a part
      of the id. The selection then changes when the same documents are divided into other files, or files are renamed.
    - `ids = shared`: documents may share an id, such as the parts of one page. They are drawn together, all or none of
      them, and nothing is looked for.

    If a file was copied, or two patterns of `path` reach the same documents, remove one of them. If ids are row
    numbers, write `ids = per-file`. If a document was cut into parts, write `ids = shared`.
    """
    shown = plain(id, SHOWN)
    others = f"{total:,} rows repeat an id that stands before them" if total > 1 else "no other id stands twice"
    across = first[0] != second[0]
    return Diagnostic(
        "M540",
        f"source `{source.name}` has two documents with the id `{shown}`",
        at(source.span, "an id names one document here"),
        (f"in row {first[1]} of `{first[0]}`, again in row {second[1]} of `{second[0]}`", others),
        (
            "if ids are numbers within a file: `ids = per-file`" if across else "give every document an id of its own",
            "if documents share ids on purpose, to be drawn together: `ids = shared`",
        ),
        subject=second[0],
    )
