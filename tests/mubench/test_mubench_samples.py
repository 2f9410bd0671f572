"""Files of samples: what is read, which are chosen, and every way in which they can be wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mixc.backends.mubench.aligned import align, halved
from mixc.backends.mubench.plan import EvaluationPlan, plan
from mixc.backends.mubench.results import Results, read_results
from mixc.backends.mubench.samples import Samples, find, newest, read_samples
from mixc.backends.mubench.study import study
from mixc.backends.mubench.tasks import DATASETS, Panel
from mixc.compiler.documents.data import Unreadable
from mixc.dsl.diagnostics import Diagnostic, Severity
from tests.examples import shown
from tests.mubench.model_results import aligned, results, sample, write

TASK = "hellaswag_de_mubench"
HELLASWAG = DATASETS["hellaswag"]


def planned(*codes: str, panel: Panel = "early") -> EvaluationPlan:
    return plan(codes, panel, 1e9, None)[0]


def read(folder: Path, *codes: str) -> tuple[Results | None, list[Diagnostic]]:
    return read_results(folder, planned(*codes))


def codes_of(found: list[Diagnostic]) -> list[str]:
    return [one.code for one in found]


def example(code: str, found: Diagnostic | list[Diagnostic], about: str, folder: Path) -> None:
    shown(code, found, about=about, command="mixc mubench results --manifest toy.manifest.json", at=folder)


def broken(tmp_path: Path, *lines: dict[str, Any] | str) -> Diagnostic:
    """What reading says of a file of these lines."""
    write(tmp_path, TASK, lines)
    with pytest.raises(Unreadable) as caught:
        read_samples(find(tmp_path)[0], HELLASWAG)
    return caught.value.diagnostic


def test_predictions_are_counted_from_log_likelihoods(tmp_path: Path) -> None:
    long = sample("a", 1, 0, 4)
    long["doc"]["choices"] = ["x", "yy", "zzzz", "w"]
    long["filtered_resps"] = [["-2.0", "False"], ["-2.0", "False"], ["-3.0", "False"], ["-9", "False"]]
    long |= {"acc": 0.0, "acc_norm": 0.0}  # a tie goes to the first option; -3/4 is the best per character
    write(tmp_path, TASK, [long, sample("b", 3, 3, 4), sample("7", 0, 2, 4, target="option 000")])
    found = read_samples(find(tmp_path)[0], HELLASWAG)
    assert found.ids == ("a", "b", "7")
    assert found.options.tolist() == [4, 4, 4]
    assert found.gold.tolist() == [1, 3, 0]
    assert found.predicted["acc"].tolist() == [0, 3, 2]
    assert found.predicted["acc_norm"].tolist() == [2, 3, 2]


def test_ids_and_labels_may_be_numbers(tmp_path: Path) -> None:
    one = sample("a", 2, 2, 4)
    one["doc"]["_id"] = 17
    del one["target"]
    write(tmp_path, TASK, [one])
    found = read_samples(find(tmp_path)[0], HELLASWAG)
    assert (found.ids, found.gold.tolist()) == (("17",), [2])


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s.pop("doc"), "has no `doc`"),
        (lambda s: s["doc"].pop("_id"), "has no `_id`"),
        (lambda s: s["doc"].update(_id=True), "has no `_id`"),
        (lambda s: s["doc"].pop("choices"), "has no list of texts"),
        (lambda s: s["doc"].update(choices=[1, 2, 3, 4]), "has no list of texts"),
        (lambda s: s["doc"].update(choices=["a", "b", "", "d"]), "has an empty option"),
        (lambda s: s.pop("filtered_resps"), "has no log-likelihoods"),
        (lambda s: s.update(filtered_resps=[["nan", "False"]] * 4), "has no log-likelihoods"),
        (lambda s: s.update(filtered_resps=[["high", "False"]] * 4), "has no log-likelihoods"),
        (lambda s: s.update(filtered_resps=[["-1", "False"]] * 3), "has 3 log-likelihoods for 4 options"),
        (lambda s: s.update(target="9"), "says of no option"),
        (lambda s: s.update(target="-1"), "says of no option"),
        (lambda s: s.update(target=None), "says of no option"),
        (lambda s: s.update(target=True), "says of no option"),
    ],
)
def test_a_line_that_says_too_little_is_named(change: Change, words: str, tmp_path: Path) -> None:
    bad = sample("b", 0, 0, 4)
    change(bad)
    found = broken(tmp_path, sample("a", 0, 0, 4), bad)
    assert found.code == "M665"
    assert words in found.message
    assert found.subject == f"model/{find(tmp_path)[0].path.name}:2"


@pytest.mark.parametrize(
    ("line", "words"),
    [("\n", "is blank"), ("{]\n", "is not JSON"), ('{"doc": {"prom', "is cut short"), ("[1]\n", "is no JSON object")],
)
def test_a_damaged_line_is_named(line: str, words: str, tmp_path: Path) -> None:
    found = broken(tmp_path, sample("a", 0, 0, 4), line)
    assert (found.code, words in found.message) == ("M665", True)


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    example("M666", broken(tmp_path), "The file holds nothing.", tmp_path)


def test_a_repeated_item_is_named(tmp_path: Path) -> None:
    found = broken(tmp_path, *(sample("a", 0, 0, 4) for _ in range(3)))
    assert found.code == "M667"
    assert "2 lines" in found.notes[0]
    example("M667", found, 'Three lines of the file say `"_id": "a"`.', tmp_path)


@pytest.mark.parametrize("count", [1, 3, 5])
def test_a_wrong_number_of_options_is_named(count: int, tmp_path: Path) -> None:
    found = broken(tmp_path, sample("a", 0, 0, count))
    assert found.code == "M669"
    assert f"has {count} option" in found.message
    if count == 3:
        example("M669", found, "An item of HellaSwag with three choices.", tmp_path)


def test_options_of_other_sets_are_ragged(tmp_path: Path) -> None:
    write(tmp_path, "bmlama_de_mubench", [sample("a", 0, 0, 2), sample("b", 9, 9, 10)])
    assert read_samples(find(tmp_path)[0], DATASETS["bmlama"]).options.tolist() == [2, 10]
    write(tmp_path, "truthfulqa_de_mubench", [sample("a", 0, 0, 12)])
    assert read_samples(find(tmp_path)[1], DATASETS["truthfulqa"]).options.tolist() == [12]


def test_a_sample_that_contradicts_itself_is_named(tmp_path: Path) -> None:
    found = broken(tmp_path, sample("a", 0, 0, 4, acc=0.0))
    assert found.code == "M675"
    assert "states acc 0, its log-likelihoods say 1" in found.message
    example(
        "M675", found, 'The sample says `"acc": 0.0`, and its first choice, the right one, is the likeliest.', tmp_path
    )


def test_the_newest_run_of_a_task_counts(tmp_path: Path) -> None:
    write(tmp_path, TASK, [sample("a", 0, 1, 4)], time="2026-11-27T05-57-26.1")
    write(tmp_path, TASK, [sample("a", 0, 0, 4)], time="2026-11-28T00-00-00.1")
    chosen, found = newest(find(tmp_path))
    assert found == []
    assert read_samples(chosen[TASK], HELLASWAG).predicted["acc"].tolist() == [0]


def test_runs_of_several_models_are_refused(tmp_path: Path) -> None:
    write(tmp_path, TASK, [sample("a", 0, 1, 4)], model="one")
    write(tmp_path, TASK, [sample("a", 0, 0, 4)], model="two")
    found = newest(find(tmp_path))[1]
    assert codes_of(found) == ["M664"]
    assert read(tmp_path, "de")[0] is None
    example(
        "M664", found, "The folder holds samples of `hellaswag_de_mubench` by model `one` and by model `two`.", tmp_path
    )


def test_languages_of_several_models_are_refused(tmp_path: Path) -> None:
    write(tmp_path, TASK, [sample("a", 0, 1, 4)], model="one")
    write(tmp_path, "hellaswag_en_mubench", [sample("a", 0, 0, 4)], model="two")
    assert codes_of(newest(find(tmp_path))[1]) == ["M664"]


def test_a_folder_without_samples_is_named(tmp_path: Path) -> None:
    assert codes_of(read(tmp_path, "de")[1]) == ["M662"]
    gone = read(tmp_path / "gone", "de")[1]
    assert codes_of(gone) == ["M662"]
    shown("M662", gone, command="mixc mubench gone --manifest toy.manifest.json", at=tmp_path)
    (tmp_path / "samples_hellaswag_de_mubench.jsonl").write_text("{}")  # no time: not from the harness
    assert codes_of(read(tmp_path, "de")[1]) == ["M662"]


def test_other_tasks_are_left_out_and_named(tmp_path: Path) -> None:
    results(tmp_path, "hellaswag", {"en": 0.7, "de": 0.5}, 40)
    results(tmp_path, "winogrande", {"en": 0.7}, 40, 2)
    write(tmp_path, "piqa", [sample("a", 0, 0, 2)])
    found = read(tmp_path, "de")[1]
    (one,) = (one for one in found if one.code == "M663")
    assert "piqa, winogrande_en_mubench" in one.message
    example("M663", one, "The manifest plans the early panel; the folder holds two tasks more.", tmp_path)
    assert one.severity is Severity.WARNING


def test_missing_languages_and_sets_are_named(tmp_path: Path) -> None:
    results(tmp_path, "hellaswag", {"en": 0.7, "de": 0.5}, 40)
    results(tmp_path, "arc_easy", {"en": 0.7}, 40)
    made, found = read(tmp_path, "de", "sv")
    assert made is not None
    said = {one.code: one for one in found}
    assert "`bmlama`, `xstorycloze`" in said["M679"].message
    example("M671", found, "German was not evaluated on `arc_easy`.", tmp_path)
    example("M679", found, "Two of the four planned sets were evaluated.", tmp_path)
    messages = [one.message for one in found if one.code == "M671"]
    assert messages == ["there are no results of `arc_easy` in `de`", "there are no results of any task in `sv`"]


def test_results_without_english_are_refused(tmp_path: Path) -> None:
    results(tmp_path, "hellaswag", {"de": 0.7, "sv": 0.5}, 40)
    made, found = read(tmp_path, "de", "sv")
    assert made is None
    assert "M672" in codes_of(found)
    example("M672", found, "There are samples in German and Swedish.", tmp_path)


def some(ids: str, options: int = 4, gold: int = 0) -> Samples:
    small = np.array([gold] * len(ids), dtype=np.int8)
    return Samples(tuple(ids), np.full(len(ids), options, dtype=np.int8), small, {"acc": small, "acc_norm": small})


def many(count: int, **changed: Any) -> Samples:
    made = some("x" * count, **changed)
    return Samples(tuple(f"{i:04}" for i in range(count)), made.options, made.gold, made.predicted)


def test_items_are_aligned_by_id_in_any_order() -> None:
    made, found = align("hellaswag", {"en": some("abc"), "de": some("cab")})
    assert found == []
    assert made is not None
    assert (made.languages, made.ids) == (("de", "en"), ("a", "b", "c"))


def test_other_items_in_a_language_are_refused() -> None:
    made, (found,) = align("hellaswag", {"en": some("abcd"), "de": some("abc"), "sv": some("abcd")})
    assert made is None
    assert (found.code, found.severity) == ("M668", Severity.ERROR)
    assert "3 of 4 items" in found.message
    example("M668", found, "German lacks one of the four items.", Path())
    assert found.notes == ("not every item: `de`",)
    assert align("hellaswag", {"en": some("ab"), "de": some("cd")})[0] is None


def test_a_few_missing_items_are_left_out() -> None:
    made, (found,) = align("winogrande", {"en": many(1213), "de": many(1210)})
    assert (found.code, found.severity) == ("M668", Severity.WARNING)
    assert made is not None
    assert made.size == 1210


@pytest.mark.parametrize(("changed", "words"), [({"options": 5}, "number of options"), ({"gold": 1}, "right option")])
def test_options_that_differ_between_languages_are_refused(changed: dict[str, int], words: str) -> None:
    made, (found,) = align("arc_easy", {"en": some("ab"), "fr": some("ab"), "de": some("ab", **changed)})
    assert made is None
    assert (found.code, found.severity) == ("M670", Severity.ERROR)
    assert words in found.message
    assert found.notes[1] == "languages: `de`"
    if "options" in changed:
        example("M670", found, "German has five options where English and French have four.", Path())


def test_a_few_items_with_other_options_are_left_out() -> None:
    other = many(100)
    other.gold[3] = 2
    made, (found,) = align("arc_easy", {"en": many(100), "fr": many(100), "de": other})
    assert (found.code, found.severity) == ("M670", Severity.WARNING)
    assert made is not None
    assert made.size == 99
    assert "0003" not in made.ids


def test_halves_are_disjoint_and_the_same_in_any_order() -> None:
    made = aligned([0] * 400, {"en": [0] * 400})
    report, weights = halved(made, "report"), halved(made, "weights")
    assert set(report.ids) | set(weights.ids) == set(made.ids)
    assert not set(report.ids) & set(weights.ids)
    assert 150 < report.size < 250
    assert halved(made, "all") is made
    few = aligned([0] * 40, {"de": [0] * 40})
    assert set(halved(few, "report").ids) == set(report.ids) & set(few.ids)


def test_an_empty_half_is_named(tmp_path: Path) -> None:
    results(tmp_path, "hellaswag", {"en": 0.7, "de": 0.5}, 1)
    made, _ = read(tmp_path, "de")
    assert made is not None
    found = [one for half in ("report", "weights") for one in study(made, half, 5)[1]]  # type: ignore[arg-type]
    assert codes_of(found).count("M674") == 1
    example("M674", found, "A single item was evaluated.", tmp_path)


def test_a_part_of_a_set_is_told(tmp_path: Path) -> None:
    results(tmp_path, "hellaswag", {"en": 0.7, "de": 0.5}, 40)
    (one,) = (one for one in read(tmp_path, "de")[1] if one.code == "M673")
    assert one.message == "`hellaswag` has 40 items of 9,044"
    example("M673", one, "The evaluation was stopped after 40 items of HellaSwag.", tmp_path)


def test_english_that_guesses_measures_nothing(tmp_path: Path) -> None:
    results(tmp_path, "hellaswag", {"en": 0.25, "de": 0.25}, 400)
    results(tmp_path, "arc_easy", {"en": 0.7, "de": 0.5}, 400)
    made, _ = read(tmp_path, "de")
    assert made is not None
    seen, found = study(made, "all", 200)
    assert (seen.unusable, [one.code for one in found]) == (("hellaswag",), ["M677"])
    assert seen.evidence["de"].datasets == ("arc_easy",)
    assert found[0].notes == ("left out of gaps",)
    example("M677", found, "English has one in four of HellaSwag right, as who guesses.", tmp_path)


def test_guards_are_read_and_set_no_weights(tmp_path: Path) -> None:
    lines = [{"doc": {}, "acc": float(i < 30)} for i in range(40)]
    write(tmp_path, "include_base_44_german_stem", lines)
    made, found = read_results(tmp_path, planned("de", panel="guard"))
    assert made is not None
    assert found == []
    assert made.datasets == ()
    (guard,) = made.guards
    assert (guard.task, guard.accuracy, guard.items) == ("include_base_44_german_stem", 0.75, 40)
    assert guard.error == pytest.approx((0.75 * 0.25 / 40) ** 0.5)
    write(tmp_path, "include_base_44_german_stem", [{"doc": {}, "acc": "yes"}])
    assert codes_of(read_results(tmp_path, planned("de", panel="guard"))[1]) == ["M665"]


def test_every_file_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    write(tmp_path, "hellaswag_de_mubench", [])
    write(tmp_path, "hellaswag_en_mubench", ["{\n"])
    assert sorted(codes_of(read(tmp_path, "de")[1])) == ["M665", "M666"]


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, TASK, [sample("a", 0, 0, 4)])
    path.unlink()
    path.mkdir()
    found = read(tmp_path, "de")[1]
    assert len(found) == 1
    assert json.dumps(found[0].message)
