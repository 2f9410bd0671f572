"""Every reader against its seeds, what fuzzing kept, and some mutations of both; `make fuzz` goes on from there."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.fuzz.running import deadline
from tests.fuzz.targets import CORPUS, TARGETS
from tests.fuzz.texts import mutate_bytes
from tests.fuzz.values import mutate_json

MUTATIONS = 60
SMALL = 24_000  # bytes of all inputs that the repository keeps


@pytest.mark.parametrize("name", TARGETS)
def test_a_reader_gives_a_value_or_says_why_not(name: str, tmp_path: Path) -> None:
    target = TARGETS[name]
    read, inputs = target.make(tmp_path), [*target.seeds(), *target.corpus()]
    assert target.corpus(), "nothing is kept of this target"
    with deadline():
        for data in inputs:
            read(data)
        for number in range(MUTATIONS):
            chance = random.Random(f"{name} {number}")
            data = chance.choice(inputs)
            mutated = mutate_bytes(chance, (data,)) if number % 2 else mutate_json(chance, data, inputs)
            read(mutated)


def test_the_corpus_is_small() -> None:
    kept = [path for path in CORPUS.rglob("*") if path.is_file()]
    assert {path.parent.name for path in kept} == set(TARGETS)
    assert sum(path.stat().st_size for path in kept) <= SMALL
