"""What can be wrong with looking for benchmark items in a pool: M680 to M687."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.dsl.diagnostics import Diagnostic, Severity, page
from mixc.dsl.wording import listed, plain


@page("M680")
def no_items(root: str, example: str) -> Diagnostic:
    """a folder holds no benchmark items

    The items of a task lie in `ROOT/CONFIG/test.jsonl`, the files that exported tasks load with `--dataset-root`.

    What to do: name the folder that holds the configurations.
    """
    return Diagnostic("M680", f"`{plain(root, 80)}` holds no items of the plan", subject=plain(root, 80), helps=(
        f"name the folder that holds, for example, `{example}`",
    ))  # fmt: skip


@page("M681")
def broken_item(name: str, line: int, why: str) -> Diagnostic:
    """a line of benchmark items cannot be used

    Every line is a JSON object with `prompt`, `choices`, `label` (the number of the right option) and `_id`.

    What to do: fetch the file again.
    """
    return Diagnostic("M681", f"line {line:,} of `{name}` {why}", subject=f"{name}:{line}", helps=(
        "write one JSON object a line, with `prompt`, `choices`, `label` and `_id`",
    ))  # fmt: skip


@page("M682")
def missing_items(names: Sequence[str], planned: int) -> Diagnostic:
    """items of some tasks are not there

    A warning: these tasks of the plan have no file, so that nothing was looked for.

    What to do: fetch the files, if their tasks are to be evaluated.
    """
    return Diagnostic(
        "M682",
        f"{len(names)} of {planned} tasks have no items to look for: {listed(names)}",
        helps=("fetch their files, if these tasks are to be evaluated",),
        severity=Severity.WARNING,
    )


@page("M683")
def no_texts(source: str) -> Diagnostic:
    """a source has no texts to look in

    The recipe names no column of texts for the source, or its data has none.

    What to do: write `columns = { text: "…" }` in the source, scan and compile again.
    """
    return Diagnostic("M683", f"source `{source}` has no column of texts to look in", helps=(
        'name it: `columns = { text: "…" }`, then `mixc scan` and `mixc compile`',
    ))  # fmt: skip


@page("M684")
def contaminated(items: int, checked: int, documents: int, first: Sequence[str]) -> Diagnostic:
    """benchmark items were found in the pool

    Documents hold 13 words in a row of an item and its answer (26 characters in scripts without spaces). A model that
    read them knows the answers: its results say nothing about the mixture.

    What to do: take these documents out of the sources (`-o` lists them), then scan and compile again.
    """
    return Diagnostic(
        "M684",
        f"{items:,} of {checked:,} benchmark items stand in {documents:,} document{'s' if documents != 1 else ''}",
        notes=(f"first: {listed([f'`{plain(one)}`' for one in first], 4)}",),
        helps=("list them with `-o`, and take the documents out of the sources",),
    )


@page("M685")
def uncheckable(items: int, of: int) -> Diagnostic:
    """some items are too short to be looked for

    A warning: items of fewer than 8 words (16 characters in scripts without spaces), or made of words that more than
    ten items of their task share, cannot be told from ordinary text.

    What to do: nothing.
    """
    return Diagnostic(
        "M685",
        f"{items:,} of {of:,} items are too short or too common to be looked for",
        notes=("an item is known by 8 words in a row, or 16 characters, that at most ten items of its task share",),
        severity=Severity.WARNING,
    )


@page("M686")
def not_searched(parts: int, message: str) -> Diagnostic:
    """parts of the pool could not be searched

    A worker failed for a reason that has nothing to do with the data: it was killed or ran out of memory.

    What to do: run the same command again; with fewer workers if memory was short.
    """
    return Diagnostic(
        "M686",
        f"{parts:,} part{'s' if parts != 1 else ''} of the pool could not be searched: {plain(message, 200)}",
        helps=("run the same command again, with fewer `--workers` if memory was short",),
    )


@page("M687")
def other_form(name: str) -> Diagnostic:
    """a list cannot be written in this form

    Lists are Parquet or lines of JSON, told by the end of the name.

    What to do: name a file that ends in `.parquet` or `.jsonl`.
    """
    return Diagnostic("M687", f"`{name}` is neither Parquet nor lines of JSON", subject=name, helps=(
        "end the name in `.parquet` or `.jsonl`",
    ))  # fmt: skip
