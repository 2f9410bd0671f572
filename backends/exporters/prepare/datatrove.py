"""Runs the texts of a selection through datatrove: `python pipeline.py [PHASE …]`, from the folder of the run.

Reads `places.json` beside it. Every phase is one pipeline: its Parquet files, each document as often as it is to be
read, then JSONL, below `OUTPUT/PHASE/copy-1`, `copy-2` and so on: so the copies of a document never follow each other.
More steps go where `steps` says. Needs datatrove[io].
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from datatrove.executor import LocalPipelineExecutor  # pyright: ignore[reportMissingImports]
from datatrove.pipeline.base import PipelineStep  # pyright: ignore[reportMissingImports]
from datatrove.pipeline.readers import ParquetReader  # pyright: ignore[reportMissingImports]
from datatrove.pipeline.writers.jsonl import JsonlWriter  # pyright: ignore[reportMissingImports]

HERE = Path(__file__).resolve().parent


class Copies(PipelineStep):  # type: ignore[misc]
    """Gives every document as often as its `copies` say, each with the number of its `copy`, from 1."""

    type, name = "COPIES", "mixc"

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        """The documents of one task."""
        for document in data:
            times = document.metadata.pop("copies", 1)
            for copy in range(1, times + 1):
                yield replace(document, metadata={**document.metadata, "copy": copy})


def steps(texts: str, output: str) -> list[Any]:
    """The pipeline of a phase. Others may follow, such as datatrove's DocumentTokenizer, which writes tokens."""
    return [
        ParquetReader(texts, glob_pattern="*/*/*/*/*.parquet"),
        Copies(),
        JsonlWriter(output, output_filename="copy-${copy}/${rank}.jsonl.gz"),
    ]


def main() -> None:
    """Run the phases that are named, or all."""
    asked = json.loads((HERE / "places.json").read_text(encoding="utf-8"))
    options = argparse.ArgumentParser(description="Runs the texts of a selection through datatrove.")
    options.add_argument("phases", nargs="*", help="phases to run, all where none is named")
    options.add_argument("--output", default="datatrove", help="the folder to write")
    options.add_argument("--tasks", type=int, default=4, help="parts that a phase is divided into, by file")
    options.add_argument("--workers", type=int, default=1, help="tasks that run at a time")
    given = options.parse_args()
    if unknown := sorted(set(given.phases) - set(asked["phases"])):
        sys.exit(f"there is no phase {', '.join(unknown)}: there are {', '.join(asked['phases'])}")
    for phase in given.phases or asked["phases"]:
        folder = Path(given.output) / phase
        run = {"manifest": asked["manifest"], "tasks": given.tasks}
        made = folder / "run.json"
        if made.exists() and json.loads(made.read_text()) != run:  # datatrove skips what it finished, whatever it was
            sys.exit(f"{folder} holds another run, {made.read_text().strip()}: remove it first")
        folder.mkdir(parents=True, exist_ok=True)
        made.write_text(json.dumps(run) + "\n")
        LocalPipelineExecutor(
            steps(asked["phases"][phase], str(folder)),
            tasks=given.tasks,
            workers=given.workers,
            logging_dir=str(folder / "logs"),
        ).run()


if __name__ == "__main__":
    main()
