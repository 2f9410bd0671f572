"""How the trained model is evaluated: what a manifest states, what is not covered, and how a change is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixc.backends.mubench.plan import plan
from mixc.backends.mubench.record import recorded
from mixc.compiler.pipeline import COMPILE, Artefacts, run_passes
from mixc.compiler.review.evaluation import evaluation_changes
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic, has_errors

RECIPE = """recipe judged
budget {{ model = {size} params, tokens = 10B tokens }}
source web {{ supply = {{ {supply} }}, epochs <= 4 }}
{evaluate}
"""


def made(
    folder: Path, evaluate: str = "evaluate { suite = mubench }", languages: str = "de en", size: str = "1B"
) -> tuple[Manifest, list[Diagnostic]]:
    """The manifest of a small recipe, and what compiling says."""
    supply = ", ".join(f"{code}: 20B tokens" for code in languages.split())
    path = folder / "judged.mix"
    path.write_text(RECIPE.format(size=size, supply=supply, evaluate=evaluate))
    artefacts, found = run_passes(COMPILE, Artefacts(path))
    assert artefacts.manifest is not None, [one.message for one in found]
    assert not has_errors(found)
    return artefacts.manifest, found


@pytest.mark.parametrize("panel", ["early", "full", "guard"])
def test_a_manifest_states_the_whole_plan(panel: str, tmp_path: Path) -> None:
    manifest, _ = made(tmp_path, f"evaluate {{ suite = mubench, panel = {panel} }}", "de en zh sw")
    (row,) = manifest.evaluations
    expected, _ = plan(["de", "en", "sw", "zh"], panel, 1e9, None)  # type: ignore[arg-type]
    assert recorded(row, manifest.tasks) == expected


def test_a_recipe_that_asks_for_none_has_none(tmp_path: Path) -> None:
    manifest, _ = made(tmp_path, evaluate="")
    assert (manifest.evaluations, manifest.tasks) == ((), ())


def test_the_panel_follows_from_the_size(tmp_path: Path) -> None:
    assert [made(tmp_path, size=size)[0].evaluations[0].panel for size in ("1B", "3B")] == ["early", "full"]


def test_the_pivot_is_always_judged(tmp_path: Path) -> None:
    manifest, _ = made(tmp_path, languages="de no")
    (row,) = manifest.evaluations
    assert row.covered == ("de", "no")
    languages = {one.language for one in recorded(row, manifest.tasks).tasks}
    assert languages == {"de", "en", "no"}


def test_a_language_without_tasks_is_said_aloud(tmp_path: Path) -> None:
    manifest, found = made(tmp_path, languages="de en eu yo")
    assert manifest.evaluations[0].uncovered == ("eu", "yo")
    (told,) = [one for one in found if one.code == "M660"]
    assert "`eu`" in told.message
    assert told.labels


def test_what_changed_in_the_evaluation_is_told(tmp_path: Path) -> None:
    one, _ = made(tmp_path, "")
    two, _ = made(tmp_path)
    three, _ = made(tmp_path, "evaluate { suite = mubench, panel = full, holdout = 1% }", "de en fr")
    assert evaluation_changes(one, one) == []
    assert evaluation_changes(one, two) == ["evaluation by mubench: none -> panel early, 2 languages"]
    assert evaluation_changes(two, three) == [
        "evaluation by mubench, panel: early -> full",
        "evaluation by mubench, holdout: none -> 0.01",
        "evaluation by mubench, covered: de en -> de en fr",
    ]
