"""The head of a rater: from the vectors of pieces to scores, in numpy; kept as safetensors.

    s = w relu(W z + c) + b, or s = w z,   z = (x - mean) / scale

A score depends on its own vector only, to the last bit: rows are reduced one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixc.backends.models.messages import no_model_packages
from mixc.backends.murating.encoder import Vectors
from mixc.backends.murating.settings import HeadShape
from mixc.compiler.documents.data import Unreadable

Tensors = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """float32 tensors by name: `mean`, `scale`, `weight` [k]; of an MLP also `hidden.weight` [h, k], `hidden.bias`."""

    shape: HeadShape
    tensors: Tensors

    def scores(self, vectors: Vectors) -> NDArray[np.float64]:
        """Scores [n] of vectors [n, k]."""
        t = {name: tensor.astype(np.float64) for name, tensor in self.tensors.items()}
        z = (vectors.astype(np.float64) - t["mean"]) / t["scale"]
        if self.shape == "mlp":
            rows = [np.maximum((t["hidden.weight"] * row).sum(axis=1) + t["hidden.bias"], 0.0) for row in z]
            z = np.stack(rows) if rows else np.empty((0, len(t["hidden.bias"])))
        found: NDArray[np.float64] = np.ascontiguousarray(z * t["weight"]).sum(axis=1)
        return found


def standard(features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(mean, scale) [k] of features [n, k]: standard deviations, 1 where nothing varies."""
    mean, scale = features.mean(axis=0), features.std(axis=0)
    return mean, np.where(scale > 1e-9, scale, 1.0)


def linear_head(mean: Any, scale: Any, weights: Any) -> Head:
    """A linear head."""
    named = {"mean": mean, "scale": scale, "weight": weights}
    return Head("linear", {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in named.items()})


def pooled(scores: NDArray[np.float64], owner: NDArray[np.intp], tokens: NDArray[np.int64], count: int) -> Any:
    """Means [count] of the scores of pieces over the texts they belong to, weighted by tokens; NaN without pieces."""
    total = np.bincount(owner, weights=tokens, minlength=count)
    found = np.bincount(owner, weights=scores * tokens, minlength=count)
    return np.divide(found, total, out=np.full(count, np.nan), where=total > 0)


def save_tensors(path: Path, tensors: Mapping[str, Any]) -> None:
    """Write a file of safetensors; one entry of metadata only, for those have no order of their own."""
    _numpy().save_file({name: tensors[name] for name in sorted(tensors)}, str(path), metadata={"format": "np"})


def read_tensors(path: Path) -> dict[str, NDArray[np.float32]]:
    """All tensors of a file. Raises what `safetensors` raises for a damaged one."""
    found: dict[str, NDArray[np.float32]] = _numpy().load_file(str(path))
    return found


def _numpy() -> Any:
    try:
        from safetensors import numpy
    except ImportError as error:
        raise Unreadable(no_model_packages(error.name or "safetensors")) from None
    return numpy
