"""Bad tables of runs: each kind is refused with a code, what was found, and what to do."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from mixc.dsl.diagnostics import Diagnostic
from tests.examples import shown
from tests.fit.fit_tables import Row, base, base_transfer, infolaw, refused, transfer


def changed(change: Callable[[list[Row]], object], rows: list[Row] | None = None) -> list[Row]:
    rows = base() if rows is None else rows
    change(rows)
    return rows


def set_all(column: str, value: object) -> Callable[[list[Row]], None]:
    def change(rows: list[Row]) -> None:
        for row in rows:
            row[column] = value

    return change


def scale(column: str, factor: float, rows: slice = slice(None)) -> Callable[[list[Row]], None]:
    def change(all_rows: list[Row]) -> None:
        for row in all_rows[rows]:
            row[column] *= factor

    return change


def set_one(row: int, column: str, value: object) -> Callable[[list[Row]], None]:
    return lambda rows: rows[row].__setitem__(column, value)


def same_mixture(rows: list[Row]) -> None:
    for row in rows:
        row |= {f"share.{i}": share for i, share in enumerate((0.5, 0.3, 0.1, 0.05, 0.03, 0.02))}


def example(code: str, found: Diagnostic | list[Diagnostic], folder: Path, law: str = "infolaw") -> None:
    runs = folder / "runs.csv"
    shown(code, found, files=[runs], command=f"mixc fit {law} runs.csv -o ours.json", at=folder, numbers=False)


CASES: list[tuple[str, Callable[[list[Row]], object], str, str]] = [
    ("one size", set_all("params", 1.2e9), "M719", "at 600M and at 2.4B parameters"),
    ("no repetition", set_all("pool", 1e15), "M720", "three times"),
    ("no loss", set_one(3, "loss", None), "M712", "remove runs that did not finish"),
    ("NaN", set_one(3, "loss", math.nan), "M712", "correct the rows"),
    ("infinite", set_one(3, "loss", math.inf), "M712", "correct the rows"),
    ("negative", set_one(3, "share.1", -0.1), "M712", "correct the rows"),
    ("words", set_one(3, "tokens", "many"), "M712", "correct the rows"),
    ("constant loss", set_all("loss", 2.5), "M717", "with all its digits"),
    ("tokens in billions", scale("tokens", 1e-9), "M713", "--unit tokens=1e9"),
    ("params in billions", scale("params", 1e-9), "M713", "--unit params=1e9"),
    ("two units", scale("tokens", 1e-9, slice(0, 9)), "M713", "write all rows in one unit"),
    ("pool in billions", scale("pool", 1e-9), "M713", "--unit supply=1e9"),
    ("perplexities", lambda rows: [row.__setitem__("loss", math.exp(4 * row["loss"])) for row in rows], "M713", "nats"),
    ("a run twice", lambda rows: rows.append({**rows[2], "run": "copy"}), "M715", "remove the copies"),
    ("a name twice", set_one(3, "run", "r002"), "M715", "remove the copies"),
    ("few runs", lambda rows: rows.__delitem__(slice(5, None)), "M718", "add 1 or more"),
    ("one mixture", same_mixture, "M721", "more and with less of the best bucket"),
    ("shares in per cent", lambda rows: [scale(f"share.{i}", 100)(rows) for i in range(6)], "M714", "share=0.01"),
    ("a part is missing", set_all("share.0", 0.0), "M714", "are all parts"),
    ("edges", set_all("edges", "0.1 0.5 0.9"), "M712", "correct the rows"),
]


@pytest.mark.parametrize(("name", "change", "code", "help"), CASES, ids=[case[0] for case in CASES])
def test_bad_runs_for_infolaw(
    tmp_path: Path, name: str, change: Callable[[list[Row]], object], code: str, help: str
) -> None:
    found = refused(infolaw(tmp_path, changed(change)))
    assert found.code == code, found
    assert help in "\n".join((*found.helps, *found.notes))
    if name == next(case[0] for case in CASES if case[2] == code):
        example(code, found, tmp_path)


def test_losses_that_do_not_follow_the_law(tmp_path: Path) -> None:
    rows = base()
    for row in rows:
        row["loss"] = 6.0 - row["loss"]
    example("M725", refused(infolaw(tmp_path, rows)), tmp_path)


def test_an_open_interval_is_said_with_runs_that_would_close_it(tmp_path: Path) -> None:
    rows = base(0.01)
    made, found = infolaw(tmp_path, rows)
    assert made is not None
    assert [d.code for d in found if d.code == "M722"] == ["M722"]
    assert any(line.startswith("add ") for line in found[0].helps)
    example("M722", found, tmp_path)


def test_a_missing_column_is_guessed(tmp_path: Path) -> None:
    rows = [{("Loss" if key == "loss" else key): value for key, value in row.items()} for row in base()]
    found = refused(infolaw(tmp_path, rows))
    assert found.code == "M711"
    assert found.helps == ("did you mean `--column loss=Loss`?",)
    example("M711", found, tmp_path)
    found = refused(infolaw(tmp_path, base(), columns={"loss": "nowhere"}))
    assert found.code == "M711"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("runs.txt", b"x"),
        ("runs.csv", b""),
        ("runs.csv", b"run,loss\n"),
        ("runs.csv", b"loss,loss\n1,2\n"),
        ("runs.csv", b"loss,run\n1\n"),
        ("runs.csv", b"\xff\xfe\x00"),
        ("runs.jsonl", b"[1]\n"),
        ("runs.jsonl", b"{\n"),
        ("runs.parquet", b"PAR1"),
    ],
)
def test_files_that_are_no_tables(tmp_path: Path, name: str, data: bytes) -> None:
    from mixc.compiler.fit.infolaw_file import fit_infolaw_file
    from mixc.compiler.fit.tables import Reading

    (tmp_path / name).write_bytes(data)
    found = refused(fit_infolaw_file(tmp_path / name, "ours", Reading()))
    assert found.code == "M710"
    if data == b"loss,run\n1\n":
        example("M710", found, tmp_path)
    assert refused(fit_infolaw_file(tmp_path / "none.csv", "ours", Reading())).code == "M710"


def test_long_rows_that_contradict_each_other(tmp_path: Path) -> None:
    parts = ((0.0, 0.5), (0.5, 1.0))
    rows = [
        {"run": "a", "params": 1e9, "tokens": 1e10, "loss": 3.0, "pool": 1e11, "low": low, "high": high, "share": 0.5}
        for low, high in parts
    ]
    assert "states `loss` as" in refused(infolaw(tmp_path, [rows[0], {**rows[1], "loss": 3.1}])).message
    assert "overlap" in refused(infolaw(tmp_path, [rows[0], {**rows[1], "low": 0.4}])).message
    found = refused(infolaw(tmp_path, [rows[0], {**rows[1], "high": 1.4}]))
    example("M716", found, tmp_path)


def constant_share(rows: list[Row]) -> None:
    for row in rows:
        rest = row["share.de"] + row["share.en"]
        row |= {"share.zh": 0.2, "share.de": 0.8 * row["share.de"] / rest, "share.en": 0.8 * row["share.en"] / rest}


def never_read(rows: list[Row]) -> None:
    for row in rows:
        row["share.de"] += row["share.zh"]
        row["share.zh"] = 0.0


TRANSFER_CASES: list[tuple[str, Callable[[list[Row]], object], str]] = [
    ("unknown language", lambda rows: [row.__setitem__("loss.xq", 2.0) for row in rows], "M724"),
    ("two spellings", lambda rows: [row.__setitem__("loss.deu", 2.0 + i) for i, row in enumerate(rows)], "M724"),
    ("NaN", set_one(2, "loss.de", math.nan), "M712"),
    ("constant loss", set_all("loss.de", 2.0), "M717"),
    ("few runs", lambda rows: rows.__delitem__(slice(5, None)), "M718"),
    ("few losses", lambda rows: [row.__setitem__("loss.zh", None) for row in rows[3:]], "M726"),
    ("never read", never_read, "M726"),
    ("constant share", constant_share, "M726"),
    ("shares", scale("share.de", 0.5), "M714"),
    ("billions", scale("tokens", 1e-9), "M713"),
    ("twice", lambda rows: rows.append({**rows[0], "run": "again"}), "M715"),
]


@pytest.mark.parametrize(("name", "change", "code"), TRANSFER_CASES, ids=[c[0] for c in TRANSFER_CASES])
def test_bad_runs_for_transfer(tmp_path: Path, name: str, change: Callable[[list[Row]], object], code: str) -> None:
    found = refused(transfer(tmp_path, changed(change, base_transfer(12))))
    assert found.code == code
    if name == "two spellings":
        assert found.message == "`de` and `deu` in `runs.csv` are one language"
    if name in ("unknown language", "few losses"):
        example(code, found, tmp_path, "transfer")


def test_columns_that_transfer_lacks(tmp_path: Path) -> None:
    rows = [{key: value for key, value in row.items() if not key.startswith("loss")} for row in base_transfer(12)]
    assert refused(transfer(tmp_path, rows)).code == "M711"
