"""The transfer law from runs: slopes, recovery on unseen mixtures, what is not identified, order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytest import approx

from mixc.compiler.fit.transfer import STARTS, fit_transfer, room_for, start
from mixc.compiler.fit.transfer_file import Request
from mixc.compiler.fit.transfer_model import SHARED, TransferPoint, kind, losses_at, slopes, transfer_data
from mixc.compiler.laws.calibration import load_infolaw, load_transfer, to_info_law
from mixc.compiler.laws.transfer import TransferLaw, at_budget, losses
from tests.examples import shown
from tests.fit.fit_tables import base_transfer, content, transfer, transfer_rows_of
from tests.fit.recovery import transfer_seed
from tests.fit.runs import BUDGETS, seventeen, three, transfer_setting


def data_of(runs: int = 12, seed: int = 0):  # type: ignore[no-untyped-def]
    truth = three()
    return transfer_data(transfer_setting(truth, runs, seed), truth.languages, None, BUDGETS[-1], 1e9)


def test_the_model_is_the_law() -> None:
    truth, data = three(), data_of()
    each = np.hstack(
        [truth.floor[:, None], np.log(truth.scale)[:, None], truth.exponent[:, None], truth.transfer, truth.cost]
    )
    shared = np.zeros(len(SHARED))
    shared[:2] = truth.fade, truth.growth
    ours = losses_at(data, TransferPoint(each, shared))
    for k, grown in enumerate(np.exp(data.log_budget)):
        law = TransferLaw(
            "logc",
            at_budget(truth.transfer, grown, 1.0, -truth.fade),
            at_budget(truth.cost, grown, 1.0, truth.growth),
            truth.floor,
            truth.scale,
            truth.exponent,
        )
        assert ours[k] == approx(losses(law, data.share[k], data.share[k]), rel=1e-12)


def test_slopes_are_those_of_differences() -> None:
    data = replace(data_of(), log_size=np.linspace(-1.0, 0.0, 12))
    point = start(data, room_for(data, "logc"), *STARTS[3])
    shared = point.shared.copy()
    shared[:4] = 0.3, 0.2, 0.4, 0.1
    point = TransferPoint(point.each, shared)
    _, own, common = slopes(data, point)
    for i in range(point.each.shape[1]):
        step = np.zeros_like(point.each)
        step[:, i] = 1e-6
        up, down = (losses_at(data, TransferPoint(point.each + sign * step, shared)) for sign in (1, -1))
        np.testing.assert_allclose(own[:, :, i].T, (up - down) / 2e-6, rtol=1e-5, atol=1e-7)
    for i in range(4):
        step = 1e-6 * np.eye(len(shared))[i]
        up, down = (losses_at(data, TransferPoint(point.each, shared + sign * step)) for sign in (1, -1))
        np.testing.assert_allclose(common[:, :, i].T, (up - down) / 2e-6, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("runs", "least"), [(12, 0.98), (24, 0.998), (48, 0.9994)])
def test_unseen_mixtures_of_three_languages(runs: int, least: float) -> None:
    found = [transfer_seed(three(), runs, seed)[:2] for seed in range(6)]
    assert np.median([one for one, _ in found]) >= least
    assert np.median([alone for _, alone in found]) <= 0.85


def test_unseen_mixtures_of_seventeen_languages() -> None:
    fitted, alone, _ = transfer_seed(seventeen(), 60, 0)
    assert fitted > 0.99
    assert alone < 0.5


def test_without_noise_losses_are_found_again() -> None:
    truth = three()
    data = transfer_data(transfer_setting(truth, 48, 0, 0.0), truth.languages, None, BUDGETS[-1], 1e9)
    fit = fit_transfer(data)
    assert losses_at(data, fit.point) == approx(data.loss, abs=2e-4)
    assert fit.point.transfer == approx(truth.transfer, abs=0.02)


def test_kinds_of_pairs() -> None:
    assert [kind(*pair) for pair in (("de", "de"), ("de", "nl"), ("de", "fr"), ("de", "zh"), ("ru", "uk"))] == [
        -1, 0, 1, 2, 0,
    ]  # fmt: skip


def test_the_file_is_a_calibration(tmp_path: Path) -> None:
    made, found = transfer(tmp_path, base_transfer(24))
    assert made is not None
    assert all(d.code == "M727" for d in found)
    (tmp_path / "ours.json").write_text(made.content, encoding="utf-8")
    loaded, problems = load_transfer("ours.json", tmp_path, None)
    assert not problems
    assert loaded is not None
    ours = loaded[0]
    assert (ours.form, ours.signal, ours.tokens) == ("logc", "tokens", 1e11)
    assert ours.errors is not None
    assert {one.what for one in ours.errors.held_out} == {"largest budget", "unseen mixtures"}
    assert all(one.r2 > one.r2_isolated for one in ours.errors.held_out)
    assert set(ours.languages) == {"de", "en", "zh"}
    for word in ("without transfer", "identified by", "transfer de <- en"):
        assert word in made.report


def test_any_order_gives_the_same_bytes(tmp_path: Path) -> None:
    rows = base_transfer(18)
    mixed = [rows[i] for i in np.random.default_rng(5).permutation(len(rows))]
    one, other = transfer(tmp_path, rows)[0], transfer(tmp_path, mixed, "runs.jsonl")[0]
    assert one is not None
    assert other is not None
    assert one.content == other.content


def test_long_tables_say_the_same_and_parts_are_summed(tmp_path: Path) -> None:
    runs = transfer_setting(three(), 18, 0)
    long = [
        {
            "run": run.name, "params": run.params, "tokens": run.tokens, "language": code, "source": source,
            "taken": value / 2, "loss": dict(run.losses)[code] if source == "web" else None,
        }
        for run in runs
        for code, value in run.taken
        for source in ("web", "books")
    ]  # fmt: skip
    wide, narrow = content(transfer(tmp_path, transfer_rows_of(runs))), content(transfer(tmp_path, long))
    assert narrow["languages"]["de"]["floor"] == approx(wide["languages"]["de"]["floor"], rel=1e-3)


def test_terms_that_no_run_speaks_of_are_said(tmp_path: Path) -> None:
    """Only German and English were evaluated and varied together; Chinese is a constant tenth."""
    rows = base_transfer(24)
    for row in rows:
        rest = row["share.de"] + row["share.en"]
        row["share.de"], row["share.en"] = 0.9 * row["share.de"] / rest, 0.9 * row["share.en"] / rest
        row["share.zh"] = 0.1
        del row["loss.zh"]
    made, found = transfer(tmp_path, rows)
    assert made is not None
    assert [d.code for d in found if d.code == "M727"] == ["M727"]
    shown(
        "M727",
        found,
        files=[tmp_path / "runs.csv"],
        command="mixc fit transfer runs.csv -o between.json",
        at=tmp_path,
        numbers=False,
    )
    loose = content((made, []))["not_identified"]
    assert "zh" in loose["cost"]["de"]


def test_a_budget_at_one_value_fits_no_exponent(tmp_path: Path) -> None:
    runs = transfer_setting(three(), 24, 0, tokens=1e10)
    made = content(transfer(tmp_path, transfer_rows_of(runs)))
    assert made["transfer_exponent"] == made["cost_exponent"] == made["budget_exponent"] == 0
    assert made["intervals"]["shared"] == {}


def test_information_as_the_signal(tmp_path: Path) -> None:
    loaded, _ = load_infolaw("infolaw-2605.02364", Path(), None)
    assert loaded is not None
    made = content(transfer(tmp_path, base_transfer(24), request=Request("logc", to_info_law(loaded[0]))))
    assert made["signal"] == "info"
    assert made["budget_exponent"] == 0


def test_a_loss_that_was_not_measured_is_no_mistake(tmp_path: Path) -> None:
    rows = base_transfer(24)
    rows[3]["loss.zh"] = None
    assert content(transfer(tmp_path, rows))["evidence"]["runs"] == 24


def test_a_wrong_loss_is_named(tmp_path: Path) -> None:
    rows = base_transfer(48)
    rows[7]["loss.de"] += 0.5
    _, found = transfer(tmp_path, rows)
    outlying = [d for d in found if d.code == "M723"]
    assert outlying
    assert "r007 (de, +0.5" in outlying[0].message
