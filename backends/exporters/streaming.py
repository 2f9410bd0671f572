"""MosaicML Streaming and LLM Foundry: a stream per place, with how often its samples are read.

`repeat` is absolute where `proportion` is relative: a phase reads each place as often as decided, whatever the size of
an epoch. Source: streaming/base/stream.py and dataset.py of mosaicml-streaming 0.13.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import yaml

from mixc.backends.exporters.carried import README, prepared, readme
from mixc.backends.exporters.leaves import Leaf, mixture
from mixc.backends.exporters.messages import missing
from mixc.backends.exporters.units import PASSES
from mixc.compiler.export import Capability, Settings
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic, has_errors

CAPABILITY: Final = Capability(
    reads="MDS shards",
    unit=PASSES,
    exact="exact: the whole number of samples nearest below",
    phases="a file of streams per phase",
    caps="in the number itself",
    verified="mosaicml-streaming 0.13.0 read it, in the tests",
)
USE: Final = """
```python
import yaml
from streaming import Stream, StreamingDataset

made = yaml.safe_load(open("{file}"))["train_loader"]["dataset"]
streams = [Stream(**one) for one in made.pop("streams").values()]
dataset = StreamingDataset(streams=streams, batch_size=BATCH, **made)
```

`train_loader.dataset` is also what LLM Foundry reads. One epoch of this dataset is the phase.
"""


def export(manifest: Manifest, settings: Settings) -> tuple[Mapping[str, str] | None, list[Diagnostic]]:
    """`<phase>.yaml` for every phase, and what tokenises the texts of a run."""
    mixed, found = mixture(manifest, settings)
    if mixed is None:
        return None, found
    if mixed.selected and settings.sequence is None:
        found.append(missing("--sequence-length", "a sample is one training sequence"))
    scripts, more = prepared(mixed, settings, "mds")
    found += more
    if has_errors(found):
        return None, found
    made = dict(scripts)
    for stage in mixed.stages:
        streams = {leaf.name: _stream(leaf) for leaf in stage.leaves}
        dataset = {"shuffle": True, "shuffle_seed": manifest.selection.seed, "streams": streams}
        loader = {"train_loader": {"dataset": dataset}}
        made[f"{stage.name}.yaml"] = yaml.safe_dump(loader, sort_keys=True, allow_unicode=True)
    numbers = {stage.name: [repr(leaf.passes) for leaf in stage.leaves] for stage in mixed.stages}
    use = USE.replace("{file}", f"{mixed.stages[0].name}.yaml")
    made[README] = readme("streaming", CAPABILITY, mixed, numbers, use)
    return made, found


def _stream(leaf: Leaf) -> dict[str, object]:
    """A remote place is copied to a folder of this machine; a local one is read where it lies."""
    if "://" in leaf.path:
        return {"remote": leaf.path, "local": f"cache/{leaf.name}", "repeat": leaf.passes}
    return {"local": leaf.path, "repeat": leaf.passes}
