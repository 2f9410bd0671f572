"""How many layers and neurons a model has, by its `config.json`: enough to check features by, without loading it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mixc.backends.models.weights import find_model
from mixc.backends.nag.features import WIDEST, Shape
from mixc.backends.nag.import_messages import unknown_shape
from mixc.backends.nag.imported import Asked
from mixc.backends.nag.jobs import place_of, shown_name
from mixc.backends.nag.model_messages import bad_parameter
from mixc.compiler.documents.data import Unreadable


def shape_of(folder: Path, asked: Asked, layers: int | None, width: int | None) -> Shape:
    """L, K and width: as stated, else as the model says, if it is here. Raises `Unreadable`.

    Heads of keys and values are repeated for every head of queries, as the authors' code does.
    """
    name = shown_name(asked.model)
    if layers is None or width is None:
        layers, width = _configured(folder, asked, layers, width)
    if not 1 <= asked.top_k <= width:
        raise Unreadable(bad_parameter(name, "top_k", asked.top_k, 1, width))
    if width > WIDEST:
        raise Unreadable(bad_parameter(name, "width", width, 1, WIDEST))
    return Shape(layers, asked.top_k, width)


def _configured(folder: Path, asked: Asked, layers: int | None, width: int | None) -> tuple[int, int]:
    name = shown_name(asked.model)
    try:
        config = find_model(place_of(folder, asked.model)).config()
    except Unreadable as error:
        raise Unreadable(unknown_shape(name, error.diagnostic.message)) from error
    try:
        known = int(config["num_hidden_layers"]), _width(config, asked.projection)
    except (KeyError, TypeError, ValueError):
        raise Unreadable(unknown_shape(name, "its `config.json` does not say, or a GGUF file has none")) from None
    return layers or known[0], width or known[1]


def _width(config: dict[str, Any], projection: str) -> int:
    match projection:
        case "up" | "gate":
            return int(config["intermediate_size"])
        case "down" | "o":
            return int(config["hidden_size"])
    heads = int(config["num_attention_heads"])
    return heads * int(config.get("head_dim") or config["hidden_size"] // heads)
