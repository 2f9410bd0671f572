"""What can be wrong with features that a user's own code made: M612 to M619."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mixc.compiler.recipe import Target
from mixc.dsl.diagnostics import Diagnostic, Severity, page
from mixc.dsl.wording import at, listed, plain


def _ids(ids: Sequence[str]) -> str:
    return listed([f"`{plain(id)}`" for id in ids], 3)


@page("M612")
def without_features(lacking: int, documents: int, ids: Sequence[str], unused: Sequence[str], skip: bool) -> Diagnostic:
    """some documents have no imported features

    Features are matched with documents by id, as text: "001" and "1" are two ids. A document whose features are not
    among those that are imported could not be ranked, and would be left out as if it were near to no target. Documents
    without text need none.

    Example: `mixc features import recipe.mix features/*.jsonl`, where a shard was forgotten.

    What to do: import all files of features at once; or write `--missing skip`, and such documents have no score.
    """
    notes = [f"without features: {_ids(ids)}"] + ([f"ids of features in no document: {_ids(unused)}"] if unused else [])
    return Diagnostic(
        "M612",
        f"{lacking:,} of {documents:,} documents have no features in the files",
        notes=("they have no score", *notes) if skip else tuple(notes),
        helps=() if skip else ("import all files at once, or leave such documents without a score: `--missing skip`",),
        severity=Severity.WARNING if skip else Severity.ERROR,
    )


@page("M613")
def unused_features(unused: int, rows: int, ids: Sequence[str]) -> Diagnostic:
    """some imported features are of no document

    A warning: features whose id no document of the recipe has are not kept. That is as it should be where the recipe
    reads a part of what the features were made for.

    What to do: nothing, or check how ids are written.
    """
    return Diagnostic(
        "M613",
        f"{unused:,} of {rows:,} features are of no document of the recipe",
        notes=(f"their ids: {_ids(ids)}",),
        severity=Severity.WARNING,
    )


@page("M614")
def unknown_shape(model: str, why: str) -> Diagnostic:
    """the number of layers and their width are not known

    The authors' files of features do not say how many layers the model has, nor how many neurons a layer. Both are
    checked: a list of another length, or a neuron beyond the width, is of another model. They are taken from the
    model's `config.json` where the model is here.

    Example: `mixc features import recipe.mix features/*.jsonl --layers 28 --width 6144`

    What to do: state both.
    """
    return Diagnostic(
        "M614",
        f"the layers of `{plain(model, 200)}` and their width are not known",
        notes=(plain(why, 200),),
        helps=("state both: `--layers 28 --width 6144`",),
    )


@page("M615")
def other_examples(target: Target, name: str, found: int, examples: int) -> Diagnostic:
    """features of a target's examples are more or fewer than its examples

    What a target looks at is the sum over its examples, in whatever order. The file of features has one row for each
    row of the target's file.

    Example: `--examples maths=features/maths.jsonl` with 100 rows, and 120 rows in `targets/maths.jsonl`.

    What to do: extract the features of the file that the recipe names.
    """
    return Diagnostic(
        "M615",
        f"`{name}` has {found:,} features, and `{target.path}` has {examples:,} examples",
        at(target.span),
        helps=("extract the features of all examples of the target",),
    )


@page("M616")
def read_here(target: Target, stated: str, precision: str, *, refused: bool = False) -> Diagnostic:
    """imported features are compared with examples that are read here

    A warning: the documents' features were imported, the target's examples are read by the model on this machine. Both
    are of one model by your word only. In another precision the K most active neurons differ where impacts are nearly
    equal, which lowers all scores a little; of another model scores mean nothing.

    For `q`, `k` and `v` this is an error: the authors' code repeats heads, or looks behind a norm, so that neurons have
    other numbers there than here.

    What to do: import the examples' features too: `--examples maths=features/maths.jsonl`.
    """
    notes = (f"imported in {stated} precision, read here in {precision}",)
    if refused:
        notes = (f"neurons of `{target.projection}` have other numbers in the authors' code than here",)
    return Diagnostic(
        "M616",
        f"features of the documents are imported, those of the examples of `{target.name}` are read here",
        at(target.span),
        notes,
        (f"import them too: `--examples {target.name}=FILE`",),
        Severity.ERROR if refused else Severity.WARNING,
    )


@page("M617")
def occupied(path: Path) -> Diagnostic:
    """there is something in the folder to write to

    `mixc features export` writes a folder whole or not at all, and never into what is there.

    What to do: name a folder that does not exist, or is empty.
    """
    return Diagnostic("M617", f"`{plain(str(path), 200)}` exists and is no empty folder", subject=str(path), helps=(
        "name another folder, or remove this one",
    ))  # fmt: skip


@page("M618")
def several_documents(id: str, total: int, places: Sequence[str]) -> Diagnostic:
    """an id is of several documents

    Imported features are matched with documents by id alone. Here documents of several sources, or of several files
    whose ids are their own (`ids = per-file`), have one id, so that it is not known whose features these are.

    What to do: give documents ids of their own, in the data and in the files of features.
    """
    more = (f"{total:,} ids are of several documents",) if total > 1 else ()
    return Diagnostic(
        "M618",
        f"the id `{plain(id)}` is of several documents, of {listed([f'`{place}`' for place in places])}",
        notes=more,
        helps=("give documents ids of their own",),
    )


@page("M619")
def not_imported(model: str, lacking: int, parts: int) -> Diagnostic:
    """documents came or changed after features were imported

    Where features were imported for a target's model, that model reads no document. Documents that are there now, and
    were not when the features were imported, have none.

    What to do: import the features again, all files at once; or remove them, `mixc features remove RECIPE`, and the
    model reads.
    """
    return Diagnostic(
        "M619",
        f"{lacking:,} of {parts:,} parts of the documents have no imported features of `{plain(model, 200)}`",
        subject=model,
        helps=("import the features of all documents again, or run `mixc features remove` on the recipe",),
    )
