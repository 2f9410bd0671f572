"""Scoring by a rater: the same scores however work is divided or stopped, and what a rater may not be used for."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mixc.backends.murating.rater import ABOUT, HEAD
from mixc.backends.murating.rating import rate
from mixc.backends.murating.scoring import identified, prepare, state
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.executor import run_on
from mixc.compiler.front.passes import load_recipe
from mixc.compiler.pipeline import COMPILE, Artefacts, run_passes
from mixc.compiler.progress import Quiet
from mixc.compiler.recipe import Rater
from mixc.compiler.review.schema import Manifest
from mixc.compiler.score import Scored, score
from mixc.dsl.diagnostics import Diagnostic, has_errors
from tests.examples import shown
from tests.murating.tiny import BAD, GOOD, codes, documents, trained
from tests.nag.left import left_behind

RATED = """recipe pool
budget { model = 10M params, tokens = 1M tokens, seed = 3 }
source crawl {
  path    = "data"
  columns = { id: "id", text: "text", language: "language", tokens: "n" }
  domain  = web
  epochs  <= 4
}
rater mu { kind = murating, model = "raters/mu" }
domain web { weights = { mu: 1.0 } }
languages [de, en, fr] { priority = 1.0 }
"""


@pytest.fixture(scope="module")
def mu(tmp_path_factory: pytest.TempPathFactory, pairs: Path, small: Path) -> Path:
    """A trained rater."""
    folder = tmp_path_factory.mktemp("rater") / "mu"
    assert trained(pairs, folder, small)[0] is not None
    return folder


def rows(count: int = 90) -> list[dict[str, Any]]:
    """Documents of all lengths; one is empty, one without text, one much longer than a piece."""
    found = [row | {"n": 5000 + i % 7} for i, row in enumerate(documents(count, seed=9))]
    found[3]["text"], found[5]["text"] = "", None
    found[7]["text"] = " ".join([*GOOD, *BAD] * 20)
    return found


def pool(folder: Path, mu: Path, every: list[dict[str, Any]], small: Path) -> Path:
    """Documents, a rater and a recipe in a folder."""
    data = folder / "data"
    data.mkdir(parents=True)
    half = len(every) // 2
    schema = pa.schema([("id", pa.string()), ("text", pa.string()), ("language", pa.string()), ("n", pa.int64())])
    pq.write_table(pa.Table.from_pylist(every[:half], schema), data / "a.parquet", row_group_size=40)
    (data / "b.jsonl").write_text("".join(json.dumps(row) + "\n" for row in every[half:]))
    shutil.copytree(mu, folder / "raters" / "mu")
    about = json.loads((folder / "raters" / "mu" / ABOUT).read_bytes())
    about["encoder"]["place"] = str(small)  # the folder moved away from the encoder
    (folder / "raters" / "mu" / ABOUT).write_text(json.dumps(about))
    path = folder / "pool.mix"
    path.write_text(RATED)
    return path


def scored(path: Path, workers: int = 1) -> tuple[Scored | None, list[Diagnostic]]:
    """What scoring does here."""
    recipe, found = load_recipe(path)
    assert recipe is not None, found
    return run_on("local", workers, lambda executor: score(recipe, executor, Quiet()))


def kept(folder: Path) -> dict[str, bytes]:
    """Everything that scoring made, by name."""
    made = [*(folder / ".mixc" / "scores").rglob("*"), *(folder / ".mixc" / "ratings").rglob("*")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(made) if path.is_file()}


def compiled(path: Path) -> Manifest:
    made, found = run_passes(COMPILE, Artefacts(path))
    assert made.manifest is not None and not has_errors(found), found
    return made.manifest


def rater(**more: Any) -> Rater:
    return Rater("mu", **({"kind": "murating", "model": "raters/mu"} | more))


def test_scores_reach_the_manifest(tmp_path: Path, mu: Path, small: Path) -> None:
    path = pool(tmp_path, mu, rows(), small)
    done, found = scored(path)
    assert done is not None, found
    assert next(iter(done.read.values())).documents == 90 and next(iter(done.read.values())).empty == 2
    manifest = compiled(path)
    stage = next(row for row in manifest.plan if row.stage == "score")
    content = json.loads((mu / ABOUT).read_bytes())["content"]
    assert stage.parameters["model"] == "raters/mu" and stage.parameters["content"] == content
    assert stage.parameters["precision"] == "float32" and stage.parameters["offsets"] == "identified"
    again, _ = scored(path)
    assert again is not None and next(iter(again.read.values())).documents == 0


def test_a_score_is_the_mean_of_its_pieces_and_depends_on_nothing_else(tmp_path: Path, mu: Path, small: Path) -> None:
    pool(tmp_path, mu, rows(), small)
    reader = prepare(rater(), tmp_path).reader
    texts = [row["text"] for row in rows()]
    whole = rate(reader, texts).to_pylist()
    assert [row["score"] is None for row in whole] == [not text for text in texts]
    long = whole[7]
    sizes = np.array([62] * (long["tokens"] // 62) + [long["tokens"] % 62])
    assert len(long["chunks"]) == len(sizes) > 3
    assert long["score"] == pytest.approx(float(np.average(long["chunks"], weights=sizes)), rel=1e-6)
    assert rate(reader, texts[::-1]).to_pylist()[::-1] == whole
    assert [rate(reader, [text]).to_pylist()[0] for text in texts[:20]] == whole[:20]
    assert rate(reader, []).num_rows == 0
    good, bad = (rate(reader, ["en " + " ".join(words)]).to_pylist()[0]["score"] for words in (GOOD, BAD))
    assert good > bad


def test_workers_change_no_byte(tmp_path: Path, mu: Path, small: Path) -> None:
    first, second = (pool(tmp_path / name, mu, rows(600), small) for name in ("one", "two"))
    scored(first)
    scored(second, workers=2)
    assert kept(tmp_path / "one") == kept(tmp_path / "two")
    assert not any("steps" in name for name in kept(tmp_path / "one"))


def test_a_killed_score_goes_on_to_the_same_bytes(tmp_path: Path, mu: Path, small: Path) -> None:
    first, second = (pool(tmp_path / name, mu, rows(1600), small) for name in ("one", "two"))
    scored(first)
    command = [sys.executable, "-m", "mixc", "score", str(second), "--workers", "1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 180
    while not list((tmp_path / "two" / ".mixc").rglob("steps/*.0.arrow")) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done, found = scored(second)
    assert done is not None, found
    assert next(iter(done.read.values())).documents < 1600
    assert kept(tmp_path / "one") == kept(tmp_path / "two")
    left_behind(tmp_path / "two" / ".mixc" / "ratings")
    scored(second)
    assert kept(tmp_path / "one") == kept(tmp_path / "two")


def test_another_rater_or_column_is_other_scores(tmp_path: Path, mu: Path, small: Path, pairs: Path) -> None:
    pool(tmp_path, mu, rows(), small)
    key, now = prepare(rater(), tmp_path).plan.key, state(rater(), tmp_path)
    assert prepare(rater(text="id"), tmp_path).plan.key != key and state(rater(text="id"), tmp_path) != now
    assert state(rater(), tmp_path) == now
    trained(pairs, tmp_path / "raters" / "mu", small, decay=0.3)
    assert prepare(rater(), tmp_path).plan.key != key and state(rater(), tmp_path) != now


def test_offsets_that_are_free_are_no_global_scores(tmp_path: Path, mu: Path, small: Path) -> None:
    path = pool(tmp_path, mu, rows(), small)
    assert identified(rater(), tmp_path)
    about = json.loads((tmp_path / "raters" / "mu" / ABOUT).read_bytes())
    (tmp_path / "raters" / "mu" / ABOUT).write_text(json.dumps(about | {"offsets": "free"}))
    assert not identified(rater(), tmp_path)
    path.write_text(RATED.replace('model = "raters/mu"', 'model = "raters/mu", scope = global'))
    done, found = scored(path)
    assert done is None and has_errors(found), codes(found)


def spoil(folder: Path, what: str, small: Path) -> None:
    """One of the ways in which a rater cannot be used."""
    about = json.loads((folder / ABOUT).read_bytes())
    if what == "nothing":
        shutil.rmtree(folder)
    elif what == "half":
        (folder / HEAD).unlink()
    elif what == "damaged":
        (folder / ABOUT).write_text("{")
    elif what == "later":
        (folder / ABOUT).write_text(json.dumps(about | {"format": 99}))
    elif what == "changed":
        (folder / HEAD).write_bytes((folder / HEAD).read_bytes()[:-4] + b"\0\0\0\0")
    else:
        other = Path(shutil.copytree(small, folder.parent / "other"))
        (other / "vocab.txt").write_text((other / "vocab.txt").read_text() + "more\n")
        about["encoder"]["place"] = "../other"
        (folder / ABOUT).write_text(json.dumps(about))


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("nothing", "M649"),
        ("half", "M649"),
        ("damaged", "M649"),
        ("later", "M649"),
        ("changed", "M649"),
        ("encoder", "M650"),
    ],
)
def test_raters_that_cannot_be_used(tmp_path: Path, mu: Path, small: Path, what: str, code: str) -> None:
    path = pool(tmp_path, mu, rows(), small)
    spoil(tmp_path / "raters" / "mu", what, small)
    with pytest.raises(Unreadable) as caught:
        prepare(rater(), tmp_path)
    assert caught.value.diagnostic.code == code
    done, found = scored(path)
    assert done is None and codes(found) == [code] and found[0].labels
    if what in ("half", "encoder"):
        about = {"half": "A file of the rater's folder is missing.", "encoder": "The encoder was changed since."}[what]
        shown(code, found, about=about, command="mixc score pool.mix", at=tmp_path, numbers=False)
    assert not kept(tmp_path)


def test_a_rater_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as caught:
        state(rater(model=None), tmp_path)
    assert caught.value.diagnostic.code == "M649"
