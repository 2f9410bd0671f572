"""What `mixc run` and `mixc verify` call, and how they tell what came out."""

from __future__ import annotations

import json
from dataclasses import asdict

from mixc.backends.selection.messages import not_runnable as not_runnable
from mixc.backends.selection.run import Outcome
from mixc.backends.selection.run import Run as Run
from mixc.backends.selection.run import run as run
from mixc.backends.selection.slots import build_slots
from mixc.backends.selection.verify import Report, checks
from mixc.backends.selection.verify import verify as verify
from mixc.compiler.review.words import table, tokens


def told(job: Run, outcome: Outcome, folder: str, form: str) -> str:
    """What was selected, by phase and source, against the plan."""
    cells = checks(build_slots(job.manifest, job.tables), outcome.sums)
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
                    "documents": sum(cell.documents for cell in mine),
                    "digest": outcome.digest(phase, source),
                }
            )
    if form == "json":
        return json.dumps({"output": folder, "shards": len(outcome.markers), "selection": rows}, indent=1) + "\n"
    lines = [
        [
            str(row["phase"]),
            str(row["source"]),
            tokens(int(str(row["planned"]))),
            tokens(int(str(row["realised"]))),
            f"{row['documents']:,}",
            str(row["digest"])[:16],
        ]
        for row in rows
    ]
    before = f", {outcome.before} of them before" if outcome.before else ""
    header = ("phase", "source", "planned", "realised", "documents", "digest")
    return f"{table(header, lines, left=(0, 1, 5))}\n{len(outcome.markers)} shards{before}; wrote {folder}\n"


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
        return json.dumps(data, indent=1) + "\n"
    worst = sorted(report.cells, key=lambda cell: (-abs(cell.z), cell.phase, cell.cell))[:5]
    lines = [
        [c.phase, c.cell, tokens(c.planned), tokens(round(c.expected)), tokens(c.realised), f"{c.z:+.2f}"]
        for c in worst
    ]
    verdict = (
        "the selection is the one that the manifest says"
        if not report.faults
        else (f"{len(report.faults)} places do not agree")
    )
    return (
        f"{table(('phase', 'cell', 'planned', 'expected', 'realised', 'z'), lines, left=(0, 1))}\n"
        f"{report.shards} shards, {report.documents:,} documents, {report.recomputed} shards drawn again: {verdict}\n"
    )
