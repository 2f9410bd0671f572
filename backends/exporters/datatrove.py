"""datatrove: a pipeline that reads the texts of a run and writes every document as often as it is to be read.

Source: datatrove/pipeline/readers/base.py, writers/disk_base.py and executor/local.py of datatrove 0.10.1, which has no
weights: mixtures are what its documents are. Tasks share a folder by file, so one reader has all files of a phase. A
task that was finished once is skipped whatever it did, so the script refuses a folder that another run has begun.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from mixc.backends.exporters import messages
from mixc.backends.exporters.carried import PLACES, README, as_json, readme, script
from mixc.backends.exporters.leaves import Mixture, mixture
from mixc.backends.exporters.units import COPIES
from mixc.compiler.export import Capability, Settings
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic, has_errors

PROGRAM: Final = "datatrove"
PIPELINE: Final = "pipeline.py"
CAPABILITY: Final = Capability(
    reads="texts of a run (Parquet)",
    needs="`--run`",
    unit=f"{COPIES}, with each document",
    exact="exact",
    phases="a pipeline per phase",
    caps="in the copies",
    verified="datatrove 0.10.1 ran it, in the tests",
)
USE: Final = """
```sh
pip install "datatrove[io]"
python pipeline.py --output datatrove --tasks 4 --workers 4
```

from the folder where `mixc run` was started. It writes `datatrove/<phase>/copy-1/*.jsonl.gz`, `copy-2` and so on: all
documents once, then those that are read twice and more. Read in this order, copies are far apart. `steps` in
`pipeline.py` is the place for more, such as datatrove's `DocumentTokenizer`. Tasks share the files of a phase, so more
tasks than files are of no use.
"""
EMPTY: Final = "datatrove leaves out documents whose text is empty"


def export(manifest: Manifest, settings: Settings) -> tuple[Mapping[str, str] | None, list[Diagnostic]]:
    """`pipeline.py`, and `places.json` with the texts of every phase."""
    if settings.texts is None:
        return None, [messages.needs_run(PROGRAM, manifest.runnable)]
    mixed, found = mixture(manifest, replace(settings, data=None, counts=None), texts=True)
    if mixed is None:
        return None, found
    found += [messages.empty_phase(stage.name) for stage in mixed.stages if not stage.leaves]
    if has_errors(found):
        return None, found
    asked = {"manifest": manifest.integrity, "phases": roots(mixed)}
    numbers = {stage.name: [f"{leaf.documents:,}" for leaf in stage.leaves] for stage in mixed.stages}
    made = {PLACES: as_json(asked), PIPELINE: script(PROGRAM)}
    made[README] = readme(PROGRAM, CAPABILITY, mixed, numbers, USE, [EMPTY])
    return made, found


def roots(mixed: Mixture) -> dict[str, str]:
    """By phase, the folder of its texts: `texts/<phase>`, below which lie source, language, domain and bucket."""
    return {stage.name: stage.leaves[0].folders[0].rsplit("/", 4)[0] for stage in mixed.stages}
