"""The table of tasks against what was published, and the plan of a recipe."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixc.backends.mubench import tasks
from mixc.backends.mubench.plan import HARNESS, default_panel, of_panel, plan, weights
from mixc.backends.mubench.tasks import DATASETS, LANGUAGES
from mixc.compiler.supply.languages import canonical, known_codes
from mixc.dsl.diagnostics import Severity
from mixc.dsl.text import SourceText, Span
from tests.examples import shown

PUBLISHED = Path(__file__).parents[3] / "shared" / "published" / "mubench_tasks.json"
# SHA-256 of the lines `task config metrics` of all 610 tasks, sorted, as published.
DIGEST = "6c95076f09e762851a7c95358a57a8d91af5f07182b5b30b6ec099882ce7aa13"


def lines() -> list[str]:
    return sorted(
        f"{one.task(code)} {one.config(code)} {','.join(one.metrics)}"
        for one in DATASETS.values()
        for code in LANGUAGES
    )


def test_all_610_names_and_configurations_are_those_published() -> None:
    made = lines()
    assert len(made) == len(set(made)) == 610
    assert hashlib.sha256("\n".join(made).encode()).hexdigest() == DIGEST


def test_the_digest_is_that_of_the_published_list() -> None:
    if not PUBLISHED.exists():
        pytest.skip("the published list is not beside the repository; the digest alone was compared")
    data = json.loads(PUBLISHED.read_text())
    published = sorted(
        f"{task} {data['_hf_config_used'][name].format(lang=code)} {','.join(data['_metrics'][name])}"
        for name in data
        if not name.startswith("_")
        for code, task in data[name].items()
    )
    assert published == lines()


def test_codes_are_canonical_and_names_are_read_back() -> None:
    assert list(LANGUAGES) == sorted(LANGUAGES)
    assert all(canonical(code) == code for code in (*LANGUAGES, *tasks.INCLUDE, *tasks.GLOBAL_MMLU))
    for one in DATASETS.values():
        for code in LANGUAGES:
            assert tasks.parsed(one.task(code)) == (one, code)
    for name in ("hellaswag_mubench", "hellaswag_xx_mubench", "hellaswag_de", "mmlu_de_mubench", "arc_challenge_de"):
        assert tasks.parsed(name) is None


def test_guards_are_known_by_their_parts() -> None:
    assert tasks.is_guard("include_base_44_german_stem")
    assert tasks.is_guard("global_mmlu_de_stem")
    assert not tasks.is_guard("global_mmlu_full_de")
    assert not tasks.is_guard("hellaswag_de_mubench")


def test_a_plan_adds_the_pivot_and_names_what_it_does_not_cover() -> None:
    source = SourceText("a.mix", "evaluate { suite = mubench }\n")
    made, (found,) = plan(["sv", "de", "eo", "de"], None, 1.2e9, None, Span(source, 0, 8))
    assert (made.covered, made.uncovered, made.languages) == (("de", "sv"), ("eo",), ("de", "en", "sv"))
    assert (found.code, found.severity, found.place) == ("M660", Severity.WARNING, "a.mix:1:1")
    assert "`eo`" in found.message
    shown(
        "M660",
        found,
        about="The languages of the recipe are Swedish, German and Esperanto.",
        command="mixc compile a.mix",
    )
    assert made.panel == "early"
    assert made.harness == HARNESS
    assert made.log_samples
    assert made.decontamination.ngram == 13
    assert any("revision" in note for note in made.notes)
    assert any("default" in note for note in made.notes)
    first = made.of("hellaswag_de_mubench")
    assert first is not None
    assert (first.config, first.dataset_path) == ("HellaswagDataset_lighteval_de", "aialt/MuBench")
    assert (first.metric, first.items, first.options, first.weight) == ("acc_norm", (9044, 9044), (4, 4), 0.25)
    assert first.revision is None


def test_a_plan_without_a_covered_language_says_so() -> None:
    made, found = plan(["eo", "la"], "full", 7e9, "lm-eval==0.4.11")
    assert [one.code for one in found] == ["M660", "M661"]
    about = "The languages of the recipe are Esperanto and Latin."
    shown("M661", found, about=about, command="mixc compile a.mix")
    assert made.languages == ("en",)
    assert made.harness == "lm-eval==0.4.11"


@pytest.mark.parametrize(("params", "panel"), [(124e6, "early"), (2e9, "early"), (2.0001e9, "full"), (70e9, "full")])
def test_the_default_panel_depends_on_the_size(params: float, panel: str) -> None:
    assert default_panel(params) == panel


def test_families_share_a_weight() -> None:
    full = weights(of_panel("full"))
    assert full["snli"] == full["multinli"] == full["arc_easy"] == full["arc_challenge"] == 0.0625
    assert full["hellaswag"] == full["bmlama"] == 0.125
    assert weights(of_panel("early")) == dict.fromkeys(("arc_easy", "bmlama", "hellaswag", "xstorycloze"), 0.25)


@given(st.lists(st.sampled_from(known_codes()), max_size=80), st.sampled_from(["early", "full"]))
def test_weights_sum_to_one_over_every_language(codes: list[str], panel: tasks.Panel) -> None:
    made, _ = plan(codes, panel, 1e9, None)
    for code in made.languages:
        assert sum(one.weight for one in made.tasks if one.language == code) == 1.0
    assert set(made.covered) | set(made.uncovered) == set(codes)
    assert not set(made.covered) & set(made.uncovered)
    assert made == plan(list(reversed(codes)), panel, 1e9, None)[0]


def test_guards_have_no_weight_and_list_what_there_is() -> None:
    made, found = plan(["de", "en", "af"], "guard", 1e9, None)
    assert [one.task for one in made.tasks] == ["global_mmlu_de", "global_mmlu_en", "include_base_44_german"]
    assert {one.weight for one in made.tasks} == {0.0}
    assert [one.code for one in found] == ["M660"]
    assert made.uncovered == ("af",)
    assert any("sensitive" in note for note in made.notes)
