"""The same recipe gives the same bytes, whatever surrounds it and in whatever order it says things."""

from __future__ import annotations

import json
import platform
import random
import re
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from tests.determinism.__main__ import GOLDEN
from tests.determinism.corpus import QUICK, ROOT, SHIPPED, recipes, steady
from tests.determinism.disturbed import Disturbance, manifest
from tests.determinism.surroundings import cheap, digests
from tests.fuzz.running import SEEDS
from tests.fuzz.trees import printed, read
from tests.models import absent

BY_NAME = {match[1].decode(): data for data in SEEDS if (match := re.search(rb"recipe (\w+)", data))}
PLATFORM = sys.platform, platform.machine()
PROMISED = ("linux", "x86_64"), ("linux", "AMD64")
ENDINGS = ".manifest.json", ".lock"
NOISY = ("polyglot17", "absolute"), ("two_step", "relative"), ("temperature", "absolute")


def compiled(folder: Path, recipe: bytes) -> bytes:
    folder.mkdir(parents=True)
    (folder / "recipe.mix").write_bytes(recipe)
    ran = subprocess.run(
        [sys.executable, "-m", "mixc", "compile", "recipe.mix"],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return (folder / "recipe.manifest.json").read_bytes()


@pytest.mark.skipif(PLATFORM not in PROMISED, reason=f"NOT TESTED: the digests are of another platform than {PLATFORM}")
@pytest.mark.parametrize("place", [0, 1], ids=["all at once", "an old processor"])
def test_surroundings_change_nothing(place: int, tmp_path: Path) -> None:
    """`python -m tests.determinism --golden` renews the digests after a change that is meant."""
    one = cheap(tmp_path)[place]
    if one.missing and "locale" in one.missing:
        absent(f"{one.name} is NOT TESTED: {one.missing}")
    if one.missing:
        pytest.skip(f"{one.name} is NOT TESTED: {one.missing}")
    found, kept = json.loads(digests(one, tmp_path, [*QUICK, "pool"])), json.loads(GOLDEN.read_text())
    assert len(found) == 2 * (len(QUICK) + 1) + 2
    assert found == {name: kept[name] for name in found}


def test_what_is_shipped_is_what_is_compiled() -> None:
    """`mixc compile` on them after a change that is meant: else `make demo` changes a file."""
    kept = json.loads(GOLDEN.read_text())
    shipped = {f"{name}{ending}": ROOT / "recipes" / f"{name}{ending}" for name in SHIPPED for ending in ENDINGS}
    assert {name: sha256(path.read_bytes()).hexdigest() for name, path in shipped.items()} == {
        name: kept[name] for name in shipped
    }


@pytest.mark.parametrize(("name", "kind"), NOISY)
def test_noise_on_the_solvers_output_is_polished_away(name: str, kind: str, tmp_path: Path) -> None:
    """`python -m tests.determinism.disturbed 4` tries more recipes and seeds."""
    recipes(tmp_path, [name])
    path = tmp_path / f"{name}.mix"
    plain, noise = manifest(path), Disturbance(kind, seed=len(name))
    with noise.on():
        assert steady(name, manifest(path)) == steady(name, plain)
    assert noise.after != noise.before


def decided(manifest: bytes) -> dict[str, object]:
    """A manifest without what names the text: hashes, and the line of each thing."""
    text = re.sub(r'"(sha256|integrity|place)": "[^"]*"', '"": ""', manifest.decode())
    data = json.loads(text)
    assert isinstance(data, dict)
    return data


@pytest.mark.parametrize("name", ["rules", "phases"])
def test_the_order_of_statements_changes_nothing(name: str, tmp_path: Path) -> None:
    tree = read(BY_NAME[name].decode())
    found = []
    for seed in range(3):
        chance = random.Random(seed)
        text = printed(replace(tree, statements=tuple(chance.sample(tree.statements, len(tree.statements)))))
        found.append(decided(compiled(tmp_path / str(seed), text.encode())))
    assert found[0] == found[1] == found[2]
