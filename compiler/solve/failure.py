"""No optimum was found: the rules contradict each other, the limits leave too little, or the solver failed."""

from __future__ import annotations

from mixc.compiler.solve.infeasible import why
from mixc.compiler.solve.strategies import Infeasible
from mixc.dsl.diagnostics import Diagnostic


def why_infeasible(failed: Infeasible) -> list[Diagnostic]:
    """Diagnostics for a program without optimum; never empty."""
    return why(failed.lowered, failed.solution.point.error)
