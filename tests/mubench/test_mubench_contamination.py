"""Benchmark items in a pool: what a run of words is, what is found and by whom, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixc.backends.mubench.contamination import Contamination, search
from mixc.backends.mubench.items import Item, read_items
from mixc.backends.mubench.ngrams import gram_length, hashed, tokens
from mixc.backends.mubench.plan import plan
from mixc.compiler.documents.data import Wanted
from mixc.compiler.executor import run_on
from mixc.compiler.progress import Quiet
from mixc.compiler.recipe import Source
from mixc.compiler.scan.find import find
from mixc.compiler.scan.plan import Counting, SourcePlan
from mixc.dsl.diagnostics import Diagnostic
from tests.cli.ran import Ran
from tests.examples import shown

Mixc = Callable[..., Ran]
QUESTION = "The seven ferries leave the old harbour before sunrise, so the baker who sends bread to the islands"
ANSWER = "starts his oven while the whole town is still asleep."
CHINESE = "清晨的渡船在日出之前离开老港口，所以给岛上送面包的师傅在全城还睡着的时候就点燃了他的烤炉。"
SHORT = "A river flows to the sea"
COMMAND = "mixc contamination pool.manifest.json --dataset-root items"
RECIPE = """recipe pool
source web {
  path    = "data/*.parquet"
  columns = { id: "id", TEXTlanguage: "lang", tokens: "n" }
  domain  = pages
  epochs  <= 4
}
languages [en, zh] { priority = 1.0 }
budget { model = 1M params, tokens = 1M tokens, seed = 17 }
evaluate { suite = mubench }
"""


def test_tokens_are_words_without_marks_of_form() -> None:
    assert tokens("Der Fluß, ＡＢＣ—fließt\n12 km!") == ["der", "fluss", "abc", "fliesst", "12", "km"]
    assert tokens("नमस्ते दुनिया") == ["नमस्ते", "दुनिया"]  # vowel signs belong to their word
    assert tokens("渡船 is 船.") == ["渡", "船", "is", "船"]
    assert tokens("ไทย") == list("ไทย")
    assert tokens("... —") == []


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("a " * 7, None),
        ("a " * 8, 8),
        ("a " * 13, 13),
        ("a " * 90, 13),
        ("渡" * 15, None),
        ("渡" * 16, 16),
        ("渡" * 99, 26),
    ],
)
def test_how_many_in_a_row_betray_an_item(text: str, length: int | None) -> None:
    assert gram_length(tokens(text)) == length


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=6), max_size=5), st.integers(1, 4))
def test_runs_have_one_hash_wherever_they_stand(texts: list[list[str]], length: int) -> None:
    made = hashed(" ".join(words) for words in texts)
    hashes, of = made.grams(length)
    runs = [
        (number, tuple(words[i : i + length]))
        for number, words in enumerate(texts)
        for i in range(len(words) - length + 1)
    ]
    assert of.tolist() == [number for number, _ in runs]
    by_run: dict[tuple[str, ...], set[int]] = {}
    for (_, run), value in zip(runs, hashes.tolist(), strict=True):
        by_run.setdefault(run, set()).add(value)
    assert all(len(values) == 1 for values in by_run.values())
    assert len({value for values in by_run.values() for value in values}) == len(by_run)


def documents() -> dict[str, tuple[str, str]]:
    """Language and text by id; `leak` holds the English item in other capitals, `leck` the Chinese one."""
    text = f"{QUESTION} {ANSWER}"
    words = text.split()
    return {
        "clean": ("en", "Nothing of this stands in any test. " * 9),
        "leak": ("en", f"Intro. {text.upper()} Outro."),
        "part": ("en", f"He said: {' '.join(words[3:16])}, and left"),
        "near": ("en", f"He said: {' '.join(words[3:15])} quietly"),
        "split": ("en", f"{' '.join(words[:9])} xx {' '.join(words[9:18])}"),
        "leck": ("zh", f"前言。{CHINESE}后记。"),
        "sauber": ("zh", "这里没有任何考题的内容。" * 6),
        "short": ("en", SHORT * 3),
    }


def write_pool(folder: Path, rows: dict[str, tuple[str, str]], cut: int = 5) -> None:
    (folder / "data").mkdir(parents=True)
    ids = list(rows)
    for name, part in (("a", ids[:cut]), ("b", ids[cut:])):
        table = pa.table({
            "id": part, "text": [rows[id][1] for id in part], "lang": [rows[id][0] for id in part],
            "n": pa.array([500_000] * len(part), pa.int64()),
        })  # fmt: skip
        pq.write_table(table, folder / "data" / f"{name}.parquet", row_group_size=2)


def items() -> list[Item]:
    return [
        Item("hellaswag_en_mubench", "en", "1", f"{QUESTION} {ANSWER}"),
        Item("hellaswag_zh_mubench", "zh", "1", CHINESE),
        Item("hellaswag_en_mubench", "en", "2", SHORT),
        Item("hellaswag_en_mubench", "en", "3", "no document anywhere says this sentence of more than eight words"),
    ]


def searched(
    folder: Path, wanted: Sequence[Item], workers: int = 1, id: str | None = "id"
) -> tuple[Contamination | None, list[Diagnostic]]:
    files, found = find(Source("web", "web", paths=("data/*.parquet",)), {}, folder)
    assert not found
    source = SourcePlan("web", ("data/*.parquet",), Wanted(id=id), Counting("column", "n"), None, "web", text="text")
    return run_on("local", workers, lambda e: search(wanted, files, {"web": source}, folder, (e, Quiet())))


def pairs(done: Contamination | None) -> list[tuple[str, str]]:
    assert done is not None
    return [(f"{done.items[hit.item].language}:{done.items[hit.item].id}", hit.document) for hit in done.hits]


def test_items_are_found_in_any_form_of_the_text(tmp_path: Path) -> None:
    write_pool(tmp_path, documents())
    done, found = searched(tmp_path, items())
    assert pairs(done) == [("en:1", "leak"), ("en:1", "part"), ("zh:1", "leck")]
    assert done is not None
    assert (done.documents, done.checked.tolist()) == (8, [True, True, False, True])
    assert [one.code for one in found] == ["M685"]
    assert not list((tmp_path / ".mixc").rglob("*.npz"))


def test_neither_workers_nor_files_nor_order_matter(tmp_path: Path) -> None:
    rows = documents()
    write_pool(tmp_path / "one", rows)
    write_pool(tmp_path / "two", dict(reversed(list(rows.items()))), cut=2)
    expected = pairs(searched(tmp_path / "one", items())[0])
    assert pairs(searched(tmp_path / "one", items(), workers=2)[0]) == expected
    assert pairs(searched(tmp_path / "two", items())[0]) == expected


def test_documents_without_ids_are_named_by_their_text(tmp_path: Path) -> None:
    write_pool(tmp_path, documents())
    named = pairs(searched(tmp_path, items(), id=None)[0])
    assert len(named) == 3
    assert all(len(document) == 32 for _, document in named)


def test_words_that_many_items_share_are_no_sign(tmp_path: Path) -> None:
    frame = "Say whether the second of the two sentences follows from the first one, or not, or contradicts it"
    many = [
        Item("snli_en_mubench", "en", str(i), f"{frame} {i} {' '.join(f'w{i}x{j}' for j in range(13))}")
        for i in range(11)
    ]
    write_pool(tmp_path, {"frame": ("en", frame), "item": ("en", many[4].text), "other": ("en", "x")}, cut=1)
    done, _ = searched(tmp_path, many)
    assert pairs(done) == [("en:4", "item")]
    assert pairs(searched(tmp_path, many[:10])[0])[0] == ("en:0", "frame")  # ten may share it by chance


def test_an_empty_pool_and_no_item_are_fine(tmp_path: Path) -> None:
    write_pool(tmp_path, {"a": ("en", ""), "b": ("en", "…")}, cut=1)
    assert pairs(searched(tmp_path, items())[0]) == []
    assert pairs(searched(tmp_path, [])[0]) == []


def write_items(root: Path, **changed: Any) -> None:
    rows = {
        "en": [(QUESTION, ["sleeps.", ANSWER, "sings.", "swims."], 1, "1"), (SHORT, ["a", "b", "c", "d"], 0, "2")],
        "zh": [(CHINESE, ["一", "二", "三", "四"], 3, "1")],
    }
    for code, lines in rows.items():
        path = root / f"HellaswagDataset_lighteval_{code}" / "test.jsonl"
        path.parent.mkdir(parents=True)
        made = [dict(zip(("prompt", "choices", "label", "_id"), line, strict=True)) | changed for line in lines]
        path.write_text("".join(json.dumps(one) + "\n" for one in made))


@pytest.mark.parametrize(
    "changed",
    [
        {"prompt": None},
        {"_id": None},
        {"choices": "abc"},
        {"label": 7},
        {"label": True},
        {"label": -1},
        {"choices": [1] * 4},
    ],
)
def test_items_that_say_too_little_are_named(changed: dict[str, Any], tmp_path: Path) -> None:
    write_items(tmp_path, **changed)
    _, found = read_items(tmp_path, plan(["en", "zh"], "early", 1e9, None)[0])
    assert found[0].code == "M681"
    assert found[0].subject == "HellaswagDataset_lighteval_en/test.jsonl:1"
    if changed == {"label": 7}:
        shown(
            "M681",
            found,
            files=[tmp_path / found[0].subject.split(":")[0]],
            command="mixc contamination pool.manifest.json --dataset-root items",
            at=tmp_path,
        )


def test_items_are_read_with_labels_as_digits_too(tmp_path: Path) -> None:
    write_items(tmp_path, label="0")
    made, found = read_items(tmp_path, plan(["en", "zh"], "early", 1e9, None)[0])
    assert [one.id for one in made] == ["1", "2", "1"]
    assert made[0].text == f"{QUESTION} sleeps."
    assert [one.code for one in found] == ["M682"]
    (tmp_path / "HellaswagDataset_lighteval_en" / "test.jsonl").write_text("{\n")
    assert read_items(tmp_path, plan(["en"], "early", 1e9, None)[0])[1][0].code == "M681"
    assert read_items(tmp_path / "none", plan(["en"], "early", 1e9, None)[0])[1][0].code == "M680"


@pytest.fixture
def folder(tmp_path: Path, mixc: Mixc) -> Path:
    """A pool that was scanned and compiled, and items beside it."""
    write_pool(tmp_path, documents())
    (tmp_path / "pool.mix").write_text(RECIPE.replace("TEXT", 'text: "text", '))
    for command in ("scan", "compile"):
        ran = mixc(command, "pool.mix")
        assert ran.code == 0, ran.err
    write_items(tmp_path / "items")
    return tmp_path


def run(mixc: Mixc, *arguments: str) -> Ran:
    return mixc("contamination", "pool.manifest.json", "--dataset-root", "items", "--workers", "1", *arguments)


def test_the_command_reports_and_lists(folder: Path, mixc: Mixc) -> None:
    ran = run(mixc, "-o", "found.jsonl")
    assert ran.code == 1
    assert "error[M684]: 2 of 2 benchmark items stand in 3 documents" in ran.err
    command = "mixc contamination pool.manifest.json --dataset-root items -o found.jsonl"
    shown(
        "M684",
        ran.err,
        about="Two documents hold a question of HellaSwag in English, one holds one in Chinese.",
        command=command,
    )
    shown("M682", ran.err, about="`items` holds HellaSwag in English and in Chinese.", command=command)
    shown("M685", ran.err, about='An item asks: "A river flows to the sea".', command=command)
    assert "warning[M682]: 6 of 8 tasks have no items" in ran.err
    assert "warning[M685]: 1 of 3 items are too short" in ran.err
    assert [line.split() for line in ran.out.splitlines()[1:3]] == [
        ["hellaswag_en_mubench", "en", "2", "1", "1", "100.00%", "web:leak,", "web:part"],
        ["hellaswag_zh_mubench", "zh", "1", "1", "1", "100.00%", "web:leck"],
    ]
    rows = [json.loads(line) for line in (folder / "found.jsonl").read_text().splitlines()]
    assert [(row["item"], row["document"]) for row in rows] == [("1", "leak"), ("1", "part"), ("1", "leck")]
    data = json.loads(run(mixc, "-o", "found.parquet", "--format", "json").out)
    assert data["found"] == rows == pq.read_table(folder / "found.parquet").to_pylist()
    assert (data["documents"], [one["found"] for one in data["tasks"]]) == (8, [1, 1])


def test_a_clean_pool_is_told_and_bad_names_refused(folder: Path, mixc: Mixc) -> None:
    for path in (folder / "items").rglob("test.jsonl"):
        path.write_text(json.dumps({"prompt": "word " * 20, "choices": ["a", "b"], "label": 0, "_id": 1}) + "\n")
    ran = run(mixc, "-o", "found.parquet")
    assert ran.code == 0
    assert ran.out.endswith("8 documents searched: none of the items is among them\n")
    assert pq.read_table(folder / "found.parquet").num_rows == 0
    command = "mixc contamination pool.manifest.json --dataset-root"
    shown("M687", run(mixc, "-o", "found.csv").err, command=f"{command} items -o found.csv")
    (folder / "file").write_text("")
    assert "error[M678]" in run(mixc, "-o", "file/found.jsonl").err
    gone = mixc("contamination", "pool.manifest.json", "--dataset-root", "gone").err
    shown("M680", gone, about="There is no folder `gone`.", command=f"{command} gone")


def test_a_source_without_texts_is_refused(tmp_path: Path) -> None:
    write_pool(tmp_path, documents())
    files, _ = find(Source("web", "web", paths=("data/*.parquet",)), {}, tmp_path)
    source = SourcePlan("web", ("data/*.parquet",), Wanted(id="id"), Counting("column", "n"), None, "web")
    done, found = run_on("local", 1, lambda e: search(items(), files, {"web": source}, tmp_path, (e, Quiet())))
    assert (done, [one.code for one in found]) == (None, ["M683"])
    shown("M683", found, about='Source `web` has `columns = { id: "id", tokens: "n" }`.', command=COMMAND)


def test_what_fails_for_another_reason_is_told(tmp_path: Path) -> None:
    write_pool(tmp_path, documents())
    (tmp_path / ".mixc").write_text("a file where a folder has to be")
    done, found = searched(tmp_path, items())
    assert (done, [one.code for one in found]) == (None, ["M686"])
    shown(
        "M686",
        found,
        about="`.mixc`, the folder for what is kept between runs, is a file.",
        command=COMMAND,
        at=tmp_path,
    )


def test_hashes_are_spread(tmp_path: Path) -> None:
    values, _ = hashed([" ".join(str(i) for i in range(5000))]).grams(13)
    assert len(np.unique(values)) == len(values) == 4988
    assert abs(np.bitwise_count(values).mean() - 32) < 0.5
