"""Megatron-LM: a blend of indexed datasets per phase, whose weights are whole training sequences.

Source: megatron/core/datasets (`utils.get_blend_from_list`, `blended_megatron_dataset_builder`, `gpt_dataset`,
`helpers.cpp`) of megatron-core 0.16.1 and megatron/training/arguments.py of 2026-08.

A file of arguments is split at any whitespace, and one weight that cannot be read turns all weights into paths: so
weights are integers and paths hold no spaces. Of S samples Megatron asks a dataset of weight w for ceil(w S), and a
dataset that is one sequence short is built with another pass. So weights add up to S + 1: then ceil(w S) is the weight
itself, whatever float64 makes of it, and drawing the largest deficit first gives each dataset its weight exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Final

from mixc.backends.exporters import messages
from mixc.backends.exporters.carried import README, as_json, prepared, readme
from mixc.backends.exporters.leaves import Mixture, mixture
from mixc.backends.exporters.steps import Schedule, across_passes, begun_anew, scheduled, step_tokens, uncounted
from mixc.backends.exporters.units import SEQUENCE_SHARE
from mixc.compiler.export import Capability, Settings
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic, has_errors

PROGRAM: Final = "megatron"
MOST_PLACES: Final = 32_766  # indices of datasets are 16-bit integers
SAMPLES: Final = "samples.json"
CAPABILITY: Final = Capability(
    reads="indexed datasets (.bin, .idx)",
    needs="`--sequence-length`; `--batch` for several phases; `--data`, or `--run` and `--tokenizer`",
    unit=f"{SEQUENCE_SHARE}, as whole sequences",
    exact="to one sequence",
    phases="a blend per phase, and `--phase-transition-iterations`",
    caps="not known to it: the samples of a phase end before another pass would start",
    verified="megatron-core 0.16.1 read it, in the tests",
)
USE: Final = """
```sh
{commands}
```

{names}

Train no more than that: Megatron would go on into another pass without a word. Weights add up to one sequence more than
is trained on, so that what Megatron rounds up stays at the weight. Without `--mid-level-dataset-surplus 0` it builds
0.5 % more of every place: another pass over places that are read whole, mixed into the first where they are small.

`<phase>.args` is the same blend for `--data-args-path`, which needs `--split 1,0,0`.{phases}
"""
PHASES: Final = """

Megatron stops at the end of a phase with a checkpoint. Start it again with the file of the next phase and the same
iterations; the batch may not grow during the training."""


def export(manifest: Manifest, settings: Settings) -> tuple[Mapping[str, str] | None, list[Diagnostic]]:
    """`<phase>.args`, `<phase>.json` and `samples.json`, and what tokenises the texts of a run."""
    mixed, found = mixture(manifest, settings)
    if mixed is None:
        return None, found
    found += _unfit(mixed)
    if settings.sequence is None:
        found.append(messages.missing("--sequence-length", "Megatron draws sequences"))
    if settings.batch is None and len(mixed.stages) > 1:
        found.append(messages.missing("--batch", "Megatron changes phases at iterations"))
    scripts, more = prepared(mixed, settings, PROGRAM, PROGRAM)
    found += more
    if has_errors(found) or settings.sequence is None:
        return None, found
    mixed, schedules, more = scheduled(mixed, settings.sequence, settings.batch, across_passes, unread=1)
    found += more + begun_anew(mixed, "Megatron")
    if schedules is None:
        return None, found
    made, numbers = dict(scripts), {}
    for stage, schedule in zip(mixed.stages, schedules, strict=True):
        numbers[stage.name] = weights = [str(number) for number in schedule.sequences]
        pairs = [(weight, leaf.path) for weight, leaf in zip(weights, stage.leaves, strict=True)]
        made[f"{stage.name}.args"] = "".join(f"{weight} {path}\n" for weight, path in pairs)
        split = {"train": [text for pair in pairs for text in pair], "valid": None, "test": None}
        made[f"{stage.name}.json"] = as_json(split)
    made[SAMPLES] = as_json(_samples(mixed, schedules, settings))
    made[README] = readme(
        PROGRAM, CAPABILITY, mixed, numbers, _use(mixed, schedules, settings), uncounted(mixed, settings)
    )
    return made, found


def _samples(mixed: Mixture, schedules: Sequence[Schedule], settings: Settings) -> dict[str, object]:
    named = [(stage.name, one) for stage, one in zip(mixed.stages, schedules, strict=True)]
    made: dict[str, object] = {"sequence_length": settings.sequence}
    made["train_samples"] = {name: one.read for name, one in named}
    if settings.batch is not None:
        made["global_batch_size"] = settings.batch
        made["train_iters"] = {name: one.steps for name, one in named}
        made["phase_transition_iterations"] = list(_ends(schedules))[:-1]
    return made


def _ends(schedules: Sequence[Schedule]) -> tuple[int, ...]:
    """The iteration after which each phase ends, counted from the start of the training."""
    return tuple(accumulate(one.steps or 0 for one in schedules))


def _use(mixed: Mixture, schedules: Sequence[Schedule], settings: Settings) -> str:
    assert settings.sequence is not None
    *changes, last = _ends(schedules)
    until = f"--train-samples {schedules[0].read}"
    if settings.batch is not None:
        until = f"--global-batch-size {settings.batch} --train-iters {last}"
    if changes:
        until += f" --phase-transition-iterations {','.join(map(str, changes))}"
    commands = [
        f"pretrain_gpt.py --seq-length {settings.sequence} {until} \\\n"
        f"  --mid-level-dataset-surplus 0 --per-split-data-args-path {stage.name}.json …"
        for stage in mixed.stages
    ]
    lines = [step_tokens(stage, one, settings.sequence) for stage, one in zip(mixed.stages, schedules, strict=True)]
    use = USE.replace("{commands}", "\n".join(commands)).replace("{names}", "\n".join(lines))
    return use.replace("{phases}", PHASES if changes else "")


def _unfit(mixed: Mixture) -> list[Diagnostic]:
    paths = sorted({leaf.path for stage in mixed.stages for leaf in stage.leaves})
    found = [messages.unfit_path(path, "Megatron", "a space") for path in paths if len(path.split()) != 1]
    if len(paths) > MOST_PLACES:
        found.append(messages.too_many_places("Megatron", len(paths), MOST_PLACES))
    return found
