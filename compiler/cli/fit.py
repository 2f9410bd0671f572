"""`mixc fit infolaw` and `mixc fit transfer`: the constants of laws from training runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mixc.compiler.cli.search import fit_quadmix
from mixc.compiler.cli.session import Diagnostics, here, report, show, wrong

if TYPE_CHECKING:
    from mixc.compiler.fit.tables import Reading
    from mixc.compiler.fit.written import Written
    from mixc.dsl.diagnostics import Diagnostic

Runs = Annotated[Path, typer.Argument(metavar="RUNS", help="Training runs: `.csv`, `.parquet` or `.jsonl`.")]
Output = Annotated[
    Path, typer.Option("-o", "--output", metavar="FILE", callback=here, help="Where the calibration goes, `….json`.")
]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="NAME=COLUMN", help="A column of another name: `loss=val_loss`. Repeatable."),
]
Units = Annotated[
    list[str] | None,
    typer.Option("--unit", metavar="NAME=FACTOR", help="What numbers are in: `tokens=1e9`, `share=0.01`. Repeatable."),
]
Edges = Annotated[
    str | None,
    typer.Option("--edges", metavar="A,B,…,1", help="Upper ranks of the law's buckets; those of the runs by default."),
]
Format = Annotated[Literal["text", "json"], typer.Option("--format", help="A table, or the calibration itself.")]
Law = Annotated[
    Literal["logc", "linear", "isolated"], typer.Option("--law", help="The form of the law, as in `law transfer`.")
]
Signal = Annotated[
    Literal["tokens", "info"],
    typer.Option("--signal", help="What a language learns from, as in `law transfer`: tokens, or their information."),
]
InfoLawName = Annotated[
    str, typer.Option("--infolaw", metavar="NAME", help="The calibration that gives information for `--signal info`.")
]
UNIT_NAMES = ("params", "tokens", "supply", "share", "loss")

INFOLAW_HELP = """Fit InfoLaw (theta, a, b, alpha, beta) to training runs.

One row per run: `params`, `tokens`, `loss` (nats per token), `share.0`, `share.1`, … of its tokens by bucket of
quality, the best first (or `tokens.0`, …), and `pool`, the unique tokens of the whole pool (or `supply.0`, …). With
other buckets than 5, 15, 20, 20, 20 and 20 per cent, `edges`: upper ranks, as in `0.1 0.5 1`. `run` names a run.

Or one row per run and interval of ranks: `run`, `params`, `tokens`, `loss`, `low`, `high` (0 is the best rank),
`share` or `taken`, `supply` or `pool`, and if wanted `source`, `language`, `domain`.
"""

TRANSFER_HELP = """Fit the transfer law between languages to training runs.

One row per run: `params`, `tokens`, `share.CODE` (or `tokens.CODE`) of each language, `loss.CODE` (nats per token) of
each language that was evaluated; an empty share is 0, an empty loss was not measured. A `run` column names runs.

Or one row per run and language: `run`, `params`, `tokens`, `language`, `share` or `taken`, `loss`; rows of one language
that differ in `source`, `domain`, `bucket`, `low` or `high` are summed.
"""

fit = typer.Typer(
    name="fit",
    help='Laws from training runs, for `law … { calibration = "FILE" }`.',
    no_args_is_help=True,
    rich_markup_mode=None,
)


@fit.command("infolaw", help=INFOLAW_HELP)
def infolaw(
    runs: Runs,
    output: Output,
    edges: Edges = None,
    columns: Columns = None,
    units: Units = None,
    form: Format = "text",
    diagnostics: Diagnostics = "full",
) -> int:
    """Fit InfoLaw to training runs."""
    reading, buckets = _reading(columns, units), _edges(edges)
    from mixc.compiler.fit.infolaw_file import fit_infolaw_file

    made, found = fit_infolaw_file(runs, output.stem, reading, buckets)
    return _finish(made, found, runs, output, form, diagnostics)


@fit.command("transfer", help=TRANSFER_HELP)
def transfer(
    runs: Runs,
    output: Output,
    law: Law = "logc",
    signal: Signal = "tokens",
    calibration: InfoLawName = "infolaw-2605.02364",
    columns: Columns = None,
    units: Units = None,
    form: Format = "text",
    diagnostics: Diagnostics = "full",
) -> int:
    """Fit the transfer law to training runs."""
    reading = _reading(columns, units)
    from mixc.compiler.fit.transfer_file import Request, fit_transfer_file
    from mixc.compiler.laws.calibration import load_infolaw, to_info_law

    information = None
    if signal == "info":
        loaded, problems = load_infolaw(calibration, Path(), None)
        if loaded is None:
            return report(problems, diagnostics)
        information = to_info_law(loaded[0])
    made, found = fit_transfer_file(runs, output.stem, reading, Request(law, information))
    return _finish(made, found, runs, output, form, diagnostics)


# A command of another part, `mixc fit quadmix`, adds itself to `fit` from a module of its own.


def _finish(
    made: Written | None, found: list[Diagnostic], runs: Path, output: Path, form: str, diagnostics: Diagnostics
) -> int:
    """Write the calibration and say what it holds."""
    if made is None:
        return report(found, diagnostics)
    from mixc.compiler.fit.written import write_calibration

    code = report([*found, *write_calibration(made, output, runs)], diagnostics)
    if code == 0:
        show(made.content if form == "json" else f"{made.report}wrote {output}\n")
    return code


def _reading(columns: list[str] | None, units: list[str] | None) -> Reading:
    """`--column` and `--unit`, each name once."""
    from mixc.compiler.fit.tables import Reading

    named = _pairs(columns, "--column", "loss=val_loss")
    factors = {}
    for name, word in _pairs(units, "--unit", "tokens=1e9").items():
        if name not in UNIT_NAMES:
            wrong(f"`--unit {name}={word}`: units are of {', '.join(UNIT_NAMES)}")
        try:
            factors[name] = float(word)
        except ValueError:
            wrong(f"`--unit {name}={word}`: the factor is a number, as in `{name}=1e9`")
        if not 0 < factors[name] < float("inf"):
            wrong(f"`--unit {name}={word}`: the factor is above 0")
    return Reading(named, factors)


def _pairs(given: list[str] | None, option: str, example: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for one in given or ():
        name, equals, value = one.partition("=")
        if not equals or not name.strip() or not value.strip():
            wrong(f"`{option} {one}` says nothing: write `{option} {example}`")
        if name.strip() in pairs:
            wrong(f"`{option}` gives `{name.strip()}` twice")
        pairs[name.strip()] = value.strip()
    return pairs


def _edges(text: str | None) -> tuple[float, ...] | None:
    """`--edges 0.05,0.2,1`."""
    if text is None:
        return None
    try:
        edges = tuple(float(word) for word in text.split(","))
    except ValueError:
        wrong(f"`--edges {text}`: ranks are numbers, as in `0.05,0.2,1`")
    if not all(a < b for a, b in zip((0.0, *edges), edges, strict=False)) or edges[-1] != 1:
        wrong(f"`--edges {text}`: ranks rise, and end in 1")
    return edges


fit.command("quadmix")(fit_quadmix)
