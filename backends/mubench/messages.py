"""What can be wrong with an evaluation plan and with files of samples: M660 to M670."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.dsl.diagnostics import Diagnostic, Severity, page
from mixc.dsl.text import Span
from mixc.dsl.wording import at, listed, plain

AGAIN = "run the evaluation again with the exported command"


@page("M660")
def uncovered_languages(codes: Sequence[str], panel: str, span: Span | None) -> Diagnostic:
    """languages are not covered by the evaluation

    A warning: the suite has no task in these languages, so nothing will be known of what the mixture does for them.
    MuBench has 61 languages; the guard panel has those of INCLUDE and Global-MMLU-Lite.

    What to do: nothing, or evaluate these languages with something else.
    """
    return Diagnostic(
        "M660",
        f"the panel `{panel}` has no task in {listed([f'`{code}`' for code in codes], 12)}",
        at(span, "evaluated with this"),
        ("the plan says so; these languages are trained and not evaluated",),
        severity=Severity.WARNING,
    )


@page("M661")
def nothing_covered(panel: str, span: Span | None) -> Diagnostic:
    """no language of the recipe is covered by the evaluation

    A warning: the plan holds English alone, as the language that others are compared with, or nothing at all.

    What to do: remove the `evaluate` block, or choose another panel.
    """
    return Diagnostic(
        "M661",
        f"the panel `{panel}` covers no language of the recipe",
        at(span, "evaluates none of them"),
        severity=Severity.WARNING,
        helps=("remove the `evaluate` block, or choose another panel",),
    )


@page("M662")
def no_results(folder: str) -> Diagnostic:
    """a folder holds no results

    lm-evaluation-harness writes `samples_TASK_TIME.jsonl` below its output path when it is called with
    `--log_samples`. Agreement between languages is counted from these files; averages alone do not suffice.

    What to do: name the folder given as `--output_path`; evaluate with `--log_samples`.
    """
    return Diagnostic("M662", f"`{plain(folder, 80)}` holds no samples of MuBench", subject=plain(folder, 80), helps=(
        "name the folder of `--output_path`, and evaluate with `--log_samples`",
    ))  # fmt: skip


@page("M663")
def unknown_tasks(names: Sequence[str]) -> Diagnostic:
    """results are of tasks that are not in the plan

    A warning: samples of other tasks, of other languages, or of other panels are left out.

    What to do: nothing; or `--panel` with the panel that was run.
    """
    return Diagnostic(
        "M663",
        f"{len(names)} task{'s are' if len(names) > 1 else ' is'} not part of the plan: {listed(names)}",
        notes=("their samples are left out",),
        severity=Severity.WARNING,
    )


@page("M664")
def several_runs(task: str, names: Sequence[str]) -> Diagnostic:
    """several runs claim the same task

    Of several runs of one model the newest counts, by the time in the name of the file. Files of two models, or two
    files of the same time, cannot be told apart that way, and a mixture of them would compare languages of one model
    with languages of another.

    What to do: name the folder of one model; remove what is not meant.
    """
    return Diagnostic(
        "M664",
        f"`{task}` has samples of several runs that cannot be ordered",
        notes=(f"found: {listed(names, 4)}",),
        helps=("name the folder of one model, or remove what is not meant",),
        subject=names[0],
    )


@page("M665")
def broken_sample(name: str, line: int, why: str) -> Diagnostic:
    """a line of samples cannot be used

    Every line is one item: the document with `_id`, `choices` and `label`, and one log-likelihood per option in
    `filtered_resps`. A line that is cut short, not JSON, or without one of these would be an item that one language
    has and others have not.

    What to do: run the evaluation of this task again.
    """
    return Diagnostic("M665", f"line {line:,} of `{name}` {why}", subject=f"{name}:{line}", helps=(AGAIN,))


@page("M666")
def empty_samples(name: str) -> Diagnostic:
    """a file of samples has no line

    The run was stopped before it wrote anything, or the disk was full.

    What to do: run the evaluation of this task again.
    """
    return Diagnostic("M666", f"`{name}` is empty", subject=name, helps=(AGAIN,))


@page("M667")
def repeated_items(name: str, id: str, count: int) -> Diagnostic:
    """an item stands twice in a file of samples

    Ids align the items of all languages. A second line of the same id would count it twice, or contradict the first.

    What to do: run the evaluation of this task again into a fresh folder.
    """
    others = (f"{count:,} lines repeat an id that stands before them",) if count > 1 else ()
    return Diagnostic(
        "M667", f"the item `{plain(id)}` stands twice in `{name}`", notes=others, subject=name, helps=(AGAIN,)
    )


@page("M668")
def other_items(dataset: str, languages: Sequence[str], common: int, union: int, *, tolerable: bool) -> Diagnostic:
    """languages were evaluated on different items

    Languages are compared item by item. Some sets lack a few items in some languages (WinoGrande has 1,210 to 1,213):
    up to 2 % of the items may be missing somewhere and are left out everywhere, which is a warning. More means that
    runs of different size or of different versions were mixed, which is an error.

    What to do: evaluate all languages with the same data and the same `--limit`.
    """
    return Diagnostic(
        "M668",
        f"the languages of `{dataset}` have {common:,} of {union:,} items in common",
        notes=(f"not every item: {listed([f'`{code}`' for code in languages])}",),
        helps=() if tolerable else ("evaluate all languages with the same data and the same `--limit`",),
        severity=Severity.WARNING if tolerable else Severity.ERROR,
    )


@page("M669")
def option_count(name: str, id: str, found: int, low: int, high: int | None) -> Diagnostic:
    """an item has a number of options that its set does not have

    The number of options decides what guessing scores. HellaSwag has four, ARC three to five, BMLAMA two to ten.

    What to do: check the data that the task was run on.
    """
    known = f"{low}" if low == high else f"{low} to {high}" if high is not None else f"{low} or more"
    return Diagnostic(
        "M669",
        f"the item `{plain(id)}` in `{name}` has {found} option{'s' if found != 1 else ''}, not {known}",
        subject=name,
        helps=("check the data that the task was run on",),
    )


@page("M670")
def unaligned_options(
    dataset: str, what: str, ids: Sequence[str], languages: Sequence[str], total: int, *, tolerable: bool
) -> Diagnostic:
    """the options of an item differ between languages

    An item must have as many options in every language, and the right one at the same place: agreement is counted by
    the number of the option. Up to 2 % of the items may differ and are left out, which is a warning; more is an error.

    What to do: check the data; options must not be shuffled, or shuffled alike in all languages.
    """
    return Diagnostic(
        "M670",
        f"{len(ids):,} of {total:,} items of `{dataset}` have {what} in other languages",
        notes=(
            f"items: {listed([f'`{plain(one)}`' for one in ids], 4)}",
            f"languages: {listed([f'`{code}`' for code in languages])}",
        ),
        helps=() if tolerable else ("keep the options in one order in all languages",),
        severity=Severity.WARNING if tolerable else Severity.ERROR,
    )
