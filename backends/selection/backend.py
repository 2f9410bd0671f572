"""What `mixc run` and `mixc verify` call, and how they tell what came out."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from mixc.backends.selection.checks import checks, exact_checks
from mixc.backends.selection.cuts import CUT, read_cuts
from mixc.backends.selection.inputs import holds_out
from mixc.backends.selection.inputs import misgiven as misgiven
from mixc.backends.selection.materialize import Form as Form
from mixc.backends.selection.materialize import Texts
from mixc.backends.selection.materialize import materialize as materialize
from mixc.backends.selection.materialize import textless as textless
from mixc.backends.selection.messages import not_runnable as not_runnable
from mixc.backends.selection.run import Outcome, work_of
from mixc.backends.selection.run import Run as Run
from mixc.backends.selection.run import run as run
from mixc.backends.selection.run import selected as selected
from mixc.backends.selection.shard import loaded_by, offer
from mixc.backends.selection.textual import texts_of as texts_of
from mixc.backends.selection.verify import Report
from mixc.backends.selection.verify import verify as verify
from mixc.compiler.executor import Executor
from mixc.compiler.progress import Progress
from mixc.compiler.review.words import count, table, tokens
from mixc.dsl.diagnostics import Diagnostic


def perform(
    job: Run, output: Path, executor: Executor, progress: Progress, *, exact: bool = False, form: Form | None = None
) -> tuple[tuple[Outcome, Texts | None] | None, list[Diagnostic]]:
    """Select, and where a form is given write the texts too; what was selected stands even if texts fail."""
    if form is not None and (found := textless(job)):
        return None, found
    offer(work_of(job, output), job.manifest, job.tables)
    outcome, found = run(job, output, executor, progress, exact=exact)
    if outcome is None or form is None:
        return None if outcome is None else (outcome, None), found
    texts, problems = materialize(job, output, outcome, executor, progress, form)
    return (outcome, texts), [*found, *problems]


def told(job: Run, outcome: Outcome, folder: str, form: str, texts: Texts | None = None) -> str:
    """What was selected, by phase and source, against the plan; and what was written of the texts."""
    slots = loaded_by(work_of(job, Path(folder))).slots
    cuts = read_cuts(Path(folder) / CUT, job.integrity) if outcome.cut else None
    cells = checks(slots, outcome.sums) if cuts is None else exact_checks(slots, outcome.sums, cuts)
    sources = sorted({row.source for row in job.manifest.supply})
    rows = []
    for phase, name in enumerate(p.name for p in job.manifest.phases):
        for source in sources:
            mine = [cell for cell in cells if cell.phase == name and cell.cell.startswith(f"{source}/")]
            planned = sum(row.tokens for row in job.manifest.mixture if (row.phase, row.source) == (name, source))
            rows.append(
                {
                    "phase": name,
                    "source": source,
                    "planned": planned,
                    "realised": sum(cell.realised for cell in mine),
                    "copies": sum(cell.documents for cell in mine),
                    "digest": outcome.digest(phase, source),
                }
            )
    if form == "json":
        data = {"output": folder, "shards": len(outcome.markers), "selection": rows}
        data |= {"cut": outcome.cut} if outcome.cut else {}
        data |= {"withheld": outcome.withheld} if holds_out(job) else {}
        data |= {"texts": {"shards": len(texts.markers), "bytes": texts.size}} if texts is not None else {}
        return json.dumps(data, indent=1) + "\n"
    lines = [
        [
            str(row["phase"]),
            str(row["source"]),
            tokens(int(str(row["planned"]))),
            tokens(int(str(row["realised"]))),
            f"{row['copies']:,}",
            str(row["digest"])[:16],
        ]
        for row in rows
    ]
    before = f", {outcome.before} of them before" if outcome.before else ""
    withheld = _withheld(outcome.withheld if holds_out(job) else None)
    header = ("phase", "source", "planned", "realised", "copies", "digest")
    shown = table(header, lines, left=(0, 1, 5))
    return f"{shown}\n{len(outcome.markers)} shards{before}{withheld}; wrote {folder}\n{_texts(texts)}"


def _withheld(count: int | None) -> str:
    return "" if count is None else f", {count:,} documents held out"


def _texts(texts: Texts | None) -> str:
    if texts is None:
        return ""
    before = f", {texts.before} of them before" if texts.before else ""
    return f"texts: {len(texts.markers)} shards{before}, {texts.size:,} bytes\n"


def reported(report: Report, form: str) -> str:
    """What was verified."""
    if form == "json":
        cells = [asdict(cell) | {"within": cell.within} for cell in report.cells]
        data = {
            "shards": report.shards,
            "recomputed": report.recomputed,
            "documents": report.documents,
            "cells": cells,
            "faults": report.faults,
        }
        data |= {} if report.withheld is None else {"withheld": report.withheld}
        return json.dumps(data, indent=1) + "\n"
    worst = sorted(report.cells, key=lambda cell: (-abs(cell.z), cell.phase, cell.cell))[:5]
    lines = [
        [c.phase, c.cell, tokens(c.planned), tokens(round(c.expected)), tokens(c.realised), f"{c.z:+.2f}"]
        for c in worst
    ]
    verdict = (
        "the selection is the one that the manifest says"
        if not report.faults
        else f"{count(len(report.faults), 'place does', 'places do')} not agree"
    )
    return (
        f"{table(('phase', 'cell', 'planned', 'expected', 'realised', 'z'), lines, left=(0, 1))}\n"
        f"{count(report.shards, 'shard')}, {count(report.documents, 'document')}{_withheld(report.withheld)}, "
        f"{count(report.recomputed, 'shard')} drawn again: {verdict}\n"
    )
