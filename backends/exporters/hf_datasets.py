"""Hugging Face `datasets`: how many rows of every place a phase reads, and a loader that interleaves exactly those.

Source: datasets/arrow_dataset.py and iterable_dataset.py of datasets 5.2.0. `probabilities` are chances of the next
row, and a strategy says when to stop. `first_exhausted` leaves rows unread and `all_exhausted` reads some again, both
by chance. Only `all_exhausted_without_replacement` reads every row once, so that shares are the counts of rows,
whatever the probabilities. So the loader first takes of every place the rows that were decided, then interleaves by
that strategy, with probabilities in proportion, so that places end together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from mixc.backends.exporters import messages
from mixc.backends.exporters.carried import README, as_json, readme, script
from mixc.backends.exporters.leaves import Leaf, Mixture, Stage, mixture
from mixc.backends.exporters.units import SAMPLE_SHARE, closed, decimal, less_than_a_sample
from mixc.compiler.export import Capability, Settings
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic, has_errors

PROGRAM: Final = "datasets"
LOADER: Final = "load.py"
STRATEGY: Final = "all_exhausted_without_replacement"
CAPABILITY: Final = Capability(
    reads="texts of a run, or Parquet and JSON of your own",
    needs="`--run`, or `--data` and `--counts`",
    unit=f"{SAMPLE_SHARE}, and the number of rows",
    exact="exact: the whole number of rows nearest below; tokens too of a run, else those of rows of mean length",
    phases="a file per phase, which goes on where the one before it stopped",
    caps="in the number of rows",
    verified="datasets 5.2.0 read it, in the tests",
)
USE: Final = """
```python
from load import load

dataset = load("{phase}")  # datasets.Dataset with the column `text`
```

Start Python where the run or the data lie, with this folder on `sys.path`. `load` takes of every place the rows that
`<phase>.json` says, in a random order, and interleaves them with `stopping_strategy="{strategy}"`:
every one of these rows comes exactly once, so the shares are the counts. `load("{phase}", files="**/*.jsonl")` reads
JSON, `columns=` keeps others, and `streaming=True` reads places in the order of their files, copying nothing.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """What a phase reads of a place: `rows`, after `skip` that the phases before it read."""

    leaf: Leaf
    skip: int
    rows: int


def export(manifest: Manifest, settings: Settings) -> tuple[Mapping[str, str] | None, list[Diagnostic]]:
    """`<phase>.json` for every phase, and `load.py` that reads it."""
    mixed, found = mixture(manifest, settings, texts=True)
    if mixed is None:
        return None, found
    unknown = sorted({leaf.path for stage in mixed.stages for leaf in stage.leaves if not leaf.documents})
    if unknown:
        return None, [*found, messages.samples_unknown(unknown)]
    phases, more = parts(mixed)
    found += more
    if has_errors(found):
        return None, found
    made, numbers, stages = {}, {}, []
    for stage, read in zip(mixed.stages, phases, strict=True):
        shares = closed([one.rows for one in read])
        numbers[stage.name] = [f"{one.rows:,} rows, {decimal(share)}" for one, share in zip(read, shares, strict=True)]
        stages.append(Stage(stage.name, stage.planned, tuple(one.leaf for one in read)))
        places = [_place(one, share) for one, share in zip(read, shares, strict=True)]
        asked = {"places": places, "seed": manifest.selection.seed, "stopping_strategy": STRATEGY}
        made[f"{stage.name}.json"] = as_json(asked)
    made[LOADER] = script("load")
    use = USE.replace("{phase}", mixed.stages[0].name).replace("{strategy}", STRATEGY)
    made[README] = readme(PROGRAM, CAPABILITY, replace(mixed, stages=tuple(stages)), numbers, use)
    return made, found


def parts(mixed: Mixture) -> tuple[tuple[tuple[Part, ...], ...], list[Diagnostic]]:
    """Whole rows of every place by phase; what all phases read of a place together is rounded down once.

    Places that give a phase less than one row are left out.
    """
    tokens: dict[str, int] = {}
    phases, left = [], []
    found: list[Diagnostic] = []
    for stage in mixed.stages:
        read = []
        for leaf in stage.leaves:
            assert leaf.documents is not None
            before = tokens.get(leaf.path, 0)
            tokens[leaf.path] = before + leaf.tokens
            skip, end = (leaf.documents * count // leaf.available for count in (before, before + leaf.tokens))
            read += [Part(leaf, skip, end - skip)] if end > skip else []
            left += [leaf] if end == skip else []
        phases.append(tuple(read))
        found += [] if read else [messages.empty_phase(stage.name)]
    return tuple(phases), [*less_than_a_sample(left), *found]


def _place(part: Part, share: float) -> dict[str, object]:
    return {
        "copied": part.leaf.copied,
        "path": part.leaf.path,
        "probability": share,
        "rows": part.rows,
        "skip": part.skip,
        "there_are": part.leaf.documents,
    }
