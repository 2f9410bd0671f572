"""What can be wrong with the documents of a source: one function per code, its docstring the manual page."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.dsl.diagnostics import Diagnostic, page
from mixc.dsl.suggest import suggest
from mixc.dsl.text import Span
from mixc.dsl.wording import at, listed, plain

FETCH = "fetch or write it again"


@page("M500")
def no_file(pattern: str, span: Span | None, found: str) -> Diagnostic:
    """No file matches a path.

    `path` of a source is a file, a folder, a pattern such as `crawl/**/*.parquet`, or a list of them; relative paths
    are seen from the folder of the recipe. Names that begin with `.` or `_` are not documents and never match; in a
    folder, only files are taken whose ending says what they are (`.parquet`, `.jsonl`, `.jsonl.gz`, `.jsonl.zst`,
    `.arrow`).

    Check the spelling, and that the data is on this machine.
    """
    shown = plain(pattern, 80)
    return Diagnostic(
        "M500",
        f"no file of documents matches `{shown}`",
        at(span),
        (found,) if found else (),
        ("relative paths are seen from the folder of the recipe",) if "://" not in pattern else (),
        subject=shown,
    )


@page("M501")
def unknown_format(name: str, span: Span | None) -> Diagnostic:
    """The format of a file is not known.

    The ending of the name says the format: `.parquet`, `.jsonl` (also `.ndjson` and `.json` with one object per line;
    `.gz` and `.zst` may follow), or `.arrow` for a folder that Hugging Face `datasets` saved. The file has another
    ending, and the source does not say `format`.

    Say `format = jsonl` (or `parquet`) in the source, or make the pattern narrower: `data/*.jsonl`.
    """
    return Diagnostic(
        "M501",
        f"the name of `{name}` does not say its format",
        at(span),
        ("known endings: .parquet, .jsonl, .jsonl.gz, .jsonl.zst, .arrow",),
        ("add `format = jsonl` or `format = parquet` to the source, or make the pattern narrower",),
        subject=name,
    )


@page("M502")
def unopenable(name: str, reason: str, span: Span | None = None, *helps: str) -> Diagnostic:
    """A file of documents cannot be opened.

    It was there when files were listed and has vanished since, or this user may not read it, or the disk reports an
    error.

    Restore the file, or change who may read it; then run the same command again.
    """
    reason = f"{reason[:1].lower()}{reason[1:]}"
    return Diagnostic("M502", f"`{name}` cannot be read: {reason}", at(span), (), helps, subject=name)


@page("M503")
def unreachable(name: str, reason: str, span: Span | None = None) -> Diagnostic:
    """An object store does not answer, answers in part, or refuses.

    The address is `s3://`, `gs://`, `hf://` or another remote one. The network is down, the endpoint or bucket is
    wrong, or credentials are absent or have expired. What may pass, as a request to slow down or an answer that is cut
    off, was tried again for half a minute. mixc takes credentials from where the store's own tools do: `AWS_…`
    variables and `~/.aws`, application default credentials of Google Cloud, `HF_TOKEN`.

    List the address with the store's own tool from the same shell first.
    """
    return Diagnostic(
        "M503",
        f"`{name}` cannot be reached",
        at(span),
        (f"the store says: {plain(reason, 200)}",) if reason else (),
        ("check the address, the network and the credentials of this shell",),
        subject=name,
    )


@page("M504")
def no_driver(name: str, scheme: str, span: Span | None = None) -> Diagnostic:
    """Support for an object store is not installed.

    `s3://`, `gs://` and `hf://` need packages that mixc does not install by itself.

    Install them: `pip install "mixc[remote]"`.
    """
    return Diagnostic(
        "M504",
        f"`{name}` cannot be opened: nothing is installed for `{scheme}://`",
        at(span),
        (),
        ('`pip install "mixc[remote]"`',),
        subject=name,
    )


@page("M505")
def broken_footer(name: str, reason: str) -> Diagnostic:
    """A Parquet file cannot be opened.

    A Parquet file ends with its footer, so a broken download shows first here; or the file is not Parquet in spite of
    its name, or it is empty.

    Fetch or write the file again.
    """
    return Diagnostic(
        "M505",
        f"`{name}` is not a complete Parquet file",
        (),
        (f"the reader says: {plain(reason, 200)}",),
        (FETCH,),
        subject=name,
    )


@page("M506")
def broken_group(name: str, group: int, groups: int, reason: str) -> Diagnostic:
    """A row group of a Parquet file is damaged.

    The footer is sound, but data that it points at cannot be decoded or does not match its checksum. Row groups are
    counted from 0.

    Fetch or write the file again.
    """
    return Diagnostic(
        "M506",
        f"`{name}` is damaged in row group {group} of {groups}",
        (),
        (f"the reader says: {plain(reason, 200)}",),
        (FETCH,),
        subject=name,
    )


@page("M507")
def broken_compression(name: str, line: int, reason: str, truncated: bool) -> Diagnostic:
    """A compressed file is truncated or damaged.

    A gzip or zstd file ends before its last part is complete, or bytes of it cannot be decompressed. What was read
    before is not used, because nobody knows how much is missing. A file that was cut exactly between two parts that
    are complete in themselves looks whole; the content hash in the lock still tells.

    Fetch or write the file again. A file that is not compressed must not end in `.gz` or `.zst`.
    """
    return Diagnostic(
        "M507",
        f"`{name}` is truncated after line {line:,}" if truncated else f"`{name}` cannot be decompressed",
        (),
        (f"the reader says: {plain(reason, 200)}",) if not truncated else (),
        (FETCH,) if truncated else (f"{FETCH}; a file that is not compressed must not end in `.gz` or `.zst`",),
        subject=name,
    )


@page("M508")
def bad_line(name: str, line: int, reason: str) -> Diagnostic:
    """A line is not a JSON object.

    JSONL has one complete JSON object per line, in UTF-8. Blank lines are passed over. A JSON array over the whole
    file, or an object spread over several lines, is not JSONL. A key that mixc reads must not stand twice in an
    object. Lines are counted from 1, blank ones too.

    Repair the line, or write the file with one object per line: `jq -c '.[]' in.json > out.jsonl`. A source with
    `bad_lines = skip` passes over such lines, and `mixc scan` says how many there were.
    """
    help_ = "repair the line, or pass over such lines: `bad_lines = skip` in the source"
    if "array" in reason and line == 1:
        help_ = "write one object per line: `jq -c '.[]' in.json > out.jsonl`"
    return Diagnostic("M508", f"line {line:,} of `{name}` {reason}", (), (), (help_,), subject=f"{name}:{line}")


@page("M509")
def broken_arrow(name: str, reason: str) -> Diagnostic:
    """An Arrow file is truncated or damaged.

    Files with the ending `.arrow` are Arrow streams or files, as Hugging Face `datasets` saves them. This one does
    not end as such a file does, or its batches cannot be decoded: the program that wrote it may have been stopped.

    Save the dataset again.
    """
    return Diagnostic(
        "M509",
        f"`{name}` is not a complete Arrow file",
        (),
        (f"the reader says: {plain(reason, 200)}",),
        (FETCH,),
        subject=name,
    )


@page("M510")
def missing_column(name: str, column: str, role: str, found: Sequence[str]) -> Diagnostic:
    """A column is not in the documents.

    A column that the recipe names, in `columns` of the source or as `column` of a rater, is absent from a file. The
    note lists what the file has. A field inside a column is written with a dot: `meta.lang`. Names are compared with
    regard to case. In JSONL a key may be absent from some lines, but not from all. A file needs the column of a rater
    only if it holds documents of a domain that weighs the rater.

    Name the right column, `columns = { language: "lang" }`, or split the files into two sources.
    """
    meant = suggest(column, found) or next((leaf for leaf in found if leaf.rpartition(".")[2] == column), None)
    return Diagnostic(
        "M510",
        f"`{name}` has no column `{plain(column)}` for {'a ' if role == 'score' else 'the '}{role}",
        (),
        (f"columns found: {listed(found, 16)}" if found else "it has no columns",),
        (f"did you mean `{plain(meant)}`?",) if meant else (),
        subject=name,
    )


@page("M511")
def wrong_type(name: str, column: str, role: str, found: str, place: str = "") -> Diagnostic:
    """A column holds something else than it is read for.

    Text is strings. Ids, languages and domains are strings, or whole numbers, which are read as written. Tokens are
    whole numbers. Scores are numbers. Nothing else is converted, because a guess here changes what is trained on.

    Name another column, or convert it when the data is written.
    """
    wanted = {"text": "strings", "tokens": "whole numbers", "score": "numbers"}.get(role, "strings or whole numbers")
    where = f"{place} of `{name}`: column" if place else f"`{name}`: column"
    help_ = "name another column, or convert it when the data is written"
    if "fields" in found:
        help_ = f'`{plain(column)}` has fields of its own; write `"{plain(column)}.FIELD"`'
    return Diagnostic(
        "M511",
        f"{where} `{plain(column)}` holds {found}, but {'a score' if role == 'score' else role} is read from {wanted}",
        (),
        (),
        (help_,),
        subject=name,
    )


@page("M512")
def null_id(name: str, column: str, place: str, count: int) -> Diagnostic:
    """A document has no id.

    Where a source has a column of ids, every document has one: the id decides, by a hash, whether and how often the
    document is taken. A null would be one id for many documents.

    Fill the ids in, or leave `id` out of `columns`: then the hash of the text is the id.
    """
    return Diagnostic(
        "M512",
        f"{place} of `{name}`: `{plain(column)}` is null, but every document needs an id",
        (),
        (f"null in {count:,} rows that were read together",) if count > 1 else (),
        ("fill it in, or leave `id` out of `columns`: then the hash of the text is the id",),
        subject=name,
    )


@page("M513")
def bad_tokens(name: str, column: str, place: str, value: str, count: int) -> Diagnostic:
    """A count of tokens is not a whole number of at least 1.

    It is zero, negative, null, not finite, or has a fraction. Budgets are kept in tokens, so a wrong count is never
    passed over. Rows and lines are counted from 1.

    Leave documents without tokens out of the data, or leave `tokens` out of `columns`: then they are estimated from
    the text.
    """
    return Diagnostic(
        "M513",
        f"{place} of `{name}`: `{plain(column)}` is {value}, but a document has at least 1 token",
        (),
        (f"so it is in {count:,} rows that were read together",) if count > 1 else (),
        ("leave such documents out of the data, or `tokens` out of `columns`",),
        subject=name,
    )


@page("M514")
def not_utf8(name: str, column: str, place: str) -> Diagnostic:
    """A column of strings holds bytes that are not UTF-8.

    The file says that the column is text, or it holds bytes that are read as text, but some of them are no UTF-8. The
    writer used another encoding, or the data is damaged.

    Write the column as UTF-8.
    """
    return Diagnostic(
        "M514", f"{place} of `{name}`: `{plain(column)}` is not UTF-8", (), (), ("write it as UTF-8",), subject=name
    )
