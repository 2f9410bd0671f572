"""No optimum was found: the rules contradict each other, the limits leave too little, or the solver failed."""

from __future__ import annotations

from mixc.compiler.solve.strategies import Infeasible
from mixc.dsl.diagnostics import Diagnostic


def why_infeasible(failed: Infeasible) -> list[Diagnostic]:
    """Diagnostics for a program without optimum; never empty."""
    from mixc.dsl.diagnostics import Diagnostic

    return [Diagnostic("M304", f"no optimum: error {failed.solution.point.error:g}")]
