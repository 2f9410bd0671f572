"""What keeps `mixc new` from writing a recipe: one function per code, its docstring the manual page."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.dsl.diagnostics import Diagnostic, Label, Severity, page
from mixc.dsl.text import Span
from mixc.dsl.wording import listed, plain


@page("M840")
def not_new(name: str, why: str, help_: str) -> Diagnostic:
    """a new recipe cannot be put there

    `mixc new` writes one new file and never over another one, whatever that holds. Nothing was changed.

    Example: `mixc new web.mix` in a folder that has a `web.mix`.

    What to do: give another name, in a folder that exists.
    """
    return Diagnostic("M840", f"cannot make a new recipe `{plain(name, 200)}`: {why}", helps=(help_,), subject=name)


@page("M841")
def no_tokens(pattern: str, columns: Sequence[str]) -> Diagnostic:
    """data without texts

    Documents are counted by their texts, or by a column that says how many tokens each has. Neither was recognised by
    its name and what it holds.

    Example: `mixc new --data "tables/*.parquet"` for files with the columns `x` and `y`.

    What to do: say which column holds the text: `--column text=NAME`. A column inside another is `meta.body`.
    """
    shown = listed([f"`{column}`" for column in columns], 12) or "none"
    return Diagnostic(
        "M841",
        f"no column of `{plain(pattern, 80)}` is known to hold texts",
        notes=(f"its columns: {shown}",),
        helps=("say which: `--column text=NAME`, or `--column tokens=NAME` where tokens were counted",),
        subject=plain(pattern, 80),
    )


@page("M842")
def columns_differ(pattern: str, role: str, with_it: str, column: str, without: str) -> Diagnostic:
    """files of one pattern hold different columns

    A source reads the same columns of all its files. Here the column that holds the text, the language or the tokens of
    one file is not in another.

    Example: `mixc new --data data` where `data/a.jsonl` has `text` and `data/b.jsonl` has `content`.

    What to do: give each kind of file as data of its own, `--data "a/*.parquet" --data "b/*.jsonl"`: each is a source.
    """
    return Diagnostic(
        "M842",
        f"the files of `{plain(pattern, 80)}` hold different columns",
        notes=(
            f"the {role} is `{plain(column)}` in `{plain(with_it, 80)}`, which `{plain(without, 80)}` does not have",
        ),
        helps=("give each kind as data of its own: `--data ONE --data OTHER`",),
        subject=plain(pattern, 80),
    )


@page("M843")
def unwritable(what: str, text: str, why: str) -> Diagnostic:
    """a name that no recipe can hold

    Recipes are UTF-8 text without characters that cannot be seen, and `${…}` in a string is a param. A folder or a file
    whose name has such characters cannot be named in a recipe.

    Example: `mixc new --data 'a${b}/*.jsonl'`

    What to do: rename it, or give a link to it.
    """
    return Diagnostic(
        "M843",
        f"{what} `{plain(text, 200)}` cannot be written in a recipe: {why}",
        helps=("rename it, or make a link to it with a plain name",),
    )


@page("M844")
def no_size(span: Span, code: str, known: int) -> Diagnostic:
    """no published size of a language

    A recipe without data is planned from sizes that corpora publish. `mixc new` knows those of the languages that have
    at least 100 MB in FineWeb-2, of English, and of code (`zxx`).

    Example: `mixc new --languages en,aak`

    What to do: leave the language out and add it to the recipe afterwards, with a size of your own in `supply`; or give
    data: `--data PATTERN`.
    """
    return Diagnostic(
        "M844",
        f"no published size of `{code}` is known",
        (Label(span, "not among them"),),
        (f"sizes of {known} languages are known, those with 100 MB and more",),
        ("leave it out and write its size into `supply` of the recipe, or give data: `--data PATTERN`",),
    )


@page("M845")
def not_in_data(span: Span, code: str, found: Sequence[str], *, column: bool, whole: bool = True) -> Diagnostic:
    """a language that the data does not hold

    All documents were read, and none is in the language; or the data has no column of languages, so that all of it is
    in one. It is a warning where only some documents were read: others may be in it.

    Example: `mixc new --data "web/*.jsonl" --languages is` where the documents are English.

    What to do: ask for languages that are there. Where a column of languages has an unusual name, say so:
    `--column language=NAME`.
    """
    what = "the data holds" if whole else "what was read of it holds"
    there = f"{what} {listed(found, 12) or 'none'}" if column else "the data has no column of languages: it is in one"
    return Diagnostic(
        "M845",
        f"{what} no documents in `{code}`" if column else "the data cannot be told apart by language",
        (Label(span, "not found" if column else "one too many"),),
        (there,),
        () if column else ("name one language, or the column: `--column language=NAME`",),
        Severity.ERROR if whole else Severity.WARNING,
    )


@page("M846")
def more_than_there_is(tokens: str, supply: str, limit: int) -> Diagnostic:
    """a budget beyond what the data gives

    The recipe was written, and every document may be read as often as it says: `epochs <= 4`. The budget asks for more
    tokens than that gives, by what `mixc new` saw of the data, so `mixc compile` will most likely find no mixture.

    Example: `mixc new --data small.jsonl --tokens 100B`

    What to do: ask for fewer tokens, add data, or raise `epochs` in the recipe.
    """
    return Diagnostic(
        "M846",
        f"the budget is {tokens} tokens, but the data gives about {supply}",
        notes=(f"`epochs <= {limit}`: each of its documents is read {limit} times at most",),
        helps=("ask for fewer with `--tokens`, add data, or raise `epochs` in the recipe",),
        severity=Severity.WARNING,
    )


@page("M847")
def no_such_column(given: str, column: str, columns: Sequence[str], meant: str | None) -> Diagnostic:
    """a column that the data does not have

    `--column ROLE=NAME` says which column of the data holds what: `id`, `text`, `language`, `domain` or `tokens`. The
    column has to be in every file of some `--data`, with values that fit; other data keeps what its names say.

    Example: `mixc new --data web.jsonl --column text=boddy`

    What to do: give the name of a column as the file has it; a column inside another is `meta.body`.
    """
    return Diagnostic(
        "M847",
        f"`--column {plain(given, 80)}`: the data has no column `{plain(column)}` that fits",
        notes=(f"its columns: {listed([f'`{one}`' for one in columns], 12)}",),
        helps=(f"did you mean `{plain(meant)}`?",) if meant else (),
    )
