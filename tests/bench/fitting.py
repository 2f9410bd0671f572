"""`python -m tests.bench.fitting`: how long `mixc fit infolaw` and `mixc fit transfer` take, from file to file.

InfoLaw: 27 runs, target 5 s. Transfer: 17 languages, 500 runs, target 60 s. CPU seconds of a process of one thread,
beside those of the command that only prints its help.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from mixc.compiler.cli import ONE_THREAD

RUNS, LANGUAGES_RUNS, NOISE = 27, 500, 0.002


def write_infolaw(path: Path, seed: int = 0) -> None:
    """A wide CSV of InfoLaw's runs."""
    from tests.fit.runs import POOL, infolaw_setting

    lines = ["run,params,tokens,pool,loss," + ",".join(f"share.{i}" for i in range(6))]
    for run in infolaw_setting(seed, NOISE, RUNS):
        shares = ",".join(repr(cell.taken / run.tokens) for cell in run.cells)
        lines.append(f"{run.name},{run.params!r},{run.tokens!r},{POOL!r},{run.loss!r},{shares}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_transfer(path: Path, seed: int = 0) -> None:
    """JSON lines of seventeen languages."""
    from tests.fit.runs import seventeen, transfer_setting

    with path.open("w", encoding="utf-8") as file:
        for run in transfer_setting(seventeen(), LANGUAGES_RUNS, seed):
            share = {code: value / run.tokens for code, value in run.taken}
            row = {"run": run.name, "params": run.params, "tokens": run.tokens, "share": share}
            file.write(json.dumps(row | {"loss": dict(run.losses)}) + "\n")


def cost(arguments: list[str]) -> float:
    """CPU seconds of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    code = "import sys; from mixc.compiler.cli import main; sys.argv[0] = 'mixc'; main()"
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the report."""
    for name in ONE_THREAD:
        os.environ[name] = "1"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_infolaw(folder / "infolaw.csv")
        write_transfer(folder / "transfer.jsonl")
        idle = cost(["fit", "--help"])
        cases = (
            ("infolaw", "infolaw.csv", f"{RUNS} runs", 5.0),
            ("transfer", "transfer.jsonl", f"17 languages, {LANGUAGES_RUNS} runs", 60.0),
        )
        for law, table, what, target in cases:
            seconds = cost(["fit", law, str(folder / table), "-o", str(folder / f"{law}.json")])
            print(
                f"fit {law:9} {what:24} {seconds:6.2f} CPU s, target {target:g}; {seconds / idle:.1f} x `mixc fit -h`",
                flush=True,
            )


if __name__ == "__main__":
    main()
