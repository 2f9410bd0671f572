"""`${root}` in the paths of a recipe: one manifest for every machine, run and verified wherever the documents lie."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mixc.compiler.cli.guard import guarded
from mixc.compiler.recipe import Source
from mixc.compiler.scan.find import find
from tests.examples import shown
from tests.selection.pool import BOOKS, RECIPE, documents, recipe, unrated, with_texts, write

PLACED = RECIPE.replace('"crawl"', '"${root}/crawl/*.parquet"').replace('"library"', '"${root}/library"')
PLACED = PLACED.replace("recipe pool\n", 'recipe pool\nparam root = "/data/nobody-has"\n').replace(
    "epochs  <= 4\n}\n", "epochs  <= 4\n  ids     = per-file\n}\n", 1
)
BOOKS_PLACED = BOOKS.replace('"library"', '"${root}/library"')
OUTPUTS = ("pool.manifest.json", "pool.lock", "pool.tables.parquet")


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[Path, Path]]]:
    """Two machines: where the recipe lies, and where the documents do."""
    top = tmp_path_factory.mktemp("machines")
    places = [
        (top / "one" / "recipes", top / "one" / "recipes" / "data"),
        (top / "two", top / "disk" / "v[1]" / "pool"),
    ]
    for folder, data in places:
        recipe(folder, PLACED)
        write(data / "crawl", documents(6000))
        write(data / "library", unrated(1000), shards=1)
    yield places
    shutil.rmtree(top)


def mixc(*words: object, code: int = 0) -> None:
    assert guarded([str(word) for word in words]) == code


@pytest.fixture(scope="module")
def compiled(machines: list[tuple[Path, Path]]) -> list[tuple[Path, Path]]:
    for folder, data in machines:
        mixc("scan", folder / "pool.mix", "--workers", 1, "--param", f"root={data}")
        mixc("compile", folder / "pool.mix", "--param", f"root={data}")
    return machines


def test_the_same_bytes_on_every_machine(compiled: list[tuple[Path, Path]]) -> None:
    (one, _), (two, _) = compiled
    for name in OUTPUTS:
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


def test_no_place_of_a_machine_reaches_what_is_written(compiled: list[tuple[Path, Path]]) -> None:
    folder, data = compiled[1]
    manifest = json.loads((folder / "pool.manifest.json").read_text())
    assert manifest["params"] == {}
    assert manifest["plan"][0] == {
        "backend": "documents",
        "stage": "locate",
        "parameters": {"params": [{"name": "root"}]},
    }
    assert manifest["plan"][1]["parameters"]["paths"] == ["${root}/crawl/*.parquet"]
    files = pq.read_table(folder / "pool.tables.parquet", columns=["section", "names"]).to_pylist()
    names = sorted(row["names"][1] for row in files if row["section"] == "file")
    assert names == [f"${{root}}/crawl/00{i}.parquet" for i in range(3)] + ["${root}/library/000.parquet"]
    for name in OUTPUTS:
        text = (folder / name).read_bytes()
        assert str(data).encode() not in text
        assert b"nobody-has" not in text


def test_it_is_run_and_verified_wherever_documents_lie(compiled: list[tuple[Path, Path]]) -> None:
    (one, data), (two, other) = compiled
    given = ("--workers", 1, "--param")
    mixc("run", one / "pool.manifest.json", "-o", one / "out", *given, "root=data")  # seen from the manifest's folder
    mixc("verify", one / "pool.manifest.json", one / "out", *given, f"root={data}", "--recompute", "100%")
    mixc("run", one / "pool.manifest.json", "-o", one / "moved", *given, f"root={other}")
    mixc("run", two / "pool.manifest.json", "-o", two / "out", *given, f"root={other}")
    written = [
        {path.relative_to(top): path.read_bytes() for path in sorted(top.rglob("*")) if path.is_file()}
        for top in (one / "out", one / "moved", two / "out")
    ]
    assert len(written[0]) > 8
    assert written[0] == written[1] == written[2]
    mixc("compile", two / "pool.mix", "--param", f"root={other}", "--check", "--locked")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ((), "M587", "`root` says where documents lie, and has no value"),
        (("--param", "root="), "M587", "`root` says where documents lie, and has no value"),
        (("--param", "rot=data"), "M586", "no path of the manifest has a param `rot`"),
        (("--param", "root=data", "--param", "size=7B"), "M586", "no path of the manifest has a param `size`"),
        (("--param", "root=nowhere"), "M500", "no file of documents matches `nowhere/"),
    ],
)
def test_what_is_wrong_with_params(
    compiled: list[tuple[Path, Path]],
    words: tuple[str, ...],
    code: str,
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, _ = compiled[0]
    manifest = folder / "pool.manifest.json"
    mixc("run", manifest, "-o", folder / "wrong", "--workers", 1, *words, code=1)
    said = capsys.readouterr().err
    assert re.search(rf"^error\[{code}\]: {re.escape(sentence)}", said, re.MULTILINE)
    assert not (folder / "wrong").exists()
    if code != "M500" and len(words) < 3 and words != ("--param", "root="):
        about = 'The recipe has `path = "${root}/crawl/*.parquet"` and `param root = "/data/nobody-has"`.'
        command = " ".join(("mixc run pool.manifest.json -o out", *words))
        shown(code, said, about=about, command=command, at=folder)


def test_a_param_that_compiling_settles_is_none_of_the_paths(
    machines: list[tuple[Path, Path]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = PLACED.replace("model = 1M params", "model = size").replace(
        "recipe pool\n", "recipe pool\nparam size = 1M params\n"
    )
    folder, data = machines[0]
    path = folder / "sized.mix"
    path.write_text(text)
    given = ("--param", f"root={data}", "--param", "size=2M")
    mixc("compile", path, *given)
    manifest = folder / "sized.manifest.json"
    assert json.loads(manifest.read_text())["params"] == {"size": "2M"}
    capsys.readouterr()
    mixc("run", manifest, "-o", tmp_path / "out", *given, code=1)
    said = capsys.readouterr().err
    assert "[M588]: `size` is no place of files: compiling has settled it" in said
    about = "The recipe has `model = size`, and was compiled with `--param size=2M`."
    shown("M588", said, about=about, command="mixc run sized.manifest.json -o out --param size=2M", at=folder)


def test_a_relative_default_is_stated_and_used(tmp_path: Path) -> None:
    folder = tmp_path / "recipes"
    recipe(folder, PLACED.replace('"/data/nobody-has"', '"../data"'))
    write(tmp_path / "data" / "crawl", documents(6000))
    write(tmp_path / "data" / "library", unrated(1000), shards=1)
    mixc("compile", folder / "pool.mix")
    manifest = folder / "pool.manifest.json"
    stated = json.loads(manifest.read_text())["plan"][0]["parameters"]
    assert stated == {"params": [{"default": "../data", "name": "root"}]}
    mixc("run", manifest, "-o", tmp_path / "out", "--workers", 1)
    mixc("verify", manifest, tmp_path / "out", "--workers", 1)


def test_an_output_over_an_input_is_seen_behind_a_param(
    compiled: list[tuple[Path, Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, data = compiled[0]
    victim = data / "crawl" / "000.parquet"
    before = victim.read_bytes()
    mixc("compile", folder / "pool.mix", "--param", f"root={data}", "-o", victim, "--diagnostics", "concise", code=1)
    assert "M444" in capsys.readouterr().err
    assert victim.read_bytes() == before


def names(folder: Path, *paths: str, **values: str) -> list[str]:
    found, problems = find(Source("web", "und", paths=paths), values, folder)
    assert not problems
    return [file.name for file in found]


def test_names_keep_params_up_to_the_first_wildcard(tmp_path: Path) -> None:
    for name in ("a/de/x.jsonl", "a/fr/x.jsonl", "b[1]/de/y.jsonl", "b1/de/z.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}\n")
    top = str(tmp_path)
    assert names(tmp_path, "${root}/**/*.jsonl", root="a") == ["${root}/de/x.jsonl", "${root}/fr/x.jsonl"]
    assert names(tmp_path, "${root}/${lang}/*", root=f"{top}/a", lang="de") == ["${root}/${lang}/x.jsonl"]
    assert names(tmp_path, "${root}/*/${file}", root=f"{top}/a", file="x.jsonl") == [
        "${root}/de/x.jsonl",
        "${root}/fr/x.jsonl",
    ]
    assert names(tmp_path, "${root}", root="b[1]/de/y.jsonl") == ["${root}"]
    assert names(tmp_path, "${root}", root="a/de") == ["${root}/x.jsonl"]
    assert names(tmp_path, "${root}/de/*", root="b[1]") == ["${root}/de/y.jsonl"]
    assert names(tmp_path, "${root}/../b1/de/*", root="a") == ["${root}/../b1/de/z.jsonl"]
    assert names(tmp_path, "${all}", all="a/*/x.jsonl") == ["a/de/x.jsonl", "a/fr/x.jsonl"]
    assert names(tmp_path, "file://${root}/de/*", root=f"{top}/a") == ["file://${root}/de/x.jsonl"]
    assert names(tmp_path, "${root}/de/*", "a/*/*", root="a") == [
        "${root}/de/x.jsonl",
        "a/fr/x.jsonl",
    ]  # each file once
    assert names(tmp_path, "${root}/de/*", root="b?") == ["b1/de/z.jsonl"]


def test_names_of_objects(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec", reason="pip install 'mixc[remote]'")
    memory = fsspec.filesystem("memory")
    for name in ("de/x.jsonl", "fr/x.jsonl"):
        memory.pipe_file(f"/places/{name}", b"{}\n")
    try:
        assert names(tmp_path, "${root}/*/x.jsonl", root="memory://places") == [
            "${root}/de/x.jsonl",
            "${root}/fr/x.jsonl",
        ]
        assert names(tmp_path, "${root}/fr", root="memory://places/") == ["${root}/fr/x.jsonl"]
        assert names(tmp_path, "memory://places/${lang}/*", lang="de") == ["memory://places/${lang}/x.jsonl"]
    finally:
        memory.rm("/places", recursive=True)


def test_a_tokenizer_lies_where_the_documents_do(tmp_path: Path) -> None:
    """And is found beside the recipe, wherever mixc is started."""
    tokenizers = pytest.importorskip("tokenizers", reason="pip install 'mixc[tokenizers]'")
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    text = PLACED.replace(BOOKS_PLACED, "").replace(
        'tokens: "n"', 'text: "text", tokens: tokenizer("${root}/tokenizer.json")'
    )
    made = []
    for folder, data in ((tmp_path / "one", tmp_path / "one" / "data"), (tmp_path / "two", tmp_path / "disk")):
        recipe(folder, text.replace("9M tokens", "1M tokens"))
        write(data / "crawl", with_texts(documents(3000)))
        words.save(str(data / "tokenizer.json"))
        root = "data" if folder.name == "one" else data
        mixc("compile", folder / "pool.mix", "--param", f"root={root}")
        mixc("run", folder / "pool.manifest.json", "-o", folder / "out", "--workers", 1, "--param", f"root={root}")
        made.append([(folder / name).read_bytes() for name in (*OUTPUTS, "out/run.json")])
    assert made[0] == made[1]
    plan = json.loads(made[0][0])["plan"]
    assert plan[1]["parameters"]["counting"] == {"name": "${root}/tokenizer.json", "way": "tokenizer"}
