"""MosaicML Streaming and LLM Foundry: a stream per place, with how often it is read, or how many of its samples are.

`repeat` and `choose` are absolute where `proportion` is relative: a phase reads each place as often as decided,
whatever the size of an epoch. `repeat` becomes `int(repeat * samples)` in float64 (streaming/base/stream.py of
mosaicml-streaming 0.13.0), which for 0.29 of 100 samples is 28; so it is rounded up to the next float64. Where samples
are counted `choose` is exacter: no float at all. No sample is then read twice more than another
(streaming/base/sampling.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import yaml

from mixc.backends.exporters import messages
from mixc.backends.exporters.carried import README, prepared, readme
from mixc.backends.exporters.leaves import Leaf, Mixture, Stage, mixture
from mixc.backends.exporters.steps import begun_anew
from mixc.backends.exporters.units import PASSES, less_than_a_sample, up
from mixc.compiler.export import Capability, Settings
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic, has_errors

PROGRAM: Final = "streaming"
CAPABILITY: Final = Capability(
    reads="MDS shards",
    needs="`--data`, or `--run`, `--sequence-length` and `--tokenizer`",
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

One epoch of this dataset is the phase. `train_loader.dataset` has the form that LLM Foundry reads; that was not run.
"""
DEVICES: Final = (
    "Several devices: each gets as many samples, for which Streaming reads some twice, fewer than there are devices; "
    "none where the samples of the phase are a multiple of the devices."
)
COUNTS: Final = "Once samples are counted (`--counts`) their number itself is written, as `choose`."
FIRST: Final = """
First `python prepare.py`, started where the run lies by a Python that has Streaming, pyarrow and tokenizers, writes the
shards and `counts.json`; export once more with `--counts counts.json`. Only then are the shares those of the
tokenizer's tokens.
"""


def export(manifest: Manifest, settings: Settings) -> tuple[Mapping[str, str] | None, list[Diagnostic]]:
    """`<phase>.yaml` for every phase, and what tokenises the texts of a run."""
    mixed, found = mixture(manifest, settings)
    if mixed is None:
        return None, found
    if mixed.selected and settings.sequence is None:
        found.append(messages.missing("--sequence-length", "a sample is one training sequence"))
    scripts, more = prepared(mixed, settings, PROGRAM, "mds")
    found += more
    if settings.counts is not None:
        mixed, more = _whole(mixed)
        found += more
    found += [messages.empty_phase(stage.name) for stage in mixed.stages if not stage.leaves]
    found += begun_anew(mixed, "Streaming")
    if has_errors(found):
        return None, found
    made, numbers = dict(scripts), {}
    for number, stage in enumerate(mixed.stages):
        made[f"{stage.name}.yaml"] = _yaml(stage, manifest.selection.seed + number, settings)
        numbers[stage.name] = [f"{key}: {value!r}" for key, value in (_amount(leaf, settings) for leaf in stage.leaves)]
    use = USE.replace("{file}", f"{mixed.stages[0].name}.yaml")
    if mixed.selected and settings.counts is None:
        use = FIRST + use
    notes = [DEVICES] if settings.counts is not None else [DEVICES, COUNTS]
    made[README] = readme(PROGRAM, CAPABILITY, mixed, numbers, use, notes)
    return made, found


def _yaml(stage: Stage, seed: int, settings: Settings) -> str:
    """Phases have seeds of their own: with one, each would draw the same part of a place."""
    streams = {leaf.name: {**_where(leaf), **dict([_amount(leaf, settings)])} for leaf in stage.leaves}
    dataset = {"shuffle": True, "shuffle_seed": seed, "streams": streams}
    return yaml.safe_dump({"train_loader": {"dataset": dataset}}, sort_keys=True, allow_unicode=True)


def _where(leaf: Leaf) -> dict[str, object]:
    """A remote place is copied to a folder of this machine; a local one is read where it lies."""
    if "://" in leaf.path:
        return {"remote": leaf.path, "local": f"cache/{leaf.path.partition('://')[2]}"}
    return {"local": leaf.path}


def _amount(leaf: Leaf, settings: Settings) -> tuple[str, float | int]:
    """Samples where they were counted, else passes."""
    if settings.counts is not None:
        return "choose", _samples(leaf)
    return "repeat", up(leaf.tokens, leaf.available)


def _samples(leaf: Leaf) -> int:
    assert leaf.documents is not None
    return leaf.documents * leaf.tokens // leaf.available


def _whole(mixed: Mixture) -> tuple[Mixture, list[Diagnostic]]:
    """The mixture without places that give a phase less than one sample."""
    left = [leaf for stage in mixed.stages for leaf in stage.leaves if not _samples(leaf)]
    stages = tuple(replace(one, leaves=tuple(leaf for leaf in one.leaves if _samples(leaf))) for one in mixed.stages)
    return replace(mixed, stages=stages), less_than_a_sample(left)
