"""Tables of runs as files, for the tests of `mixc fit`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mixc.compiler.documents.data import Unreadable
from mixc.compiler.fit.infolaw_file import fit_infolaw_file
from mixc.compiler.fit.infolaw_runs import InfoRun
from mixc.compiler.fit.tables import Reading
from mixc.compiler.fit.transfer_file import Request, fit_transfer_file
from mixc.compiler.fit.transfer_runs import TransferRun
from mixc.compiler.fit.written import Written
from mixc.dsl.diagnostics import Diagnostic
from tests.fit.runs import POOL, infolaw_setting, three, transfer_setting

Row = dict[str, Any]


def infolaw_rows_of(runs: Sequence[InfoRun]) -> list[Row]:
    return [
        {
            "run": run.name,
            "params": run.params,
            "tokens": run.tokens,
            "pool": POOL,
            "loss": run.loss,
            **{f"share.{i}": cell.taken / run.tokens for i, cell in enumerate(run.cells)},
        }
        for run in runs
    ]


def transfer_rows_of(runs: Sequence[TransferRun]) -> list[Row]:
    return [
        {
            "run": run.name,
            "params": run.params,
            "tokens": run.tokens,
            **{f"share.{code}": value / run.tokens for code, value in run.taken},
            **{f"loss.{code}": value for code, value in run.losses},
        }
        for run in runs
    ]


def write(path: Path, rows: Sequence[Row]) -> Path:
    """As CSV, JSON lines or Parquet, by the name."""
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(list(rows)), path)
    else:
        header = list(dict.fromkeys(key for row in rows for key in row))
        lines = [",".join(header), *(",".join(_cell(row.get(key)) for key in header) for row in rows)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _cell(value: Any) -> str:
    return "" if value is None else f'"{value}"' if isinstance(value, str) else repr(value)


def infolaw(
    folder: Path, rows: Sequence[Row], name: str = "runs.csv", **reading: Any
) -> tuple[Written | None, list[Diagnostic]]:
    return fit_infolaw_file(write(folder / name, rows), "ours", Reading(**reading))


def transfer(
    folder: Path, rows: Sequence[Row], name: str = "runs.csv", request: Request | None = None, **reading: Any
) -> tuple[Written | None, list[Diagnostic]]:
    return fit_transfer_file(write(folder / name, rows), "ours", Reading(**reading), request or Request())


def content(made: tuple[Written | None, list[Diagnostic]]) -> dict[str, Any]:
    written, found = made
    assert written is not None, found
    loaded: dict[str, Any] = json.loads(written.content)
    return loaded


def refused(made: tuple[Written | None, list[Diagnostic]]) -> Diagnostic:
    written, found = made
    assert written is None
    assert len(found) == 1
    return found[0]


def complaint(work: Callable[[], object]) -> Diagnostic:
    try:
        work()
    except Unreadable as error:
        return error.diagnostic
    raise AssertionError("nothing was refused")


def base(noise: float = 0.0005, seed: int = 0) -> list[Row]:
    return infolaw_rows_of(infolaw_setting(seed, noise))


def base_transfer(runs: int = 24, seed: int = 0) -> list[Row]:
    return transfer_rows_of(transfer_setting(three(), runs, seed))
