"""nanotron: all phases as `data_stages`, by share of training sequences.

Source: src/nanotron/config/config.py (`NanosetDatasetsArgs`, `DatasetStageArgs`), data/tokenized_bytes.py and
data/nemo_dataset/blendable_dataset.py of 2026-04. A sequence is cut from a file with the token after it, so it takes
one token more than its length. Sequences are drawn from the set with the largest deficit, in order, and a set that
ends begins again without a word: so the steps of every stage end before that. Release 0.4 cannot be imported; the form
is checked against the fields of the source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import yaml

from mixc.backends.exporters import messages
from mixc.backends.exporters.carried import README, prepared, readme
from mixc.backends.exporters.leaves import Mixture, mixture
from mixc.backends.exporters.steps import Schedule, begun_anew, by_pass, scheduled, step_tokens, uncounted
from mixc.backends.exporters.units import SEQUENCE_SHARE, closed, decimal
from mixc.compiler.export import Capability, Settings
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic, has_errors

PROGRAM: Final = "nanotron"
MOST_PLACES: Final = 32_766  # indices of sets are 16-bit integers
CONFIG: Final = "data.yaml"
CAPABILITY: Final = Capability(
    reads="folders of tokens as datatrove writes them (.ds)",
    needs="`--sequence-length`, `--batch`; `--data`, or `--run` and `--tokenizer`",
    unit=SEQUENCE_SHARE,
    exact="to one sequence",
    phases="all in `data_stages`, each from its first step",
    caps="not known to it: sets begin again without a word, and the steps of a stage end before",
    verified="by schema, not run",
)
USE: Final = """
Take `tokens` and `data_stages` of `data.yaml` into nanotron's configuration. {batch} sequences are a step:
`micro_batch_size`, `batch_accumulation_per_replica` and the parallel replicas of the data, multiplied. With another
batch export again.

{names}

Train no more steps than that: a set that ends begins again without a word, and small ones end first.
`dataset_max_tokens` would not help, for a set made shorter by it begins again the sooner; so it is left out. Tokenizer
and width of a token are read from the `.metadata` files of the folders.
"""


def export(manifest: Manifest, settings: Settings) -> tuple[Mapping[str, str] | None, list[Diagnostic]]:
    """`data.yaml` with all phases, and what tokenises the texts of a run."""
    mixed, found = mixture(manifest, settings)
    if mixed is None:
        return None, found
    paths = {leaf.path for stage in mixed.stages for leaf in stage.leaves}
    if len(paths) > MOST_PLACES:
        found.append(messages.too_many_places(PROGRAM, len(paths), MOST_PLACES))
    if settings.sequence is None:
        found.append(messages.missing("--sequence-length", "nanotron draws sequences"))
    if settings.batch is None:
        found.append(messages.missing("--batch", "nanotron changes stages at steps"))
    scripts, more = prepared(mixed, settings, PROGRAM, "ds")
    found += more
    if has_errors(found) or settings.sequence is None or settings.batch is None:
        return None, found
    mixed, schedules, more = scheduled(mixed, settings.sequence + 1, settings.batch, by_pass)
    found += more + begun_anew(mixed, PROGRAM)
    if schedules is None:
        return None, found
    made, shares = dict(scripts), [closed(one.sequences) for one in schedules]
    tokens = {"sequence_length": settings.sequence, "train_steps": sum(one.steps or 0 for one in schedules)}
    stages = _stages(mixed, schedules, shares, manifest.selection.seed)
    config = {"tokens": tokens, "data_stages": stages}
    made[CONFIG] = yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
    numbers = {stage.name: [decimal(one) for one in some] for stage, some in zip(mixed.stages, shares, strict=True)}
    lines = [step_tokens(stage, one, settings.sequence) for stage, one in zip(mixed.stages, schedules, strict=True)]
    use = USE.replace("{batch}", f"{settings.batch:,}").replace("{names}", "\n".join(lines))
    made[README] = readme(PROGRAM, CAPABILITY, mixed, numbers, use, uncounted(mixed, settings))
    return made, found


def _stages(
    mixed: Mixture, schedules: Sequence[Schedule], shares: Sequence[Sequence[float]], seed: int
) -> list[dict[str, object]]:
    """Stages count steps from 1."""
    made: list[dict[str, object]] = []
    start = 1
    for stage, schedule, weights in zip(mixed.stages, schedules, shares, strict=True):
        sets = {"dataset_folder": [leaf.path for leaf in stage.leaves], "dataset_weights": list(weights)}
        data = {"seed": seed, "num_loading_workers": 1, "dataset": sets}
        made.append({"name": stage.name, "start_training_step": start, "data": data})
        start += schedule.steps or 0
    return made
