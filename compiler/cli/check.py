"""`mixc check`: everything that can be known without data and without a solver."""

from __future__ import annotations

from mixc.compiler.cli.session import AllowOutside, Diagnostics, Params, Recipe, checked, report, show


def check(
    recipe: Recipe, params: Params = None, allow_outside: AllowOutside = False, diagnostics: Diagnostics = "full"
) -> int:
    """Check a recipe: syntax, names, units, rules. No data is read, nothing is solved."""
    from mixc.dsl.diagnostics import Severity

    read, found = checked(recipe, params, allow_outside)
    code = report(found, diagnostics)
    if code == 0 and read is not None:
        warnings = sum(d.severity is Severity.WARNING for d in found)
        remark = f", {warnings} warning{'s' * (warnings > 1)}" if warnings else ""
        show(f"{recipe}: fine{remark}\n")
    return code
