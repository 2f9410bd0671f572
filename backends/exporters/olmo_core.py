"""OLMo-core: a source mixture per phase, by share of tokens, asked for in whole sequences.

Source: olmo_core/data/source_mixture.py and numpy_dataset.py of ai2-olmo-core 3.0.0. Building fails where a source's
tokens x fraction x repetition are less than requested tokens x ratio, each cut to an integer: so the repetition is
rounded up until that holds in float64. What is requested is a whole number of steps and every share of it a whole
number of sequences, so that the largest remainders restore what float64 cuts off, and nothing else moves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import yaml

from mixc.backends.exporters import messages
from mixc.backends.exporters.carried import README, prepared, readme
from mixc.backends.exporters.leaves import PREPARED, Mixture, Stage, mixture
from mixc.backends.exporters.steps import Schedule, begun_anew, by_pass, scheduled, step_tokens, uncounted
from mixc.backends.exporters.units import TOKEN_SHARE, closed, decimal, rounded_up
from mixc.compiler.export import Capability, Settings
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic, has_errors

PROGRAM: Final = "olmo-core"
DIGITS: Final = 6  # decimals of a repetition
SUFFIX: Final = ".npy"
CAPABILITY: Final = Capability(
    reads="tokens in files without a header (.npy)",
    needs="`--sequence-length`, `--batch`; `--data`, or `--run` and `--tokenizer`",
    unit=TOKEN_SHARE,
    exact="to one sequence; to one per pass where files do not end with a sequence",
    phases="a mixture per phase, and its steps in `mixture.py`",
    caps="`max_repetition_ratio`, by phase; building fails beyond it",
    verified="ai2-olmo-core 3.0.0 read it, in the tests",
)
MIXTURE: Final = '''"""The data of a phase for OLMo-core: one epoch of `dataset("{first}", …)` is the phase."""

from pathlib import Path

from olmo_core.data import NumpyFSLDatasetConfig, TokenizerConfig
from olmo_core.data.source_mixture import SourceMixtureDatasetConfig, SourceMixtureList

HERE = Path(__file__).resolve().parent
SEQUENCE_LENGTH = {length}
GLOBAL_BATCH_SIZE = {batch}  # tokens
REQUESTED_TOKENS = {tokens}
SEED = {seed}


def mixture(phase: str) -> SourceMixtureDatasetConfig:
    """What a phase takes of every source."""
    return SourceMixtureDatasetConfig(
        source_list=SourceMixtureList.from_yaml(HERE / f"{phase}.yaml"),
        requested_tokens=REQUESTED_TOKENS[phase],
        global_batch_size=GLOBAL_BATCH_SIZE,
        seed=SEED,
    )


def dataset(phase: str, tokenizer: TokenizerConfig, work_dir: str) -> NumpyFSLDatasetConfig:
    """The dataset of a phase; its data loader needs the same global batch size."""
    return NumpyFSLDatasetConfig.from_src_mix(
        mixture(phase), sequence_length=SEQUENCE_LENGTH, tokenizer=tokenizer, work_dir=work_dir
    )
'''
USE: Final = """
```python
from mixture import GLOBAL_BATCH_SIZE, dataset
from olmo_core.data import NumpyDataLoaderConfig

config = dataset("{first}", tokenizer_config, work_dir="cache")
loader = NumpyDataLoaderConfig(global_batch_size=GLOBAL_BATCH_SIZE, seed={seed})
```

{names}

`tokenizer_config` states the vocabulary, which tells the width of a token in the files, and the token that ends a
document.

Train one epoch of it, and no more: the second reads everything again. The next phase starts from the checkpoint with
its own dataset. Of a place OLMo-core reads the first tokens, as many as are asked for, so documents in it should be in
random order.
"""


def export(manifest: Manifest, settings: Settings) -> tuple[Mapping[str, str] | None, list[Diagnostic]]:
    """`<phase>.yaml` with the sources of a phase, `mixture.py`, and what tokenises the texts of a run."""
    mixed, found = mixture(manifest, _named(settings))
    if mixed is None:
        return None, found
    if settings.sequence is None:
        found.append(messages.missing("--sequence-length", "OLMo-core counts in sequences"))
    if settings.batch is None:
        found.append(messages.missing("--batch", "OLMo-core rounds a mixture up to whole steps"))
    scripts, more = prepared(mixed, settings, PROGRAM, "npy")
    found += more
    if has_errors(found) or settings.sequence is None or settings.batch is None:
        return None, found
    mixed, schedules, more = scheduled(mixed, settings.sequence, settings.batch, by_pass)
    found += more + begun_anew(mixed, "OLMo-core")
    if schedules is None:
        return None, found
    made, numbers = dict(scripts), {}
    for stage, schedule in zip(mixed.stages, schedules, strict=True):
        entries = sources(stage, schedule, settings.sequence)
        numbers[stage.name] = [decimal(one["target_ratio"]) for one in entries]
        made[f"{stage.name}.yaml"] = yaml.safe_dump({"sources": entries}, sort_keys=False, allow_unicode=True)
    seed = manifest.selection.seed
    made["mixture.py"] = _program(mixed, schedules, settings, seed)
    lines = [step_tokens(stage, one, settings.sequence) for stage, one in zip(mixed.stages, schedules, strict=True)]
    use = USE.replace("{first}", mixed.stages[0].name).replace("{seed}", str(seed))
    use = use.replace("{names}", "\n".join(lines))
    made[README] = readme(PROGRAM, CAPABILITY, mixed, numbers, use, uncounted(mixed, settings))
    return made, found


def enough(available: int, requested: int, ratio: float) -> float:
    """The smallest repetition of so many decimals with which building a mixture does not fail, computed as it does."""
    needed = int(requested * ratio)
    repetition = max(1.0, rounded_up(needed / available, DIGITS))
    while int(available * 1.0 * repetition) < needed:
        repetition = round(repetition + 10.0**-DIGITS, DIGITS)
    return repetition


def _named(settings: Settings) -> Settings:
    """Where a run is tokenised, places are files."""
    if settings.data is not None or settings.texts is None:
        return settings
    return replace(settings, data=PREPARED + SUFFIX)


def sources(stage: Stage, schedule: Schedule, length: int) -> list[dict[str, Any]]:
    """The sources of a phase as OLMo-core reads them, of sequences of `length` tokens."""
    return [
        {
            "source_name": leaf.name,
            "target_ratio": share,
            "max_repetition_ratio": enough(leaf.available, schedule.read * length, share),
            "max_source_fraction": 1.0,
            "paths": [leaf.path],
        }
        for leaf, share in zip(stage.leaves, closed(schedule.sequences), strict=True)
    ]


def _program(mixed: Mixture, schedules: tuple[Schedule, ...], settings: Settings, seed: int) -> str:
    assert settings.sequence is not None and settings.batch is not None
    requested = {stage.name: one.read * settings.sequence for stage, one in zip(mixed.stages, schedules, strict=True)}
    words = {
        "{first}": mixed.stages[0].name,
        "{length}": str(settings.sequence),
        "{batch}": str(settings.batch * settings.sequence),
        "{tokens}": json.dumps(requested, ensure_ascii=False),
        "{seed}": str(seed),
    }
    text = MIXTURE
    for word, value in words.items():
        text = text.replace(word, value)
    return text
