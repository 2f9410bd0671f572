"""Megatron-Energon: a metadataset per phase, blended by passes over its places.

Source: metadataset/metadataset_v2.py, wrappers/repeat_dataset.py and wrappers/blend_dataset.py of megatron-energon
7.4.1. `blend` gives chances of the next sample; `blend_epochized` reads every place so many times before an epoch ends.
Whole `repetitions` are exact; of a fraction each worker reads the part of its own samples, rounded down. Where phases
share a place they read ranges of it (`subset`), which are exact and do not overlap.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

import yaml

from mixc.backends.exporters import messages
from mixc.backends.exporters.carried import PLACES, PREPARE, README, as_json, readme, script
from mixc.backends.exporters.leaves import Leaf, Mixture, mixture
from mixc.backends.exporters.units import PASSES, less_than_a_sample, up
from mixc.compiler.export import Capability, Settings
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic, has_errors, page
from mixc.dsl.wording import plain

WRITER: Final = "jsonl.py"
CAPABILITY: Final = Capability(
    reads="prepared Energon datasets: WebDataset or JSON lines",
    needs="`--data` or `--run`",
    unit=PASSES,
    exact="whole passes and ranges exactly; a fraction to one sample per worker",
    phases="a metadataset per phase; where they share a place, ranges of it that do not overlap",
    caps="in the number itself",
    verified="megatron-energon 7.4.1 read it, in the nightly tests",
)
USE: Final = """
Energon sees the places from the folder of the metadataset: put `{file}` where your paths start.

```python
from megatron.energon import WorkerConfig, get_loader, get_train_dataset

dataset = get_train_dataset(
    "{file}", worker_config=WorkerConfig.default_worker_config(WORKERS), batch_size=BATCH, repeat=False,
    shuffle_buffer_size=None, max_samples_per_sequence=None, task_encoder=YOURS,
)
```

One epoch, `repeat=False`, is the phase.
"""
FIRST: Final = """
First `python jsonl.py`, started where the run lies, writes the texts as JSON lines with their index. Their
samples are `CrudeSample`s, `{"json": {"text": …}}`, for a cooker of your task encoder.
"""
OWN: Final = """
Places have to be prepared: `energon prepare PLACE` for a folder of WebDataset files or a `.jsonl` file.
"""


def export(manifest: Manifest, settings: Settings) -> tuple[Mapping[str, str] | None, list[Diagnostic]]:
    """`<phase>.yaml` for every phase, and what writes the texts of a run as JSON lines."""
    mixed, found = mixture(manifest, settings)
    if mixed is None:
        return None, found
    paths = sorted({leaf.path for stage in mixed.stages for leaf in stage.leaves})
    found += [no_protocol(path) for path in paths if "://" in path and path.split("://")[0] not in ("msc", "file")]
    found += [messages.empty_phase(stage.name) for stage in mixed.stages if not stage.leaves]
    if has_errors(found):
        return None, found
    made: dict[str, str] = {}
    numbers: dict[str, list[str]] = {}
    starts: dict[str, int] = {}
    for stage in mixed.stages:
        blended, numbers[stage.name] = [], []
        left: list[Leaf] = []
        for leaf in stage.leaves:
            start = starts.get(leaf.path, 0)
            starts[leaf.path] = start + leaf.tokens
            entries = _ranges(leaf, start, settings) if _shared(mixed, leaf.path) else [_passes(leaf)]
            blended += [{"path": _file(leaf, mixed), "split_part": "train", **entry} for entry in entries]
            numbers[stage.name].append(", ".join(map(_words, entries)) or "left out")
            left += [] if entries else [leaf]
        found += less_than_a_sample(left)
        if not blended:
            return None, [*found, messages.empty_phase(stage.name)]
        split = {"blend_epochized": blended}
        whole = {"__module__": "megatron.energon", "__class__": "MetadatasetV2", "splits": {"train": split}}
        made[f"{stage.name}.yaml"] = yaml.safe_dump(whole, sort_keys=False, allow_unicode=True)
    made |= _scripts(mixed)
    use = USE.replace("{file}", f"{mixed.stages[0].name}.yaml")
    use = (FIRST if mixed.selected else OWN) + use
    made[README] = readme("energon", CAPABILITY, mixed, numbers, use)
    return made, found


def _shared(mixed: Mixture, path: str) -> bool:
    """Whether several phases read a place, and not all of them in whole passes."""
    read = [leaf for stage in mixed.stages for leaf in stage.leaves if leaf.path == path]
    return len(read) > 1 and any(leaf.tokens % leaf.available for leaf in read)


def _passes(leaf: Leaf) -> dict[str, object]:
    whole, rest = divmod(leaf.tokens, leaf.available)
    return {"repetitions": up(leaf.tokens, leaf.available) if rest else whole}


def _ranges(leaf: Leaf, start: int, settings: Settings) -> list[dict[str, object]]:
    """What is read of a place from token `start` on, its passes one after the other: a rest, whole passes, a beginning.

    Ranges are numbers of samples where those are counted, else percent of them.
    """
    low, high = Fraction(start, leaf.available), Fraction(start + leaf.tokens, leaf.available)
    first, last = -(-low.numerator // low.denominator), high.numerator // high.denominator
    if last < first:
        pieces = [(low - last, high - last)]
    else:
        pieces = [(low - first + 1, Fraction(1)), (Fraction(0), high - last)]
    whole: list[dict[str, object]] = [{"repetitions": last - first}] if last > first else []
    ranges = [_edges(part, leaf, settings) for part in pieces]
    return whole + [{"repetitions": 1, "subset": {"range": edges}} for edges in ranges if edges[0] != edges[1]]


def _edges(part: tuple[Fraction, Fraction], leaf: Leaf, settings: Settings) -> list[object]:
    if settings.counts is not None and leaf.documents:
        return [int(edge * leaf.documents) for edge in part]
    return [f"{float(edge * 100)!r}%" for edge in part]


def _words(entry: Mapping[str, object]) -> str:
    subset = entry.get("subset")
    if not isinstance(subset, dict):
        return f"{entry['repetitions']!r}"
    return f"{subset['range'][0]} to {subset['range'][1]}"


def _file(leaf: Leaf, mixed: Mixture) -> str:
    return leaf.path if not mixed.selected or leaf.path.endswith(".jsonl") else f"{leaf.path}.jsonl"


def _scripts(mixed: Mixture) -> dict[str, str]:
    if not mixed.selected:
        return {}
    places = {_file(leaf, mixed): list(leaf.folders) for stage in mixed.stages for leaf in stage.leaves}
    asked = {"places": [{"folders": folders, "path": path} for path, folders in sorted(places.items())]}
    text = as_json(asked)
    return {PLACES: text, PREPARE: script("prepare"), WRITER: script("jsonl")}


@page("M815")
def no_protocol(path: str) -> Diagnostic:
    """Energon reads remote places by a profile

    Megatron-Energon reads object stores through the multi-storage client: a remote place is `msc://PROFILE/PATH`, with
    the profile described in `~/.msc_config.yaml`.

    Example: `--data "msc://corpus/{source}/{language}"`
    """
    protocol = path.split("://")[0]
    return Diagnostic(
        "M815",
        f"Energon does not read `{plain(protocol)}://`, as in `{plain(path, messages.LONG)}`",
        helps=("write `msc://PROFILE/…` into `--data`, with a profile of the multi-storage client",),
    )
