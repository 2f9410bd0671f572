"""The same recipe gives the same bytes, whatever surrounds it and in whatever order it says things."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fuzz.running import SEEDS
from tests.fuzz.trees import printed, read

BY_NAME = {match[1].decode(): data for data in SEEDS if (match := re.search(rb"recipe (\w+)", data))}
SURROUNDINGS = [
    {"PYTHONHASHSEED": "0", "LC_ALL": "C", "TZ": "UTC"},
    {
        "PYTHONHASHSEED": "77",
        "OPENBLAS_NUM_THREADS": "4",
        "OMP_NUM_THREADS": "4",
        "LC_ALL": "C.UTF-8",
        "TZ": "Asia/Tokyo",
    },
    {
        "PYTHONHASHSEED": "3",
        "LC_ALL": "tr_TR.UTF-8",
        "LANG": "tr_TR.UTF-8",
        "TZ": "America/New_York",
        "PYTHONUTF8": "0",
    },
]


def artefacts(folder: Path, recipe: bytes, surroundings: dict[str, str]) -> tuple[bytes, bytes]:
    folder.mkdir(parents=True)
    (folder / "recipe.mix").write_bytes(recipe)
    ran = subprocess.run(
        [sys.executable, "-m", "mixc", "compile", "recipe.mix"],
        cwd=folder,
        env={**os.environ, **surroundings},
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return (folder / "recipe.manifest.json").read_bytes(), (folder / "recipe.lock").read_bytes()


@pytest.mark.parametrize("name", ["rules", "phases"])
def test_surroundings_change_nothing(name: str, tmp_path: Path) -> None:
    made = {
        artefacts(tmp_path / f"{place}" / ("deeper/" * place), BY_NAME[name], around)
        for place, around in enumerate(SURROUNDINGS)
    }
    assert len(made) == 1


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
        found.append(decided(artefacts(tmp_path / str(seed), text.encode(), SURROUNDINGS[0])[0]))
    assert found[0] == found[1] == found[2]
