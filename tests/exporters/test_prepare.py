"""`prepare.py`, which exports carry along: what it refuses before it writes anything. What it writes, trainers read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mixc.backends.exporters import streaming
from mixc.compiler.export import Settings
from tests.exporters.made import manifest, texts


@pytest.fixture
def place(tmp_path: Path, smollm: Path) -> Path:
    """A folder with an export for Streaming in `out`."""
    plan = manifest("hello")
    settings = Settings(texts=texts(plan), sequence=512, tokenizer=str(smollm))
    made, found = streaming.export(plan, settings)
    assert made is not None, found
    (tmp_path / "out").mkdir()
    for name, text in made.items():
        (tmp_path / "out" / name).write_text(text)
    return tmp_path


def refusal(place: Path, *options: str) -> str:
    """What it says when it stops."""
    ran = subprocess.run(
        [sys.executable, "out/prepare.py", *options], cwd=place, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    return ran.stderr


def test_counts_of_another_program_are_left_alone(place: Path) -> None:
    """Two trainers from one run: the second would take the places of the first for its own."""
    other = json.dumps(
        {"places": {"data/main/web/de/und": {"documents": 1, "tokens": 9}}, "prepared": {"program": "x"}}
    )
    (place / "counts.json").write_text(other)
    assert "counts other tokens: {'program': 'x'}. Give another file: --counts FILE" in refusal(place)
    assert (place / "counts.json").read_text() == other


def test_a_place_that_nobody_counted_is_not_written_into(place: Path) -> None:
    (place / "data/main/web/de/und").mkdir(parents=True)
    assert "data/main/web/de/und exists, and counts.json does not know it" in refusal(place)


def test_the_run_is_not_there(place: Path) -> None:
    assert "start from the folder where the run was written" in refusal(place)


def test_a_tokenizer_without_an_end(place: Path, tmp_path: Path, smollm: Path) -> None:
    (tmp_path / "endless").mkdir()
    (tmp_path / "endless" / "tokenizer.json").write_bytes((smollm / "tokenizer.json").read_bytes())
    (tmp_path / "endless" / "tokenizer_config.json").write_text("{}")
    assert "endless has no token for the end of a text" in refusal(place, "--tokenizer", "endless")
