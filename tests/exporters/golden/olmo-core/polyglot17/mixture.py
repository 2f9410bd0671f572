"""The data of a phase for OLMo-core: one epoch of `dataset("main", …)` is the phase."""

from pathlib import Path

from olmo_core.data import NumpyFSLDatasetConfig, TokenizerConfig
from olmo_core.data.source_mixture import SourceMixtureDatasetConfig, SourceMixtureList

HERE = Path(__file__).resolve().parent
SEQUENCE_LENGTH = 512
GLOBAL_BATCH_SIZE = 8192  # tokens
REQUESTED_TOKENS = {"main": 393216}
SEED = 17


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
