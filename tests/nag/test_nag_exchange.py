"""`mixc features`: out as the authors write them, back in, and what is said of files that do not fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from mixc.compiler.cli.app import app
from mixc.compiler.cli.explain import explain
from tests.examples import shown
from tests.nag.scoring_pool import GATED, RATED, TWO, kept, pool, rows, told
from tests.nag.tiny import LAYERS, WIDTH
from tests.nag.ways import compiled, errors, scored, selection

SHAPE = ["--layers", str(LAYERS), "--width", str(WIDTH)]


def ran(*words: object) -> tuple[int, str, str]:
    """(exit code, data, diagnostics) of `mixc features …`."""
    result = CliRunner().invoke(app, ["features", *map(str, words)], standalone_mode=False, catch_exceptions=False)
    return int(result.return_value or 0), result.stdout, result.stderr


def lines(path: Path) -> list[dict[str, object]]:
    """The rows of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def files(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> Path:
    """The features of the pool and of two targets, as they were written; the recipe is beside the folder."""
    folder = tmp_path_factory.mktemp("exported")
    path = pool(folder, tiny, TWO)
    done, found = scored(path)
    assert done is not None, told(found)
    code, said, _ = ran("export", path, "-o", folder / "out")
    assert code == 0
    assert "180 documents and 12 examples written to 4 files of " in said
    assert "--num_layers 3 --top_k 5 --feature_col fwd_up_feature" in said
    return folder / "out"


IMPORT = "mixc features import pool.mix features"


def without_model(folder: Path, tiny: Path, text: str) -> Path:
    """The pool where its model is not."""
    path = pool(folder, tiny, text)
    (folder / "model").unlink()
    return path


def test_export_is_the_authors_format_file_by_file(exported: Path, tmp_path: Path) -> None:
    assert sorted(files(exported)) == [
        "documents/crawl/data_a.parquet.jsonl",
        "documents/crawl/data_b.jsonl.jsonl",
        "targets/code.jsonl",
        "targets/science.jsonl",
    ]
    first = lines(exported / "documents" / "crawl" / "data_a.parquet.jsonl")
    assert [row["docid"] for row in first] == [row["id"] for row in rows()[:90]]
    assert first[3] == {"docid": "003", "fwd_up_feature": {"layer_topk_value_index": [-1] * 15}}
    again = tmp_path / "again"
    assert ran("export", exported.parent / "pool.mix", "-o", again)[0] == 0
    assert files(again) == files(exported)


def test_what_is_exported_comes_back_without_the_model(tmp_path: Path, tiny: Path, exported: Path) -> None:
    path = without_model(tmp_path, tiny, TWO)
    examples = [f"--examples={name}={exported / 'targets' / name}.jsonl" for name in ("code", "science")]
    code, said, wrong = ran("import", path, exported / "documents", *examples, *SHAPE, "--precision", "float32")
    assert (code, wrong) == (0, "")
    assert said == f"features of 180 documents imported for code, science: run `mixc score {path}`\n"
    assert errors(path) == ["M620", "M620"]
    done, found = scored(path)
    assert done is not None, told(found)
    assert found == []
    assert next(iter(done.read.values())).documents == 0
    manifest = compiled(path)
    stage = next(row for row in manifest.plan if row.stage == "score")
    assert stage.parameters["origin"] == "imported"
    assert stage.parameters["precision"] == "float32"
    assert "examples_content" not in stage.parameters
    here = exported.parent / "pool.mix"
    there = compiled(here)
    assert [row.tokens for row in manifest.supply] == [row.tokens for row in there.supply]
    assert selection(path, tmp_path / "out") == selection(here, tmp_path / "there")
    assert next(row for row in there.plan if row.stage == "score").parameters["content"] != stage.parameters["content"]
    assert explain(str(path.with_suffix(".manifest.json")), nearest="code") == 0
    again = tmp_path / "again"
    assert ran("export", path, "-o", again)[0] == 0
    assert files(again) == files(exported)


def test_the_order_of_files_and_rows_says_nothing(tmp_path: Path, tiny: Path, exported: Path) -> None:
    made = []
    every = [line for file in sorted(exported.rglob("documents/**/*.jsonl")) for line in file.read_text().splitlines()]
    for name, order in (("one", every), ("two", every[::-1])):
        (tmp_path / name).mkdir()
        path = without_model(tmp_path / name, tiny, RATED)
        half = tmp_path / name / "features"
        half.mkdir()
        (half / "1.jsonl").write_text("\n".join(order[:50]) + "\n")
        (half / "2.jsonl").write_text("\n".join(order[50:]) + "\n")
        assert ran("import", path, half / "2.jsonl", half / "1.jsonl", *SHAPE)[0] == 0
        made.append(kept(tmp_path / name))
    assert made[0] == made[1]


def test_examples_may_be_read_here_with_a_warning(tmp_path: Path, tiny: Path, exported: Path) -> None:
    path = pool(tmp_path, tiny, GATED)
    code, _, wrong = ran("import", path, exported / "documents", "--precision", "bfloat16")
    assert (code, wrong) == (0, "")  # layers and width are the model's
    done, found = scored(path)
    assert done is not None, told(found)
    assert [one.code for one in found] == ["M616"]
    assert found[0].notes == ("imported in bfloat16 precision, read here in float32",)
    shown(
        "M616",
        found,
        about="Features were imported, those of the examples were not.",
        command="mixc score pool.mix",
        at=tmp_path,
    )
    assert next(iter(done.read.values())).documents == 6
    stage = next(row for row in compiled(path).plan if row.stage == "score")
    assert {"origin", "examples_content", "examples_precision"} <= stage.parameters.keys()
    assert explain(str(path.with_suffix(".manifest.json")), nearest="science") == 0


def test_examples_of_another_shape_are_no_match(tmp_path: Path, tiny: Path, exported: Path) -> None:
    path = pool(tmp_path, tiny, GATED)
    assert ran("import", path, exported / "documents", "--layers", 3, "--width", WIDTH + 1)[0] == 0
    done, found = scored(path)
    assert done is None
    assert [one.code for one in found] == ["M591"]
    assert found[0].notes == ("width: found 41, asked for 40",)
    about = "Features were imported with `--width 41`; the model has 40 neurons in a layer."
    shown("M591", found, about=about, command="mixc score pool.mix", at=tmp_path, numbers=False)


def test_removing_lets_the_model_read_again(tmp_path: Path, tiny: Path, exported: Path) -> None:
    path = pool(tmp_path, tiny, RATED)
    scored(path)
    before = compiled(path)
    assert ran("import", path, exported / "documents")[0] == 0
    assert errors(path) == ["M620"]
    assert ran("remove", path)[1] == "1 import removed\n"
    assert compiled(path) == before
    assert ran("remove", path)[1] == "nothing was imported\n"
    assert sorted((tmp_path / ".mixc" / "features").glob(".import*")) == []


def test_documents_that_came_later_are_told(tmp_path: Path, tiny: Path, exported: Path) -> None:
    path = without_model(tmp_path, tiny, RATED)
    science = f"science={exported / 'targets' / 'science.jsonl'}"
    assert ran("import", path, exported / "documents", "--examples", science, *SHAPE)[0] == 0
    (tmp_path / "data" / "c.jsonl").write_text(json.dumps(rows()[0] | {"id": "new"}) + "\n")
    done, found = scored(path)
    assert done is None
    assert [one.code for one in found] == ["M619"]
    assert "1 of 4 parts" in found[0].message
    about = "A file of documents came after `mixc features import`."
    shown("M619", found, about=about, command="mixc score pool.mix", at=tmp_path)


def test_examples_that_changed_are_read_by_the_model(tmp_path: Path, tiny: Path, exported: Path) -> None:
    path = without_model(tmp_path, tiny, RATED)
    science = f"science={exported / 'targets' / 'science.jsonl'}"
    assert ran("import", path, exported / "documents", "--examples", science, *SHAPE)[0] == 0
    with (tmp_path / "science.jsonl").open("a") as file:
        file.write('{"text": "one more"}\n')
    done, found = scored(path)
    assert done is None
    assert [one.code for one in found] == ["M604"]  # and it is not here


def test_ids_are_text_and_files_without_ids_go_by_their_texts(tmp_path: Path, tiny: Path) -> None:
    """Of documents without an id the id is a hash of the text, out and in; "001" is not 1."""
    text = RATED.replace('columns = { id: "id", ', "columns = { ")
    every = [{key: value for key, value in row.items() if key != "id"} | {"id": None} for row in rows(1)]
    path = pool(tmp_path, tiny, text, every)
    for file in (tmp_path / "data").iterdir():
        if file.suffix == ".parquet":
            pq.write_table(pq.read_table(file).drop_columns(["id"]), file)
        else:
            cut = [{key: value for key, value in row.items() if key != "id"} for row in lines(file)]
            file.write_text("".join(json.dumps(row) + "\n" for row in cut))
    scored(path)
    out = tmp_path / "out"
    assert ran("export", path, "-o", out)[0] == 0
    assert all(feature(row)[0] >= 0 for row in lines(out / "documents" / "crawl" / "data_a.parquet.jsonl"))
    code, said, wrong = ran("import", path, out / "documents")
    assert (code, wrong) == (0, "")
    assert "features of 60 documents" in said


def feature(row: dict[str, object]) -> list[int]:
    """The neurons of a row."""
    found = row["fwd_up_feature"]
    assert isinstance(found, dict)
    neurons: list[int] = found["layer_topk_value_index"]
    return neurons


def rewritten(path: Path, change: Callable[[dict[str, object]], dict[str, object] | None]) -> None:
    """A file of features with every row changed, or left out."""
    changed = [change(row) for row in lines(path)]
    path.write_text("".join(json.dumps(row) + "\n" for row in changed if row is not None))


def spoiled(id: str, neurons: object) -> Callable[[dict[str, object]], dict[str, object]]:
    """What puts other neurons in the row of one id."""

    def change(row: dict[str, object]) -> dict[str, object]:
        return row | {"fwd_up_feature": {"layer_topk_value_index": neurons}} if row["docid"] == id else row

    return change


ABOUT = {
    "`008` stands twice": 'Two lines of the file say `"docid": "008"`.',
    "has 14 neurons, not 3 layers x 5": "A line of the file lists 14 neurons.",
    "line 8": "A line of the file lists `NaN` among its neurons.",
    "row 8": "A line of the file lists no neurons but `null`.",
}


@pytest.mark.parametrize(
    ("change", "code", "part"),
    [
        (lambda row: None if row["docid"] == "007" else row, "M612", "without features: `007`"),
        (lambda row: row | {"docid": int(str(row["docid"]))}, "M612", "ids of features in no document: `0`, `1`, `2`"),
        (lambda row: row | {"docid": "008"} if row["docid"] == "007" else row, "M595", "`008` stands twice"),
        (spoiled("007", [1] * 14), "M592", "has 14 neurons, not 3 layers x 5"),
        (spoiled("007", [40] * 15), "M593", "`007`"),
        (spoiled("007", [1] * 14 + [-1]), "M593", "`007`"),
        (spoiled("007", [1] * 14 + [float("nan")]), "M590", "line 8"),
        (spoiled("007", None), "M594", "row 8"),
    ],
)
def test_features_that_do_not_fit(
    tmp_path: Path, tiny: Path, exported: Path, change: Callable[..., dict[str, object] | None], code: str, part: str
) -> None:
    path = without_model(tmp_path, tiny, RATED)
    mine = tmp_path / "features"
    mine.mkdir()
    for file in (exported / "documents" / "crawl").iterdir():
        (mine / file.name).write_bytes(file.read_bytes())
    rewritten(mine / "data_a.parquet.jsonl", change)
    status, _, wrong = ran("import", path, mine, *SHAPE)
    assert status == 1
    assert f"error[{code}]" in wrong
    if part in ABOUT:
        shown(code, wrong, about=ABOUT[part], command=f"{IMPORT} --layers 3 --width 40", at=tmp_path)
    assert part in wrong
    left = [file.name for file in (tmp_path / ".mixc" / "features").rglob("*") if file.is_file()]
    assert left == []


def test_documents_without_features_may_be_left_without_a_score(tmp_path: Path, tiny: Path, exported: Path) -> None:
    path = pool(tmp_path, tiny, GATED.replace("<= 4", "<= 8"))
    status, _, wrong = ran("import", path, exported / "documents" / "crawl" / "data_b.jsonl.jsonl", "--missing=skip")
    assert status == 0
    assert "warning[M612]" in wrong
    assert "88 of 180 documents have no features" in wrong  # two of the 90 have no text
    about = "The features are those of one of two files of documents."
    shown("M612", wrong, about=about, command=f"{IMPORT} --missing=skip", at=tmp_path)
    scored(path)
    compiled(path)
    taken = selection(path, tmp_path / "out")
    assert taken
    assert not set(taken) & {str(row["id"]) for row in rows()[:90]}


def test_equal_rows_of_one_id_are_one(tmp_path: Path, tiny: Path, exported: Path) -> None:
    path = without_model(tmp_path, tiny, RATED)
    again = tmp_path / "again.jsonl"
    again.write_bytes((exported / "documents" / "crawl" / "data_a.parquet.jsonl").read_bytes())
    code, said, wrong = ran("import", path, exported / "documents", again, *SHAPE)
    assert (code, wrong) == (0, "")
    assert "features of 180 documents" in said


def test_features_of_other_documents_are_told(tmp_path: Path, tiny: Path, exported: Path) -> None:
    path = pool(tmp_path, tiny, RATED, rows(2))
    status, _, wrong = ran("import", path, exported / "documents")
    assert status == 0
    assert "warning[M613]" in wrong
    assert "60 of 180 features are of no document of the recipe" in wrong
    about = "The folder `features` holds those of 180 documents; the recipe has 120."
    shown("M613", wrong, about=about, command=IMPORT, at=tmp_path)


def test_an_id_of_two_sources_says_nothing(tmp_path: Path, tiny: Path, exported: Path) -> None:
    second = (
        RATED[RATED.index("source crawl") : RATED.index("target")].replace("crawl", "books").replace('"data"', '"more"')
    )
    path = pool(tmp_path, tiny, RATED.replace("target science", second + "target science"))
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "a.jsonl").write_text(json.dumps(rows()[0] | {"text": "another"}) + "\n")
    status, _, wrong = ran("import", path, exported / "documents")
    assert status == 1
    assert "error[M618]" in wrong
    assert "`000` is of several documents, of `books`, `crawl`" in wrong
    about = "Two sources hold a document with the id `000`."
    shown("M618", wrong, about=about, command=IMPORT, at=tmp_path)


def test_examples_of_another_number(tmp_path: Path, tiny: Path, exported: Path) -> None:
    path = pool(tmp_path, tiny, RATED)
    with (tmp_path / "science.jsonl").open("a") as file:
        file.write('{"text": "one more"}\n')
    science = f"science={exported / 'targets' / 'science.jsonl'}"
    status, _, wrong = ran("import", path, exported / "documents", "--examples", science)
    assert status == 1
    assert "error[M615]" in wrong
    assert "targets/science.jsonl` has 6 features, and `science.jsonl` has 7 examples" in wrong
    about = "A line was added to `science.jsonl` after its features were made."
    command = f"{IMPORT} --examples science=targets/science.jsonl"
    shown("M615", wrong.replace(f"{exported}/", ""), about=about, command=command, at=tmp_path)


def test_a_model_that_is_not_here_has_no_known_shape(tmp_path: Path, tiny: Path, exported: Path) -> None:
    path = without_model(tmp_path, tiny, RATED.replace('"model"', '"model.gguf"'))
    status, _, wrong = ran("import", path, exported / "documents")
    assert status == 1
    assert "error[M614]" in wrong
    assert "--layers 28 --width 6144" in wrong
    about = "The target names `model.gguf`, which is not here."
    shown("M614", wrong, about=about, command=IMPORT, at=tmp_path)


def test_keys_and_values_are_imported_with_their_examples(tmp_path: Path, tiny: Path, exported: Path) -> None:
    path = pool(tmp_path, tiny, RATED.replace("top_k = 5", "top_k = 5, projection = k"))
    status, _, wrong = ran("import", path, exported / "documents")
    assert status == 1
    assert "error[M616]" in wrong


def test_nothing_to_export_and_nowhere(tmp_path: Path, tiny: Path, exported: Path) -> None:
    path = pool(tmp_path, tiny, RATED)
    status, _, wrong = ran("export", path, "-o", tmp_path / "out")
    assert status == 1
    export = "mixc features export pool.mix -o"
    shown("M620", wrong, about="`mixc score` has not run yet.", command=f"{export} out", at=tmp_path)
    scored(path)
    status, _, wrong = ran("export", path, "-o", tmp_path / "data")
    assert status == 1
    shown("M617", wrong, about="The folder `data` holds documents.", command=f"{export} data", at=tmp_path)
    (tmp_path / "data" / "c.jsonl").write_text(json.dumps(rows()[0] | {"id": "new"}) + "\n")
    status, _, wrong = ran("export", path, "-o", tmp_path / "out")
    assert status == 1
    shown("M621", wrong, about="A file came after `mixc score`.", command=f"{export} out", at=tmp_path)
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".out*"))


def test_targets_that_look_at_different_neurons(tmp_path: Path, tiny: Path, exported: Path) -> None:
    path = pool(tmp_path, tiny, TWO.replace("top_k = 5, tokens = 40, fraction = 40%, weight", "top_k = 4, tokens = 40, "
                                            "fraction = 40%, weight"))  # fmt: skip
    with pytest.raises(typer.BadParameter, match="say which, `--target` one of code, science"):
        ran("export", path, "-o", tmp_path / "out")
    assert ran("import", path, exported / "documents", "--target", "science")[0] == 0
    for words in (["--target", "sience"], ["--target=science", "--examples", "x"], ["--examples", "code=x"]):
        with pytest.raises(typer.BadParameter):
            ran("import", path, exported / "documents", *words)
