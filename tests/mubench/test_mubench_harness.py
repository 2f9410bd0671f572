"""Exported tasks in the real harness: listed under their names, loaded from local files, scored by a real model."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from mixc.backends.exporters.lm_eval import files
from mixc.backends.mubench import tasks
from mixc.backends.mubench.plan import HARNESS, EvaluationPlan, plan
from mixc.backends.mubench.results import read_results
from tests.cli.ran import Ran
from tests.mubench.shapes import OPTIONS, write_items

Harness = Callable[..., Ran]
LISTING = """
import json, sys
from lm_eval.tasks import TaskManager
found = TaskManager(include_path=sys.argv[1])
print(json.dumps([found.all_tasks, found.all_groups]))
"""


def export(folder: Path, made: EvaluationPlan, root: Path | None = None) -> None:
    for name, text in files(made, root).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_the_harness_named_in_plans_is_the_one_that_is_tested() -> None:
    name, _, pinned = HARNESS.partition("==")
    assert version(name) == pinned


def test_the_harness_lists_all_tasks_and_groups_under_their_names(harness: Harness, tmp_path: Path) -> None:
    made, _ = plan(tasks.LANGUAGES, "full", 7e9, None)
    export(tmp_path, made)
    ran = harness("-c", LISTING, "tasks", cwd=tmp_path)
    assert ran.code == 0, ran.err
    listed, groups = json.loads(ran.out.splitlines()[-1])
    names = {one.task for one in made.tasks}
    assert len(names) == 610
    assert names <= set(listed)
    assert {name for name in groups if name.endswith("_mubench")} == {one.group for one in tasks.DATASETS.values()}
    guards, _ = plan(sorted({*tasks.INCLUDE, *tasks.GLOBAL_MMLU}), "guard", 7e9, None)
    assert {one.task for one in guards.tasks} <= set(listed)


@pytest.fixture(scope="module")
def evaluated(harness: Harness, smollm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where all ten datasets in three languages were scored from local files, below a relative root."""
    folder = tmp_path_factory.mktemp("evaluated")
    made, _ = plan(["de", "zh"], "full", 7e9, None)
    write_items(folder / "items", made)
    export(folder / "eval", made, Path("items"))
    command = re.search(r"```sh\nlm_eval (.*?)```", (folder / "eval" / "README.md").read_text(), re.DOTALL)
    assert command is not None
    words = command[1].replace("\\\n", " ").replace("MODEL", str(smollm)).replace("OUTPUT", "results").split()
    words[words.index("--include_path") + 1] = "eval/tasks"
    ran = harness("-m", "lm_eval", *words, "--device", "cpu", "--batch_size", "8", cwd=folder)
    assert ran.code == 0, ran.err[-3000:]
    return folder


def test_every_shape_is_scored_and_read_back(evaluated: Path) -> None:
    made, _ = plan(["de", "zh"], "full", 7e9, None)
    read, found = read_results(evaluated / "results", made)
    assert read is not None, [one.message for one in found]
    assert {one.code for one in found} == {"M673"}
    assert [one.dataset for one in read.datasets] == sorted(OPTIONS)
    for one in read.datasets:
        assert one.languages == ("de", "en", "zh")
        assert one.options.tolist() == list(OPTIONS[one.dataset])
        assert one.gold.tolist() == [(i + 1) % count for i, count in enumerate(OPTIONS[one.dataset])]


def test_accuracies_are_those_of_the_harness(evaluated: Path) -> None:
    made, _ = plan(["de", "zh"], "full", 7e9, None)
    read, _ = read_results(evaluated / "results", made)
    assert read is not None
    (path,) = (evaluated / "results").rglob("results_*.json")
    stated = json.loads(path.read_text())["results"]
    for one in read.datasets:
        for metric in tasks.DATASETS[one.dataset].metrics:
            for code, accuracy in zip(one.languages, one.right(metric).mean(axis=1), strict=True):
                assert stated[tasks.DATASETS[one.dataset].task(code)][f"{metric},none"] == pytest.approx(accuracy)
        mean = one.right("acc").mean()
        assert stated[tasks.DATASETS[one.dataset].group]["acc,none"] == pytest.approx(mean)


def test_the_script_runs_what_the_page_says(tmp_path: Path) -> None:
    made, _ = plan(["de"], "early", 1e9, None)
    script = files(made)["run.sh"]
    page = files(made)["README.md"]
    groups = "arc_easy_mubench,bmlama_mubench,hellaswag_mubench,xstorycloze_mubench"
    for text in (script, page):
        assert f"--tasks {groups}" in text
        assert "--log_samples" in text
    assert '--include_path "$here/tasks"' in script


def test_files_depend_on_the_plan_alone_and_name_no_place() -> None:
    made, _ = plan(["de", "sv", "eo"], "early", 1e9, None)
    texts = files(made)
    assert texts == files(plan(["sv", "eo", "de"], "early", 1e9, None)[0])
    assert list(texts) == sorted(texts)
    assert not [name for name, text in texts.items() if "/home" in text or "/tmp" in text or str(Path.cwd()) in text]
    assert "Not covered, so not evaluated: eo." in texts["README.md"]
    assert "mixc has not run this" in texts["README.md"]
    one = texts["tasks/hellaswag/hellaswag_de_mubench.yaml"]
    assert "dataset_path: aialt/MuBench\ndataset_name: HellaswagDataset_lighteval_de\n" in one
    assert "acc_norm" in one
    assert "acc_norm" not in texts["tasks/bmlama/bmlama_de_mubench.yaml"]


def test_local_files_are_named_as_they_were_given() -> None:
    made, _ = plan(["de"], "early", 1e9, None)
    relative = files(made, Path("data/mubench"))
    one = relative["tasks/hellaswag/hellaswag_de_mubench.yaml"]
    assert 'test: "data/mubench/HellaswagDataset_lighteval_de/test.jsonl"' in one
    assert "aialt" not in one
    assert "seen from the folder where `lm_eval` is started" in relative["README.md"]
    absolute = files(made, Path("/data/mubench"))
    assert 'test: "/data/mubench/HellaswagDataset' in absolute["tasks/hellaswag/hellaswag_de_mubench.yaml"]
    assert "seen from" not in absolute["README.md"]


def test_guards_are_the_harness_own() -> None:
    made, _ = plan(["de"], "guard", 1e9, None)
    texts = files(made)
    assert sorted(texts) == ["README.md", "run.sh"]
    assert "--tasks global_mmlu_de,global_mmlu_en,include_base_44_german" in texts["run.sh"]
    assert "--include_path" not in texts["run.sh"]
