"""`mixc design quadmix` and `mixc fit quadmix`: which proxy experiments to run, and what to learn from them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mixc.compiler.cli.session import (
    AllowOutside,
    Diagnostics,
    Params,
    Recipe,
    checked,
    given_params,
    here,
    report,
    show,
    wrong,
)

if TYPE_CHECKING:
    from mixc.dsl.diagnostics import Diagnostic

COUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([KMBT]?)")
POWERS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}

Proxies = Annotated[
    Path, typer.Argument(metavar="PROXIES", help="Proxy runs, one row each: `.parquet`, `.csv` or `.jsonl`.")
]
For = Annotated[Path, typer.Option("--recipe", metavar="RECIPE", help="The recipe that the runs are for.")]
Output = Annotated[
    Path, typer.Option("-o", "--output", metavar="FILE", callback=here, help="Where what was found goes, `NAME.mix`.")
]
Losses = Annotated[
    list[str] | None,
    typer.Option("--loss", metavar="COLUMN[=WEIGHT]", help="A loss; several are a weighted mean. `loss` by default."),
]
Lambda = Annotated[
    Literal["linear", "log"] | None,
    typer.Option("--lambda", help="How lambda was drawn, 1000 U or 1000^U; as the table says by default."),
]
Cap = Annotated[
    float | None, typer.Option("--cap", metavar="SHARE", help="The largest share that a domain of a mixture may get.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Another seed, other draws.")]
Runs = Annotated[int, typer.Option("--runs", min=1, max=100_000, metavar="N", help="How many experiments.")]
Folder = Annotated[
    Path, typer.Option("-o", "--output", metavar="DIR", callback=here, help="Where the experiments go, a new folder.")
]
Drawn = Annotated[
    Literal["linear", "log"],
    typer.Option("--lambda", help="How lambda is drawn: 1000 U or 1000^U. The paper can be read either way."),
]
Manifests = Annotated[bool, typer.Option("--manifests/--recipes", help="Compile them too, or write recipes alone.")]
Mixtures = Annotated[bool, typer.Option("--mixtures", help="Vary the shares of domains instead (RegMix).")]
Model = Annotated[str, typer.Option("--model", metavar="PARAMS", help="Size of the proxies, such as `1M`.")]
Tokens = Annotated[
    str | None,
    typer.Option(
        "--tokens",
        metavar="TOKENS",
        help="Budget of each, such as `1B`; else what the pool's median draw takes, 1M at least.",
    ),
]

design = typer.Typer(
    name="design",
    help="Proxy experiments to run, as recipes.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@design.callback()
def _design() -> None:
    """Proxy experiments to run, as recipes."""


@design.command("quadmix")
def design_quadmix(
    recipe: Recipe,
    output: Folder,
    runs: Runs = 512,
    seed: Seed = 0,
    lambda_law: Drawn = "log",
    mixtures: Mixtures = False,
    model: Model = "1M",
    tokens: Tokens = None,
    manifests: Manifests = True,
    params: Params = None,
    allow_outside: AllowOutside = False,
    diagnostics: Diagnostics = "full",
) -> int:
    """Draw sampling parameters by QuaDMix's Algorithm 1, or mixtures; write a recipe for each, and its manifest."""
    size = _count(model, "--model")
    budget = None if tokens is None else _count(tokens, "--tokens")
    from mixc.compiler import registry
    from mixc.compiler.pipeline import Artefacts

    backend = registry.load("search-quadmix")
    wanted = backend.DesignSettings(runs, seed, lambda_law, mixtures, size, budget)
    given = given_params(params)
    lost: list[tuple[str, Diagnostic]] = []
    finish = (lambda recipes: lost.extend(_compiled(recipes, given))) if manifests else None
    told, found = backend.design(Artefacts(recipe, given, allow_outside), output, wanted, finish)
    if lost:
        found.append(backend.experiments_lost(lost, runs, output))
    code = report(found, diagnostics)
    if told is not None:
        show(told)
    return code


def _compiled(recipes: Sequence[Path], params: Mapping[str, str]) -> Iterator[tuple[str, Diagnostic]]:
    """Write the manifest, lock and tables of every recipe beside it; those that have none, and why."""
    from mixc.compiler.cli.compile import artefacts
    from mixc.compiler.pipeline import COMPILE, Artefacts, run_passes
    from mixc.compiler.review.beside import MANIFEST
    from mixc.dsl.diagnostics import has_errors

    for path in recipes:
        made, found = run_passes(COMPILE, Artefacts(path, params, allow_outside=True))
        if has_errors(found):
            yield path.name, next(one for one in found if has_errors([one]))
            continue
        for name, data in artefacts(made, path.with_name(path.stem + MANIFEST)).items():
            name.write_bytes(data)


def fit_quadmix(
    proxies: Proxies,
    recipe: For,
    output: Output,
    losses: Losses = None,
    lambda_law: Lambda = None,
    cap: Cap = None,
    seed: Seed = 0,
    params: Params = None,
    allow_outside: AllowOutside = False,
    diagnostics: Diagnostics = "full",
) -> int:
    """Find sampling parameters, or a mixture, from proxy runs; write them as a recipe that extends RECIPE."""
    weights = _losses(losses)
    if cap is not None and not 0 < cap <= 1:
        wrong(f"`--cap {cap:g}` is no share: write a number above 0, at most 1")
    read, found = checked(recipe, params, allow_outside)
    if read is None:
        return report(found, diagnostics)
    from mixc.compiler import registry

    backend = registry.load("search-quadmix")
    told, more = backend.fit(proxies, read, output, backend.FitSettings(weights, lambda_law, cap, seed))
    code = report([*found, *more], diagnostics)
    if told is not None:
        show(f"{told}wrote {output}\n")
    return code


def _losses(given: list[str] | None) -> dict[str, float]:
    """`--loss COLUMN=WEIGHT`, each column once; a column may have an `=` in its name only with a weight behind it."""
    weights: dict[str, float] = {}
    for one in given or ():
        name, equals, text = one.rpartition("=")
        name, text = (name, text) if equals else (text, "1")
        try:
            weight = float(text)
        except ValueError:
            weight = float("nan")
        if not name or not 0 < weight < float("inf"):
            wrong(f"`--loss {one}` has no weight above 0: write `--loss COLUMN` or `--loss COLUMN=2`")
        if name in weights:
            wrong(f"`--loss` names `{name}` twice")
        weights[name] = weight
    return weights


def _count(text: str, option: str) -> int:
    """`1M`, `250K`, `1.5B`: a whole number above 0."""
    found = COUNT.fullmatch(text.strip().removesuffix("params").removesuffix("tokens").strip())
    number = round(float(found[1]) * POWERS[found[2]]) if found else 0
    if not 0 < number < 10**15:
        wrong(f"`{option} {text}` is no size: write `{option} 1M` or `{option} 250K`")
    return number
