"""The diagnostics of reading text: codes M001 to M010. Each docstring is the code's manual page."""

from __future__ import annotations

from collections.abc import Iterable

from mixc.dsl.diagnostics import Diagnostic, Label, page
from mixc.dsl.text import Span


@page("M001")
def unexpected(
    message: str, found: Span, label: str, *, also: Iterable[Label] = (), notes: Iterable[str] = (), help: str = ""
) -> Diagnostic:
    """Something stands where the language wants something else

    A recipe is made of three kinds of line: a declaration `kind name { … }`, an attribute `key = value` (or a limit
    `key <= value`), and a rule that begins with `require`, `prefer` or `minimize`. Lines and commas separate them. The
    line that is marked fits none of these; the label says what was expected at that place.

    mixc goes on with the next line, so one run reports every line that does not fit. Nothing is compiled while one is
    left: a recipe that was half understood would be a different mixture.

    Example:

        budget { model: 124M params }

    An attribute is written with `=`; `:` belongs between the key and the value of a map. Write:

        budget { model = 124M params }
    """
    return Diagnostic("M001", message, (Label(found, label), *also), tuple(notes), (help,) if help else ())


@page("M002")
def unpaired(
    message: str, bracket: Span, label: str, *, also: Iterable[Label] = (), notes: Iterable[str] = (), help: str = ""
) -> Diagnostic:
    """A bracket has no partner

    Every `{`, `[` and `(` is closed by its own `}`, `]` or `)`. The diagnostic points at the bracket that is left
    alone, which is often far above the place where the text stops making sense.

    A `(` or `[` counts as forgotten when the next line plainly begins another statement, or when the block around it
    ends. A `{` is only missed at the end of the file, because blocks may stand inside blocks.

    Example:

        source web {
          path = "data/*.parquet"
        budget { model = 124M params, tokens = 10B tokens }

    Close the block of `source web` before the next declaration. `mixc fmt` on a file that parses indents by bracket,
    so a block that runs on too far shows.
    """
    return Diagnostic("M002", message, (Label(bracket, label), *also), tuple(notes), (help,) if help else ())


@page("M003")
def character(message: str, found: Span, label: str, *, notes: Iterable[str] = (), help: str = "") -> Diagnostic:
    """A character means nothing in a recipe, or cannot be seen

    Outside strings and comments a recipe uses ASCII names, numbers, and the signs
    `{ } [ ] ( ) = <= >= == < > + - * / , : .` and `..`. Signs of other languages (`!=`, `&&`, `;`) have no meaning
    here; the help line says what is written instead.

    Invisible characters are refused everywhere, in strings and comments too: controls, soft hyphens, zero-width
    spaces, and the marks that turn the direction of text. They make a reviewer read another recipe than the one that
    is compiled. The joiners U+200C and U+200D, which some scripts need, may stand in strings and comments. They are
    shown as `<U+202E>`.

    Example:

        require share(en) >= 30% && share(de) >= 5%

    Write one `require` per condition. Names with other letters go into quotes: `share("Künste")`.
    """
    return Diagnostic("M003", message, (Label(found, label),), tuple(notes), (help,) if help else ())


@page("M004")
def string(message: str, found: Span, label: str, *, notes: Iterable[str] = (), help: str = "") -> Diagnostic:
    r"""A string is not written as strings are

    Strings stand between double quotes and end on the line they begin. Four escapes exist: `\"`, `\\`, `\n` and `\t`.
    `${name}` puts in the value of a `param`; nothing else is replaced.

    Example:

        path = 'C:\data\*.parquet'

    Write double quotes, and a backslash twice (or a forward slash, which works everywhere):

        path = "C:/data/*.parquet"
    """
    return Diagnostic("M004", message, (Label(found, label),), tuple(notes), (help,) if help else ())


@page("M005")
def number(message: str, found: Span, label: str, *, notes: Iterable[str] = (), help: str = "") -> Diagnostic:
    """A number is not written as numbers are

    A number begins with a digit: `10`, `0.5`, `1_000_000`, `3e21`. Glued to it may stand `%` or one of `K`, `M`, `B`,
    `T` (thousand, million, billion, trillion; capitals). The unit follows after a space: `1.2B params`,
    `20 tokens/param`.

    Example:

        model = 7Bparams

    Here it is unclear where the number ends. Write:

        model = 7B params
    """
    return Diagnostic("M005", message, (Label(found, label),), tuple(notes), (help,) if help else ())


@page("M006")
def header(message: str, found: Span, label: str, *, notes: Iterable[str] = (), help: str = "") -> Diagnostic:
    """The first line does not name the recipe

    A recipe begins with `recipe` and its name, before every other statement; comments may stand above. The name
    identifies the recipe in manifests. A recipe that builds on another says so on the same line.

    Example:

        recipe "my mixture"

    A name is one word of ASCII letters, digits, `_` and `-`, without quotes:

        recipe my-mixture
        recipe my-mixture extends "base.mix"
    """
    return Diagnostic("M006", message, (Label(found, label),), tuple(notes), (help,) if help else ())


@page("M007")
def too_deep(message: str, found: Span, label: str, *, help: str = "") -> Diagnostic:
    """Brackets or operators are nested too deeply

    More than 100 brackets inside each other, or an expression that chains more than about 100 operators, is refused
    before it is parsed. No recipe that a person reviews comes near it; generated text may.

    Example: a sum of the shares of 150 languages. Name them once and write the rule over the name:

        group small = [aa, ab, af]
        require share(small) <= 20%
    """
    return Diagnostic("M007", message, (Label(found, label),), (), (help,) if help else ())


@page("M008")
def too_large(message: str, subject: str, found: Span | None = None, *, help: str = "") -> Diagnostic:
    """A recipe or one of its lines is too large to be one

    A recipe is at most 1 MB, a line at most 65,536 characters. A larger file is nearly always data given by mistake in
    place of a recipe: a catalog, a shard, a manifest.

    Example: `mixc check data/web/000.jsonl`. Give the recipe, and name the data inside it:

        source web { path = "data/web/*.jsonl" }

    Large tables of published sizes go into a CSV or Parquet file that `supply = "sizes.csv"` names.
    """
    labels = (Label(found),) if found else ()
    return Diagnostic("M008", message, labels, (), (help,) if help else (), subject=None if found else subject)


@page("M009")
def unreadable(message: str, subject: str, *, notes: Iterable[str] = (), help: str = "") -> Diagnostic:
    """A recipe cannot be read

    The file is missing, is a folder, or may not be read by this user. Names are taken relative to the current folder;
    names inside `extends` and `import` are relative to the recipe that says them.

    Example: `mixc check recipes/` names a folder. Give one file:

        mixc check recipes/polyglot17.mix
    """
    return Diagnostic("M009", message, (), tuple(notes), (help,) if help else (), subject=subject)


@page("M010")
def not_text(message: str, place: Span | str, label: str, *, notes: Iterable[str] = (), help: str = "") -> Diagnostic:
    """A recipe is not plain UTF-8 text

    Recipes are UTF-8 without a byte order mark and without NUL bytes; lines end in LF or CRLF. Other encodings are
    refused, not guessed: a wrong guess would change names silently. The diagnostic names the first offending byte.

    Example: a recipe saved by an editor as "Unicode" is UTF-16. Save it as UTF-8, or convert it:

        iconv -f UTF-16 -t UTF-8 old.mix > new.mix
    """
    labels = (Label(place, label),) if isinstance(place, Span) else ()
    subject = place if isinstance(place, str) else None
    return Diagnostic("M010", message, labels, tuple(notes), (help,) if help else (), subject=subject)
