"""Levanter and Marin: weights by training step, whose unit is one sequence of a block.

Source: levanter/data/mixture.py and levanter/data/text/datasets.py of marin-levanter 0.2.20. Of each block of B
sequences a place gives int(weight / sum of weights * B), and the largest place what is missing; a place below one gives
none. So weights are whole numbers whose sum is B, or the next float64 above where float64 would cut one off. A phase is
a whole number of blocks and of steps. Places that are used up start again without a word, and go on from phase to phase
where they stopped: what keeps a limit is the number of steps, for which every place has enough.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add
from typing import Any, Final

import yaml

from mixc.backends.exporters import messages
from mixc.backends.exporters.blocks import Amounts, Blocks, in_blocks, wanted
from mixc.backends.exporters.carried import PLACES, PREPARE, README, as_json, readme, script
from mixc.backends.exporters.leaves import Leaf, Mixture, mixture
from mixc.backends.exporters.units import SEQUENCE_SHARE
from mixc.compiler.export import Capability, Settings
from mixc.compiler.review import words
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic, has_errors, page
from mixc.dsl.wording import plain

PROGRAM: Final = "levanter"
CONFIG: Final = "train.yaml"
LARGEST: Final = 65_535  # of a block: a sequence in it has a number of 16 bits
MOST_PLACES: Final = 32_767  # shuffled as signed 32-bit numbers whose upper half is the place
MOST_READ: Final = 2**31 - 1  # sequences of one place are counted in 32 bits
CAPABILITY: Final = Capability(
    reads="caches of tokens; texts of a run (Parquet) become such",
    needs="`--sequence-length`, `--batch`, `--tokenizer`; `--data`, or `--run` with texts by `--repeat`",
    unit=f"{SEQUENCE_SHARE} in every block",
    exact="to one sequence of a block, of 65,535 at most",
    phases="`train_weights` by step",
    caps="not known to it: the steps end before another pass would start",
    verified="marin-levanter 0.2.20.dev202606180959 read it, in the tests",
)
USE: Final = """
```sh
python -m levanter.main.train_lm --config_path {config} …
```

with your model and optimizer, in a file that has these keys too. Batch, length and steps belong to the mixture:

{phases}

Train no more than that: a place that is used up starts again without a word. Keep the batch constant: Levanter turns
the steps of `train_weights` into sequences by it, and refuses phases that do not begin with a block.
"""
FIRST: Final = """
First `python prepare.py`, in Levanter's environment, from the folder where the run lies: it builds Levanter's caches
and writes `counts.json`. Export once more with `--counts counts.json`. Only then are the shares and steps those of the
tokenizer's tokens. A cache that is there is taken as it is: remove it where its texts or the tokenizer have changed.
"""
CACHES: Final = "Levanter looks for the cache of a place in its folder `train`, as it writes them itself"


def export(manifest: Manifest, settings: Settings) -> tuple[Mapping[str, str] | None, list[Diagnostic]]:
    """`train.yaml` with components, weights by step and steps; of a run also what builds caches and counts them."""
    mixed, found = mixture(manifest, settings, texts=True)
    if mixed is None:
        return None, found
    found += _unfit(mixed, settings)
    if has_errors(found) or settings.sequence is None or settings.batch is None:
        return None, found
    paths = {leaf.path for stage in mixed.stages for leaf in stage.leaves}
    mixed, amounts, more = wanted(mixed, settings.sequence)
    found += more
    if has_errors(found):
        return None, found
    blocks, more = in_blocks(mixed, amounts, settings.batch, LARGEST, weights)
    found += more if blocks is None else _wide(mixed, blocks)
    if blocks is None or has_errors(found):
        return None, found
    steps = [number * blocks.size // settings.batch for number in blocks.numbers]
    tokens = [count * settings.batch * settings.sequence for count in steps]
    ends = [(one.name, many, one.tokens - read) for one, many, read in zip(mixed.stages, steps, tokens, strict=True)]
    found.append(messages.rounded_phases(ends))
    names = named(mixed)
    made = {CONFIG: _config(manifest, mixed, blocks, steps, names, settings)}
    use, notes = _use(mixed, steps, tokens), [_furthest(mixed, amounts, blocks)]
    if mixed.selected:
        places = {"components": {name: path for path, name in names.items()}, "left_out": sorted(paths - set(names))}
        made |= {PLACES: as_json(places), PREPARE: script(PROGRAM)}
        use = use if settings.counts is not None else FIRST + use
    else:
        notes.append(CACHES)
    numbers = {
        stage.name: [f"{count:,} of {blocks.size:,}" for count in counts]
        for stage, counts in zip(mixed.stages, blocks.counts, strict=True)
    }
    made[README] = readme(PROGRAM, CAPABILITY, mixed, numbers, use, notes)
    return made, found


def weights(counts: Sequence[int]) -> tuple[float, ...] | None:
    """Weights with which Levanter reads exactly these counts of every block; None where there are none.

    They are to be written from the largest count down: then the sum stays whole whatever is added to the others.
    """
    size, order = sum(counts), _falling(counts)
    made = [float(counts[i]) for i in order]
    short = [i for i, one in enumerate(made) if int(one / size * size) < one]
    if short[:1] == [0] and made[0] - 1 > max(made[1:], default=0.0):
        short = short[1:]  # the largest is given what is missing
    for i in short:
        made[i] = math.nextafter(made[i], math.inf)
    wanted_of = [counts[i] for i in order]
    if any(given(made, total, size) != wanted_of for total in (reduce(add, made), math.fsum(made))):
        return None
    return tuple(made[order.index(i)] for i in range(len(counts)))


def given(made: Sequence[float], total: float, size: int) -> list[int]:
    """What Levanter reads of a block, as it computes that."""
    counts = [int(one / total * size) for one in made]
    counts[counts.index(max(counts))] += size - sum(counts)
    return counts


def _falling(counts: Sequence[int]) -> list[int]:
    return sorted(range(len(counts)), key=lambda i: (-counts[i], i))


def named(mixed: Mixture) -> dict[str, str]:
    """A name for every place of all phases, by its path."""
    names: dict[str, str] = {}
    for stage in mixed.stages:
        for leaf in stage.leaves:
            if leaf.path not in names:
                name = leaf.name if leaf.name not in names.values() else f"{stage.name}-{leaf.name}"
                names[leaf.path] = name if name not in names.values() else f"{name}-{len(names)}"
    return names


def _config(
    manifest: Manifest, mixed: Mixture, blocks: Blocks, steps: Sequence[int], names: Mapping[str, str], of: Settings
) -> str:
    leaves = {leaf.path: leaf for stage in mixed.stages for leaf in stage.leaves}
    staged = []
    for i, (stage, counts) in enumerate(zip(mixed.stages, blocks.counts, strict=True)):
        made = weights(counts)
        assert made is not None
        staged.append([sum(steps[:i]), {names[stage.leaves[j].path]: made[j] for j in _falling(counts)}])
    caches = "" if of.data is not None else f"cache/{mixed.recipe}-{(manifest.integrity or '')[:12]}"
    data: dict[str, Any] = {"tokenizer": of.tokenizer}
    data["components"] = {name: _component(leaves[path], caches) for path, name in names.items()}
    data |= {"train_weights": staged, "stop_strategy": "restart", "mixture_block_size": blocks.size}
    whole = {
        "data": data,
        "data_seed": manifest.selection.seed,
        "train_seq_len": of.sequence,
        "trainer": {"train_batch_size": of.batch, "num_train_steps": sum(steps)},
    }
    return yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=1000)


def _component(leaf: Leaf, caches: str) -> dict[str, Any]:
    """A cache, which another run must not find where none was named, and the texts that it is built of."""
    phase_and_cell = "/".join(leaf.path.split("/")[-4:])
    cache = {"cache_dir": f"{caches}/{phase_and_cell}" if caches else leaf.path}
    urls = [f"{folder}/*.parquet" for folder in leaf.folders]
    return {**cache, "source": {"type": "url", "train_urls": urls}} if urls else cache


def _use(mixed: Mixture, steps: Sequence[int], tokens: Sequence[int]) -> str:
    lines = [
        f"- `{stage.name}`: {words.count(count, 'step')}, {read:,} tokens, from step {sum(steps[:i]):,}"
        for i, (stage, count, read) in enumerate(zip(mixed.stages, steps, tokens, strict=True))
    ]
    return USE.replace("{config}", CONFIG).replace("{phases}", "\n".join(lines))


def _furthest(mixed: Mixture, amounts: Sequence[Amounts], blocks: Blocks) -> str:
    """Where a share is furthest from what was decided, as a part of it."""
    shares = [
        (count / blocks.size, sequences / sum(one.wanted), leaf.path, stage.name)
        for stage, one, counts in zip(mixed.stages, amounts, blocks.counts, strict=True)
        for leaf, sequences, count in zip(stage.leaves, one.wanted, counts, strict=True)
    ]
    given, share, path, name = max(shares, key=lambda one: abs(one[0] / one[1] - 1))
    return (
        f"Shares come in steps of 1/{blocks.size:,}; furthest from its share is `{path}` in phase {name}, "
        f"{given:.6f} for {share:.6f}"
    )


def _unfit(mixed: Mixture, settings: Settings) -> list[Diagnostic]:
    found = [messages.rows_stand_for_copies("Levanter", one.path) for stage in mixed.stages for one in stage.leaves
             if one.copied][:1]  # fmt: skip
    for value, option, why in (
        (settings.sequence, "--sequence-length", "Levanter draws sequences"),
        (settings.batch, "--batch", "Levanter changes weights at steps, and only their number keeps a limit"),
        (settings.tokenizer, "--tokenizer", "Levanter takes another one where none is given"),
    ):
        found += [messages.missing(option, why)] if value is None else []
    places = len({leaf.path for stage in mixed.stages for leaf in stage.leaves})
    return [*found, messages.too_many_places("Levanter", places, MOST_PLACES)] if places > MOST_PLACES else found


def _wide(mixed: Mixture, blocks: Blocks) -> list[Diagnostic]:
    """Nothing, or why not: places that are read further than Levanter counts."""
    read: dict[str, int] = {}
    for stage, counts, many in zip(mixed.stages, blocks.counts, blocks.numbers, strict=True):
        for leaf, count in zip(stage.leaves, counts, strict=True):
            read[leaf.path] = read.get(leaf.path, 0) + count * many
    return [read_too_far(path, count) for path, count in sorted(read.items()) if count > MOST_READ]


@page("M830")
def read_too_far(path: str, sequences: int) -> Diagnostic:
    """a trainer counts the sequences of a place in 32 bits

    Levanter's number of a sequence overflows beyond 2,147,483,647, and it reads on somewhere else without a word.

    What to do: divide the place: write `{bucket}` or `{domain}` into `--data`; or take longer sequences.
    """
    return Diagnostic(
        "M830",
        f"{sequences:,} sequences are read of `{plain(path, messages.LONG)}`, and Levanter counts to {MOST_READ:,}",
        helps=("divide the place: write `{bucket}` or `{domain}` into `--data`",),
    )
