"""`mixc features`: neurons that targets are compared by, out of mixc and into it, as the authors of NAG write them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mixc.compiler.cli.session import (
    AllowOutside,
    Diagnostics,
    Params,
    Recipe,
    checked,
    here,
    one_of,
    report,
    show,
    wrong,
)

if TYPE_CHECKING:
    from mixc.compiler.recipe import Recipe as CheckedRecipe
    from mixc.compiler.recipe import Target

features = typer.Typer(
    name="features",
    help="Features of documents (which neurons they activate) as files of the authors of NAG: export, import, remove.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Of = Annotated[
    str | None,
    typer.Option("--target", metavar="TARGET", help="For this target, and others that look at the same neurons."),
]
Out = Annotated[
    Path,
    typer.Option("-o", "--output", metavar="FOLDER", callback=here, help="A folder to make; it must be new or empty."),
]
Files = Annotated[
    list[Path], typer.Argument(metavar="FILE", help="Files of the documents' features, or folders of them.")
]
Examples = Annotated[
    list[str] | None,
    typer.Option(
        "--examples", metavar="TARGET=FILE", help="The features of a target's examples; else its model reads."
    ),
]
Layers = Annotated[int | None, typer.Option("--layers", min=1, help="Layers of the model, where it is not here.")]
Width = Annotated[int | None, typer.Option("--width", min=1, help="Neurons of a layer, where the model is not here.")]
Precision = Annotated[
    Literal["float32", "bfloat16", "float16", "unstated"], typer.Option("--precision", help="What the model ran in.")
]
Missing = Annotated[
    Literal["error", "skip"], typer.Option("--missing", help="What a document without features is: `skip`, no score.")
]


@features.command("export")
def export(
    recipe: Recipe,
    output: Out,
    target: Of = None,
    params: Params = None,
    allow_outside: AllowOutside = False,
    diagnostics: Diagnostics = "full",
) -> int:
    """Write what `mixc score` read as the authors' JSON lines: a file for each file of documents, and each target."""
    from mixc.compiler.cli.progress import watched
    from mixc.compiler.review.words import count
    from mixc.compiler.scan.feature_files import export_features

    read, found = checked(recipe, params, allow_outside)
    if read is None:
        return report(found, diagnostics)
    exported, problems = export_features(read, _chosen(read, target), output, watched())
    code = report([*found, *problems], diagnostics)
    if exported is not None:
        shape = exported.shape
        show(
            f"{count(exported.documents, 'document')} and {count(exported.examples, 'example')} written to "
            f"{count(exported.files, 'file')} of {output}\n"
            f"{shape.layers} layers, the {shape.top_k} most active of {shape.width:,} neurons in each: "
            f"`--num_layers {shape.layers} --top_k {shape.top_k} --feature_col {exported.column}`\n"
        )
    return code


@features.command("import")
def take_in(
    recipe: Recipe,
    files: Files,
    target: Of = None,
    examples: Examples = None,
    layers: Layers = None,
    width: Width = None,
    precision: Precision = "unstated",
    missing: Missing = "error",
    params: Params = None,
    allow_outside: AllowOutside = False,
    diagnostics: Diagnostics = "full",
) -> int:
    """Take in features that other code made of the recipe's documents: `mixc score` then reads no document for them.

    All files at once: what was imported before for the same targets is replaced.
    """
    from mixc.compiler import registry
    from mixc.compiler.cli.progress import watched
    from mixc.compiler.review.words import count
    from mixc.compiler.scan.feature_files import import_features

    read, found = checked(recipe, params, allow_outside)
    if read is None:
        return report(found, diagnostics)
    targets = _chosen(read, target)
    by_target = _examples(examples or [], [one.name for one in targets])
    coming = registry.load("score-nag").Coming(_listed(files), by_target, layers, width, precision, missing == "skip")
    made, problems = import_features(read, targets, coming, watched())
    code = report([*found, *problems], diagnostics)
    if made is not None:
        names = ", ".join(one.name for one in targets)
        show(f"features of {count(made.documents, 'document')} imported for {names}: run `mixc score {recipe}`\n")
    return code


@features.command("remove")
def remove(
    recipe: Recipe,
    target: Of = None,
    params: Params = None,
    allow_outside: AllowOutside = False,
    diagnostics: Diagnostics = "full",
) -> int:
    """Forget features that were imported: `mixc score` reads the documents again."""
    from mixc.compiler import registry
    from mixc.compiler.review.words import count

    read, found = checked(recipe, params, allow_outside)
    if read is None:
        return report(found, diagnostics)
    removed = registry.load("score-nag").remove_features(_chosen(read, target), Path(read.path).parent)
    show(f"{count(removed, 'import')} removed\n" if removed else "nothing was imported\n")
    return report(found, diagnostics)


def _chosen(recipe: CheckedRecipe, name: str | None) -> list[Target]:
    """The targets that look at the same neurons as the named one; without a name, all must."""
    from mixc.compiler.scan.feature_files import groups

    found = groups(recipe)
    names = [target.name for one in found for target in one]
    if not names:
        wrong(f"{recipe.name} compares documents with no target")
    if name is not None:
        one_of(name, names, "target")
        return next(one for one in found if name in [target.name for target in one])
    if len(found) > 1:
        listed = ", ".join(one[0].name for one in found)
        wrong(f"the targets look at different neurons: say which, `--target` one of {listed}")
    return found[0]


def _examples(pairs: list[str], names: list[str]) -> dict[str, Path]:
    """`--examples target=file`, each target once."""
    found: dict[str, Path] = {}
    for pair in pairs:
        name, equals, path = pair.partition("=")
        if not equals or not path:
            wrong(f"`--examples {pair}` names no file: write `--examples {names[0]}=FILE`")
        one_of(name, names, "target")
        if name in found:
            wrong(f"`--examples` names two files for `{name}`")
        found[name] = Path(path)
    return found


def _listed(files: list[Path]) -> tuple[Path, ...]:
    """The files, those of folders with them, each once."""
    found = [inner for path in files for inner in (sorted(path.rglob("*.jsonl")) if path.is_dir() else [path])]
    if not found:
        wrong(f"there is no file of features (`*.jsonl`) in {', '.join(map(str, files))}")
    return tuple(sorted(dict.fromkeys(found)))
