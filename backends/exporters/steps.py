"""Phases in whole sequences and whole steps: what trainers read that draw one sequence after the other.

Trainers round on their own, upwards or by largest remainder, and one sequence more than a place holds starts another
pass over it. So what they are asked for are whole numbers that leave them nothing to round.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heapreplace
from typing import Final

from mixc.backends.exporters import messages
from mixc.backends.exporters.leaves import Leaf, Mixture, Stage
from mixc.compiler.export import Settings
from mixc.compiler.review import words
from mixc.dsl.diagnostics import Diagnostic, Severity, page
from mixc.dsl.wording import listed, plain

UNCOUNTED: Final = (
    "These numbers count tokens as the run did, not the tokenizer's. Run `prepare.py` where the run lies, by a Python "
    "that has the trainer, pyarrow and tokenizers; then export "
    "again with `--counts counts.json`: only then no place is read further than it reaches."
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a phase reads: whole `sequences` of every leaf, in the order of the leaves; `steps`, where a batch is known.

    `read` of them are trained on, all or one less.
    """

    sequences: tuple[int, ...]
    read: int
    steps: int | None


def by_pass(leaf: Leaf, length: int) -> int:
    """Whole sequences where the end of a pass ends a sequence: what is left of a place there is read in no pass."""
    passes, rest = divmod(leaf.tokens, leaf.available)
    return passes * (leaf.available // length) + rest // length


def across_passes(leaf: Leaf, length: int) -> int:
    """Whole sequences where one goes on into the next pass, and the last needs one token more, as its last label."""
    return max(0, leaf.tokens - 1) // length


def scheduled(
    mixed: Mixture, length: int, batch: int | None, whole: Callable[[Leaf, int], int], unread: int = 0
) -> tuple[Mixture, tuple[Schedule, ...] | None, list[Diagnostic]]:
    """The phases in whole steps, rounded down, and the mixture without places that give less than a sequence.

    `whole` says how many sequences of `length` tokens a place gives; `unread` more than are trained on are shared out.
    """
    left = [leaf for stage in mixed.stages for leaf in stage.leaves if not whole(leaf, length)]
    found = [messages.too_little([one.path for one in left], sum(one.tokens for one in left), length)] if left else []
    stages = [replace(stage, leaves=tuple(one for one in stage.leaves if whole(one, length))) for stage in mixed.stages]
    made: list[Schedule] = []
    for stage in stages:
        amounts = [whole(leaf, length) for leaf in stage.leaves]
        read = sum(amounts) - unread
        steps = None if batch is None else max(0, read) // batch
        read = read if steps is None or batch is None else steps * batch
        if not amounts:
            found.append(messages.empty_phase(stage.name))
        elif read <= 0 or read + unread < len(amounts):
            found.append(short_phase(stage.name, sum(amounts), len(amounts), batch))
        else:
            made.append(Schedule(apportioned(amounts, read + unread), read, steps))
    if len(made) < len(stages):
        return mixed, None, found
    ends = [
        (stage.name, one.steps, stage.tokens - one.read * length)
        for stage, one in zip(stages, made, strict=True)
        if one.steps is not None
    ]
    if ends:
        found.append(messages.rounded_phases(ends))
    return replace(mixed, stages=tuple(stages)), tuple(made), found


def apportioned(amounts: Sequence[int], total: int) -> tuple[int, ...]:
    """Whole numbers of sum `total` in proportion to amounts: the largest remainders are rounded up.

    Each is at least one and at most its amount; `total` lies between the number of amounts and their sum.
    """
    whole = sum(amounts)
    shares = [max(1, amount * total // whole) for amount in amounts]
    rest = total - sum(shares)
    remainders = sorted(range(len(amounts)), key=lambda i: (-(amounts[i] * total % whole), i))
    for i in [i for i in remainders if amounts[i] * total >= whole and amounts[i] * total % whole][: max(0, rest)]:
        shares[i] += 1
    largest = [(-share, i) for i, share in enumerate(shares)]
    heapify(largest)
    for _ in range(-rest):
        share, i = largest[0]
        heapreplace(largest, (share + 1, i))
        shares[i] -= 1
    return tuple(shares)


def begun_anew(mixed: Mixture, program: str) -> list[Diagnostic]:
    """A warning where phases read the same places, which trainers begin anew in each."""
    counts: dict[str, int] = {}
    for leaf in (leaf for stage in mixed.stages for leaf in stage.leaves):
        counts[leaf.path] = counts.get(leaf.path, 0) + 1
    shared = sorted(path for path, count in counts.items() if count > 1)
    return [same_documents(program, shared)] if shared else []


def uncounted(mixed: Mixture, settings: Settings) -> list[str]:
    """What a README says of numbers that do not count the trainer's own tokens yet."""
    if not mixed.selected or settings.counts is not None:
        return []
    return [UNCOUNTED]


def step_tokens(stage: Stage, schedule: Schedule, length: int) -> str:
    """What a phase trains on, in words."""
    steps = "" if schedule.steps is None else f"{words.count(schedule.steps, 'step')}, "
    return f"- `{stage.name}`: {steps}{schedule.read:,} sequences, {schedule.read * length:,} tokens"


@page("M818")
def short_phase(name: str, sequences: int, places: int, batch: int | None) -> Diagnostic:
    """a phase is shorter than a step of the training

    A trainer reads whole steps, of so many sequences each, and every place has to give one sequence at least.

    What to do: give the phase more tokens, or a smaller `--batch`, a smaller `--sequence-length`, or fewer places
    (`{bucket}` or `{domain}` left out of `--data`).
    """
    step = "" if batch is None else f", a step has {batch:,}"
    return Diagnostic(
        "M818",
        f"phase `{plain(name)}` is too short: it has {words.count(sequences, 'sequence')} "
        f"of {words.count(places, 'place')}{step}",
        helps=("give a smaller `--batch` or `--sequence-length`",),
    )


@page("M819")
def same_documents(program: str, paths: Sequence[str]) -> Diagnostic:
    """phases read the same documents of a place

    A mixture counts how often a document is read in all phases together. Trainers know nothing of the phase before:
    they begin a place anew in each, so two phases that read half of it each read mostly the same half.

    What to do: give phases data of their own. `mixc run --materialize` selects documents so that phases share none
    before a cell is used up; or divide the data and write `{phase}` into `--data`.
    """
    return Diagnostic(
        "M819",
        f"phases read the same documents: {program} begins a place anew in every phase",
        notes=(f"in several phases: {listed([f'`{plain(path, messages.LONG)}`' for path in paths], 3)}",),
        helps=("export texts: `mixc run --materialize`, `--run DIR`", "or write `{phase}` into `--data`"),
        severity=Severity.WARNING,
    )
