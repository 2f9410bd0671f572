"""The figures behind the plots are those of the manifest."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mixc.backends.report.compose import Sections
from mixc.backends.report.content import Plot, Report, Table
from mixc.backends.report.reading import interval
from mixc.compiler.pipeline import COMPILE, Artefacts, run_passes
from mixc.compiler.review.schema import Manifest
from mixc.compiler.solve.decide import decide, loss_of


def plots(report: Report) -> dict[str, Plot]:
    return {plot.name: plot for section in report.sections for plot in section.plots}


def rows(report: Report, name: str) -> list[Any]:
    return list(plots(report)[name].rows)


def table(report: Report, section: str) -> Table:
    return next(one for one in report.sections if one.name == section).tables[0]


def test_every_plot_belongs_to_a_section(report: Report) -> None:
    assert list(plots(report)) == ["languages", "quality", "repetition", "benefit", "budget", "transfer"]
    assert all(plot.alternative and plot.title and plot.rows for plot in plots(report).values())


@pytest.mark.parametrize("what", ["mixture", "supply"])
def test_shares_make_a_whole(report: Report, what: str) -> None:
    shares = [row["share"] for row in rows(report, "languages") if row["what"] == what]
    assert len(shares) == 17
    assert math.fsum(shares) == pytest.approx(1, abs=1e-6)


def test_the_previous_shares_are_those_of_the_other_manifest(report: Report, before: Manifest) -> None:
    old = {row.code: row.share for row in before.languages}
    shown = {row["language"]: row["share"] for row in rows(report, "languages") if row["what"] == "previous"}
    assert set(shown) <= set(old)
    assert all(old[code] == share for code, share in shown.items())
    section = report.sections[0]
    assert any("No longer in the mixture: af, " in sentence for sentence in section.sentences)
    moved = {line[0]: line[2] for line in table(report, "languages").lines}
    assert moved["en"] == "+10.00"


def test_a_language_that_was_not_there_is_new(manifest: Manifest, before: Manifest) -> None:
    swapped = Sections(before, manifest, None, decide, loss_of).report()
    assert {line[0]: line[2] for line in table(swapped, "languages").lines}["af"] == "new"


def test_buckets_of_quality_hold_what_rated_pools_give(report: Report, manifest: Manifest) -> None:
    rated = {(row.source, row.language, row.domain) for row in manifest.supply if row.rated}
    taken = sum(row.tokens for row in manifest.mixture if (row.source, row.language, row.domain) in rated)
    assert sum(row["tokens"] for row in rows(report, "quality")) == taken
    edges = [(row["low"], row["high"]) for row in rows(report, "quality")]
    assert edges[0][0] == 0
    assert edges[-1][1] == 1
    assert all(high == low for (_, high), (low, _) in pairwise(edges))


def test_the_most_repeated_cell_is_the_manifests(report: Report, manifest: Manifest) -> None:
    most = max(row["epochs"] for row in rows(report, "repetition"))
    assert most == pytest.approx(manifest.totals.max_epochs, rel=1e-5)


def test_languages_by_benefit(report: Report, manifest: Manifest) -> None:
    shown = rows(report, "benefit")
    assert [row["benefit"] for row in shown] == sorted((row.benefit or 0.0 for row in manifest.languages), reverse=True)


def test_the_loss_along_the_budget(report: Report, manifest: Manifest) -> None:
    shown = rows(report, "budget")
    same = {row["tokens"]: row["loss"] for row in shown if row["what"] == "same shares"}
    best = {row["tokens"]: row["loss"] for row in shown if row["what"] == "decided for it"}
    own = manifest.budget.tokens
    assert same[own] == pytest.approx(manifest.totals.loss, abs=1e-8)
    assert len(best) == 3
    falling = [loss for _, loss in sorted(same.items())]
    assert falling == sorted(falling, reverse=True)
    assert max(same) <= own * 1.001, "more in the same shares would break a limit of epochs"
    assert all(best[tokens] <= loss + 1e-7 for tokens, loss in same.items() if tokens in best)


def test_rules_that_bind_come_first(report: Report, manifest: Manifest) -> None:
    lines = table(report, "rules").lines
    assert len(lines) == len(manifest.rules)
    assert [line[1] for line in lines] == sorted((line[1] for line in lines), reverse=True)
    assert lines[0][:3] == ["share(en) >= 30%", "yes", "30.00%"]


@pytest.mark.parametrize(
    ("low", "high", "text"), [(0, 0.05, "best 5%"), (0.05, 0.2, "5-20%"), (0.8, 1, "80-100%"), (0, 1, "all")]
)
def test_intervals_in_words(low: float, high: float, text: str) -> None:
    assert interval(low, high) == text


TOY = """recipe toy
budget { model = 1B params, tokens = 100B tokens }
source crawl { supply = { de: 60B tokens, en: 900B tokens, no: 2B tokens }, domain = web, assume = rated }
languages [de, en, no] { priority = 1.0 }
"""


@pytest.mark.parametrize(
    "decided",
    [
        "mixture { strategy = temperature, temperature = 3 }",
        "mixture { strategy = uniform }",
        "prefer share(no) >= 20% weight 0.5",
    ],
)
def test_losses_are_losses_whatever_is_minimised(decided: str, tmp_path: Path) -> None:
    (tmp_path / "toy.mix").write_text(TOY + decided + "\n")
    made, found = run_passes(COMPILE, Artefacts(tmp_path / "toy.mix"))
    assert made.manifest is not None, found
    section = Sections(made.manifest, None, None, decide, loss_of).plot("budget")
    assert section is not None
    same = {row["tokens"]: row["loss"] for row in section.rows if row["what"] == "same shares"}
    assert same[made.manifest.budget.tokens] == pytest.approx(made.manifest.totals.loss, abs=1e-8)
    falling = [loss for _, loss in sorted(same.items())]
    assert len(falling) > 3
    assert falling == sorted(set(falling), reverse=True)


def test_only_what_a_plot_shows_is_worked_out(manifest: Manifest) -> None:
    def never(*_: object) -> Any:
        raise AssertionError("the plot of languages needs no decision")

    assert Sections(manifest, None, None, never, never).plot("languages") is not None
