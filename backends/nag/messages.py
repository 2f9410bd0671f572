"""What can be wrong with features, targets and rankings: M590 to M602."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mixc.dsl.diagnostics import Diagnostic, Severity, page
from mixc.dsl.wording import listed, plain

AGAIN = "extract the features again"


@page("M590")
def broken_features(name: str, why: str) -> Diagnostic:
    """a file of features cannot be read

    Features are a Parquet or Arrow file that mixc wrote, or JSON lines as the authors of NAG write them: an id and
    `layer_topk_value_index`, one list of whole numbers for all layers.

    What to do: extract the features again, or name the file that was meant.
    """
    return Diagnostic("M590", f"`{name}` holds no features: {plain(why, 200)}", subject=name, helps=(
        f"{AGAIN}, or name another file",
    ))  # fmt: skip


@page("M591")
def other_features(name: str, differs: Mapping[str, tuple[object, object]], *, imported: bool = False) -> Diagnostic:
    """features are not of the model and parameters that are asked for

    Neuron 17 of one model has nothing to do with neuron 17 of another, nor have two projections of one model. Features
    of documents and of targets must come from the same weights, the same projection, and as many first tokens.

    What to do: extract the features again with what the recipe names, or name in the recipe what they were made with.
    """
    return Diagnostic(
        "M591",
        f"the features {'imported for' if imported else 'in'} `{name}` were made otherwise than is asked for",
        notes=tuple(f"{key}: found {found}, asked for {asked}" for key, (found, asked) in differs.items()),
        helps=(f"{AGAIN}, or ask for what they were made with",),
        subject=name,
    )


@page("M592")
def other_shape(name: str, where: str, found: int, layers: int, top_k: int) -> Diagnostic:
    """features have another number of neurons than layers x K

    A document's feature is a list of K neurons for each of L layers, L x K in all. Another product of the same length
    cannot be told from it, so the file says L and K itself; here the length does not agree.

    What to do: give the number of layers and the K that the features were extracted with.
    """
    return Diagnostic(
        "M592",
        f"{where} of `{name}` has {found:,} neurons, not {layers} layers x {top_k}",
        subject=name,
        helps=("give the layers and the `top_k` that they were extracted with",),
    )


@page("M593")
def outside_width(name: str, id: str, neuron: int, width: int) -> Diagnostic:
    """a neuron is outside the width of its layer

    Neurons are numbered from 0 to the width of the projection. A larger number means that the features are of another
    model, or were damaged. Documents without any token have no neurons, and are marked so in all places.

    What to do: check which model the features are of; extract them again.
    """
    return Diagnostic(
        "M593",
        f"document `{plain(id)}` of `{name}` has neuron {neuron:,} in a layer of {width:,}",
        subject=name,
        helps=(f"{AGAIN} with the model that is asked for",),
    )


@page("M594")
def null_features(name: str, column: str, row: int) -> Diagnostic:
    """features or ids are missing

    Every row has an id and a feature. A document without any token has a feature too, one that marks no neuron.

    What to do: remove the row, or extract the features again.
    """
    return Diagnostic("M594", f"row {row:,} of `{name}` has no `{column}`", subject=name, helps=(
        f"remove the row, or {AGAIN}",
    ))  # fmt: skip


@page("M595")
def repeated_ids(name: str, id: str, total: int) -> Diagnostic:
    """an id stands twice among features

    Ids join features with documents. A second row of the same id would count its document twice.

    What to do: give every document an id of its own, and extract the features again; or remove the copies.
    """
    others = (f"{total:,} rows repeat an id that stands before them",) if total > 1 else ()
    return Diagnostic("M595", f"the id `{plain(id)}` stands twice in the features of `{name}`", notes=others, helps=(
        "give every document an id of its own, or remove the copies",
    ), subject=name)  # fmt: skip


@page("M596")
def no_targets(name: str, empty: int) -> Diagnostic:
    """a target has no texts

    A target is the neurons that its texts activate. Without a text, or with texts of no token only, there is nothing
    to rank documents by.

    What to do: check the path and the column of texts of the target.
    """
    note = (f"{empty:,} text{'s have' if empty > 1 else ' has'} no token",) if empty else ()
    return Diagnostic("M596", f"target `{name}` has no texts", notes=note, helps=("check its `path`",), subject=name)


@page("M597")
def empty_targets(name: str, empty: int, documents: int) -> Diagnostic:
    """some texts of a target have no token

    A warning: they activate nothing, and are left out of the target's profile.

    What to do: nothing, or remove the empty texts.
    """
    return Diagnostic(
        "M597",
        f"{empty:,} of {documents:,} texts of target `{name}` have no token and are left out",
        helps=("remove the empty texts, so that the target has as many examples as its file has rows",),
        subject=name,
        severity=Severity.WARNING,
    )


@page("M598")
def bad_fraction(fraction: float) -> Diagnostic:
    """a fraction is not within 0 % and 100 %

    `fraction` is the part of all tokens that is kept: more than 0 %, at most 100 %.
    """
    return Diagnostic("M598", f"a fraction of {fraction:.6g} cannot be kept", helps=(
        "write more than 0 % and at most 100 %",
    ))  # fmt: skip


@page("M599")
def nothing_fits(budget: int) -> Diagnostic:
    """the budget is smaller than the best document

    A warning: documents are taken from the best on, as long as they fit; here the first does not fit, so that none is
    taken. (The authors' code takes one document whatever its size.)

    What to do: keep a larger fraction.
    """
    return Diagnostic(
        "M599",
        f"the budget of {budget:,} tokens is smaller than the best document",
        notes=("no document is taken",),
        helps=("keep a larger fraction",),
        severity=Severity.WARNING,
    )


@page("M600")
def no_such_layer(layer: int, layers: int) -> Diagnostic:
    """there is no such layer

    Layers are numbered from 0; the last one is the number of layers less 1.
    """
    return Diagnostic("M600", f"there is no layer {layer} in features of {layers} layers", helps=(
        f"write layers from 0 to {layers - 1}",
    ))  # fmt: skip


@page("M601")
def bad_weights(names: Sequence[str], weights: Sequence[float]) -> Diagnostic:
    """targets have weights that cannot share a budget

    Several targets share the budget by their weights: finite numbers above 0.
    """
    pairs = zip(names, weights, strict=True)
    wrong = [f"{name}: {weight:g}" for name, weight in pairs if not 0 < weight < float("inf")]
    return Diagnostic("M601", "targets share a budget by weights above 0", notes=(listed(wrong),))


@page("M602")
def no_tokens() -> Diagnostic:
    """documents have no token counts

    A fraction is one of tokens. No document says how many it has, so that nothing could be kept, or all.

    What to do: name the column of token counts, or the texts, when features are extracted.
    """
    return Diagnostic("M602", "no document has a token count, of which a fraction could be kept", helps=(
        "name the column of token counts or of texts of the source",
    ))  # fmt: skip
