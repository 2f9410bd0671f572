"""InfoLaw from runs: known laws are found again, evidence survives other buckets, order changes nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pytest import approx

from mixc.compiler.fit.infolaw import best_fit, chart, starts
from mixc.compiler.fit.infolaw_model import CONSTANTS, Constants, evidence, log_info, predicted, solve
from mixc.compiler.fit.infolaw_runs import PUBLISHED_EDGES
from mixc.compiler.laws import infolaw as law
from mixc.compiler.laws.calibration import load_infolaw
from mixc.compiler.problem import InfoLaw
from tests.examples import shown
from tests.fit.fit_tables import base, content, infolaw, write
from tests.fit.recovery import BLOCK, infolaw_seed
from tests.fit.runs import TRUTH, infolaw_setting, infolaw_targets

SEEDS = range(BLOCK)


def test_information_is_that_of_the_law() -> None:
    runs = infolaw_setting(3, 0.0)
    x, _ = log_info(evidence(runs, PUBLISHED_EDGES), TRUTH.theta, TRUTH.a, TRUTH.b)
    same = InfoLaw("t", TRUTH.theta, TRUTH.a, TRUTH.b, TRUTH.alpha, TRUTH.beta, PUBLISHED_EDGES)
    for value, run in zip(x, runs, strict=True):
        taken, supply = [c.taken for c in run.cells], [c.supply for c in run.cells]
        info = law.information(same, taken, supply, law.densities(same), run.params, run.tokens).sum()
        assert value == approx(np.log(info / law.INFO_UNIT), abs=1e-12)


def test_slopes_are_those_of_differences() -> None:
    data = evidence(infolaw_setting(1, 0.0), PUBLISHED_EDGES)
    at = np.array([0.7, 0.2, -0.5])
    _, slopes = log_info(data, *at)
    for i in range(3):
        step = 1e-6 * np.eye(3)[i]
        difference = (log_info(data, *(at + step))[0] - log_info(data, *(at - step))[0]) / 2e-6
        assert slopes[:, i] == approx(difference, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_without_noise_extrapolation_is_exact(seed: int) -> None:
    error, _ = infolaw_seed(seed, 0.0)
    assert error < 1e-9


def test_at_a_twentieth_of_a_percent_extrapolation_is_good() -> None:
    assert np.median([infolaw_seed(seed, 0.0005)[0] for seed in SEEDS]) <= 0.0015


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    held = [infolaw_seed(seed, 0.002, intervals=True)[1] for seed in SEEDS]
    assert 0.8 <= float(np.mean(held)) <= 0.98  # five constants of twenty seeds; 100 seeds: tests.fit.recovery


@pytest.mark.parametrize("seed", range(3))
def test_every_start_ends_in_the_same_place(seed: int) -> None:
    data = evidence(infolaw_setting(seed, 0.001), PUBLISHED_EDGES)
    where = chart(data)
    ends = [predicted(data, solve(data, where, [start]).constants) for start in starts(data, where)]
    assert all(end == approx(ends[0], abs=1e-8) for end in ends)


def test_the_file_is_a_calibration_with_all_that_a_reader_asks(tmp_path: Path) -> None:
    made, found = infolaw(tmp_path, base())
    assert made is not None
    assert not found
    (tmp_path / "ours.json").write_text(made.content, encoding="utf-8")
    loaded, problems = load_infolaw("ours.json", tmp_path, None)
    assert not problems
    assert loaded is not None
    ours = loaded[0]
    assert ours.evidence is not None
    assert ours.evidence.runs == 27
    assert len(ours.evidence.sha256) == 64
    assert ours.fitted.params == (252e6, 1.2e9)
    assert ours.fitted.overtraining == approx(3.6)
    assert ours.errors is not None
    assert [one.params for one in ours.errors.left_out] == [252e6, 550e6, 1.2e9]
    assert set(ours.intervals) == set(CONSTANTS)
    low, high = ours.intervals["theta"]
    assert low is not None
    assert high is not None
    assert low < ours.parameters.theta < high
    for word in ("90% interval", "identified by", "without the 9 runs of 1.2B", *CONSTANTS):
        assert word in made.report


def test_any_order_and_any_format_give_the_same_bytes(tmp_path: Path) -> None:
    rows = base()
    mixed = [rows[i] for i in np.random.default_rng(5).permutation(len(rows))]
    written = [infolaw(tmp_path, mixed, name)[0] for name in ("a.csv", "b.jsonl", "c.parquet")]
    texts = {one.content for one in (*written, infolaw(tmp_path, rows)[0]) if one is not None}
    assert len(texts) == 1


def test_long_tables_say_the_same_as_wide_ones(tmp_path: Path) -> None:
    rows = base()
    lows = (0.0, *PUBLISHED_EDGES[:-1])
    long = [
        {
            **{key: row[key] for key in ("run", "params", "tokens", "pool", "loss")},
            "low": low,
            "high": high,
            "share": row[f"share.{i}"],
        }
        for row in rows
        for i, (low, high) in enumerate(zip(lows, PUBLISHED_EDGES, strict=True))
    ]
    assert content(infolaw(tmp_path, long)) == content(infolaw(tmp_path, rows))


def test_evidence_survives_a_change_of_buckets(tmp_path: Path) -> None:
    """Buckets cut in two with their tokens are the same evidence, next to runs that kept the old ones."""
    rows = base(0.0)
    for row in rows[::2]:
        halves = [row.pop(f"share.{i}") / 2 for i in range(6)]
        row |= {f"share.{i}": halves[i // 2] for i in range(12)}
        lows = (0.0, *PUBLISHED_EDGES[:-1])
        cuts = [cut for low, high in zip(lows, PUBLISHED_EDGES, strict=True) for cut in ((low + high) / 2, high)]
        row["edges"] = " ".join(repr(cut) for cut in cuts)
    for row in rows[1::2]:
        row["edges"] = " ".join(repr(edge) for edge in PUBLISHED_EDGES)
    made, found = infolaw(tmp_path, [{**{f"share.{i}": None for i in range(12)}, **row} for row in rows])
    assert made is not None, found
    from mixc.compiler.fit.infolaw_file import fit_infolaw_file
    from mixc.compiler.fit.tables import Reading

    six, _ = fit_infolaw_file(tmp_path / "runs.csv", "six", Reading(), PUBLISHED_EDGES)
    assert six is not None
    parameters = content((six, []))["parameters"]
    assert parameters["theta"] == approx(TRUTH.theta, rel=1e-6)
    assert parameters["beta"] == approx(TRUTH.beta, rel=1e-6)


def test_other_columns_and_units_can_be_named(tmp_path: Path) -> None:
    rows = [{**row, "val": row["loss"], "tokens": row["tokens"] / 1e9, "params": row["params"] / 1e6} for row in base()]
    for row in rows:
        del row["loss"]
    units = {"tokens": 1e9, "params": 1e6}
    one = content(infolaw(tmp_path, rows, columns={"loss": "val"}, units=units))["parameters"]
    assert one["theta"] == approx(content(infolaw(tmp_path, base()))["parameters"]["theta"], rel=1e-7)


def test_an_outlier_is_named_and_does_not_bend_the_law(tmp_path: Path) -> None:
    rows = base()
    rows[4]["loss"] *= 1.05
    made, found = infolaw(tmp_path, rows)
    assert [d.code for d in found] == ["M723"]
    shown(
        "M723",
        found,
        files=[tmp_path / "runs.csv"],
        command="mixc fit infolaw runs.csv -o ours.json",
        at=tmp_path,
        numbers=False,
    )
    assert "r004" in found[0].message
    assert made is not None
    assert "off the law: r004" in made.report
    data = evidence(infolaw_targets(0), PUBLISHED_EDGES)
    constants = Constants(**{name: content((made, []))["parameters"][name] for name in CONSTANTS})
    assert np.abs(np.expm1(predicted(data, constants) - data.log_loss)).mean() < 0.003


def test_normal_noise_has_no_outliers() -> None:
    for seed in range(10):
        _, weights, far = best_fit(evidence(infolaw_setting(seed, 0.002), PUBLISHED_EDGES))
        assert weights is None
        assert not far


def test_the_table_can_lie_in_any_folder(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    write(tmp_path / "deep" / "runs.csv", base())
    assert content(infolaw(tmp_path / "deep", base())) == content(infolaw(tmp_path, base()))
