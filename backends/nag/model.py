"""A frozen language model: its layers, one projection of them, and what it gives before the projection's gate.

Stock models of transformers with forward hooks. Whatever comes after the projection of the last layer is not computed,
so there is no LM head, no last MLP and no final norm.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from mixc.backends.executors.gpus import why_no_gpu
from mixc.backends.executors.messages import no_gpu
from mixc.backends.models.messages import no_model, no_model_packages
from mixc.backends.models.weights import ModelFiles, find_model
from mixc.backends.nag.features import WIDEST, Origin, Projection, Shape
from mixc.backends.nag.model_messages import (
    bad_parameter,
    bad_widths,
    no_projection,
    own_code,
)
from mixc.compiler.documents.data import Unreadable

Precision: TypeAlias = Literal["float32", "bfloat16", "float16"]

MODULES: dict[Projection, str] = {
    "up": "mlp.up_proj",
    "gate": "mlp.gate_proj",
    "down": "mlp.down_proj",
    "q": "self_attn.q_proj",
    "k": "self_attn.k_proj",
    "v": "self_attn.v_proj",
    "o": "self_attn.o_proj",
}


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A causal language model, its tokenizer, its decoder without head, and its layers in order.

    `passed` is told of how many texts went through it, each time that some did.
    """

    name: str
    content: str
    precision: Precision
    kind: str
    network: Any
    decoder: Any
    layers: tuple[Any, ...]
    tokenizer: Any
    passed: Callable[[int], None] | None = None

    @property
    def device(self) -> Any:
        """Where it runs."""
        return self.network.device


class _Enough(Exception):
    """Leaves the forward pass of a model once the last layer has given what is wanted."""


def load_model(
    name: str, *, revision: str | None = None, device: str = "cpu", precision: Precision = "float32"
) -> Model:
    """A folder, a GGUF file or a model of the hub, ready to run. Raises `Unreadable`.

    Safetensors and GGUF only; code that comes with a model is never run.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise Unreadable(no_model_packages(error.name or "torch")) from None
    if torch.device(device).type == "cuda" and (reason := why_no_gpu()) is not None:
        raise Unreadable(no_gpu(reason))
    files = find_model(name, revision)
    with _told(files), contextlib.redirect_stderr(io.StringIO()):  # bars of progress
        common: dict[str, Any] = {"trust_remote_code": False} | ({"gguf_file": files.gguf} if files.gguf else {})
        tokenizer = transformers.AutoTokenizer.from_pretrained(files.folder, **common)
        network: Any = transformers.AutoModelForCausalLM.from_pretrained(
            files.folder, dtype=getattr(torch, precision), use_safetensors=True, **common
        )
    network.requires_grad_(False).eval().to(device)
    decoder = network.base_model
    layers = tuple(getattr(decoder, "layers", ()))
    return Model(name, files.content(), precision, network.config.model_type, network, decoder, layers, tokenizer)


def modules_of(model: Model, projection: Projection) -> tuple[Any, ...]:
    """The projection in every layer, [L]. Raises `Unreadable` where a layer has none."""
    from torch import nn

    found = []
    for layer in model.layers:
        module = dict(layer.named_modules()).get(MODULES[projection])
        if not isinstance(getattr(module, "weight", None), nn.Parameter):
            names = [name for name, part in layer.named_modules() if isinstance(part, nn.Linear)]
            raise Unreadable(no_projection(model.name, MODULES[projection], model.kind, names))
        found.append(module)
    if not found:
        raise Unreadable(no_projection(model.name, MODULES[projection], model.kind, ()))
    return tuple(found)


def origin_of(model: Model, projection: Projection = "up", top_k: int = 20, tokens: int = 120) -> Origin:
    """What features of a model are made with; raises `Unreadable` for parameters that the model does not allow."""
    widths = sorted({module.weight.shape[0] for module in modules_of(model, projection)})
    if len(widths) > 1 or widths[0] > WIDEST:
        raise Unreadable(bad_widths(model.name, MODULES[projection], widths, WIDEST))
    sees = int(getattr(model.network.config, "max_position_embeddings", None) or 1 << 20)
    for key, value, most in (("top_k", top_k, widths[0]), ("tokens", tokens, sees)):
        if not 1 <= value <= most:
            raise Unreadable(bad_parameter(model.name, key, value, 1, most))
    shape = Shape(len(model.layers), top_k, widths[0])
    return Origin(model.name, model.content, projection, tokens, shape, model.precision)


def run(model: Model, modules: Sequence[Any], tokens: Any, use: Callable[[Any], None]) -> None:
    """Give `use` the output [B, T, width] of each projection for token ids [B, T], in order, and stop after the last.

    Padding stands to the right: causal attention never looks there, so that no mask is needed.
    """
    last = modules[-1]

    def hook(module: Any, _inputs: Any, output: Any) -> None:
        use(output)
        if module is last:
            raise _Enough

    hooks = [module.register_forward_hook(hook) for module in modules]
    try:
        model.decoder(input_ids=tokens, use_cache=False)
    except _Enough:
        pass
    finally:
        for one in hooks:
            one.remove()
    if model.passed is not None:
        model.passed(len(tokens))


@contextmanager
def _told(files: ModelFiles) -> Iterator[None]:
    config = files.config()
    try:
        yield
    except Exception as error:  # what transformers raises differs by version and by what is wrong
        if isinstance(error, KeyboardInterrupt | MemoryError):
            raise
        why = " ".join(str(error).split()) or type(error).__name__
        if "trust_remote_code" in why or ("auto_map" in config and "does not recognize" in why):
            raise Unreadable(own_code(files.name, str(config.get("model_type", "")))) from error
        raise Unreadable(no_model(files.name, why)) from error
