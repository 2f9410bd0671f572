"""What can be wrong with documents as a whole, beyond what a reader says of one file: M550 to M569."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mixc.compiler.recipe import Rater, Source
from mixc.dsl.diagnostics import Diagnostic, Severity, page
from mixc.dsl.suggest import suggest
from mixc.dsl.text import Span
from mixc.dsl.wording import at, listed, plain


def bytes_of(size: int) -> str:
    """`1.5 GB`, decimal."""
    for unit, factor in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 1000)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size} bytes"


@page("M550")
def not_scanned(recipe: str, files: int, size: int, span: Span | None) -> Diagnostic:
    """documents were not scanned yet

    `mixc compile` needs to know what the documents hold. It reads a few megabytes by itself; more is the work of
    `mixc scan`, which shows its progress, can use many processes, and remembers what it read under `.mixc/`.

    What to do: run `mixc scan` with the recipe, then compile again.
    """
    return Diagnostic(
        "M550",
        f"{files:,} file{'s' * (files > 1)} of documents, {bytes_of(size)}, {'are' if files > 1 else 'is'} not scanned",
        at(span),
        (),
        (f"run `mixc scan {recipe}`",),
        subject=recipe,
    )


@page("M551")
def no_identity(source: Source, columns: Sequence[str]) -> Diagnostic:
    """documents have neither an id nor a text

    Whether a document is drawn depends on its id; without one, on a hash of its text. This source has neither column.

    What to do: name the column: `columns = { id: "doc_id" }`, or `columns = { text: "content" }`.
    """
    return Diagnostic(
        "M551",
        f"source `{source.name}` has neither an id nor a text",
        at(source.span),
        (f"columns found: {listed(columns, 20)}",),
        ('name one: `columns = { id: "…" }` or `columns = { text: "…" }`',),
    )


@page("M552")
def no_tokens(source: Source, columns: Sequence[str]) -> Diagnostic:
    """tokens cannot be counted

    The source names no column of token counts and has no text that could be counted.

    What to do: name one of them: `columns = { tokens: "n_tokens" }`, or `columns = { text: "content" }`.
    """
    return Diagnostic(
        "M552",
        f"source `{source.name}` has no text and no column of token counts",
        at(source.span),
        (f"columns found: {listed(columns, 20)}",),
        ('name one: `columns = { tokens: "…" }` or `columns = { text: "…" }`',),
    )


def missing_scores(
    source: Source, rater: Rater, domains: Mapping[str, int], files: Sequence[str], found: Sequence[str]
) -> Diagnostic:
    """M510 of a rater's column, which `files` of a source lack; `domains` are documents of theirs that it judges."""
    column = rater.column or rater.name
    meant = suggest(column, found)
    judged = [
        f"{count:,} documents of domain `{name}`" if count else f"domain `{name}`" for name, count in domains.items()
    ]
    several = f" and {len(files) - 1:,} more files of source `{source.name}` have" if files[1:] else " has"
    notes = [
        f"the rater judges {listed(judged, 4)} there",
        f"columns found: {listed(found, 16)}" if found else "it has no columns",
    ]
    if not rater.column:
        notes.append("the rater names no column, so one of its own name is meant")
    otherwise = f"name the column of the scores in `rater {rater.name}`, or leave it out of the weights of its domains"
    return Diagnostic(
        "M510",
        f"`{files[0]}`{several} no column `{plain(column)}` for rater `{rater.name}`",
        (*at(rater.span, "scores are read from that column"), *at(source.span, "which is not in these documents")),
        tuple(notes),
        (f"did you mean `{plain(meant)}`?" if meant else otherwise,),
    )


@page("M553")
def rater_absent(rater: Rater, language: str, scored: int, documents: int) -> Diagnostic:
    """a rater has no scores for most of a language

    More than half of the documents of a language that the rater is meant to judge have no score of it. Ranking by a
    score that is mostly absent would be a selection by who happens to have one.

    What to do: score the language, or leave the rater out of the weights of its domains.
    """
    return Diagnostic(
        "M553",
        f"rater `{rater.name}` has scores for {scored:,} of {documents:,} documents in `{language}`",
        at(rater.span),
        (f"`missing = {rater.missing}` says what a single absent score means; this is most of them",),
        ("score the language, or remove the rater from the weights of its domains",),
    )


@page("M554")
def outside_range(rater: Rater, outside: int, scored: int) -> Diagnostic:
    """scores lie outside the range of their rater

    A warning: more than one in a hundred scores lies outside the `range` that the rater declares. They count as its
    ends.

    What to do: correct the range, or find out what the scores mean.
    """
    low, high = rater.range or (0.0, 0.0)
    return Diagnostic(
        "M554",
        f"{outside:,} of {scored:,} scores of rater `{rater.name}` lie outside {low:g} .. {high:g}",
        at(rater.span),
        (),
        ("correct `range`",),
        Severity.WARNING,
    )


@page("M555")
def coarse_rater(language: str, domain: str, fill: float, span: Span | None) -> Diagnostic:
    """a score is too coarse for the buckets of quality

    A warning: one value of the merged score covers more than half of a bucket. Documents of one value are equally good
    as far as anyone knows, so they are divided among the buckets by chance, and count with their mean density.

    What to do: use finer scores (a classifier's probability, not its class), more raters, or fewer buckets.
    """
    return Diagnostic(
        "M555",
        f"one level of quality fills {fill:.0%} of a bucket of `{domain}` in `{language}`",
        at(span),
        ("documents of one level are divided among buckets by chance, and count with their mean density",),
        ("use finer scores, or fewer buckets: `quality { buckets = 3 }`",),
        Severity.WARNING,
    )


@page("M556")
def drifted(rater: str, language: str | None, index: float, recipe: str) -> Diagnostic:
    """new documents score differently from those that the tables were fitted on

    A warning: scores are turned into ranks by tables that were fitted once and are kept, so that a selection does not
    change under documents that were already read. The new files' scores are distributed so differently (population
    stability index above 0.1) that ranks mean something else for them.

    What to do: `mixc scan --refit` fits the tables anew; review what changes.
    """
    return Diagnostic(
        "M556",
        f"scores of rater `{rater}`{f' in `{language}`' if language else ''} have drifted: stability index {index:.2f}",
        (),
        ("above 0.1, ranks mean something else for the new documents",),
        (f"run `mixc scan {recipe} --refit` and review what changes",),
        Severity.WARNING,
        subject=recipe,
    )


@page("M557")
def no_documents(source: Source, empty: int, withheld: int = 0, gated: str = "") -> Diagnostic:
    """a source holds no document that counts

    Its files were read, and there is no document in them, or none with text, or none that is not held out: `holdout`
    of an `evaluate` keeps a share of all documents out of training. Or a target with `fraction` lets none of them
    through.
    """
    notes = ((f"{empty:,} documents have no text",) if empty else ()) + (
        (f"{withheld:,} documents are held out",) if withheld else ()
    )
    if gated:
        help_ = "raise `fraction`, state `scope = language`, or remove the source"
        return Diagnostic(
            "M557", f"source `{source.name}` holds no documents", at(source.span), (*notes, gated), (help_,)
        )
    help_ = "lower `holdout`" if withheld else "check `path`"
    return Diagnostic("M557", f"source `{source.name}` holds no documents", at(source.span), notes, (help_,))


@page("M558")
def failed_tasks(count: int, message: str) -> Diagnostic:
    """a part of the documents could not be read

    The worker that read it failed for a reason that has nothing to do with the data: it was killed, ran out of memory,
    or hit a bug of mixc. What other workers read is kept, and is not read again.

    What to do: run the same command again; with fewer workers if memory was short.
    """
    return Diagnostic(
        "M558",
        f"{count} part{'s' * (count > 1)} of the documents could not be read: {message.splitlines()[-1][:200]}",
        (),
        ("what was read is kept",),
        ("run the command again, with fewer `--workers` if memory was short",),
    )


@page("M559")
def no_tokenizers(name: str) -> Diagnostic:
    """tokens cannot be counted without the package `tokenizers`

    `tokens = tokenizer("…")` counts with a Hugging Face tokenizer, whose library comes with an extra of mixc.

    What to do: `pip install 'mixc[tokenizers]'`, or name a column of token counts.
    """
    return Diagnostic(
        "M559",
        f'counting with `tokenizer("{name}")` needs the package `tokenizers`, which is not installed',
        helps=("pip install 'mixc[tokenizers]'",),
    )


@page("M560")
def bad_tokenizer(name: str, why: str) -> Diagnostic:
    """a tokenizer cannot be loaded

    The name is that of a `tokenizer.json`, of a folder that holds one, or of a model on the Hugging Face hub, which has
    to be reachable then.

    What to do: give the path of a `tokenizer.json`; relative paths are seen from the folder of the recipe or of its
    manifest, else from where mixc was started.
    """
    return Diagnostic(
        "M560",
        f"the tokenizer `{name}` cannot be loaded",
        notes=(f"the library says: {' '.join(why.split())[:200]}",),
        helps=("give the path of a `tokenizer.json`, seen from the folder of the recipe",),
    )


@page("M561")
def lost_tables(path: str, recipe: str) -> Diagnostic:
    """the tables that scores are ranked by are damaged

    Scores are turned into ranks by tables that were fitted once and are kept, so that a selection does not change under
    documents that were already read. The file that holds them is there and cannot be read. Tables that are fitted anew
    are others where documents have come since, so that is not done unasked.

    What to do: put the file back from a copy, or have the tables fitted anew by `mixc scan --refit` and review what
    changes.
    """
    return Diagnostic(
        "M561",
        f"`{path}` is damaged: it holds the tables that scores are ranked by",
        (),
        ("tables fitted anew are others where documents have come since",),
        (f"put it back from a copy, or run `mixc scan {recipe} --refit` and review what changes",),
        subject=path,
    )
