"""The `mixc` application: one small module per command; everything heavy is imported when a command runs."""

from __future__ import annotations

from typing import Annotated

import typer

from mixc import __version__
from mixc.compiler.cli.check import check
from mixc.compiler.cli.compare import compare
from mixc.compiler.cli.compile import compile_recipe
from mixc.compiler.cli.contamination import contamination
from mixc.compiler.cli.diff import diff
from mixc.compiler.cli.explain import explain
from mixc.compiler.cli.export import export_manifest
from mixc.compiler.cli.features import features
from mixc.compiler.cli.fit import fit
from mixc.compiler.cli.fmt import fmt
from mixc.compiler.cli.lsp import language_server
from mixc.compiler.cli.mubench import mubench
from mixc.compiler.cli.new import new_recipe
from mixc.compiler.cli.predict import predict
from mixc.compiler.cli.rater import rater
from mixc.compiler.cli.report import report_manifest
from mixc.compiler.cli.run import run_manifest, verify_selection
from mixc.compiler.cli.scan import scan_recipe
from mixc.compiler.cli.schema import schema
from mixc.compiler.cli.score import score_recipe
from mixc.compiler.cli.search import design
from mixc.compiler.cli.session import show

app = typer.Typer(
    name="mixc",
    help="Compile recipes into certified pretraining data mixtures.",
    epilog="Exit codes: 0 fine, 1 errors, 2 changes found, 70 a bug in mixc, 130 interrupted, 143 terminated. "
    "`--debug` shows the traceback of a bug.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        show(f"mixc {__version__}\n")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="The version.")] = False,
) -> None:
    """Compile recipes into certified pretraining data mixtures."""


app.command("new")(new_recipe)
app.command("check")(check)
app.command("fmt")(fmt)
app.add_typer(rater)
app.command("score")(score_recipe)
app.add_typer(features)
app.command("scan")(scan_recipe)
app.command("compile")(compile_recipe)
app.command("explain")(explain)
app.command("diff")(diff)
app.command("compare")(compare)
app.command("predict")(predict)
app.command("report")(report_manifest)
app.command("run")(run_manifest)
app.command("verify")(verify_selection)
app.command("contamination")(contamination)
app.command("export")(export_manifest)
app.command("mubench")(mubench)
app.add_typer(design)
app.add_typer(fit)
app.command("schema")(schema)
app.command("lsp")(language_server)
