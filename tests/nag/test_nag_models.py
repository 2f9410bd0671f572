"""Which models can be used, and what is said of those that cannot."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mixc.backends.models.weights import find_model
from mixc.backends.nag.extract import features_of
from mixc.backends.nag.model import Model, load_model, origin_of
from mixc.compiler.documents.data import Unreadable
from tests.examples import shown
from tests.nag.tiny import LAYERS, WIDTH, network, saved

SCORE = "mixc score pool.mix"
TEXTS = ["A short text about nothing.", "x", ""]


def code_of(caught: pytest.ExceptionInfo[Unreadable]) -> str:
    return caught.value.diagnostic.code


@pytest.mark.parametrize("kind", ["Llama", "Qwen2", "Qwen3", "Mistral", "Gemma2", "SmolLM3"])
def test_families_with_a_gated_mlp(tmp_path: Path, smollm: Path, kind: str) -> None:
    model = load_model(str(saved(kind, tmp_path / "model", smollm)))
    origin = origin_of(model, top_k=4)
    assert (origin.shape.layers, origin.shape.width) == (LAYERS, WIDTH)
    found = features_of(model, origin, TEXTS)
    assert (found[:2] < WIDTH).all()
    assert np.array_equal(found[[1, 0]], features_of(model, origin, [TEXTS[1], TEXTS[0]], at_once=1))


@pytest.mark.parametrize("kind", ["GPT2", "Phi3", "Mixtral"])
def test_models_without_such_a_projection(tmp_path: Path, smollm: Path, kind: str) -> None:
    model = load_model(str(saved(kind, tmp_path / "model", smollm)))
    with pytest.raises(Unreadable) as caught:
        origin_of(model)
    assert code_of(caught) == "M607"
    if kind == "GPT2":
        shown("M607", caught.value.diagnostic, about="The model of the target is a GPT-2.", command=SCORE, at=tmp_path)


@pytest.fixture
def llama(tmp_path: Path, smollm: Path) -> Path:
    return saved("Llama", tmp_path / "llama", smollm)


def test_parameters_that_a_model_does_not_allow(llama: Path) -> None:
    model = load_model(str(llama))
    for parameters in ({"top_k": 0}, {"top_k": WIDTH + 1}, {"tokens": 0}, {"tokens": 257}):
        with pytest.raises(Unreadable) as caught:
            origin_of(model, **parameters)
        assert code_of(caught) == "M609"
    assert features_of(model, origin_of(model, top_k=WIDTH, tokens=1), TEXTS).shape == (3, LAYERS * WIDTH)


def test_layers_of_different_widths(llama: Path) -> None:
    model = load_model(str(llama))
    model.layers[1].mlp.up_proj = torch.nn.Linear(16, WIDTH + 8)
    with pytest.raises(Unreadable) as caught:
        origin_of(model)
    assert code_of(caught) == "M608"
    about = "The MLPs of the model have different widths."
    shown("M608", caught.value.diagnostic, about=about, command=SCORE, at=llama.parent)


def test_activations_that_are_not_finite(llama: Path) -> None:
    model = load_model(str(llama))
    model.layers[1].mlp.up_proj.weight.data[3, 0] = float("nan")
    with pytest.raises(Unreadable) as caught:
        features_of(model, origin_of(model, top_k=4), TEXTS)
    assert code_of(caught) == "M610"
    about = "A weight of the model is NaN."
    shown("M610", caught.value.diagnostic, about=about, command=SCORE, at=llama.parent)


def test_pickles_are_refused(tmp_path: Path, llama: Path) -> None:
    made = network("Llama")
    (llama / "model.safetensors").unlink()
    torch.save(made.state_dict(), llama / "pytorch_model.bin")
    for name in (llama, llama / "pytorch_model.bin"):
        with pytest.raises(Unreadable) as caught:
            load_model(str(name))
        assert code_of(caught) == "M605"
        assert "pytorch_model.bin" in caught.value.diagnostic.notes[0]


def test_code_of_a_model_is_never_run(tmp_path: Path, llama: Path) -> None:
    ran = tmp_path / "ran"
    (llama / "own.py").write_text(f"open({str(ran)!r}, 'w')\n")
    config = json.loads((llama / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model"}}
    (llama / "config.json").write_text(json.dumps(config))
    with pytest.raises(Unreadable) as caught:
        load_model(str(llama))
    assert code_of(caught) == "M606"
    about = "The folder of the model has a `config.json` that names `own.py`."
    shown("M606", caught.value.diagnostic, about=about, command=SCORE, at=tmp_path)
    assert not ran.exists()


def test_models_that_cannot_be_loaded(tmp_path: Path, llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    weights = (llama / "model.safetensors").read_bytes()
    (tmp_path / "two").mkdir()
    for name in "ab":
        (tmp_path / "two" / f"{name}.gguf").write_bytes(b"GGUF")
    for name in (tmp_path / "absent", "mixc-tests/no-such-model", tmp_path / "two", tmp_path / "two" / "a.gguf"):
        with pytest.raises(Unreadable) as caught:
            load_model(str(name))
        assert code_of(caught) == "M604", name
    for file, content in (
        ("model.safetensors", weights[: len(weights) // 2]),
        ("model.safetensors", b""),
        ("config.json", b"{"),
        ("config.json", None),
        ("config.json", b"{}"),
        ("tokenizer.json", b"{"),
    ):
        folder = tmp_path / "broken"
        shutil.copytree(llama, folder)
        (folder / file).unlink()
        if content is not None:
            (folder / file).write_bytes(content)
        with pytest.raises(Unreadable) as caught:
            load_model(str(folder))
        assert code_of(caught) == "M604", file
        shutil.rmtree(folder)


def test_without_the_packages(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(Unreadable) as caught:
        load_model(str(llama))
    assert code_of(caught) == "M603"
    about = "The package `torch` is not installed."
    shown("M603", caught.value.diagnostic, about=about, command=SCORE, at=llama.parent)


def test_a_model_is_known_by_its_content(tmp_path: Path, llama: Path) -> None:
    first = find_model(str(llama)).content()
    moved = shutil.copytree(llama, tmp_path / "elsewhere")
    (moved / "README.md").write_text("no part of it")
    assert find_model(str(moved)).content() == first
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        whole = (moved / name).read_bytes()
        (moved / name).write_bytes(whole[:-1] + b" ")
        assert find_model(str(moved)).content() != first
        (moved / name).write_bytes(whole)


def test_half_precision_is_another_kind_of_features(llama: Path) -> None:
    full, half = load_model(str(llama)), load_model(str(llama), precision="bfloat16")
    assert origin_of(full, top_k=4).differs(origin_of(half, top_k=4)) == {"precision": ("float32", "bfloat16")}
    assert features_of(half, origin_of(half, top_k=4), TEXTS).shape == (3, LAYERS * 4)
    assert isinstance(replace(full, name="other"), Model)
