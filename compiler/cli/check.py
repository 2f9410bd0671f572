"""`mixc check`: everything that can be known without data and without a solver."""

from __future__ import annotations

from mixc.compiler.cli.session import AllowOutside, Diagnostics, Params, Recipe, given_params, report, show


def check(
    recipe: Recipe, params: Params = None, allow_outside: AllowOutside = False, diagnostics: Diagnostics = "full"
) -> int:
    """Check a recipe: syntax, names, units, rules. No data is read, nothing is solved."""
    from mixc.compiler.pipeline import CHECK, Artefacts, run_passes
    from mixc.dsl.diagnostics import Severity

    made, found = run_passes(CHECK, Artefacts(recipe, given_params(params), allow_outside))
    code = report(found, diagnostics)
    if code == 0 and made.recipe is not None:
        warnings = sum(d.severity is Severity.WARNING for d in found)
        remark = f", {warnings} warning{'s' * (warnings > 1)}" if warnings else ""
        show(f"{recipe}: fine{remark}\n")
    return code
