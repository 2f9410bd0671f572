"""Gates: a rater beside the distance, against the authors' outputs and all the way; what is let through, and told."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mixc.backends.nag.gate import decide
from mixc.backends.nag.model import load_model
from mixc.compiler.cli.passed import passed_table
from mixc.compiler.cli.score import score_recipe
from mixc.compiler.documents.data import DataFile, Wanted
from mixc.compiler.documents.sidecars import write_sidecar
from mixc.compiler.pipeline import COMPILE, Artefacts, run_passes
from mixc.compiler.progress import Quiet
from mixc.compiler.review.plan import plan_from_manifest
from mixc.compiler.scan.beside import gated
from mixc.compiler.scan.plan import Counting, GatePlan, GateQuality, Plan, SourcePlan
from mixc.compiler.scan.stages import Found
from mixc.compiler.scan.store import Store
from mixc.dsl.diagnostics import Diagnostic
from tests.examples import shown
from tests.nag.scoring_pool import GATED, pool, rows, told
from tests.nag.texts import KINDS
from tests.nag.ways import compiled, errors, scored, selection, whole_scores
from tests.reference_data import shared_file

QUALITY = GATED.replace("fraction = 40% }", "fraction = 40%, quality = edu }").replace(
    "languages", 'rater edu { column = "edu" }\nlanguages'
)


def judged_rows(times: int = 3) -> list[dict[str, object]]:
    """The documents with a score of quality; every eleventh has none."""
    return [row | {"edu": None if i % 11 == 0 else float(i * 37 % 100)} for i, row in enumerate(rows(times))]


def judged_pool(folder: Path, model: Path, text: str, every: Sequence[dict[str, object]] | None = None) -> Path:
    """Documents with a score of quality, a model and a recipe in a folder."""
    every = judged_rows() if every is None else every
    path = pool(folder, model, text, every)
    half = len(every) // 2
    data = folder / "data"
    table = pq.read_table(data / "a.parquet")
    quality = pa.array([row["edu"] for row in every[:half]], pa.float64())
    pq.write_table(table.append_column("edu", quality), data / "a.parquet", row_group_size=40)
    return path


def plainly(every: Sequence[dict[str, object]], scores: np.ndarray, better: str, fraction: float) -> set[str]:
    """The authors' way: drop what has no score, scale both, add, sort, sum up, stop at the first that does not fit."""
    quality = np.array([np.nan if row["edu"] is None else row["edu"] for row in every], dtype=float)
    known = np.flatnonzero(np.isfinite(quality))
    tokens = np.array([int(str(row["n"])) + 1 for row in every])[known]
    distance, mine = -scores[known].astype(float), quality[known]
    distance, mine = (distance - distance.min()) / np.ptp(distance), (mine - mine.min()) / np.ptp(mine)
    combined = distance + (1 - mine if better == "higher" else mine)
    names = [str(every[i]["id"]) for i in known.tolist()]
    order = sorted(range(len(known)), key=lambda i: (combined[i], names[i]))
    inside = np.cumsum(tokens[order]) <= int(tokens.sum() * fraction)
    return {names[i] for i, fits in zip(order, inside, strict=True) if fits}


@pytest.mark.parametrize(("better", "scope"), [("higher", "language"), ("lower", "pool")])
def test_quality_and_distance_make_a_gate_all_the_way(tmp_path: Path, tiny: Path, better: str, scope: str) -> None:
    text = QUALITY.replace('"edu" }', f'"edu", better = {better} }}').replace("40%,", f"40%, scope = {scope},")
    path = judged_pool(tmp_path, tiny, text)
    assert errors(path) == ["M620"]
    done, found = scored(path)
    assert done is not None, told(found)
    assert not found
    manifest = compiled(path)
    stage = next(row for row in manifest.plan if row.stage == "gate")
    assert stage.parameters["quality"] == {"rater": "edu", "column": "edu", "better": better}
    assert plan_from_manifest(manifest).gate == done.gate
    assert not [row for row in manifest.plan if row.stage == "normalise"]  # no domain weighs the rater
    taken = set(selection(path, tmp_path / "out"))
    model = load_model(str(tiny))
    every = [row for row in judged_rows() if row["text"]]
    scores = whole_scores(model, KINDS["science"][:6], [str(row["text"]) for row in every])
    expected = set[str]()
    for languages in [("en", "fr")] if scope == "pool" else [("en",), ("fr",)]:
        mine = [i for i, row in enumerate(every) if row["lang"] in languages]
        expected |= plainly([every[i] for i in mine], scores[mine], better, 0.4)
    assert taken == expected


def test_a_range_bounds_the_scores_of_a_gate(tmp_path: Path, tiny: Path) -> None:
    """A score outside the range counts as its end, so that one of 10^6 does not make all others equal."""
    wild = [row | ({"edu": 1e6} if i == 1 else {}) for i, row in enumerate(judged_rows())]
    path = judged_pool(tmp_path, tiny, QUALITY.replace('"edu" }', '"edu", range = 0 .. 99 }'), wild)
    scored(path)
    manifest = compiled(path)
    stage = next(row for row in manifest.plan if row.stage == "gate")
    assert stage.parameters["quality"]["range"] == [0.0, 99.0]
    tame = [row | ({"edu": 99.0} if i == 1 else {}) for i, row in enumerate(judged_rows())]
    taken = set(selection(path, tmp_path / "out"))
    model = load_model(str(tiny))
    expected = set[str]()
    for language in ("en", "fr"):
        every = [row for row in tame if row["text"] and row["lang"] == language]
        scores = whole_scores(model, KINDS["science"][:6], [str(row["text"]) for row in every])
        expected |= plainly(every, scores, "higher", 0.4)
    assert taken == expected


def test_another_quality_is_another_gate_and_reads_no_text_again(tmp_path: Path, tiny: Path) -> None:
    path = judged_pool(tmp_path, tiny, GATED)
    scored(path)
    without = compiled(path)
    path.write_text(QUALITY)
    assert errors(path) == ["M620"]
    done, _ = scored(path)
    assert done is not None
    assert next(iter(done.read.values())).documents == 0
    assert compiled(path) != without
    path.write_text(QUALITY.replace('"edu" }', '"edu", better = lower }'))
    assert errors(path) == ["M620"]


def test_changed_scores_of_quality_are_noticed(tmp_path: Path, tiny: Path) -> None:
    path = judged_pool(tmp_path, tiny, QUALITY)
    scored(path)
    compiled(path)
    file = tmp_path / "data" / "a.parquet"
    table = pq.read_table(file)
    quality = pa.array([None if q is None else 99.0 - q for q in table["edu"].to_pylist()], pa.float64())
    place = table.schema.get_field_index("edu")
    pq.write_table(table.set_column(place, "edu", quality), file, row_group_size=40)
    assert errors(path) == ["M625"]
    about = "The column by which the gate ranks too was written anew after `mixc score`."
    shown("M625", run_passes(COMPILE, Artefacts(path))[1], about=about, command="mixc compile pool.mix", at=tmp_path)


def test_the_authors_selection_by_distance_and_quality(tmp_path: Path) -> None:
    """Against their output: documents of no tokens count one of 100,000 here, since a document has at least one."""
    folder = shared_file("oracle/nag")
    payload = pq.read_table(folder / "pool_payload.parquet").to_pydict()
    with (folder / "out" / "kernel_scores.csv").open(encoding="utf-8") as file:
        whole = {row["docid"]: int(row["int_task_a"]) for row in csv.DictReader(file)}
    tokens = [1 if n is None or np.isnan(n) else int(n) * 100_000 + 1 for n in payload["token_num"]]
    data = tmp_path / "pool.parquet"
    pq.write_table(
        pa.table({"id": payload["docid"], "n": tokens, "edu": payload["edu_score"]}), data, row_group_size=33
    )
    source = SourcePlan("crawl", ("pool.parquet",), Wanted(id="id", tokens="n"), Counting("column", "n"), "en", "web",
                        eos=False)  # fmt: skip
    gate = GatePlan(("a",), "nag", "k", 0.2, "pool", (1.0,), "refill", "", GateQuality("edu", "edu", "higher"))
    plan, store = Plan((source,), (), (), "rank", gate=gate), Store(tmp_path)
    one = Found(DataFile("crawl", "pool.parquet", str(data), "parquet", data.stat().st_size, ""), "identity")
    raw = tmp_path / "raw.arrow"
    write_sidecar(raw, [pa.array([float(whole[id]) for id in payload["docid"]], pa.float32())])
    passed, found = decide(gate, plan, [one], {one: [("a", str(raw))]}, store, Quiet())
    assert not found
    with pa.memory_map(str(gated(store, "k", plan, one))) as opened:
        kept = pa.ipc.open_file(opened).read_all()["score"].to_pylist()
    with (folder / "out" / "quality_inv_task_a_f0.2.csv").open(encoding="utf-8") as file:
        expected = {row["docid"] for row in csv.DictReader(file)}
    assert {id for id, yes in zip(payload["docid"], kept, strict=True) if yes} == expected
    assert [(one.documents, one.kept_documents) for one in passed] == [(200, len(expected))]
    assert passed[0].unrated == sum(q is None or np.isnan(q) for q in payload["edu_score"])
    assert decide(gate, plan, [one], {}, store, Quiet()) == (passed, [])  # as it was decided


def test_a_language_that_was_not_rated_is_told_before_and_after(tmp_path: Path, tiny: Path) -> None:
    every = [row | ({"edu": None} if row["lang"] == "fr" else {}) for row in judged_rows()]
    path = judged_pool(tmp_path, tiny, QUALITY, every)
    done, found = scored(path)
    assert done is not None, told(found)
    assert [one.code for one in found] == ["M611"]
    about = "No document in French has an `edu`, by which the gate ranks too."
    shown("M611", found, about=about, command="mixc score pool.mix", at=tmp_path)
    assert "`fr`" in found[0].message
    [lost] = compile_errors(path)
    assert lost.code == "M302"
    assert "the gate of `science` and rater `edu` let 0 of 36 documents through" in lost.notes[-1]
    assert "36 have no score of it" in lost.notes[-1]
    assert done.gate is not None
    said = passed_table(done.gate)
    assert said.startswith("gate of science and edu, the best 40% of each language:\n")
    assert said.splitlines()[3].split()[:4] == ["fr", "0", "of", "36"]


def compile_errors(path: Path) -> list[Diagnostic]:
    """What is said against compiling a recipe."""
    _, found = run_passes(COMPILE, Artefacts(path))
    return found


def test_a_gate_of_the_pool_that_lets_nothing_of_a_language_through(tmp_path: Path, tiny: Path) -> None:
    french = next(row for row in rows() if row["lang"] == "fr")
    far = [*(row for row in rows() if row["lang"] == "en"), french | {"text": "zz"}]
    path = pool(tmp_path, tiny, GATED.replace("fraction = 40%", "fraction = 5%, scope = pool"), far)
    done, found = scored(path)
    assert done is not None, told(found)
    [lost] = compile_errors(path)
    assert lost.code == "M302"
    assert lost.notes[-1] == (
        f"the gate of `science` let 0 of 1 document through, 0 of {int(str(french['n'])) + 1:,} tokens"
    )
    assert lost.helps == ("raise `fraction`, or state `scope = language`",)


def test_a_gate_that_lets_nothing_through_at_all(tmp_path: Path, tiny: Path) -> None:
    path = pool(tmp_path, tiny, GATED.replace("fraction = 40%", "fraction = 0.01%"))
    done, found = scored(path)
    assert done is not None
    assert [one.code for one in found] == ["M599", "M599"]
    about = "The target has `fraction = 0.01%`."
    shown("M599", found, about=about, command="mixc score pool.mix", at=tmp_path)
    assert [one.notes[0] for one in found] == ["of documents in `en`", "of documents in `fr`"]
    [lost] = compile_errors(path)
    assert lost.code == "M557"
    assert "the gate of `science` let 0 of 180 documents through, 0 of " in lost.notes[-1]


def test_what_a_gate_kept_is_shown(tmp_path: Path, tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = pool(tmp_path, tiny, GATED)
    for _ in range(2):  # the second time nothing is decided
        assert score_recipe(path, workers=1) == 0
        said = capsys.readouterr().out.splitlines()
        assert said[-4] == "gate of science, the best 40% of each language:"
        assert said[-3].split() == ["language", "documents", "kept", "tokens", "kept"]
        assert said[-2].split()[:4] == ["en", "56", "of", "144"]
    index = json.loads((tmp_path / ".mixc" / "scores" / "index.json").read_text())
    assert [one for one in index.values() if one.get("passed")]
