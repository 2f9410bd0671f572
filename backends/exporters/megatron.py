"""Megatron-LM: a blend of indexed datasets per phase, by share of training sequences.

Source: megatron/core/datasets/utils.py (`get_blend_from_list`) and megatron/training/arguments.py of 2026-08; traps
found by running megatron-core 0.16.1. A file of arguments is split at any whitespace, and one weight that cannot be
read turns all weights into paths, so weights are plain decimals and paths hold no spaces.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from mixc.backends.exporters import messages
from mixc.backends.exporters.carried import README, prepared, readme
from mixc.backends.exporters.leaves import Mixture, mixture
from mixc.backends.exporters.units import SEQUENCE_SHARE, decimal, in_sequences, sequence_shares, sequences
from mixc.compiler.export import Capability, Settings
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic, has_errors

PROGRAM: Final = "megatron"
MOST_PLACES: Final = 32_766  # indices of datasets are 16-bit integers
CAPABILITY: Final = Capability(
    reads="indexed datasets (.bin, .idx)",
    unit=SEQUENCE_SHARE,
    exact="to one sequence",
    phases="a blend per phase, and the samples of each",
    caps="not known to it: `train_samples` ends before another pass would start",
    verified="megatron-core 0.16.1 read it, in the tests",
)
USE: Final = """
```sh
pretrain_gpt.py --seq-length {sequence} --train-samples {samples} --per-split-data-args-path {name}.json …
```

`<phase>.args` is the same blend for `--data-args-path`, which needs `--split 1,0,0`. Train no more samples than
`samples.json` says of a phase: Megatron would go on into another pass without a word. For several phases give
`--phase-transition-iterations`, or start anew from the checkpoint with the next file.
"""


def export(manifest: Manifest, settings: Settings) -> tuple[Mapping[str, str] | None, list[Diagnostic]]:
    """`<phase>.args`, `<phase>.json` and `samples.json`, and what tokenises the texts of a run."""
    mixed, found = mixture(manifest, settings)
    if mixed is None:
        return None, found
    found += _unfit(mixed)
    if settings.sequence is None:
        found.append(messages.missing("--sequence-length", "Megatron draws sequences"))
    scripts, more = prepared(mixed, settings, PROGRAM)
    found += more
    if has_errors(found) or settings.sequence is None:
        return None, found
    mixed, more = in_sequences(mixed, settings.sequence)
    found += more
    made, numbers, samples = dict(scripts), {}, {}
    for stage in mixed.stages:
        shares, more = sequence_shares(stage, settings.sequence)
        if shares is None:
            return None, found + more
        numbers[stage.name] = weights = [decimal(share) for share in shares]
        samples[stage.name] = sum(sequences(leaf, settings.sequence) for leaf in stage.leaves)
        blend = [text for leaf, weight in zip(stage.leaves, weights, strict=True) for text in (weight, leaf.path)]
        made[f"{stage.name}.args"] = "\n".join(f"{w} {p}" for w, p in zip(blend[::2], blend[1::2], strict=True)) + "\n"
        split = {"train": blend, "valid": None, "test": None}
        made[f"{stage.name}.json"] = json.dumps(split, indent=1, ensure_ascii=False) + "\n"
    made["samples.json"] = json.dumps({"sequence_length": settings.sequence, "train_samples": samples}, indent=1) + "\n"
    first = mixed.stages[0].name
    use = USE.replace("{sequence}", str(settings.sequence)).replace("{samples}", str(samples[first]))
    made[README] = readme(PROGRAM, CAPABILITY, mixed, numbers, use.replace("{name}", first))
    return made, found


def _unfit(mixed: Mixture) -> list[Diagnostic]:
    paths = sorted({leaf.path for stage in mixed.stages for leaf in stage.leaves})
    found = [messages.unfit_path(path, "Megatron", "a space") for path in paths if len(path.split()) != 1]
    if len(paths) > MOST_PLACES:
        found.append(messages.too_many_places("Megatron", len(paths), MOST_PLACES))
    return found
