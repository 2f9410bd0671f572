"""The tasks of MuBench as one table: ten datasets in 61 languages, and the native benchmarks that guard them.

Source: MuBench (arXiv 2506.19468; Findings of ACL 2026, pp. 16163-16192), dataset `aialt/MuBench`; names and
configurations as babylm-org/babylm-eval defines them in `multilingual/tasks` (commit 45fe2c1), for which
lm-evaluation-harness itself has no task. Sizes and numbers of options: an audit of en, de, fr, ar and zh; None where
nobody has counted. Guards: INCLUDE (arXiv 2411.19799) and Global-MMLU-Lite (arXiv 2412.03304) in lm-eval 0.4.13.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Metric = Literal["acc", "acc_norm"]
Panel = Literal["early", "full", "guard"]

DATASET_PATH: Final = "aialt/MuBench"
PIVOT: Final = "en"
LANGUAGES: Final = (
    "af", "ar", "az", "bg", "bn", "ca", "ceb", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "ga",
    "gu", "he", "hi", "hr", "hu", "id", "is", "it", "ja", "jv", "kk", "km", "kn", "ko", "lt", "lv", "ml", "mr",
    "ms", "my", "nl", "no", "pa", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr", "sv", "sw", "ta", "te", "th",
    "tl", "tr", "uk", "ur", "uz", "vi", "zh",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dataset:
    """One of the ten sets.

    `folder` and `variant` make the configuration, `metrics` are what the harness can report, `metric` is the one that
    decides: characters normalise long continuations (`acc_norm`), short options need none (`acc`). `items` are the
    lowest and highest number found per language, `options` those per item (None: no upper bound known). `family`
    shares one weight. `shots`: whether there is a split that examples could come from.
    """

    name: str
    folder: str
    metric: Metric
    family: str
    options: tuple[int, int | None]
    items: tuple[int, int] | None = None
    variant: str = "lighteval"
    metrics: tuple[Metric, ...] = ("acc", "acc_norm")
    early: bool = False
    shots: bool = True

    def task(self, language: str) -> str:
        """The name of the task in a language."""
        return f"{self.name}_{language}_mubench"

    def config(self, language: str) -> str:
        """The configuration of `aialt/MuBench` in a language."""
        return f"{self.folder}_{self.variant}_{language}"

    @property
    def group(self) -> str:
        """The name of the group of all its languages."""
        return f"{self.name}_mubench"


_ACC: Final[tuple[Metric, ...]] = ("acc",)
DATASETS: Final[Mapping[str, Dataset]] = MappingProxyType({
    one.name: one
    for one in (
        Dataset("arc_challenge", "ARCChallengeDataset", "acc", "arc", (3, 5)),
        Dataset("arc_easy", "ARCEasyDataset", "acc", "arc", (3, 5), (2359, 2359), early=True),
        Dataset("bmlama", "BMLAMADataset", "acc", "bmlama", (2, 10), metrics=_ACC, early=True),
        Dataset("gpqa", "GPQADataset", "acc", "gpqa", (4, 4)),
        Dataset("hellaswag", "HellaswagDataset", "acc_norm", "hellaswag", (4, 4), (9044, 9044), early=True),
        Dataset("multinli", "MNLIDataset", "acc", "nli", (3, 3), variant="en_template", metrics=_ACC),
        Dataset("snli", "SNLIDataset", "acc", "nli", (3, 3), variant="en_template", metrics=_ACC),
        Dataset("truthfulqa", "TruthfulQADataset", "acc", "truthfulqa", (2, None), shots=False),
        Dataset(
            "winogrande", "WinoGrandeDataset", "acc", "winogrande", (2, 2), (1210, 1213), metrics=_ACC, shots=False
        ),
        Dataset("xstorycloze", "StoryClozeDataset", "acc_norm", "xstorycloze", (2, 2), early=True),
    )
})  # fmt: skip

INCLUDE: Final[Mapping[str, str]] = MappingProxyType({
    "ar": "arabic", "az": "azerbaijani", "be": "belarusian", "bg": "bulgarian", "bn": "bengali", "de": "german",
    "el": "greek", "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish",
    "fr": "french", "he": "hebrew", "hi": "hindi", "hr": "croatian", "hu": "hungarian", "hy": "armenian",
    "id": "indonesian", "it": "italian", "ja": "japanese", "ka": "georgian", "kk": "kazakh", "ko": "korean",
    "lt": "lithuanian", "mk": "north_macedonian", "ml": "malayalam", "ms": "malay", "ne": "nepali", "nl": "dutch",
    "pl": "polish", "pt": "portuguese", "ru": "russian", "sq": "albanian", "sr": "serbian", "ta": "tamil",
    "te": "telugu", "tl": "tagalog", "tr": "turkish", "uk": "ukrainian", "ur": "urdu", "uz": "uzbek",
    "vi": "vietnamese", "zh": "chinese",
})  # fmt: skip
GLOBAL_MMLU: Final = ("ar", "bn", "de", "en", "es", "fr", "hi", "id", "it", "ja", "ko", "pt", "sw", "yo", "zh")

_TASK: Final = re.compile(r"(?P<dataset>[a-z_]+?)_(?P<language>[a-z]{2,3})_mubench")


def parsed(task: str) -> tuple[Dataset, str] | None:
    """The dataset and language of a task's name; None where it is no task of MuBench."""
    match = _TASK.fullmatch(task)
    if match is None or match["dataset"] not in DATASETS or match["language"] not in LANGUAGES:
        return None
    return DATASETS[match["dataset"]], match["language"]


def is_guard(task: str) -> bool:
    """Whether a task belongs to one of the guards, whole or in part: `include_base_44_german_stem`."""
    include = any(task == name or task.startswith(f"{name}_") for name in map(include_task, INCLUDE))
    return include or any(task == name or task.startswith(f"{name}_") for name in map(global_mmlu_task, GLOBAL_MMLU))


def include_task(language: str) -> str:
    """INCLUDE in a language, a group of the harness."""
    return f"include_base_44_{INCLUDE[language]}"


def global_mmlu_task(language: str) -> str:
    """Global-MMLU-Lite in a language, a group of the harness."""
    return f"global_mmlu_{language}"
