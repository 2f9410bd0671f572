"""The module for torchtitan: rows where they are counted, weights where not."""

from __future__ import annotations

import ast
import json
import math

from mixc.backends.exporters.hf_datasets import export as rows_for_datasets
from mixc.backends.exporters.torchtitan import export
from mixc.compiler.export import Counted, Settings
from tests.exporters.golden import check
from tests.exporters.made import DATA, codes, manifest, texts

CARRIED = ("load.py", "mixture.py")


def test_golden_places_of_ones_own_two_phases() -> None:
    made, found = export(manifest("pretrain-anneal"), Settings(data=DATA))
    assert made is not None
    assert codes(found) == ["M819"]
    assert "mixture import weighted" in made["README.md"]
    check({name: text for name, text in made.items() if name not in CARRIED}, "torchtitan/pretrain-anneal")
    for phase in ("pretrain", "anneal"):
        places = json.loads(made[f"{phase}.json"])["places"]
        assert math.fsum(one["weight"] for one in places) == 1.0
        assert all(set(one) == {"path", "weight"} for one in places)


def test_golden_texts_of_a_run() -> None:
    plan = manifest("polyglot17")
    settings = Settings(texts=texts(plan))
    made, found = export(plan, settings)
    assert made is not None
    assert found == []
    assert "mixture import counted" in made["README.md"]
    check({name: text for name, text in made.items() if name not in CARRIED}, "torchtitan/polyglot17")
    of_datasets, _ = rows_for_datasets(plan, settings)
    assert of_datasets is not None
    places = json.loads(made["main.json"])["places"]
    weights = [one.pop("weight") for one in places]
    assert places == json.loads(of_datasets["main.json"])["places"]
    assert math.fsum(weights) == 1.0
    assert made["load.py"] == of_datasets["load.py"]


def test_the_module_is_python_and_names_what_the_readme_says() -> None:
    made, _ = export(manifest("hello"), Settings(data=DATA))
    assert made is not None
    functions = {node.name for node in ast.parse(made["mixture.py"]).body if isinstance(node, ast.FunctionDef)}
    assert {"counted", "weighted"} <= functions


def test_phases_of_counted_rows_go_on() -> None:
    plan = manifest("pretrain-anneal")
    counts = {
        DATA.format(source=row.source, language=row.language, domain=row.domain, bucket=bucket): Counted(1000, supply)
        for row in plan.mixture
        for bucket, supply in enumerate(row.supply_by_bucket)
        if supply
    }
    made, found = export(plan, Settings(data=DATA, counts=counts))
    assert made is not None
    assert found == []
    ends = {one["path"]: one["rows"] for one in json.loads(made["pretrain.json"])["places"]}
    skips = {one["path"]: one["skip"] for one in json.loads(made["anneal.json"])["places"]}
    assert all(skip == ends.get(path, 0) for path, skip in skips.items())
    nothing = {place: Counted(1, 10**16) for place in counts}
    assert set(codes(export(plan, Settings(data=DATA, counts=nothing))[1])) == {"M807", "M808"}


def test_what_is_missing() -> None:
    plan = manifest("hello")
    assert codes(export(plan, Settings())[1]) == ["M703"]
    assert codes(export(plan, Settings(data=DATA, counts={}))[1]) == ["M805"] * 3
    assert codes(export(plan.model_copy(update={"mixture": ()}), Settings(data=DATA))[1]) == ["M808"]
