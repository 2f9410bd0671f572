"""Pairs: balanced, deterministic, each once; and all that can be wrong with what they are made of."""

from __future__ import annotations

import json
import random
from collections import Counter
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixc.backends.murating import pairs as pairs_module
from mixc.backends.murating.backend import PairSettings, make_pairs
from mixc.backends.murating.candidates import between, ring, same
from mixc.backends.murating.pair_files import read_pairs, texts_path
from mixc.backends.murating.pairing import Paired
from mixc.backends.murating.pairs import components, shared
from mixc.compiler.cli.guard import guarded
from mixc.compiler.progress import Quiet
from mixc.dsl.diagnostics import Diagnostic, has_errors
from tests.examples import shown
from tests.murating.tiny import RATERS, codes, documents, lines, paired, translated

PAIRS = "mixc rater pairs docs.jsonl --raters edu,dclm,askllm -o pairs.jsonl"


def made(
    folder: Path, rows: list[Any], parallel: list[Any] | None = None, **more: Any
) -> tuple[Paired | None, list[Diagnostic]]:
    paths = () if parallel is None else (lines(folder / "parallel.jsonl", parallel),)
    given = {"documents": (lines(folder / "docs.jsonl", rows),), "raters": RATERS, "parallel": paths, "pairs": 600}
    with chdir(folder):  # where a user would be
        return make_pairs(PairSettings(**(given | more)), folder / "pairs.jsonl", Quiet())


@given(st.integers(0, 9))
def test_a_ring_gives_every_pair_once(count: int) -> None:
    found = [pair for a, b in ring(np.arange(count)) for pair in zip(a.tolist(), b.tolist(), strict=True)]
    assert len(found) == len({frozenset(pair) for pair in found}) == count * (count - 1) // 2
    assert all(a != b for a, b in found)


@given(st.sets(st.integers(0, 12)), st.sets(st.integers(0, 12)))
def test_two_circles_give_every_pair_of_them_once(one: set[int], other: set[int]) -> None:
    first, second = (np.array(sorted(some), dtype=np.intp) for some in (one, other))
    found = [pair for a, b in between(first, second) for pair in zip(a.tolist(), b.tolist(), strict=True)]
    assert sorted(found) == sorted((a, b) for a in one for b in other if a != b)
    (both,) = same(first, second)
    assert both[0].tolist() == both[1].tolist() == sorted(one & other)


@given(st.integers(0, 60), st.lists(st.integers(0, 20), max_size=6))
def test_shares_are_equal_until_someone_has_no_more(total: int, stock: list[int]) -> None:
    taken = [0] * len(stock)

    def taker(i: int) -> Any:
        def take(wanted: int) -> int:
            got = min(wanted, stock[i] - taken[i])
            taken[i] += got
            return got

        return take

    assert shared(total, [taker(i) for i in range(len(stock))]) == sum(taken) == min(total, sum(stock))
    left = [taken[i] for i in range(len(stock)) if taken[i] < stock[i]]
    assert not left or max(left) - min(left) <= 1
    assert not left or max(taken) <= max(left) + 1


def test_languages_that_pairs_connect() -> None:
    assert components([("en", "de"), ("fr", "es"), ("de", "de")], ["de", "en", "es", "fr", "it"]) == [
        ["de", "en"], ["es", "fr"], ["it"],
    ]  # fmt: skip


def test_kinds_targets_and_names(tmp_path: Path) -> None:
    rows = documents(90)
    path = paired(tmp_path, rows, translated(rows), pairs=300)
    scores = {row["id"]: row for row in rows}
    seen = set()
    for line in path.read_text().splitlines():
        pair = json.loads(line)
        assert list(pair) == ["id_a", "lang_a", "id_b", "lang_b", "kind", "p", "votes", "src_pair"]
        one, other = (scores[id] for id in pair["src_pair"])
        names = [
            row["id"] + ("" if row["language"] == lang else f"@{lang}")
            for row, lang in ((one, pair["lang_a"]), (other, pair["lang_b"]))
        ]
        assert [pair["id_a"], pair["id_b"]] == names
        seen.add(frozenset(names))
        if pair["kind"] == "parallel":
            assert one is other and pair["p"] == 0.5 and pair["votes"] == [] and pair["lang_a"] != pair["lang_b"]
            continue
        votes = [1 if one[r] > other[r] else 0 if one[r] < other[r] else 0.5 for r in RATERS.split(",")]
        assert pair["votes"] == votes and pair["p"] == sum(votes) / 3 and abs(2 * pair["p"] - 1) >= 0.5 - 1e-9
        assert (pair["lang_a"] == pair["lang_b"]) == (pair["kind"] == "mono") and one is not other
    assert len(seen) == len(path.read_text().splitlines())
    table = read_pairs(path)
    text_of = dict(zip(table.ids, table.texts, strict=True))
    first = rows[0]["id"]
    assert text_of[first] == rows[0]["text"]
    assert all(text_of[id].startswith(id.partition("@")[2]) for id in table.ids)


def test_kinds_are_balanced_over_languages(tmp_path: Path) -> None:
    rows = documents(60, ["en"]) + [row | {"id": f"x{row['id']}"} for row in documents(300, ["de"], seed=2)]
    paired(tmp_path, rows, translated(rows[:60], ["de", "en", "fr"]), pairs=240)
    found = [json.loads(line) for line in (tmp_path / "pairs.jsonl").read_text().splitlines()]
    mono = Counter(pair["lang_a"] for pair in found if pair["kind"] == "mono")
    cross = Counter((pair["lang_a"], pair["lang_b"]) for pair in found if pair["kind"] == "cross")
    assert set(mono.values()) == {80} and set(cross.values()) == {80} and len(cross) == 3
    used = Counter(id for pair in found if pair["kind"] == "mono" for id in pair["src_pair"])
    assert max(used.values()) <= 20


def test_the_same_pairs_however_rows_and_files_lie(tmp_path: Path) -> None:
    rows = documents(200)
    parallel = translated(rows[:100])
    whole = tmp_path / "whole"
    whole.mkdir()
    paired(whole, rows, parallel)
    order = random.Random(7)
    for trial in range(3):
        folder = tmp_path / f"{trial}"
        folder.mkdir()
        order.shuffle(rows)
        order.shuffle(parallel)
        cut, names = 10 + 60 * trial, []
        for number, some in enumerate((rows[cut:], rows[:cut])):
            pq.write_table(pa.Table.from_pylist(some), folder / f"{number}.parquet", row_group_size=7)
            names.append(str(folder / f"{number}.parquet"))
        settings = PairSettings(tuple(names), RATERS, (lines(folder / "p.jsonl", parallel),), 600)
        _, found = make_pairs(settings, folder / "pairs.jsonl", Quiet())
        assert not has_errors(found)
        assert (folder / "pairs.jsonl").read_bytes() == (whole / "pairs.jsonl").read_bytes()
        columns = [pq.read_table(texts_path(place / "pairs.jsonl")).to_pydict() for place in (folder, whole)]
        assert columns[0] == columns[1]


def test_two_runs_are_equal_to_the_byte_and_another_seed_differs(tmp_path: Path) -> None:
    path = paired(tmp_path, documents(90))
    before = [path.read_bytes(), texts_path(path).read_bytes()]
    paired(tmp_path, documents(90))
    assert [path.read_bytes(), texts_path(path).read_bytes()] == before
    paired(tmp_path, documents(90), pairs=50)
    few = path.read_bytes()
    paired(tmp_path, documents(90), pairs=50, seed=1)
    assert path.read_bytes() != few


def test_what_is_held_does_not_decide_what_is_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few pairs of many documents: those of the lowest hashes, though all were seen."""
    rows = documents(9000, ["en"])
    path = paired(tmp_path, rows, pairs=20)
    few = path.read_bytes()
    paired(tmp_path, rows[::-1], pairs=20)
    assert path.read_bytes() == few


def test_an_id_with_the_mark_is_no_translation(tmp_path: Path) -> None:
    rows = documents(60, ["en"])
    rows[1]["id"] = f"{rows[0]['id']}@fr"
    path = paired(tmp_path, rows, translated(rows, ["en", "fr"]))
    ids = read_pairs(path).ids
    assert rows[1]["id"] in ids and f"{rows[0]['id']}@@fr" in ids and len(set(ids)) == len(ids) == 120


def test_candidates_have_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs_module, "LEAST", 10)
    monkeypatch.setattr(pairs_module, "TRIES", 1)
    rows = [row | {"edu": 1, "dclm": i % 2, "askllm": -(i % 2)} for i, row in enumerate(documents(50, ["en"]))]
    _, found = made(tmp_path, rows, pairs=10)
    assert codes(found) == ["M636"]


def test_contradictory_votes_leave_nothing(tmp_path: Path) -> None:
    rows = [row | {"dclm": -row["askllm"], "edu": 1} for row in documents(30, ["en"])]
    found = made(tmp_path, rows)
    assert found[0] is None and codes(found[1]) == ["M636"]
    assert "contradict each other on all of 435 pairs" in found[1][0].message
    about = "What `dclm` rates high, `askllm` rates low; `edu` rates all documents alike."
    shown("M636", found[1], about=about, command=PAIRS, at=tmp_path)
    assert not (tmp_path / "pairs.jsonl").exists() and not texts_path(tmp_path / "pairs.jsonl").exists()


def test_one_document_makes_no_pair(tmp_path: Path) -> None:
    found = made(tmp_path, documents(3))
    assert found[0] is None and codes(found[1]) == ["M636"] and "3 rated documents make no pair" in found[1][0].message


def test_one_rater_is_told(tmp_path: Path) -> None:
    result, found = made(tmp_path, documents(60, ["en"]), raters="dclm")
    assert result is not None and codes(found) == ["M635"]
    shown("M635", found, command="mixc rater pairs docs.jsonl --raters dclm -o pairs.jsonl", at=tmp_path)


def test_a_language_without_pairs_is_told_with_the_reason(tmp_path: Path) -> None:
    rows = [*documents(60, ["en"]), documents(1, ["it"])[0] | {"id": "lonely"}]
    rows += [row | {"id": f"c{row['id']}", "dclm": -row["askllm"], "edu": 0} for row in documents(20, ["fr"])]
    result, found = made(tmp_path, rows)
    assert result is not None and codes(found) == ["M637"]
    about = "The raters contradict each other on all documents in French; one document is in Italian."
    shown("M637", found, about=about, command=PAIRS, at=tmp_path)
    assert (
        "fr, it" in found[0].message and "contradict" in found[0].notes[0] and "no two documents" in found[0].notes[1]
    )


def test_offsets_that_nothing_fixes_are_told(tmp_path: Path) -> None:
    result, found = made(tmp_path, documents(90))
    assert result is not None and codes(found) == ["M638"] and found[0].notes == ("groups: de; en; fr",)
    rows = documents(90)
    result, found = made(tmp_path, rows, translated(rows))
    assert result is not None and found == []


def test_languages_that_are_not_known(tmp_path: Path) -> None:
    rows = documents(60, ["eng"])
    rows[0]["language"], rows[1]["language"], rows[2]["language"] = "klingon", None, "en-GB"
    result, found = made(tmp_path, rows)
    assert result is not None and codes(found) == ["M631"] and "2 documents" in found[0].message
    about = "The languages of two documents are `klingon` and `null`."
    shown("M631", found, about=about, command=PAIRS, at=tmp_path)
    assert {pair.lang_a for pair in result.pairs} == {"en"}


def test_the_language_may_be_given(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{k: v for k, v in row.items() if k != "language"} for row in documents(30)]
    _, found = made(tmp_path, rows)
    assert codes(found) == ["M639"]
    shown("M639", found, about="The documents have no column `language`.", command=PAIRS, at=tmp_path)
    assert codes(made(tmp_path, rows, language="nothing")[1]) == ["M639"]
    result, found = made(tmp_path, rows, language="deu")
    assert result is not None and found == [] and result.pairs[0].lang_a == "de"
    result, _ = made(tmp_path, [row | {"tongue": "sv"} for row in rows], language="tongue")
    assert result is not None and result.pairs[0].lang_a == "sv"


def test_an_id_that_stands_twice(tmp_path: Path) -> None:
    rows = documents(30)
    _, found = made(tmp_path, [*rows, rows[4]])
    assert codes(found) == ["M632"]
    shown("M632", found, about="The last line of `docs.jsonl` repeats the fifth.", command=PAIRS, at=tmp_path)


def test_translations_that_cannot_be_used(tmp_path: Path) -> None:
    rows = documents(60, ["en"])
    good = translated(rows, ["en", "fr"])
    parallel = PAIRS.replace(" -o", " --parallel parallel.jsonl -o")
    _, found = made(tmp_path, rows, [*good, good[0]])
    assert codes(found) == ["M633"]
    about = "The last line of `parallel.jsonl` repeats the first."
    shown("M633", found, about=about, command=parallel, at=tmp_path)
    bad = [{"key": "nobody", "language": "fr", "text": "x"}, {"key": rows[0]["id"], "language": "en", "text": "x"}]
    bad += [
        {"key": rows[1]["id"], "language": "??", "text": "x"},
        {"key": rows[1]["id"], "language": "sv", "text": " "},
    ]
    result, found = made(tmp_path, rows, good + bad)
    assert result is not None and codes(found) == ["M634"]
    assert found[0].message.startswith("4 translations") and len(found[0].notes) == 4
    shown("M634", found, about="Four lines were added to `parallel.jsonl`.", command=parallel, at=tmp_path)
    assert {pair.lang_b for pair in result.pairs} == {"en", "fr"}


def test_documents_without_text_or_scores_take_no_part(tmp_path: Path) -> None:
    rows = documents(60, ["en"])
    rows[0]["text"], rows[1]["text"] = "", None
    rows[2] |= dict.fromkeys(RATERS.split(","))
    result, _ = made(tmp_path, rows)
    assert result is not None
    used = {id for pair in result.pairs for id in pair.src_pair}
    assert not used & {rows[0]["id"], rows[1]["id"], rows[2]["id"]} and len(used) == 57


@pytest.mark.parametrize("more", [{"confidence": 1.5}, {"pairs": 0}])
def test_numbers_out_of_range(tmp_path: Path, more: dict[str, Any]) -> None:
    assert codes(made(tmp_path, documents(30), **more)[1]) == ["M652"]


def test_the_command_prints_a_table_and_says_what_is_wrong(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rows = documents(90)
    docs, par = lines(tmp_path / "d.jsonl", rows), lines(tmp_path / "p.jsonl", translated(rows))
    command = ["rater", "pairs", docs, "--raters", RATERS, "--parallel", par, "-o", str(tmp_path / "pairs.jsonl")]
    assert guarded([*command, "--pairs", "90"]) == 0
    told = capfd.readouterr()
    assert told.out.splitlines()[0].split() == ["language", "mono", "cross", "parallel"]
    assert told.out.splitlines()[1].split() == ["de", "30", "60", "60"] and told.err == ""
    assert guarded([*command[:3], "--raters", "edu,nobody", "-o", str(tmp_path / "x.jsonl")]) == 1
    assert "nobody" in capfd.readouterr().err and not (tmp_path / "x.jsonl").exists()
    assert (
        guarded(["rater", "pairs", str(tmp_path / "absent.jsonl"), "--raters", "edu", "-o", str(tmp_path / "x")]) == 1
    )
    assert "M50" in capfd.readouterr().err
