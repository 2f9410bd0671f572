"""Tables of proxy runs: what is read of them, and what is said of those that cannot be learned from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from pytest import approx

from mixc.backends.search.space import MixtureSpace, ThetaSpace
from mixc.backends.search.table import Rated, Runs, read_runs
from mixc.compiler.documents.data import Unreadable
from mixc.dsl.diagnostics import Diagnostic
from tests.examples import shown

RATED = Rated("pool", ("news", "forums"), ("edu", "fine"))
SPACE = ThetaSpace(RATED.domains, RATED.raters, "log", (1.0, 1.0))
Columns = dict[str, list[object]]


def columns(count: int = 40) -> Columns:
    """A table of drawn parameters with a loss."""
    u = SPACE.draw(count, 1)
    theta = SPACE.theta(u).reshape(count, -1)
    named: Columns = {name: theta[:, i].tolist() for i, name in enumerate(SPACE.names)}
    return {"run": [f"{i:04}" for i in range(count)], **named, "loss": (3 + u[:, 3]).tolist()}


def read(folder: Path, table: Columns, **losses: float) -> tuple[Runs, list[Diagnostic]]:
    path = folder / "proxies.parquet"
    pq.write_table(pa.table(table), path)
    return read_runs(path, RATED, losses, None, None)


def refused(folder: Path, table: Columns, **losses: float) -> Diagnostic:
    with pytest.raises(Unreadable) as problem:
        read(folder, table, **losses)
    return problem.value.diagnostic


def example(one: Diagnostic, about: str, folder: Path) -> None:
    command = "mixc fit quadmix proxies.parquet --recipe pool.mix -o found.mix"
    shown(one.code, one, about=about, command=command, at=folder, numbers=False)


def test_parameters_by_name(tmp_path: Path) -> None:
    runs, found = read(tmp_path, columns())
    assert isinstance(runs.space, ThetaSpace) and runs.space.law == "log" and not runs.supplied
    assert runs.u == approx(SPACE.draw(40, 1)) and found == []
    assert runs.losses == approx(3 + runs.u[:, 3])


def test_parameters_by_number_in_csv(tmp_path: Path) -> None:
    table = columns()
    numbered = {
        name: f"{name.split(':')[0]}_{RATED.domains.index(name.split(':')[1])}"
        + (f"_{RATED.raters.index(name.split(':')[2])}" if name.startswith("alpha") else "")
        for name in SPACE.names
    }
    path = tmp_path / "proxies.csv"
    pa_csv.write_csv(pa.table({numbered.get(name, name): values for name, values in table.items()}), path)
    runs, _ = read_runs(path, RATED, {}, None, None)
    assert runs.u == approx(SPACE.draw(40, 1), rel=1e-6, abs=1e-6)


def test_what_the_table_says_of_the_design(tmp_path: Path) -> None:
    table = columns() | {"law": ["linear"] * 40, "supply:news": [7e6] * 40, "supply:forums": [2e6] * 40}
    runs, found = read(tmp_path, table)
    assert isinstance(runs.space, ThetaSpace)
    assert runs.space.law == "linear" and runs.space.tokens == (7e6, 2e6) and runs.supplied and found == []


def test_several_losses_are_a_weighted_mean(tmp_path: Path) -> None:
    table = columns() | {"arc": [float(i) for i in range(40)]}
    runs, _ = read(tmp_path, table, loss=3.0, arc=1.0)
    assert runs.losses == approx(0.75 * (3 + runs.u[:, 3]) + 0.25 * np.arange(40.0))
    assert runs.weights == (0.75, 0.25) and runs.parts[1] == approx(np.arange(40.0))


def test_ranges_widen_to_what_was_tried(tmp_path: Path) -> None:
    table = columns()
    table["omega:news"][3] = 0.3
    runs, _ = read(tmp_path, table)
    assert runs.space.limits[1].max() == approx(3.0)


def test_mixtures(tmp_path: Path) -> None:
    shares = np.random.default_rng(1).dirichlet(np.ones(3), 40)
    table: Columns = {"arxiv": shares[:, 0].tolist(), "github": shares[:, 1].tolist(), "wiki": shares[:, 2].tolist()}
    runs, _ = read(tmp_path, table | {"loss": shares[:, 0].tolist()})
    assert isinstance(runs.space, MixtureSpace) and runs.space.domains == ("arxiv", "github", "wiki")
    assert runs.u == approx(shares)


def drop(name: str) -> Callable[[Columns], object]:
    return lambda table: table.pop(name)


def put(name: str, row: int, value: object) -> Callable[[Columns], object]:
    return lambda table: table[name].__setitem__(row, value)


@pytest.mark.parametrize(
    ("change", "code", "says", "about"),
    [
        (drop("omega:forums"), "M741", "omega:forums", "The table lost its column `omega:forums`."),
        (drop("loss"), "M752", "loss", "The table has no column `loss`."),
        (put("loss", 5, float("nan")), "M746", "5", "The loss of row 5 is NaN."),
        (put("loss", 5, float("inf")), "M746", "5", ""),
        (put("eta:news", 6, float("nan")), "M746", "6", ""),
        (put("eta:news", 6, None), "M746", "6", ""),
        (put("omega:news", 2, 1.5), "M753", "2", "In row 2 `omega:news` is 1.5."),
        (put("lambda:news", 2, -1.0), "M753", "2", ""),
        (put("alpha:news:edu", 4, 0.9999), "M753", "4", ""),
        (lambda table: table.update(loss=[3.0] * 40), "M745", "loss", "All 40 rows have a loss of 3."),
        (lambda table: table.update(loss=["low"] * 40), "M746", "0", ""),
        (put("run", 1, "0000"), "M749", "0, 1", "Rows 0 and 1 name the run `0000`, with different parameters."),
    ],
)
def test_what_cannot_be_learned_from(
    tmp_path: Path, change: Callable[[Columns], object], code: str, says: str, about: str
) -> None:
    table = columns()
    change(table)
    problem = refused(tmp_path, table)
    assert problem.code == code
    assert says in " ".join((problem.message, *problem.notes))
    if about:
        example(problem, about, tmp_path)


def test_too_few_runs(tmp_path: Path) -> None:
    few = refused(tmp_path, columns(12))
    assert few.code == "M743"
    example(few, "The table has 12 rows.", tmp_path)
    table = columns()
    table["loss"][5:] = [None] * 35
    assert refused(tmp_path, table).code == "M743"


@pytest.mark.parametrize(("name", "content"), [("x.parquet", b"no"), ("x.txt", b""), ("none.csv", None)])
def test_no_table(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(Unreadable) as problem:
        read_runs(tmp_path / name, RATED, {}, None, None)
    assert problem.value.diagnostic.code == "M740"
    if name == "x.txt":
        command = "mixc fit quadmix x.txt --recipe pool.mix -o found.mix"
        shown("M740", problem.value.diagnostic, command=command, at=tmp_path)


def test_mixtures_must_sum_to_1(tmp_path: Path) -> None:
    table: Columns = {"a": [0.5] * 30, "b": [0.4] * 30, "loss": [float(i) for i in range(30)]}
    assert refused(tmp_path, table).code == "M753"
    assert refused(tmp_path, {"loss": [float(i) for i in range(30)]}).code == "M741"


def test_no_rated_domain(tmp_path: Path) -> None:
    path = tmp_path / "proxies.parquet"
    pq.write_table(pa.table(columns()), path)
    with pytest.raises(Unreadable) as problem:
        read_runs(path, Rated("plain", (), ()), {}, None, None)
    assert problem.value.diagnostic.code == "M751"
    example(problem.value.diagnostic, "The recipe `pool.mix` has no rater.", tmp_path)


def test_warnings(tmp_path: Path) -> None:
    table = columns()
    table["loss"][0] = None
    table["note"] = [0] * 40
    for name in SPACE.names:
        table[name][9] = table[name][8]
    table["loss"][9], table["run"][9] = table["loss"][8], "again"
    runs, found = read(tmp_path, table)
    assert [one.code for one in found] == ["M747", "M748", "M742"] and len(runs.losses) == 38
    about = (
        "One row of 40 has no loss.",
        "Rows 8 and 9 are equal but for their names.",
        "The table has a column `note`.",
    )
    for one, sentence in zip(found, about, strict=True):
        example(one, sentence, tmp_path)
    wide = Rated("wide", tuple(f"d{m}" for m in range(9)), ("x", "y"))
    space = ThetaSpace(wide.domains, wide.raters, "linear", (1.0,) * 9)
    theta = space.theta(space.draw(30, 1)).reshape(30, -1)
    many: Columns = {name: theta[:, i].tolist() for i, name in enumerate(space.names)}
    path = tmp_path / "wide.parquet"
    pq.write_table(pa.table(many | {"loss": [float(i) for i in range(30)]}), path)
    found = read_runs(path, wide, {}, None, None)[1]
    assert [one.code for one in found] == ["M744"]
    example(found[0], "The recipe rates 9 domains by 2 raters; the table has 30 rows.", tmp_path)
