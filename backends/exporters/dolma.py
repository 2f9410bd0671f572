"""dolma: a mixer without weights, rates or seeds, told by streams that keep documents of so many copies and more.

Source: dolma/cli/mixer.py and the mixer itself (Rust) of dolma 1.2.1. How often a document is to be read stands in an
attribute beside it, and stream k of a place keeps what has k copies at least: so all of them together write each as
often as it is to be read. `>= 1` is false of a stored 1.0, so both are written with a point. Patterns of one stream
number their outputs each from 0 and write over one another, so a stream has one pattern and an output of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from glob import escape
from pathlib import Path
from typing import Any, Final

from mixc.backends.exporters import messages
from mixc.backends.exporters.carried import PLACES, PREPARE, README, as_json, readme, script
from mixc.backends.exporters.leaves import Leaf, Mixture, mixture
from mixc.backends.exporters.units import COPIES
from mixc.compiler.export import Capability, CellTexts, Settings
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic, has_errors, page
from mixc.dsl.wording import plain

PROGRAM: Final = "dolma"
ATTRIBUTES: Final = "mixc"
SHARD_BYTES: Final = 1 << 30
CAPABILITY: Final = Capability(
    reads="texts of a run, which become dolma's documents (JSONL)",
    needs="`--run`",
    unit=f"{COPIES}, in an attribute, and a stream per copy",
    exact="exact",
    phases="a file of streams per phase",
    caps="in the copies",
    verified="dolma 1.2.1 mixed it, in the tests",
)
USE: Final = """
```sh
python prepare.py
{commands}
```

from the folder where `mixc run` was started. `prepare.py` needs pyarrow, and not dolma; it writes the texts as dolma's
documents, with the attribute `copies` beside them. The mixer then writes `mixed/<phase>/copy-1/<place>/documents`,
`copy-2` and so on: all documents once, then those that are read twice and more. Read in this order, copies are far
apart.
"""
SHUFFLE: Final = "`shuffle` is off: dolma shuffles without a seed"


def export(manifest: Manifest, settings: Settings) -> tuple[Mapping[str, str] | None, list[Diagnostic]]:
    """`<phase>.json` for every phase, and what makes documents of texts."""
    if settings.texts is None:
        return None, [messages.needs_run(PROGRAM, manifest.runnable)]
    mixed, found = mixture(manifest, replace(settings, counts=None))
    if mixed is None:
        return None, found
    found += [messages.empty_phase(stage.name) for stage in mixed.stages if not stage.leaves]
    copies = {one.folder: most_copies(one) for one in settings.texts}
    found += [texts_gone(folder) for folder, most in sorted(copies.items()) if most is None][:1]
    if has_errors(found):
        return None, found
    most = {folder: one or 1 for folder, one in copies.items()}
    made, numbers = {PLACES: as_json({"places": _places(mixed)}), PREPARE: script(PROGRAM)}, {}
    for stage in mixed.stages:
        streams = [one for leaf in stage.leaves for one in _streams(leaf, stage.name, most)]
        made[f"{stage.name}.json"] = as_json({"streams": streams, "processes": 1, "shuffle": False})
        numbers[stage.name] = [f"{leaf.documents:,}" for leaf in stage.leaves]
    commands = "\n".join(f"dolma -c {stage.name}.json mix" for stage in mixed.stages)
    made[README] = readme(PROGRAM, CAPABILITY, mixed, numbers, USE.replace("{commands}", commands), [SHUFFLE])
    return made, found


def most_copies(texts: CellTexts) -> int | None:
    """The most copies that a document of these texts has, from the files' statistics; None where there are no files."""
    if texts.repeat or texts.rows == texts.documents:
        return 1
    import pyarrow.parquet as pq

    files = sorted(Path(texts.folder).glob("*.parquet"))
    most = None
    for file in files:
        try:
            source = pq.ParquetFile(file)
        except (OSError, ValueError):  # no Parquet file
            return None
        for group in range(source.num_row_groups):
            column = source.metadata.row_group(group).column(source.schema_arrow.names.index("copies"))
            told = column.statistics
            if told is not None and told.has_min_max:
                largest = int(told.max)
            else:
                largest = max(source.read_row_group(group, columns=["copies"])["copies"].to_pylist())
            most = max(most or 1, largest)
    return most


def _streams(leaf: Leaf, phase: str, most: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "name": f"{leaf.name}-copy-{copy}",
            "documents": [f"{escape(leaf.path)}/documents/*.jsonl.gz"],
            "attributes": [ATTRIBUTES],
            "filter": {"include": [f"$.attributes[?(@.copies >= {copy}.0)]"], "exclude": [], "syntax": "jsonpath"},
            "output": {
                "path": f"mixed/{phase}/copy-{copy}/{leaf.name}",
                "max_size_in_bytes": SHARD_BYTES,
                "discard_fields": ["attributes"],
            },
        }
        for copy in range(1, max(most[folder] for folder in leaf.folders) + 1)
    ]


def _places(mixed: Mixture) -> Sequence[dict[str, Any]]:
    return [
        {"folders": list(leaf.folders), "path": leaf.path, "source": leaf.name}
        for stage in mixed.stages
        for leaf in stage.leaves
    ]


@page("M831")
def texts_gone(folder: str) -> Diagnostic:
    """texts of a run are not where it wrote them

    How many copies a document has at most stands in the files of a run, and they are gone.

    What to do: run it again with `--materialize`; what is there is not written again.
    """
    return Diagnostic(
        "M831",
        f"`{plain(folder, messages.LONG)}` holds no texts",
        helps=("run the manifest into it again with `--materialize`",),
        subject=folder,
    )
