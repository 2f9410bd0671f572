"""`python -m tests.fuzz.instrumented TARGET KEPT [OPTION…] FOLDER…`: one target under libFuzzer, mixc's modules traced.

Inputs are mutated by libFuzzer, and every other time by what knows their form: bytes and words (`texts.py`), syntax
trees of recipes (`trees.py`), values of JSON (`values.py`).
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

MUTATED = 0.5  # of the inputs, by what knows their form


def mutator(kind: str, seeds: list[bytes]) -> Callable[[bytes, int, int], bytes]:
    """What libFuzzer asks for the next input."""
    import atheris

    from tests.fuzz.texts import mutate_bytes
    from tests.fuzz.trees import mutate_tree, read
    from tests.fuzz.values import mutate_json

    trees = tuple(read(seed.decode()) for seed in seeds) if kind == "recipe" else ()

    def mutated(data: bytes, most: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if chance.random() > MUTATED:
            return bytes(atheris.Mutate(data, most))  # which `Fuzz` puts there
        if kind == "recipe":
            made = mutate_tree(chance, trees).encode() if chance.random() < 0.3 else mutate_bytes(chance, (data,))
        elif kind in ("json", "lines"):
            made = mutate_json(chance, data, seeds)
        else:
            made = mutate_bytes(chance, (data,))
        return made[:most]

    return mutated


def main(name: str, kept: Path, options: list[str]) -> None:
    """Fuzz until libFuzzer's options say to stop; it ends the process. Findings are kept in a folder."""
    import atheris

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    folder = kept / "scratch"  # stays: what ends the process runs no `finally`
    folder.mkdir(parents=True, exist_ok=True)
    with atheris.instrument_imports(include=["mixc"]):
        from tests.fuzz.targets import TARGETS

        target = TARGETS[name]
        seeds = [*target.seeds(), *target.corpus()]
        read = target.make(folder)
        for seed in seeds:  # what is imported late is traced too
            read(seed)
    trees = [*target.seeds()] if target.kind == "recipe" else seeds

    def watched(data: bytes) -> None:
        try:
            read(data)
        except Exception:  # libFuzzer keeps it too, unless a busy machine makes it give up before
            (kept / f"finding-{sha256(data).hexdigest()[:12]}").write_bytes(data)
            raise

    atheris.Setup([sys.argv[0], *options], watched, custom_mutator=mutator(target.kind, trees))
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
