"""Data-Juicer: how many samples are drawn of every place, said as weights.

Source: data_juicer/core/data/dataset_builder.py and utils/sample.py of py-data-juicer 1.6.1. Of N samples a place gets
ceil(N w / sum of weights), until N are given out: what comes last gets less, or nothing without a word. So the first
weights are half below their number of samples, and the last makes up the sum: whatever float64 does, ceil gives the
number itself, and the last place gets what is left, which is its own. Without `max_sample_num` weights mean nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import yaml

from mixc.backends.exporters import messages
from mixc.backends.exporters.carried import README, readme
from mixc.backends.exporters.leaves import Leaf, Mixture, Stage, mixture
from mixc.backends.exporters.steps import begun_anew
from mixc.backends.exporters.units import SAMPLE_SHARE, sample_shares
from mixc.compiler.export import Capability, Settings
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic, has_errors

PROGRAM: Final = "data-juicer"
CAPABILITY: Final = Capability(
    reads="documents: texts of a run, or files of yours",
    needs="`--run` with texts by `--repeat`, or `--data` and `--counts`",
    unit=f"{SAMPLE_SHARE}, of `max_sample_num`",
    exact="exact: the whole number of samples nearest below",
    phases="a file per phase",
    caps="in the number of samples",
    verified="py-data-juicer 1.6.1 processed it, in a nightly test",
)
USE: Final = """
```sh
pip install py-data-juicer aiohttp
{commands}
```

from the folder where {where}; it writes `mixed/<phase>.jsonl`. Add operators to `process`. Data-Juicer writes one place
after the other, so shuffle what it wrote. Leave `max_sample_num` as it is: without it, or with Ray, weights mean
nothing.
"""
SEED: Final = (
    "Data-Juicer draws by the fixed seed 42 from files in the order that the file system lists them: how many samples "
    "is the same everywhere, which ones may not be"
)


def export(manifest: Manifest, settings: Settings) -> tuple[Mapping[str, str] | None, list[Diagnostic]]:
    """`<phase>.yaml` with a weighted source per place."""
    if settings.texts is not None:
        settings = replace(settings, data=None, counts=None)
    mixed, found = mixture(manifest, settings, texts=True)
    if mixed is None:
        return None, found
    found += [messages.rows_stand_for_copies("Data-Juicer", one.path) for stage in mixed.stages for one in stage.leaves
              if one.copied][:1]  # fmt: skip
    if has_errors(found):
        return None, found
    for stage in mixed.stages:
        found += sample_shares(stage)[1]
    if has_errors(found):
        return None, found
    mixed, more = _whole(mixed)
    found += more + begun_anew(mixed, "Data-Juicer")
    if has_errors(found):
        return None, found
    made, numbers = {}, {}
    for stage in mixed.stages:
        made[f"{stage.name}.yaml"] = _config(mixed, stage)
        numbers[stage.name] = [f"{_samples(leaf):,} of {leaf.documents:,} samples" for leaf in stage.leaves]
    commands = "\n".join(f"dj-process --config {stage.name}.yaml" for stage in mixed.stages)
    where = "`mixc run` was started" if mixed.selected else "the places are seen from"
    use = USE.replace("{commands}", commands).replace("{where}", where)
    made[README] = readme(PROGRAM, CAPABILITY, mixed, numbers, use, [SEED])
    return made, found


def weights(samples: Sequence[int]) -> tuple[float, ...]:
    """Weights with which Data-Juicer draws exactly these numbers of samples, each at least one, of their sum."""
    *first, last = samples
    return (*(one - 0.5 for one in first), last + 0.5 * len(first))


def _config(mixed: Mixture, stage: Stage) -> str:
    samples = [_samples(leaf) for leaf in stage.leaves]
    configs = [
        {"type": "local", "path": leaf.path, "weight": weight}
        for leaf, weight in zip(stage.leaves, weights(samples), strict=True)
    ]
    made: dict[str, Any] = {
        "project_name": f"{mixed.recipe}-{stage.name}",
        "dataset": {"max_sample_num": sum(samples), "configs": configs},
        "text_keys": "text",
        "export_path": f"mixed/{stage.name}.jsonl",
        "process": [],
    }
    if mixed.selected:  # beside every file of a run lies a marker, which would be read instead
        made["suffixes"] = [".parquet"]
    return yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=1000)


def _samples(leaf: Leaf) -> int:
    assert leaf.documents is not None
    return leaf.documents * leaf.tokens // leaf.available


def _whole(mixed: Mixture) -> tuple[Mixture, list[Diagnostic]]:
    """The mixture without places that give a phase less than one sample."""
    left = [leaf for stage in mixed.stages for leaf in stage.leaves if not _samples(leaf)]
    stages = tuple(replace(one, leaves=tuple(leaf for leaf in one.leaves if _samples(leaf))) for one in mixed.stages)
    found: list[Diagnostic] = []
    if left:
        length = max(leaf.available // (leaf.documents or 1) for leaf in left)
        found.append(messages.too_little([leaf.path for leaf in left], sum(leaf.tokens for leaf in left), length))
    found += [messages.empty_phase(stage.name) for stage in stages if not stage.leaves]
    return replace(mixed, stages=stages), found
