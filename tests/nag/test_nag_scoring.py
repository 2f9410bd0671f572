"""`mixc score`: targets as raters and as a gate, from texts to a verified selection; stopped, changed, damaged."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from mixc.backends.nag.model import load_model
from mixc.backends.selection.backend import run
from mixc.compiler.cli.explain import explain
from mixc.compiler.cli.run import opened
from mixc.compiler.executor import run_on
from mixc.compiler.front.passes import load_recipe
from mixc.compiler.pipeline import COMPILE, Artefacts, run_passes
from mixc.compiler.progress import Quiet
from mixc.compiler.scan.scan import scan
from mixc.dsl.diagnostics import has_errors
from tests.examples import shown
from tests.nag.left import left_behind
from tests.nag.scoring_pool import GATED, RATED, TWO, kept, pool, rows, told
from tests.nag.texts import KINDS
from tests.nag.ways import compiled, errors, scored, selection, whole_scores

SCORE = "mixc score pool.mix"


def test_a_target_rates_documents_all_the_way(tmp_path: Path, tiny: Path) -> None:
    path = pool(tmp_path, tiny, RATED)
    assert errors(path) == ["M620"]
    done, found = scored(path)
    assert done is not None, told(found)
    assert next(iter(done.read.values())).documents == len(rows()) + 6
    assert next(iter(done.read.values())).empty == 2
    manifest = compiled(path)
    stage = next(row for row in manifest.plan if row.stage == "score")
    assert stage.parameters["model"] == "model"
    assert stage.parameters["top_k"] == 5
    taken = selection(path, tmp_path / "out")
    model = load_model(str(tiny))
    every = [row for row in rows() if row["text"] and row["lang"] == "en"]
    scores = whole_scores(model, KINDS["science"][:6], [str(row["text"]) for row in every])
    copies = np.array([taken.get(str(row["id"]), 0) for row in every])
    best, worst = scores >= np.quantile(scores, 0.8), scores <= np.quantile(scores, 0.2)
    assert copies[best].mean() > 1.5 * copies[worst].mean()
    assert not {"003", "005"} & taken.keys()


def test_scoring_again_reads_nothing_and_a_new_file_alone(tmp_path: Path, tiny: Path) -> None:
    path = pool(tmp_path, tiny, RATED)
    scored(path)
    before = kept(tmp_path)
    done, _ = scored(path)
    assert done is not None
    assert next(iter(done.read.values())).documents == 0
    assert kept(tmp_path) == before
    (tmp_path / "data" / "c.jsonl").write_text(json.dumps(rows()[0] | {"id": "new"}) + "\n")
    assert errors(path) == ["M621"]
    done, _ = scored(path)
    assert done is not None
    assert next(iter(done.read.values())).documents == 1
    compiled(path)


def test_workers_change_no_byte(tmp_path: Path, tiny: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
    first, second = pool(one, tiny, RATED), pool(two, tiny, RATED)
    scored(first)
    scored(second, workers=2)
    assert kept(one) == kept(two)


def test_a_killed_score_goes_on_to_the_same_bytes(tmp_path: Path, tiny: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
    first, second = pool(one, tiny, RATED, rows(60)), pool(two, tiny, RATED, rows(60))
    scored(first)
    command = [sys.executable, "-m", "mixc", "score", str(second), "--workers", "1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list((two / ".mixc" / "features").rglob("steps/*.0.arrow")) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done, found = scored(second)
    assert done is not None, told(found)
    assert next(iter(done.read.values())).documents < len(rows(60)) + 6
    assert kept(one) == kept(two)
    left_behind(two / ".mixc" / "features")
    scored(second)
    assert kept(one) == kept(two)


def test_another_column_of_texts_is_read(tmp_path: Path, tiny: Path) -> None:
    path = pool(tmp_path, tiny, RATED)
    scored(path)
    path.write_text(RATED.replace('text: "text"', 'text: "id"'))
    assert errors(path) == ["M621"]
    done, _ = scored(path)
    assert done is not None
    assert next(iter(done.read.values())).documents == len(rows())


def test_other_examples_or_parameters_are_other_scores(tmp_path: Path, tiny: Path) -> None:
    path = pool(tmp_path, tiny, RATED)
    scored(path)
    for other in ("top_k = 4", "top_k = 5, projection = gate", "top_k = 5, layers = [0, 1]"):
        path.write_text(RATED.replace("top_k = 5", other))
        assert errors(path) == ["M620"]
    scored(path)
    compiled(path)
    path.write_text(RATED)
    compiled(path)
    (tmp_path / "science.jsonl").write_text(json.dumps({"text": "something else"}) + "\n")
    assert errors(path) == ["M620"]


def test_a_gate_lets_the_best_part_of_every_language_through(tmp_path: Path, tiny: Path) -> None:
    path = pool(tmp_path, tiny, GATED)
    assert errors(path) == ["M620"]
    done, found = scored(path)
    assert done is not None, told(found)
    manifest = compiled(path)
    stage = next(row for row in manifest.plan if row.stage == "gate")
    assert stage.parameters["targets"] == ["science"]
    taken = set(selection(path, tmp_path / "out"))
    model = load_model(str(tiny))
    for language in ("en", "fr"):
        every = [row for row in rows() if row["text"] and row["lang"] == language]
        scores = whole_scores(model, KINDS["science"][:6], [str(row["text"]) for row in every])
        tokens = np.array([int(str(row["n"])) + 1 for row in every])
        names = [str(row["id"]) for row in every]
        order = sorted(range(len(every)), key=lambda i: (-scores[i], names[i]))
        inside = np.cumsum(tokens[order]) <= tokens.sum() * 0.4
        expected = {names[i] for i, fits in zip(order, inside, strict=True) if fits}
        assert taken & set(names) == expected
    supply = sum(sum(row.tokens) for row in manifest.supply)
    whole = sum(int(str(row["n"])) + 1 for row in rows() if row["text"])
    assert 0.3 * whole < supply <= 0.4 * whole


def test_a_gate_of_the_whole_pool_cuts_it_at_one_place(tmp_path: Path, tiny: Path) -> None:
    path = pool(tmp_path, tiny, GATED.replace("fraction = 40%", "fraction = 40%, scope = pool"))
    done, found = scored(path)
    assert done is not None, told(found)
    manifest = compiled(path)
    taken = set(selection(path, tmp_path / "out"))
    every = [row for row in rows() if row["text"]]
    scores = whole_scores(load_model(str(tiny)), KINDS["science"][:6], [str(row["text"]) for row in every])
    tokens = np.array([int(str(row["n"])) + 1 for row in every])
    names = [str(row["id"]) for row in every]
    order = sorted(range(len(every)), key=lambda i: (-scores[i], names[i]))
    inside = np.cumsum(tokens[order]) <= tokens.sum() * 0.4
    expected = {names[i] for i, fits in zip(order, inside, strict=True) if fits}
    assert taken == expected
    assert next(row for row in manifest.plan if row.stage == "gate").parameters["scope"] == "pool"


def test_what_is_held_out_is_counted_beside_a_gate(tmp_path: Path, tiny: Path) -> None:
    path = pool(tmp_path, tiny, GATED + "evaluate { suite = mubench, holdout = 20% }\n")
    scored(path)
    made, found = run_passes(COMPILE, Artefacts(path))
    assert not has_errors(found), told(found)
    assert made.catalog is not None
    held, gated = made.catalog.withheld["crawl"], made.catalog.gated["crawl"]
    there = len(rows())  # those without text are near to no target
    assert 0.1 * there < held < 0.3 * there
    assert held + gated + sum(int(group.documents.sum()) for group in made.catalog.groups.values()) == there


def test_two_targets_share_a_gate_by_their_weights(tmp_path: Path, tiny: Path) -> None:
    path = pool(tmp_path, tiny, TWO)
    done, found = scored(path)
    assert done is not None, told(found)
    manifest = compiled(path)
    stage = next(row for row in manifest.plan if row.stage == "gate")
    assert stage.parameters["targets"] == ["code", "science"]
    assert stage.parameters["weights"] == [2.0, 1.0]
    supply = sum(sum(row.tokens) for row in manifest.supply)
    whole = sum(int(str(row["n"])) + 1 for row in rows() if row["text"])
    assert 0.35 * whole < supply <= 0.4 * whole


def test_budget_that_two_targets_spend_on_one_may_be_dropped(tmp_path: Path, tiny: Path) -> None:
    supply = []
    for overlap in ("refill", "drop"):
        folder = tmp_path / overlap
        folder.mkdir()
        path = pool(folder, tiny, TWO.replace("fraction = 40%", f"fraction = 40%, overlap = {overlap}"))
        done, found = scored(path)
        assert done is not None, told(found)
        supply.append(sum(sum(row.tokens) for row in compiled(path).supply))
    assert supply[1] <= supply[0]


def test_a_gate_holds_for_its_documents_only(tmp_path: Path, tiny: Path) -> None:
    path = pool(tmp_path, tiny, GATED)
    scored(path)
    compiled(path)
    (tmp_path / "data" / "c.jsonl").write_text(json.dumps(rows()[0] | {"id": "new"}) + "\n")
    assert errors(path) == ["M625"]
    scored(path)
    compiled(path)


def test_targets_of_a_gate_agree(tmp_path: Path, tiny: Path) -> None:
    path = pool(tmp_path, tiny, TWO.replace("fraction = 40%, weight = 2", "fraction = 30%, weight = 2"))
    done, found = scored(path)
    assert done is None
    assert [one.code for one in found] == ["M626"]
    shown("M626", found, files=[path], command=SCORE, at=tmp_path)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ('model = "nowhere.gguf"', "M604"),
        ('model = "science.jsonl"', "M605"),
        ('model = "model", top_k = 41', "M609"),
        ('model = "model", tokens = 9999', "M609"),
        ('model = "model", layers = [7]', "M600"),
    ],
)
def test_what_is_wrong_with_a_target_is_told_at_its_place(tmp_path: Path, tiny: Path, changed: str, code: str) -> None:
    text = RATED.replace('model = "model", top_k = 5, tokens = 40', changed)
    assert text != RATED
    done, found = scored(pool(tmp_path, tiny, text))
    assert done is None
    assert [one.code for one in found] == [code]
    assert found[0].labels
    assert found[0].labels[0].span.text == "target science"
    if "9999" not in changed:
        shown(code, found, files=[tmp_path / "pool.mix"], command=SCORE, at=tmp_path)


def test_a_source_without_texts_cannot_be_scored(tmp_path: Path, tiny: Path) -> None:
    path = pool(tmp_path, tiny, RATED.replace('text: "text", ', ""))
    for name in ("a.parquet",):
        table = pq.read_table(tmp_path / "data" / name).drop_columns(["text"])
        pq.write_table(table, tmp_path / "data" / name)
    (tmp_path / "data" / "b.jsonl").unlink()
    done, found = scored(path)
    assert done is None
    assert [one.code for one in found] == ["M622"]
    about = "The documents have the columns `id`, `lang` and `n`."
    shown("M622", found, about=about, command=SCORE, at=tmp_path)


def test_a_target_without_texts_is_told(tmp_path: Path, tiny: Path) -> None:
    path = pool(tmp_path, tiny, RATED)
    (tmp_path / "science.jsonl").write_text('{"question": "why?"}\n')
    done, found = scored(path)
    assert done is None
    assert [one.code for one in found] == ["M623"]
    shown("M623", found, files=[tmp_path / "science.jsonl"], command=SCORE, at=tmp_path)


def test_scores_that_are_gone_or_damaged_are_told(tmp_path: Path, tiny: Path) -> None:
    path = pool(tmp_path, tiny, RATED)
    scored(path)
    compiled(path)
    files = sorted((tmp_path / ".mixc" / "scores").rglob("*.arrow"))
    whole = files[0].read_bytes()
    files[0].write_bytes(whole[: len(whole) // 2])
    recipe, _ = load_recipe(path)
    assert recipe is not None
    for cache in ("profiles", "counts"):
        for file in (tmp_path / ".mixc" / cache).rglob("*.parquet"):
            file.unlink()
    catalog, found = run_on("local", 1, lambda executor: scan(recipe, executor))
    assert catalog is None
    assert {one.code for one in found} == {"M515"}
    about = "A file of scores below `.mixc` was cut in the middle."
    shown("M515", found, about=about, command="mixc scan pool.mix", at=tmp_path, numbers=False)
    files[0].unlink()
    job, found = opened(path.with_suffix(".manifest.json"))
    assert job is not None, told(found)
    outcome, found = run_on("local", 1, lambda executor: run(job, tmp_path / "out", executor, Quiet()))
    assert outcome is None
    assert {one.code for one in found} == {"M621"}


def test_a_target_is_explained(tmp_path: Path, tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = pool(tmp_path, tiny, TWO)
    scored(path)
    compiled(path)
    manifest = path.with_suffix(".manifest.json")
    assert explain(str(manifest), nearest="code") == 0
    said = capsys.readouterr().out
    assert "target code: 6 examples of code.jsonl, by the 5 most active of 40 neurons in each of 3 layers" in said
    assert "in common  code  science" in said
    assert explain(str(manifest), nearest="science", deactivate=True) == 0
    assert "loss on the examples, nats per token:" in capsys.readouterr().out
    assert explain(str(manifest), nearest="coda") == 1
    command = "mixc explain pool.manifest.json --target"
    shown("M627", capsys.readouterr().err, command=f"{command} coda", at=tmp_path)
    for file in (tmp_path / ".mixc" / "features").rglob("*.arrow"):
        file.unlink()
    assert explain(str(manifest), nearest="code") == 1
    about = "The manifest was made on another machine."
    shown("M628", capsys.readouterr().err, about=about, command=f"{command} code", at=tmp_path)


def test_examples_without_text_are_left_out_and_told(tmp_path: Path, tiny: Path) -> None:
    path = pool(tmp_path, tiny, RATED)
    with (tmp_path / "science.jsonl").open("a") as file:
        file.write('{"text": ""}\n')
    done, found = scored(path)
    assert done is not None
    assert [one.code for one in found] == ["M597"]
    about = "A line of `science.jsonl` has an empty text."
    shown("M597", found, about=about, command=SCORE, at=tmp_path)


@pytest.mark.parametrize(("text", "code"), [(None, "M502"), ("plain words\n", "M508")])
def test_examples_that_cannot_be_read_are_told(tmp_path: Path, tiny: Path, text: str | None, code: str) -> None:
    path = pool(tmp_path, tiny, RATED)
    (tmp_path / "science.jsonl").unlink()
    if text is not None:
        (tmp_path / "science.jsonl").write_text(text)
    done, found = scored(path)
    assert done is None
    assert [one.code for one in found] == [code]
