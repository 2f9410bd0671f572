"""Training an encoder together with its head, from the linear head that fits it as it is.

The encoder reads the first piece of every text. It is saved as safetensors with the files of its tokenizer.
"""

from __future__ import annotations

import contextlib
import io
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixc.backends.models.rows import padded, shape_of
from mixc.backends.models.weights import POOLING, TEXTS, find_model
from mixc.backends.murating.descent import Schedule, descend, one_thread
from mixc.backends.murating.encoder import EncoderSpec
from mixc.backends.murating.head import Head, linear_head
from mixc.backends.murating.loss import Examples
from mixc.backends.murating.transformer import load

EPOCHS, RATE, BATCH, DECAY = 2, 2e-5, 16, 0.01
AT_ONCE = 8  # texts that run together


def fine_tune(
    spec: EncoderSpec,
    texts: Sequence[str],
    head: Head,
    examples: tuple[Examples, Examples],
    weight: float,
    decay: float | None,
    epochs: int | None,
    seed: int,
    output: Path,
) -> tuple[EncoderSpec, Head, list[float]]:
    """(description of the encoder saved in `output`, its head, losses on the examples apart by epoch)."""
    with one_thread(seed):
        import torch

        encoder = load(spec)
        encoder.network.requires_grad_(True)
        pieces = [some[0].content if some else [] for some in encoder.pieces(texts)]
        rows = [[*encoder.left, *piece, *encoder.right] for piece in pieces]
        tensors = {name: torch.from_numpy(value.copy()).to(spec.device) for name, value in head.tensors.items()}
        weights = tensors["weight"].clone().requires_grad_(True)

        def score(places: NDArray[np.intp]) -> Any:
            found = torch.zeros(len(places), device=spec.device)
            order = sorted(range(len(places)), key=lambda i: len(rows[places[i]]))
            for start in range(0, len(order), AT_ONCE):
                some = order[start : start + AT_ONCE]
                mine = [rows[places[i]] for i in some]
                batch = padded(mine, shape_of(max(map(len, mine))), spec.device, pad=encoder.pad)
                vectors = (encoder.forward(*batch) - tensors["mean"]) / tensors["scale"]
                found = found.index_put((torch.tensor(some, device=spec.device),), vectors @ weights)
            return found

        unused = {"pooler"}
        trained = [p for name, p in encoder.network.named_parameters() if name.split(".")[0] not in unused]
        schedule = Schedule(epochs or EPOCHS, RATE, BATCH, DECAY if decay is None else decay, seed)
        losses = descend([*trained, weights], score, *examples, weight, schedule)
        _save(spec, encoder.network, output)
        made = linear_head(head.tensors["mean"], head.tensors["scale"], weights.detach().cpu().numpy())
    files = find_model(str(output))
    return replace(spec, place=str(output.absolute()), content=files.content()), made, losses


def _save(spec: EncoderSpec, network: Any, output: Path) -> None:
    """The weights as safetensors, and the other files of the encoder that its vectors depend on."""
    files = find_model(spec.place)
    with contextlib.redirect_stderr(io.StringIO()):
        network.float().save_pretrained(output)
    for name in (*(name for name in files.names if name in TEXTS and name != "config.json"), POOLING):
        source = files.folder / name
        if source.exists():
            (output / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, output / name)
