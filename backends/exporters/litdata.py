"""LitData: streaming datasets of fixed sequences per phase, drawn by share of sequences.

Source: litdata/streaming/combined.py and item_loader.py of litdata 0.2.76. Sets are drawn by chance, and all stop with
the first that ends; a set is read once. So a place that is read p times is that many sets, rounded up, each with its
part of the share: then none of its sequences is read more often than that, wherever the drawing stops.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from mixc.backends.exporters import messages
from mixc.backends.exporters.carried import README, as_json, prepared, readme
from mixc.backends.exporters.leaves import Stage, mixture
from mixc.backends.exporters.steps import Schedule, begun_anew, by_pass, scheduled, step_tokens, uncounted
from mixc.backends.exporters.units import SEQUENCE_SHARE, closed, decimal
from mixc.compiler.export import Capability, Settings
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic, has_errors

PROGRAM: Final = "litdata"
ERRORS: Final = 4.0  # standard errors
CAPABILITY: Final = Capability(
    reads="chunks of tokens, read by `TokensLoader`",
    needs="`--sequence-length`; `--data`, or `--run` and `--tokenizer`",
    unit=SEQUENCE_SHARE,
    exact="by chance: within 4 standard errors of the sequences drawn",
    phases="a file of sets per phase, and a loader",
    caps="by place, rounded up to whole passes: a set that ends ends the phase",
    verified="litdata 0.2.76 read it, in the tests",
)
LOADER: Final = '''"""The data of a phase for LitData: `dataset("{first}")`.

Stop after as many `sequences` as the file of the phase tells.
"""

import json
from pathlib import Path
from typing import Any

from litdata import CombinedStreamingDataset, StreamingDataset, TokensLoader

HERE = Path(__file__).resolve().parent


def dataset(phase: str, **options: Any) -> CombinedStreamingDataset:
    """Sets drawn by weight, until one ends; a place that is read several times is as many sets."""
    made = json.loads((HERE / f"{phase}.json").read_text(encoding="utf-8"))
    block, seed = made["sequence_length"], made["seed"]
    sets, weights = [], []
    for one in made["sets"]:
        for copy in range(one["passes"]):
            loader = TokensLoader(block_size=block)
            sets.append(
                StreamingDataset(one["input_dir"], item_loader=loader, shuffle=True, seed=seed + copy, **options)
            )
            weights.append(one["weight"] / one["passes"])
    return CombinedStreamingDataset(sets, seed=seed, weights=weights, iterate_over_all=False)
'''
USE: Final = """
```python
from litdata import StreamingDataLoader
from loader import dataset

loader = StreamingDataLoader(dataset("{first}"), batch_size=BATCH)
```

{names}

Stop there. Sets are drawn by chance, and all end with the first that does; where a place is read whole this is earlier.
So many sequences come before that, unless chance is off by more than four standard errors:

{sure}

For all of them `--to streaming` or `--to megatron` is exact.
"""


def export(manifest: Manifest, settings: Settings) -> tuple[Mapping[str, str] | None, list[Diagnostic]]:
    """`<phase>.json` with the sets of a phase, `loader.py`, and what tokenises the texts of a run."""
    mixed, found = mixture(manifest, settings)
    if mixed is None:
        return None, found
    if settings.sequence is None:
        found.append(messages.missing("--sequence-length", "an item is one training sequence"))
    scripts, more = prepared(mixed, settings, PROGRAM, PROGRAM)
    found += more
    if has_errors(found) or settings.sequence is None:
        return None, found
    mixed, schedules, more = scheduled(mixed, settings.sequence, settings.batch, by_pass)
    found += more + begun_anew(mixed, "LitData")
    if schedules is None:
        return None, found
    made, numbers, sure = dict(scripts), {}, []
    for number, (stage, schedule) in enumerate(zip(mixed.stages, schedules, strict=True)):
        sets = _sets(stage, schedule)
        numbers[stage.name] = [decimal(one["weight"]) for one in sets]
        least = certain(stage, schedule, settings.sequence)
        sure.append(f"- `{stage.name}`: {least:,} sequences")
        made[f"{stage.name}.json"] = as_json({
            "sequence_length": settings.sequence,
            "sequences": schedule.read,
            "sequences_for_sure": least,
            "seed": manifest.selection.seed + number,
            "sets": sets,
        })  # fmt: skip
    made["loader.py"] = LOADER.replace("{first}", mixed.stages[0].name)
    lines = [step_tokens(stage, one, settings.sequence) for stage, one in zip(mixed.stages, schedules, strict=True)]
    use = USE.replace("{first}", mixed.stages[0].name).replace("{names}", "\n".join(lines))
    use = use.replace("{sure}", "\n".join(sure))
    made[README] = readme(PROGRAM, CAPABILITY, mixed, numbers, use, uncounted(mixed, settings))
    return made, found


def certain(stage: Stage, schedule: Schedule, length: int) -> int:
    """Sequences that are drawn before a set ends, but for a chance of so many standard errors.

    The most M with M w + e sqrt(M w (1 - w)) at most the sequences that lie there, for all sets of weight w.
    """
    least = float(schedule.read)
    for leaf, weight in zip(stage.leaves, closed(schedule.sequences), strict=True):
        share = weight / _passes(leaf.tokens, leaf.available)
        spread = ERRORS * math.sqrt(share * (1 - share))
        root = (math.sqrt(spread * spread + 4 * share * (leaf.available // length)) - spread) / (2 * share)
        least = min(least, root * root)
    return int(least + 1e-6)


def _passes(tokens: int, available: int) -> int:
    return -(-tokens // available)


def _sets(stage: Stage, schedule: Schedule) -> list[dict[str, Any]]:
    return [
        {"input_dir": leaf.path, "passes": _passes(leaf.tokens, leaf.available), "weight": share}
        for leaf, share in zip(stage.leaves, closed(schedule.sequences), strict=True)
    ]
