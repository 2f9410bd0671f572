"""Manifests and the like that somebody crafted: no name leads out of a folder or is quoted in full; huge numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mixc.compiler.documents.data import Unreadable
from mixc.compiler.fit.tables import Reading, RunTable
from mixc.compiler.laws.calibration import load_infolaw
from mixc.compiler.review.canonical import canonical, digest
from mixc.compiler.review.manifest import manifest_text
from mixc.compiler.review.reading import parse_manifest
from mixc.compiler.review.summary import summary
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.render import render

LONG = "x" * 100_000
MOST = 2000  # characters of all that is said
TOY = Path(__file__).parents[1] / "cases" / "review" / "toy.manifest.json"


def parsed(text: str) -> list[Diagnostic]:
    """What is said of a manifest that states its own hash, as whoever crafts one can."""
    data = json.loads(text)
    del data["integrity"]
    made, found = parse_manifest("m.json", canonical({**data, "integrity": digest(data)}).encode())
    assert made is None
    return found


@pytest.mark.parametrize(("name", "other"), [("web", "../../out"), ("web", "/etc/cron.d/x"), ("main", "..")])
def test_a_name_that_leads_outside_is_refused_where_all_rows_agree_on_it(name: str, other: str) -> None:
    (found,) = parsed(TOY.read_text().replace(json.dumps(name), json.dumps(other)))
    assert found.code == "M455"
    assert f"`{other}` is no name" in render([found], "full")


def numbers(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where a manifest has a number; of a list, the first two items."""
    inner = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, one in inner:
        yield from numbers(one, (*path, key))
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield path


@pytest.mark.parametrize("huge", [10**400, -(10**400)], ids=["huge", "hugely negative"])
def test_a_number_beyond_floats_is_refused_or_printed_wherever_it_stands(huge: int) -> None:
    """The hash of a manifest is made of all its numbers, before anybody looks whether they are any good."""
    whole = json.loads(TOY.read_text())
    places = list(numbers(whole))
    assert len(places) > 60
    for path in places:
        data = json.loads(TOY.read_text())
        inside = data
        for step in path[:-1]:
            inside = inside[step]
        inside[path[-1]] = huge
        del data["integrity"]
        for stated in ("0" * 64, digest(data)):
            made, found = parse_manifest("m.json", json.dumps(data | {"integrity": stated}).encode())
            assert (made is None) == bool(found), path
            if made is not None:  # a whole number that nothing is worked out from
                assert str(huge) in manifest_text(made) and summary(made)
            assert len(render(found, "full")) <= MOST * len(found), path


def calibrated(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], list[Diagnostic]]:
    def read(folder: Path) -> list[Diagnostic]:
        shipped = Path("compiler/laws/calibrations/infolaw-2605.02364.json")
        data = json.loads((Path(__file__).parents[2] / shipped).read_text())
        change(data)
        (folder / "c.json").write_text(json.dumps(data))
        return load_infolaw("c.json", folder, None)[1]

    return read


def tabled(_: Path) -> list[Diagnostic]:
    with pytest.raises(Unreadable) as caught:
        RunTable("runs.csv", ("params",), ({"params": LONG},), ("line 2",), Reading({})).numbers("params", "params")
    return [caught.value.diagnostic]


QUOTED: dict[str, Callable[[Path], list[Diagnostic]]] = {
    "a key of a calibration": calibrated(lambda data: data.update({LONG: 1})),
    "a value of a calibration": calibrated(lambda data: data.update({key: LONG for key in data if key != "schema"})),
    "a cell of a table of runs": tabled,
    "a key of a manifest, twice": lambda _: parse_manifest("m.json", f'{{"{LONG}": 1, "{LONG}": 2}}'.encode())[1],
    "a source of a manifest, twice": lambda _: parsed(
        TOY.read_text().replace('"web"', json.dumps(LONG)).replace('"wiki"', json.dumps(LONG))
    ),
}


@pytest.mark.parametrize("what", QUOTED)
def test_what_is_quoted_is_cut(what: str, tmp_path: Path) -> None:
    found = QUOTED[what](tmp_path)
    text = render(found, "full")
    assert "xxxx" in text
    assert len(text) < MOST * len(found), text[:2000]
