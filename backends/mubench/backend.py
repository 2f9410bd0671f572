"""What `mixc` calls of MuBench: the plan of a recipe, and results and documents against a manifest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mixc.backends.mubench.aligned import Half
from mixc.backends.mubench.bootstrap import REPLICATES
from mixc.backends.mubench.data import as_json
from mixc.backends.mubench.patch import base_of as base_of
from mixc.backends.mubench.patch import patch
from mixc.backends.mubench.plan import FORMULA, SUITE
from mixc.backends.mubench.plan import Decontamination as Decontamination
from mixc.backends.mubench.plan import EvaluationPlan as EvaluationPlan
from mixc.backends.mubench.plan import PlannedTask as PlannedTask
from mixc.backends.mubench.plan import plan as plan
from mixc.backends.mubench.pool import bad_list as bad_list
from mixc.backends.mubench.pool import examine as examine
from mixc.backends.mubench.pool import told as told
from mixc.backends.mubench.pool import write_list as write_list
from mixc.backends.mubench.proposal import Proposal, propose
from mixc.backends.mubench.record import recorded
from mixc.backends.mubench.report import report
from mixc.backends.mubench.result_messages import unwritable
from mixc.backends.mubench.results import Results, read_results
from mixc.backends.mubench.study import Study, study
from mixc.backends.mubench.tasks import Panel
from mixc.compiler.review.schema import Manifest
from mixc.compiler.supply.languages import UNDETERMINED
from mixc.compiler.whole import write_whole
from mixc.dsl.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Results read and judged: what is reported, what decides, and what is proposed from it."""

    results: Results
    reported: Study
    deciding: Study
    proposal: Proposal | None

    def text(self) -> str:
        """The report for people."""
        return report(self.results, self.reported, self.proposal)

    def json(self) -> str:
        """The report for programs."""
        return as_json(self.results.plan, self.reported, self.results.guards, self.proposal)

    def patch(self, base: str) -> str | None:
        """The proposal as a recipe that extends the one at `base`; None where there is none."""
        return None if self.proposal is None else patch(self.proposal, self.deciding, FORMULA, base)


def plan_of(manifest: Manifest, panel: Panel | None = None) -> tuple[EvaluationPlan, list[Diagnostic]]:
    """The plan that a manifest states; made for its languages where it states none, or another panel is asked for."""
    stated = next((row for row in manifest.evaluations if row.suite == SUITE), None)
    if stated is not None and panel in (None, stated.panel):
        return recorded(stated, [row for row in manifest.tasks if row.suite == SUITE]), []
    codes = [row.code for row in manifest.languages if row.code not in UNDETERMINED]
    return plan(codes, panel, manifest.budget.params, stated.harness if stated is not None else None)


def judge(
    folder: Path, manifest: Manifest, panel: Panel | None = None, half: Half = "report", replicates: int = REPLICATES
) -> tuple[Judged | None, list[Diagnostic]]:
    """What results below a folder say of a manifest's languages; None where they cannot be used."""
    made, found = plan_of(manifest, panel)
    results, problems = read_results(folder, made)
    found += problems
    if results is None:
        return None, found
    reported, more = study(results, half, replicates)
    found += more
    deciding = reported
    if half != "weights":
        deciding, others = study(results, "weights", replicates)
        found += [one for one in others if one not in found]
    proposal = None
    if deciding.evidence:
        proposal, failed = propose(manifest, deciding.evidence)
        found += failed
    return Judged(results, reported, deciding, proposal), found


def write(path: Path, text: str) -> list[Diagnostic]:
    """Write a file whole; what hinders it, in words."""

    def put(place: Path) -> None:
        place.write_text(text, encoding="utf-8")

    try:
        write_whole(path, put, alone=True)
    except OSError as error:
        return [unwritable(path.as_posix(), (error.strerror or "the system gave no reason").lower())]
    return []
