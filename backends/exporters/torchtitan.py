"""torchtitan: a Python module that gives the configuration of its dataloaders, phase by phase.

Source: torchtitan/hf_datasets/text_datasets.py and interleaved.py of torchtitan 0.3.0, whose
`InterleavedHuggingFaceTextDataLoader` draws packed sequences by weight, and either stops where the first place ends, a
small one long before the phase, or begins places again. So where rows are counted the module gives a dataset of its
`HuggingFaceTextDataLoader` instead: exactly the rows of the phase, interleaved by `datasets`. (`DatasetMixConfig` of
the development version is not in this release.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from mixc.backends.exporters.carried import README, as_json, readme, script
from mixc.backends.exporters.hf_datasets import LOADER, STRATEGY, Part, parts
from mixc.backends.exporters.leaves import Mixture, Stage, mixture
from mixc.backends.exporters.steps import begun_anew
from mixc.backends.exporters.units import SAMPLE_SHARE, SEQUENCE_SHARE, closed, decimal, token_shares
from mixc.compiler.export import Capability, Settings
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic, has_errors

MODULE: Final = "mixture.py"
CAPABILITY: Final = Capability(
    reads="texts of a run, or Parquet and JSON of your own",
    needs="`--data` or `--run`",
    unit=f"{SAMPLE_SHARE}, as rows, where they are counted; else {SEQUENCE_SHARE}",
    exact="exact rows where they are counted; else by chance",
    phases="a configuration per phase; of counted rows one goes on where the one before it stopped",
    caps="in the number of rows; else not known to it",
    verified="torchtitan 0.3.0 read it, in the nightly tests",
)
USE: Final = """
```python
import sys

sys.path.insert(0, "THIS FOLDER")
from mixture import {function}

config = …                                   # a Trainer.Config of yours
config.dataloader = {function}("{phase}")
```

The form is that of torchtitan 0.3.0: `{form}.Config`.
"""
COUNTED: Final = """
The dataset has every row that was decided, as often as decided, and ends with the phase; documents are packed into
sequences in that order. `weighted("{phase}")` draws from places by weight instead, without an end.
"""
WEIGHTED: Final = """
Rows are not counted, so places are drawn from by weight, packed sequence by packed sequence, and begin again when they
end: stop where the tokens below are read. With `--run` or `--counts` the export has `counted`, which is exact.
"""


def export(manifest: Manifest, settings: Settings) -> tuple[Mapping[str, str] | None, list[Diagnostic]]:
    """`mixture.py`, and `<phase>.json` that it reads."""
    mixed, found = mixture(manifest, settings, texts=True)
    if mixed is None:
        return None, found
    counted = all(leaf.documents for stage in mixed.stages for leaf in stage.leaves)
    if counted:
        mixed, phases, more = _rows(mixed)
    else:
        phases, more = {}, begun_anew(mixed, "torchtitan")
    found += more
    made: dict[str, str] = {MODULE: script("mixture"), LOADER: script("load")}
    numbers: dict[str, list[str]] = {}
    for stage in mixed.stages:
        weights, more = token_shares(stage)
        found += [one for one in more if one not in found]
        if weights is None:
            continue
        read = phases.get(stage.name)
        places: list[dict[str, Any]] = [
            {"path": leaf.path, "weight": weight} for leaf, weight in zip(stage.leaves, weights, strict=True)
        ]
        numbers[stage.name] = [decimal(weight) for weight in weights]
        if read is not None:
            numbers[stage.name] = [
                f"{one.rows:,} rows, {text}" for one, text in zip(read, numbers[stage.name], strict=True)
            ]
            chances = closed([one.rows for one in read])
            places = [{**a, **_counted(b, c)} for a, b, c in zip(places, read, chances, strict=True)]
        asked = {"places": places, "seed": manifest.selection.seed, "stopping_strategy": STRATEGY}
        made[f"{stage.name}.json"] = as_json(asked)
    if has_errors(found):
        return None, found
    use = USE + COUNTED if counted else USE + WEIGHTED
    form = "HuggingFaceTextDataLoader" if counted else "InterleavedHuggingFaceTextDataLoader"
    use = use.replace("{function}", "counted" if counted else "weighted").replace("{form}", form)
    made[README] = readme("torchtitan", CAPABILITY, mixed, numbers, use.replace("{phase}", mixed.stages[0].name))
    return made, found


def _rows(mixed: Mixture) -> tuple[Mixture, dict[str, tuple[Part, ...]], list[Diagnostic]]:
    """The mixture without places that give less than a row, and the rows of every other."""
    phases, found = parts(mixed)
    stages = tuple(
        Stage(stage.name, stage.planned, tuple(one.leaf for one in read))
        for stage, read in zip(mixed.stages, phases, strict=True)
    )
    read_of = {stage.name: read for stage, read in zip(stages, phases, strict=True)}
    return replace(mixed, stages=stages), read_of, found


def _counted(part: Part, chance: float) -> dict[str, object]:
    return {
        "copied": part.leaf.copied,
        "probability": chance,
        "rows": part.rows,
        "skip": part.skip,
        "there_are": part.leaf.documents,
    }
