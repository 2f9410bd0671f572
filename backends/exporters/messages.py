"""What can be wrong with an export for a trainer: M703 to M709, M800 to M809."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.compiler.export import WORDS
from mixc.compiler.review.words import share as percent
from mixc.compiler.review.words import tokens
from mixc.dsl.diagnostics import Diagnostic, Severity, page
from mixc.dsl.suggest import suggest
from mixc.dsl.wording import listed, plain

LONG = 120


@page("M703")
def no_place(name: str, runnable: bool) -> Diagnostic:
    """an export does not know where the data lie

    A manifest says how much is read of each source, language, domain and quality bucket. A trainer has to be told where
    that lies: either the texts that `mixc run --materialize` wrote, or data that you have, by a pattern with
    `{source}`, `{language}`, `{domain}`, `{bucket}` or `{phase}` in it. A manifest that was planned from published
    sizes has no texts, so it needs a pattern; what it gives are weights.

    Example: `--data "s3://corpus/{source}/{language}"`, `--run selection`
    """
    helps = ['give a pattern: `--data "corpus/{source}/{language}/{bucket}"`']
    if runnable:
        helps.insert(0, "give a run with texts: `mixc run M -o selection --materialize`, then `--run selection`")
    return Diagnostic("M703", f"nothing says where the data of `{plain(name)}` lie", helps=tuple(helps))


@page("M704")
def bad_pattern(pattern: str, found: str) -> Diagnostic:
    """a pattern of places cannot be read

    A pattern is a path in which words in braces stand for a cell's parts: `{phase}`, `{source}`, `{language}`,
    `{domain}`, `{bucket}` (0 is the best). Anything else in braces is a mistake; `{{` is a brace.

    Example: `--data "corpus/{source}/{language}/{bucket}"`
    """
    close = suggest(found.strip("{}"), WORDS)
    return Diagnostic(
        "M704",
        f"`--data {plain(pattern, LONG)}` holds {plain(found, LONG)}",
        notes=(f"words: {', '.join('{' + word + '}' for word in WORDS)}",),
        helps=("write {" + close + "}",) if close else ('write `--data "corpus/{source}/{language}/{bucket}"`',),
    )


@page("M705")
def missing(option: str, why: str) -> Diagnostic:
    """a trainer needs to be told something that the manifest does not say

    Shares of sequences need the length of a sequence, phases that start at steps need the sequences of a step, and
    texts need a tokenizer.

    What to do: give the option.
    """
    example = {"--sequence-length": "4096", "--batch": "512", "--tokenizer": "HuggingFaceTB/SmolLM2-135M"}.get(option)
    return Diagnostic("M705", f"`{option}` is missing: {why}", helps=(f"write `{option} {example or 'VALUE'}`",))


@page("M706")
def samples_unknown(paths: Sequence[str]) -> Diagnostic:
    """a trainer draws documents, and nobody counted them

    Shares of documents follow from shares of tokens only where the tokens per document of every place are known. mixc
    does not guess them.

    What to do: give a run with texts (`--run`), or a file of counts: `--counts counts.json` with
    `{"places": {"corpus/web/en": {"documents": 1200, "tokens": 840000}}}`. The script `prepare.py` of an export writes
    one.
    """
    return Diagnostic(
        "M706",
        f"how many documents lie at {listed([f'`{path}`' for path in paths], 3)} is not known",
        helps=("give `--counts FILE.json`, or `--run DIR`",),
    )


@page("M707")
def mixed_places(path: str, share: float) -> Diagnostic:
    """places hold cells that the mixture reads unevenly

    A trainer reads a place as a whole. Where a place holds several quality buckets or domains, and the mixture reads
    them unevenly, that part of the mixture cannot be told to a trainer.

    What to do: divide the data by bucket and write `{bucket}` into the pattern, or let `mixc run --materialize` select
    documents and export with `--run`.
    """
    return Diagnostic(
        "M707",
        f"{percent(share)} of the tokens are read from other buckets or domains than decided: places hold several",
        notes=(f"most of it at `{plain(path, LONG)}`",),
        helps=(
            "write `{bucket}` and `{domain}` into `--data`",
            "or export texts: `mixc run --materialize`, `--run DIR`",
        ),
        severity=Severity.WARNING,
    )


@page("M708")
def unfit_path(path: str, program: str, what: str) -> Diagnostic:
    """a trainer cannot read a path

    Some trainers split what they read at spaces or commas, so a path may not have any.

    What to do: move the data, or link to them by a path without.
    """
    return Diagnostic(
        "M708",
        f"{program} cannot read `{plain(path, LONG)}`: {what} ends a path there",
        helps=("give a `--data` without it",),
    )


@page("M709")
def too_many_places(program: str, count: int, most: int) -> Diagnostic:
    """a mixture has more places than a trainer takes

    What to do: leave `{bucket}` or `{domain}` out of the pattern, so that a place holds more.
    """
    return Diagnostic(
        "M709",
        f"{count:,} places, and {program} takes at most {most:,}",
        helps=("leave a word out of `--data`, so that a place holds more",),
    )


@page("M800")
def weight_too_small(path: str, share: float) -> Diagnostic:
    """a share is so small that a trainer would lose it

    Trainers print and read numbers with limited precision; some take a weight of zero as a mistake, others never draw
    from it.

    What to do: bound the share from below in the recipe (`require share(x) >= 0.01%`), or leave the cell out.
    """
    return Diagnostic(
        "M800",
        f"`{plain(path, LONG)}` has a share of {share:.2g}, which a trainer would lose",
        helps=("bound it in the recipe: `require share(…) >= 0.01%`",),
    )


@page("M801")
def rounded_phases(steps: Sequence[tuple[str, int, int]]) -> Diagnostic:
    """phases do not end where a step ends

    A trainer changes phases between steps, so the tokens of a phase are rounded down to whole steps.

    What to do: nothing, or give the phases budgets that are multiples of a step.
    """
    return Diagnostic(
        "M801",
        "phases are rounded down to whole steps: "
        + ", ".join(f"`{plain(name)}` to {count:,} steps ({tokens(lost)} tokens less)" for name, count, lost in steps),
        severity=Severity.WARNING,
    )


@page("M802")
def more_than_there_is(path: str, wanted: int, available: int, most: float) -> Diagnostic:
    """a place holds less than a mixture takes of it

    What was counted at a place is less than the supply that the mixture was decided with. A trainer would go on with
    another pass without a word.

    What to do: correct the counts, or give the source its real supply and compile again.
    """
    return Diagnostic(
        "M802",
        f"the mixture takes {tokens(wanted)} tokens of `{plain(path, LONG)}`, which holds {tokens(available)}",
        notes=(f"at most {most:g} passes are allowed: {tokens(int(most * available))}",),
        helps=("compile with the supply that there is, or correct `--counts`",),
    )


@page("M803")
def rows_stand_for_copies(program: str, path: str) -> Diagnostic:
    """texts hold each document once, and a program cannot repeat them

    `mixc run --materialize` writes a document once, with the number of copies beside it. This program reads rows as
    they are.

    What to do: write them as often as they are to be read: `mixc run M -o DIR --materialize --repeat`.
    """
    return Diagnostic(
        "M803",
        f"{program} reads every row once, and rows of `{plain(path, LONG)}` stand for several copies",
        helps=("write the texts into another folder: `mixc run … -o OTHER --materialize --repeat`",),
    )


@page("M805")
def not_counted(path: str, known: Sequence[str]) -> Diagnostic:
    """a file of counts lacks a place

    Every place that the mixture reads needs its documents and tokens.

    What to do: add it, or correct the pattern so that it writes the paths of the counts.
    """
    close = suggest(path, known)
    return Diagnostic(
        "M805",
        f"`--counts` says nothing of `{plain(path, LONG)}`",
        notes=(f"it knows {listed([f'`{one}`' for one in known], 3)}",) if known else (),
        helps=(f"did you mean `{plain(close, LONG)}`?",) if close else (),
    )


@page("M806")
def nothing_there(path: str) -> Diagnostic:
    """a place that the mixture reads is empty

    What to do: correct the counts, or leave the cell out of the recipe.
    """
    helps = ("correct `--counts`, or leave what lies there out of the recipe and compile again",)
    return Diagnostic("M806", f"the mixture reads `{plain(path, LONG)}`, where nothing lies", helps=helps)


@page("M807")
def too_little(paths: Sequence[str], taken: int, length: int) -> Diagnostic:
    """a mixture takes less than one sequence of a place

    A trainer draws whole sequences, so it cannot take a part of one; the place is left out.

    What to do: nothing, or shorter sequences, or places that hold more (`{bucket}` or `{domain}` left out).
    """
    return Diagnostic(
        "M807",
        f"left out, for they give less than one sequence of {length:,} tokens: "
        f"{listed([f'`{plain(path, LONG)}`' for path in paths], 3)}",
        notes=(f"{tokens(taken)} tokens in all",),
        helps=("to keep them, give a smaller `--sequence-length`, or leave a word out of `--data`",),
        severity=Severity.WARNING,
    )


@page("M808")
def empty_phase(name: str) -> Diagnostic:
    """a phase takes nothing

    What to do: give it a budget, or take it out of the recipe.
    """
    helps = ("give it more `budget` in the recipe, or take it out",)
    return Diagnostic("M808", f"phase `{plain(name)}` takes no tokens from anywhere", helps=helps)


@page("M809")
def needs_run(program: str, runnable: bool) -> Diagnostic:
    """a program reads texts, and there is no run

    Programs that filter or copy documents need the documents that were selected, with their copies. A mixture that was
    planned from published sizes has none.

    What to do: `mixc run M -o selection --materialize`, then `--run selection`; of a planned mixture, first give the
    recipe sources with a `path`.
    """
    help = "write `mixc run … -o selection --materialize`, then `--run selection`"
    planned = "this mixture was planned from sizes: give the recipe sources with a `path` to documents"
    return Diagnostic("M809", f"{program} reads texts: `--run` is missing", helps=(help if runnable else planned,))
