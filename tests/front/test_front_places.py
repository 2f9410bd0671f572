"""Names of files: `${root}` stays in them where a param only says where files lie, and nothing else does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from front_recipe import check

from mixc.compiler.front.passes import load_recipe
from mixc.compiler.places import filled, settled
from mixc.compiler.recipe import PathParam, Recipe

BUDGET = "budget { model = 1B params, tokens = 20B tokens }\n"


def read(folder: Path, body: str, head: str = "recipe r\n" + BUDGET, **given: str) -> Recipe:
    return check(folder, body, head=head, params=given)


@pytest.mark.parametrize(
    "given", [{}, {"root": "/mnt/x"}, {"base": "s3://bucket"}, {"root": "elsewhere", "base": "/y"}]
)
def test_what_is_written_does_not_depend_on_what_is_given(tmp_path: Path, given: dict[str, str]) -> None:
    body = """\
param base = "/data"
param root = "${base}/pretrain"
param same = root
source web { path = ["${root}/web/*.parquet", "${same}/new"], epochs <= 4 }
"""
    found = read(tmp_path, body, **given)
    assert found.params == ()
    assert found.sources[0].paths == ("${root}/web/*.parquet", "${same}/new")
    defaults = {param.name: param.default for param in found.path_params}
    assert defaults == {"base": None, "root": "${base}/pretrain", "same": "${root}"}
    values, lacking = settled(defaults, {"base": "/data"} | given, found.sources[0].paths)
    assert lacking == []
    assert {name: found.places[name] for name in ("root", "same")} == {name: values[name] for name in ("root", "same")}


def test_a_param_that_decides_something_is_filled_in_and_stated(tmp_path: Path) -> None:
    body = """\
param dump = "2024-10"
param size = 1B params
param root = "data"
source web { path = "${root}/${dump}/${size}/*.parquet", license = "CC-${dump}", epochs <= 4 }
"""
    head = "recipe r\nbudget { model = size, tokens = 20B tokens }\n"
    found = read(tmp_path, body, head, dump="2025-01", size="2B", root="/mnt")
    assert found.sources[0].paths == ("${root}/2025-01/2B/*.parquet",)
    assert found.path_params == (PathParam("root", "/mnt", "data"),)
    assert found.params == (("dump", "2025-01"), ("size", "2B"))


def test_a_list_of_paths_has_no_place_in_a_string(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        'param root = "data"\nparam every = ["${root}/a", "${root}/b"]\nsource w { path = every, epochs <= 4 }\n',
    )
    assert found.sources[0].paths == ("${root}/a", "${root}/b")
    assert [param.name for param in found.path_params] == ["root"]
    given = read(tmp_path, 'param every = ["a", "b"]\nsource w { path = every, epochs <= 4 }\n', every='["c"]')
    assert given.sources[0].paths == ("c",)
    assert given.params == (("every", '["c"]'),)


def test_a_param_of_another_folder_and_one_of_an_import(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "base.mix").write_text(
        'recipe base\nparam root = "../data"\nsource web { path = "${root}/web", epochs <= 4 }\n' + BUDGET
    )
    (tmp_path / "shared" / "math.mix").write_text(
        'recipe math\nparam root = "maths"\nsource math { path = "${root}/*", epochs <= 4 }\n' + BUDGET
    )
    body = 'import math = "shared/math.mix"\nsource more = math.math\n'
    found = read(tmp_path, body, 'recipe r extends "shared/base.mix"\n', root="/mnt")
    paths = {source.name: source.paths for source in found.sources}
    assert paths == {"web": ("shared/${root}/web",), "more": ("shared/maths/*",)}
    assert found.path_params == (PathParam("root", "/mnt", "../data"),)
    assert filled("shared/${root}/web", found.places) == "/mnt/web"
    assert filled("shared/${root}/web", {"root": "../data"}) == "shared/../data/web"


def test_a_table_of_sizes_is_named_by_its_template(tmp_path: Path) -> None:
    (tmp_path / "sizes.csv").write_text("language,tokens\nen,5000000000\n")
    body = 'param root = "."\nsource plan { supply = "${root}/sizes.csv", epochs <= 4 }\n'
    (plan,) = read(tmp_path, body).sources
    assert (plan.supply_file, plan.supply_name) == (str(tmp_path / "sizes.csv"), "${root}/sizes.csv")


def test_a_param_that_nothing_uses_is_not_stated(tmp_path: Path) -> None:
    body = 'param root = "data"\nsource web { path = "web", epochs <= 4 }\n'
    assert read(tmp_path, body, root="/mnt").params == ()


@pytest.mark.parametrize(
    ("template", "values", "path"),
    [
        ("${root}/a", {"root": "data"}, "data/a"),
        ("${root}/a", {"root": "/data"}, "/data/a"),
        ("x/${root}/a", {"root": "/data"}, "/data/a"),
        ("x-${root}/a", {"root": "/data"}, "x-/data/a"),
        ("x/${root}/a", {"root": "s3://b"}, "s3://b/a"),
        ("s3://b/${key}/a", {"key": "/k"}, "s3://b//k/a"),
        ("${root}/a", {"root": "s3://b/"}, "s3://b/a"),
        ("${root}/a", {"root": "/"}, "/a"),
        ("file://${root}/a", {"root": "/data"}, "/data/a"),
        ("${a}/${b}-${a}", {"a": "x", "b": "y"}, "x/y-x"),
    ],
)
def test_filling(template: str, values: Mapping[str, str], path: str) -> None:
    assert filled(template, values) == path


def test_what_has_no_value() -> None:
    defaults = {"root": "${base}/x", "base": None, "other": None}
    assert settled(defaults, {}, ["${root}/a"]) == ({"root": "/x", "base": ""}, ["base"])
    assert settled(defaults, {"root": "/r"}, ["${root}/a"]) == ({"root": "/r"}, [])
    assert settled(defaults, {"root": ""}, ["${root}/a"])[1] == ["root"]


def test_a_tokenizer_is_named_by_its_template(tmp_path: Path) -> None:
    body = """\
param root = "data"
param tag = "lang"
source web {
  path = "${root}/web/*.parquet", epochs <= 4
  columns = { language: "${tag}", tokens: tokenizer("${root}/tokenizer.json") }
}
"""
    found = read(tmp_path, body, root="/mnt", tag="language")
    assert found.sources[0].columns == (("language", "language"), ("tokens", 'tokenizer("${root}/tokenizer.json")'))
    assert found.path_params == (PathParam("root", "/mnt", "data"),)
    assert found.params == (("tag", "language"),)


@pytest.mark.parametrize("value", ["${root}", "$${root}", "${other}"])
def test_a_param_that_is_its_own_place_is_told(tmp_path: Path, value: str) -> None:
    path = tmp_path / "r.mix"
    path.write_text(
        f'recipe r\nparam root = "{value}"\nparam other = "${{root}}"\n'
        'source a { path = "${root}/lib/*.parquet", epochs <= 4 }\nbudget { model = 1M params, tokens = 2M tokens }\n'
    )
    _, found = load_recipe(path)
    assert any(one.severity == "error" for one in found)
