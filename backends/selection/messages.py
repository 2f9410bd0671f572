"""What can be wrong with running and verifying: M570 to M589."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mixc.dsl.diagnostics import Diagnostic, Severity, page
from mixc.dsl.suggest import suggest
from mixc.dsl.wording import listed

SHOWN = 8  # of what a diagnostic lists


@page("M570")
def not_runnable(name: str, reason: str) -> Diagnostic:
    """a manifest cannot be run

    A manifest that was planned from published sizes decides a mixture without having seen a document, so there is
    nothing to select from.

    What to do: give the sources their documents (`path`), scan, compile, and run that manifest.
    """
    return Diagnostic("M570", f"`{name}` cannot be run: {reason}", subject=name, helps=(
        "give its sources documents (`path`), then `mixc scan` and `mixc compile`",
    ))  # fmt: skip


@page("M571")
def other_run(folder: str, found: str) -> Diagnostic:
    """an output folder belongs to another run

    The folder holds the selection of another manifest. Going on would mix two selections.

    What to do: choose another folder, or remove this one if it is not needed.
    """
    return Diagnostic(
        "M571",
        f"`{folder}` holds the selection of another manifest, {found[:12]}",
        subject=folder,
        helps=("choose another folder with `-o`",),
    )


@page("M572")
def changed_file(name: str, source: str, what: str) -> Diagnostic:
    """a file of documents is not what was scanned

    A manifest is about the documents as they were scanned: supplies, ranks and expectations are theirs. A file that
    changed, came or went since would be drawn from by rules made for other documents.

    What to do: scan and compile again, and review what changes; or restore the file.
    """
    return Diagnostic("M572", f"file `{name}` of source `{source}` {what}", subject=name, helps=(
        "run `mixc scan` and `mixc compile`, and review what changes",
    ))  # fmt: skip


@page("M573")
def cannot_write_output(folder: str, why: str) -> Diagnostic:
    """the selection cannot be written

    The output folder may not be written to, or there is no room. What was finished is kept, and is not done again.

    What to do: make room or choose another folder; the same command goes on where it was.
    """
    return Diagnostic("M573", f"cannot write to `{folder}`: {why}", subject=folder, helps=(
        "make room or change permissions; the same command goes on where it was",
    ))  # fmt: skip


@page("M574")
def busy_output(folder: str) -> Diagnostic:
    """another run is writing to the folder

    Two runs of one manifest into one folder would do the same work twice, and clean up after each other.

    What to do: wait for the other run, or stop it.
    """
    return Diagnostic(
        "M574", f"another run is writing to `{folder}`", subject=folder, helps=("wait for it, or stop it",)
    )


@page("M575")
def failed_shards(places: Sequence[str], message: str) -> Diagnostic:
    """parts of the documents could not be selected from

    The worker that did it failed for a reason that has nothing to do with the data: it was killed, ran out of memory,
    or hit a bug of mixc. What others finished is kept. Row groups are counted from 0.

    What to do: run the same command again; with fewer workers if memory was short.
    """
    count, more = len(places), places[1:SHOWN]
    rest = f" and {count - SHOWN} more" if count > SHOWN else ""
    return Diagnostic(
        "M575",
        f"{count} shard{'s' * (count > 1)} failed, the first is {places[0]}: {message.splitlines()[-1][:200]}",
        notes=(*((f"also {'; '.join(more)}{rest}",) if more else ()), "what was finished is kept"),
        helps=("run the same command again; with fewer `--workers` if memory was short",),
    )


@page("M576")
def no_texts(source: str) -> Diagnostic:
    """a source has no texts to write

    `--materialize` writes the texts of the documents that were selected. The data of this source names no column that
    holds them: none is called `text`, and the recipe states none.

    What to do: state the column, `columns = { text: "..." }`, and compile again; or run without `--materialize` and
    take the texts from elsewhere by the ids of the selection.
    """
    return Diagnostic("M576", f"source `{source}` has no column of texts", subject=source, helps=(
        'state it, `columns = { text: "..." }`, and compile again', "or run without `--materialize`",
    ))  # fmt: skip


@page("M577")
def other_texts(folder: str) -> Diagnostic:
    """the texts are not those of the selection

    The number of documents or tokens written differs from the number selected: outputs of the selection or of the texts
    were changed while they were read.

    What to do: remove `texts` below the folder, run `mixc verify`, and run again.
    """
    return Diagnostic("M577", f"the texts in `{folder}` are not as many as were selected", subject=folder, helps=(
        "remove its folder `texts`, run `mixc verify`, and run again",
    ))  # fmt: skip


@page("M578")
def unreachable(cells: Sequence[str]) -> Diagnostic:
    """cells hold no document to reach their target with

    A manifest plans whole shares of a level for a cell. Where the level has very few documents, none of them may fall
    into the cell, and then no number of copies gives its tokens.

    What to do: nothing, if the tokens do not matter; else use fewer buckets, or merge domains that are this small.
    """
    return Diagnostic(
        "M578",
        f"{len(cells)} cell{'s hold' if len(cells) > 1 else ' holds'} no document to reach the planned tokens with",
        notes=(", ".join(f"`{cell}`" for cell in cells[:8]),),
        helps=("use fewer buckets, or merge small domains, if these tokens matter",),
        severity=Severity.WARNING,
    )


@page("M582")
def used_up(cells: Mapping[str, int]) -> Diagnostic:
    """cells fall short of their tokens because their documents are read as often as they may be

    A level of quality that lies across two buckets is divided by chance, so the documents of a bucket are a little more
    or less than its supply. Where they are less and the bucket is to be read as often as is allowed, `--exact` stops
    there: one copy more would break the limit.

    What to do: nothing; or loosen the limit, if these tokens matter.
    """
    return Diagnostic(
        "M582",
        f"{len(cells)} cell{'s fall' if len(cells) > 1 else ' falls'} short: no document may be read more often",
        notes=(
            f"{sum(cells.values()):,} tokens in all: "
            + ", ".join(f"`{cell}` {tokens:,}" for cell, tokens in sorted(cells.items(), key=lambda one: -one[1])[:8]),
        ),
        helps=("allow more passes (`epochs <= n`) if these tokens matter; the other cells are as planned",),
        severity=Severity.WARNING,
    )


@page("M579")
def not_exact(name: str, domain: str) -> Diagnostic:
    """a domain that is sampled by a temperature cannot be cut exactly

    `--exact` moves the place at which documents stop to be taken until every cell reaches its target. Under a
    temperature every document may be taken, by a probability; there is no such place.

    What to do: run without `--exact`, or give the domain QuaDMix's curve or buckets.
    """
    return Diagnostic(
        "M579",
        f"`--exact` cannot cut domain `{domain}`, which is sampled by a temperature",
        subject=name,
        helps=("run without `--exact`",),
    )


@page("M569")
def not_exact_after(name: str, earlier: str) -> Diagnostic:
    """a mixture that continues another cannot be cut exactly

    `--exact` moves the place at which documents stop to be taken, so it would have to know where the earlier mixture's
    run stopped; the manifest knows where it stops on average.

    What to do: run without `--exact`.
    """
    return Diagnostic(
        "M569",
        f"`--exact` cannot cut a mixture that continues `{earlier}`",
        subject=name,
        helps=("run without `--exact`",),
    )


@page("M580")
def not_as_selected(folder: str, what: Sequence[str], count: int) -> Diagnostic:
    """a selection is not what its manifest says

    Something was changed, lost or added after it was written: an output, a marker, the documents, or the manifest.
    Every line of the note names what does not agree.

    What to do: remove what is named, with its `.done.json`, and run the manifest into the folder again: it makes anew
    what is not there. It trusts a marker and the size of an output, and does not read outputs again.
    """
    more = (f"and {count - len(what)} more",) if count > len(what) else ()
    return Diagnostic(
        "M580",
        f"the selection in `{folder}` does not agree with its manifest in {count} place{'s' * (count > 1)}",
        subject=folder,
        notes=(*what, *more),
        helps=("remove what is named, with its `.done.json`, and run the manifest into the folder again",),
    )


@page("M581")
def no_selection(folder: str) -> Diagnostic:
    """a folder holds no selection

    There is no `run.json` in it: nothing was ever run into this folder, or it is not the one that was meant.

    What to do: `mixc run NAME.manifest.json -o FOLDER`.
    """
    return Diagnostic("M581", f"`{folder}` holds no selection", subject=folder, helps=("run a manifest into it first",))


@page("M583")
def unfinished(folder: str) -> Diagnostic:
    """a run has not ended: it was interrupted or still goes on, and what it selects in all is not known yet

    What to do: `mixc run NAME.manifest.json -o FOLDER` again, which goes on where it stopped.
    """
    helps = ("run the manifest into it again, which goes on where it stopped",)
    return Diagnostic("M583", f"the run into `{folder}` has not ended", subject=folder, helps=helps)


@page("M586")
def unknown_param(name: str, known: Sequence[str]) -> Diagnostic:
    """a param is none of the manifest's paths

    `--param` says to `mixc run` and `mixc verify` where files lie: it fills in `${root}` in the paths that the manifest
    keeps. Every other param of a recipe has done its work when the recipe is compiled.

    Example: `mixc run web.manifest.json -o out --param rot=/mnt/data`

    What to do: correct the name; or set the param where it decides something, `mixc compile --param`.
    """
    nearest = suggest(name, known)
    helps = (f"did you mean `{nearest}`?",) if nearest else ()
    none = "no path of this manifest has a param"
    return Diagnostic(
        "M586",
        f"no path of the manifest has a param `{name}`",
        notes=(f"params of its paths: {listed(known, 20)}" if known else none,),
        helps=helps or ("params that decide something are given to `mixc compile`",),
    )


@page("M587")
def missing_param(name: str, manifest: str) -> Diagnostic:
    """a param of the manifest's paths has no value

    The recipe gives it an absolute path, which other machines need not have, so the manifest does not state it: its
    bytes are the same wherever it was compiled.

    What to do: say where the files lie on this machine, `--param root=DIR`. A relative path is seen from the folder of
    the manifest.
    """
    return Diagnostic(
        "M587",
        f"`{name}` says where documents lie, and has no value",
        subject=manifest,
        notes=("the manifest states no path that only one machine has",),
        helps=(f"say where they lie here: `--param {name}=DIR`",),
    )


@page("M588")
def settled_param(name: str, manifest: str) -> Diagnostic:
    """a param was settled when the recipe was compiled

    The manifest is what the recipe gives with this value. `mixc run` and `mixc verify` take params that say where files
    lie, and no others: with another value the manifest would be another one.

    What to do: leave it out, or compile again with the value.
    """
    return Diagnostic("M588", f"`{name}` is no place of files: compiling has settled it", subject=manifest, helps=(
        f"leave it out, or compile again with `--param {name}=VALUE`",
    ))  # fmt: skip
