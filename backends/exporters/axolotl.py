"""axolotl: the texts of a run, whose repetition is already in their rows, as a list of datasets per phase.

Source: axolotl/utils/data/sft.py, shared.py and prompt_strategies/completion.py of axolotl 0.19.0. This release has no
weights, so what is to be read twice has to lie there twice. Of `pretraining_dataset` it reads the first entry only,
without a word, and mixes no further than a buffer reaches; so places are `datasets` of type `completion`, which are
concatenated and shuffled as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import yaml

from mixc.backends.exporters import messages
from mixc.backends.exporters.carried import README, readme
from mixc.backends.exporters.leaves import Leaf, mixture
from mixc.backends.exporters.units import COPIES
from mixc.compiler.export import Capability, Settings
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic, has_errors

PROGRAM: Final = "axolotl"
CAPABILITY: Final = Capability(
    reads="texts of a run, written with `--repeat`",
    needs="`--run` with texts by `--repeat`",
    unit=f"{COPIES}, as rows",
    exact="exact: every row is read once",
    phases="a file per phase, started from the weights of the one before it",
    caps="in the rows",
    verified="axolotl 0.19.0 took the configuration and read the rows, in the nightly tests",
)
USE: Final = """
`{phase}.yaml` is the part of a configuration that concerns data: copy it into yours, next to `base_model`,
`sequence_len` and the rest, and start where the run lies:

```sh
axolotl train yours.yaml
```

Four of its lines keep the mixture as it is. `dataset_exact_deduplication` would take the copies out, `val_set_size`
would hold a part back, another `num_epochs` would read everything again, and without `shuffle_merged_datasets` one
place would come after the other. A text longer than 64 sequences is cut off there. `pretraining_dataset` is not used:
axolotl 0.19.0 reads only the first of its entries.
"""


def export(manifest: Manifest, settings: Settings) -> tuple[Mapping[str, str] | None, list[Diagnostic]]:
    """`<phase>.yaml` for every phase."""
    if settings.texts is None:
        return None, [messages.needs_run(PROGRAM, manifest.runnable)]
    mixed, found = mixture(manifest, settings, texts=True)
    if mixed is None:
        return None, found
    leaves = [leaf for stage in mixed.stages for leaf in stage.leaves]
    found += [messages.rows_stand_for_copies(PROGRAM, leaf.path) for leaf in leaves if leaf.copied][:1]
    found += [messages.empty_phase(stage.name) for stage in mixed.stages if not stage.leaves]
    if has_errors(found):
        return None, found
    made = {
        f"{stage.name}.yaml": yaml.safe_dump(
            {
                "dataset_exact_deduplication": False,
                "datasets": [_dataset(leaf, settings) for leaf in stage.leaves],
                "num_epochs": 1,
                "seed": manifest.selection.seed,
                "shuffle_merged_datasets": True,
                "val_set_size": 0.0,
            },
            sort_keys=True,
            allow_unicode=True,
        )
        for stage in mixed.stages
    }
    numbers = {stage.name: [f"{leaf.documents or 0:,} rows" for leaf in stage.leaves] for stage in mixed.stages}
    use = USE.replace("{phase}", mixed.stages[0].name)
    made[README] = readme(PROGRAM, CAPABILITY, mixed, numbers, use)
    return made, found


def _dataset(leaf: Leaf, settings: Settings) -> dict[str, object]:
    """Files are named by patterns: markers of the run lie beside them, which axolotl would read as well."""
    files = [f"{leaf.path}/**/*.parquet"] if settings.data is not None else [f"{one}/*.parquet" for one in leaf.folders]
    return {
        "data_files": files,
        "ds_type": "parquet",
        "field": "text",
        "path": leaf.path,
        "split": "train",
        "type": "completion",
    }
