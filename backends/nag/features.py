"""What a feature is: the K neurons of every layer that a text activates most, as one row of small integers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mixc.backends.nag.messages import no_such_layer
from mixc.compiler.documents.data import Unreadable

if TYPE_CHECKING:
    import pyarrow as pa

Ids: TypeAlias = NDArray[np.uint16]
Counts: TypeAlias = NDArray[np.int64]
Projection: TypeAlias = Literal["up", "gate", "down", "q", "k", "v", "o"]

NONE = 65535  # in all places of a document without tokens: no neuron
WIDEST = NONE  # neurons of a layer: the largest id is one less


@dataclass(frozen=True, slots=True)
class Shape:
    """Layers L, neurons K a layer, width of a layer; a feature is uint16 [L * K], layer by layer."""

    layers: int
    top_k: int
    width: int

    @property
    def length(self) -> int:
        """L * K."""
        return self.layers * self.top_k


@dataclass(frozen=True, slots=True)
class Origin:
    """What features were made with: all of it must agree before two of them are compared.

    `model` is the name as the user wrote it, for people; `content` the hash of weights, tokenizer and configuration.
    `tokens` is how many first tokens of a text are read, `precision` the type of the model's numbers.
    """

    model: str
    content: str
    projection: Projection
    tokens: int
    shape: Shape
    precision: str = "float32"

    def differs(self, asked: Origin) -> Mapping[str, tuple[object, object]]:
        """(found, asked for) by the name of each part that does not agree; names of models may differ."""
        mine, others = self.parts(), asked.parts()
        found = {key: (mine[key], others[key]) for key in mine if mine[key] != others[key]}
        if "content" in found:
            found = {"model": (f"{self.model} ({self.content})", f"{asked.model} ({asked.content})")} | found
            del found["content"]
        return found

    def parts(self) -> dict[str, object]:
        """All that has to agree, by name."""
        return {
            "content": self.content,
            "projection": self.projection,
            "tokens": self.tokens,
            "precision": self.precision,
            "layers": self.shape.layers,
            "top_k": self.shape.top_k,
            "width": self.shape.width,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Features of n documents.

    `ids` string [n], `features` uint16 [n, L * K], `read` how many tokens the model read of each (0: an empty text),
    `tokens` how many the document has in all; None where the file does not say, -1 where one is unknown.
    """

    ids: pa.Array
    features: Ids
    read: NDArray[np.int32] | None = None
    tokens: Counts | None = None


def columns_of(layers: Sequence[int], shape: Shape) -> slice | NDArray[np.intp]:
    """Where the neurons of some layers stand in a feature; raises `Unreadable` for a layer that there is not."""
    for layer in layers:
        if not 0 <= layer < shape.layers:
            raise Unreadable(no_such_layer(layer, shape.layers))
    first, last = min(layers), max(layers)
    if list(layers) == list(range(first, last + 1)):
        return slice(first * shape.top_k, (last + 1) * shape.top_k)
    starts = np.asarray(layers, dtype=np.intp)[:, None] * shape.top_k
    return (starts + np.arange(shape.top_k)).ravel()
