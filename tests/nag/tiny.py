"""Small models of real architectures with random weights, saved as users have them, with SmolLM2's tokenizer."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

LAYERS, WIDTH = 3, 40


def network(kind: str) -> Any:
    """A causal language model of a family of transformers."""
    import torch
    import transformers

    common: dict[str, Any] = {"vocab_size": 49152, "hidden_size": 16, "num_hidden_layers": LAYERS}
    common |= {"intermediate_size": WIDTH, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8}
    common |= {"pad_token_id": 0, "max_position_embeddings": 256}
    special = {
        "Phi3": {"head_dim": 8},
        "Mixtral": {"num_local_experts": 2},
        "GPT2": {"n_embd": 16, "n_layer": LAYERS, "n_head": 2, "vocab_size": 49152},
    }
    settings = special[kind] if kind == "GPT2" else common | special.get(kind, {})
    torch.manual_seed(1)
    name = "GPT2LMHeadModel" if kind == "GPT2" else f"{kind}ForCausalLM"
    made = getattr(transformers, name)(getattr(transformers, f"{kind}Config")(**settings))
    return made.eval()


def saved(kind: str, folder: Path, tokenizer: Path) -> Path:
    """The folder of such a model."""
    network(kind).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tokenizer / name, folder / name)
    return folder
