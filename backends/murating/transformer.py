"""Encoders of transformers: any model that gives a vector for each token, as safetensors and without code of its own.

How vectors of tokens become one is read from the files that sentence encoders have: `1_Pooling/config.json` (the mean
over real tokens where there is none), `modules.json` (whether vectors are brought to length one),
`sentence_bert_config.json` (how many tokens the encoder was trained on), `config_sentence_transformers.json` (what
stands before a text: the prompt of its default name, else the one for queries).

A vector depends on its own piece only (`models/rows.py`).
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np

from mixc.backends.models.messages import no_model, no_model_packages
from mixc.backends.models.rows import LEAST, row_batches
from mixc.backends.models.weights import POOLING, ModelFiles, find_model
from mixc.backends.murating.encoder import EncoderSpec, Piece, Pooling, Vectors
from mixc.backends.murating.train_messages import bad_encoder, no_tokenizer, vectors_not_finite
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.plain_json import loads
from mixc.dsl.reading import file_bytes

TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model")
POOLINGS = get_args(Pooling)
CHARACTERS = 100  # per token, of a text that is longer than is read


def describe(name: str, base: Path, *, chunk: int, tokens: int | None, prefix: str | None, device: str) -> EncoderSpec:
    """The description of an encoder; reads all of its files. Raises `Unreadable`."""
    beside = base / name
    place = str(beside.absolute()) if beside.exists() else name
    files = find_model(place)
    config = files.config()
    if not any((files.folder / one).exists() for one in TOKENIZERS):
        raise Unreadable(no_tokenizer(name, sorted(path.name for path in files.folder.iterdir())))
    width = config.get("hidden_size") or config.get("d_model") or config.get("dim")
    if not isinstance(width, int):
        raise Unreadable(bad_encoder(name, "its `config.json` does not say how wide its vectors are"))
    modules = _json(files, "modules.json")
    normalise = isinstance(modules, list) and any("Normalize" in str(one.get("type", "")) for one in modules)
    said = _prompt(files) if prefix is None else prefix
    longest = _longest(files, config) - SPECIAL - _rough(said)
    if longest < LEAST:
        raise Unreadable(bad_encoder(name, f"it reads {longest + SPECIAL} tokens at once only"))
    pooling = _pooling(name, files)
    shown = beside.resolve().name if beside.exists() else name
    content = files.content()
    return EncoderSpec(
        shown, place, "transformers", content, width, pooling, said, normalise, min(chunk, longest), tokens, device
    )


SPECIAL = 2


def _rough(prefix: str) -> int:
    """Tokens that a prefix has at most."""
    return len(prefix.strip().encode())


def load(spec: EncoderSpec) -> Transformer:
    """The encoder, ready to run. Raises `Unreadable`."""
    tokenizer, network = load_network(spec)
    return Transformer(spec, tokenizer, network)


def load_network(spec: EncoderSpec) -> tuple[Any, Any]:
    """(tokenizer, network) of an encoder. Raises `Unreadable`, also where weights are missing."""
    try:
        import torch
        import transformers
    except ImportError as error:
        raise Unreadable(no_model_packages(error.name or "torch")) from None
    if spec.device == "cpu":
        torch.set_num_threads(1)
    files = find_model(spec.place)
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # bars of progress
            tokenizer = transformers.AutoTokenizer.from_pretrained(files.folder, trust_remote_code=False)
            network, told = cast(
                "tuple[Any, dict[str, Any]]",
                transformers.AutoModel.from_pretrained(
                    files.folder,
                    dtype=getattr(torch, spec.precision),
                    use_safetensors=True,
                    trust_remote_code=False,
                    output_loading_info=True,
                ),
            )
    except Exception as error:  # what transformers raises differs by version and by what is wrong
        if isinstance(error, MemoryError):
            raise
        why = " ".join(str(error).split()) or type(error).__name__
        raise Unreadable(no_model(spec.name, why)) from error
    missing = sorted(key for key in told["missing_keys"] if not key.startswith("pooler"))
    if missing:
        raise Unreadable(
            bad_encoder(spec.name, f"{len(missing)} of its weights are not in its files, as `{missing[0]}`")
        )
    network.requires_grad_(False).eval().to(spec.device)
    return tokenizer, network


class Transformer:
    """An encoder of transformers, loaded."""

    def __init__(self, spec: EncoderSpec, tokenizer: Any, network: Any) -> None:
        self.spec, self.tokenizer, self.network = spec, tokenizer, network
        self.left, self.right = _frame(tokenizer, spec.prefix)
        self.pad = int(tokenizer.pad_token_id or 0)

    def pieces(self, texts: Sequence[str]) -> list[list[Piece]]:
        """The pieces of every text, cut by tokens."""
        limit = None if self.spec.tokens is None else self.spec.tokens * CHARACTERS
        whole = [text if limit is None else text[:limit] for text in texts]
        found = self.tokenizer(whole, add_special_tokens=False, verbose=False)["input_ids"] if whole else []
        return [self._cut(row[: self.spec.tokens]) for row in found]

    def _cut(self, row: list[int]) -> list[Piece]:
        size = self.spec.chunk
        return [Piece(row[i : i + size], len(row[i : i + size])) for i in range(0, len(row), size)]

    def vectors(self, pieces: Sequence[Piece]) -> Vectors:
        """One vector for each piece. Raises `Unreadable` for one that is not finite."""
        import torch

        rows = [[*self.left, *piece.content, *self.right] for piece in pieces]
        found = np.empty((len(rows), self.spec.width), dtype=np.float32)
        with torch.inference_mode():
            for batch in row_batches(rows, self.spec.device, pad=self.pad):
                vectors = self.forward(batch.tokens, batch.real)[: len(batch.numbers)]
                found[batch.numbers] = vectors.float().cpu().numpy()
        wrong = ~np.isfinite(found).all(axis=1)
        if wrong.any():
            text = self.tokenizer.decode(pieces[int(np.argmax(wrong))].content)
            raise Unreadable(vectors_not_finite(self.spec.name, text))
        return found

    def forward(self, tokens: Any, real: Any) -> Any:
        """Vectors [B, width] of padded token ids [B, T], as a tensor; `real` says which are no padding."""
        import torch

        mask = real.long()
        hidden = self.network(input_ids=tokens, attention_mask=mask).last_hidden_state.float()
        pooled = _pooled(hidden, mask, self.spec.pooling)
        return torch.nn.functional.normalize(pooled, dim=1) if self.spec.normalise else pooled

    def unknown(self, texts: Sequence[str]) -> float | None:
        """The share of tokens that are the unknown one."""
        mark = self.tokenizer.unk_token_id
        rows = self.tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"] if texts else []
        total = sum(len(row) for row in rows)
        if mark is None or not total:
            return None
        return float(sum(row.count(mark) for row in rows) / total)


def _pooled(hidden: Any, real: Any, pooling: Pooling) -> Any:
    """[B, T, width] -> [B, width] over real tokens."""
    mask = real[:, :, None]
    if pooling == "cls":
        return hidden[:, 0]
    if pooling == "max":
        return hidden.masked_fill(mask == 0, float("-inf")).amax(dim=1)
    if pooling == "lasttoken":
        return hidden.gather(1, (real.sum(dim=1) - 1)[:, None, None].expand(-1, 1, hidden.shape[2]))[:, 0]
    return (hidden * mask).sum(dim=1) / mask.sum(dim=1)


def _frame(tokenizer: Any, prefix: str) -> tuple[list[int], list[int]]:
    """Token ids before and after those of a piece: special ones, and the prefix."""

    def of(text: str, special: bool) -> list[int]:
        found: list[int] = tokenizer(text, add_special_tokens=special)["input_ids"]
        return found

    bare, framed = of("a", False), of("a", True)
    at = next((i for i in range(len(framed)) if framed[i : i + len(bare)] == bare), 0)
    before = of(prefix.strip(), False) if prefix.strip() else []
    return [*framed[:at], *before], framed[at + len(bare) :]


def _json(files: ModelFiles, name: str) -> Any:
    try:
        return loads(file_bytes(files.folder / name))
    except (OSError, ValueError):
        return None


def _pooling(name: str, files: ModelFiles) -> Pooling:
    said = _json(files, POOLING)
    if not isinstance(said, dict):
        return "mean"
    chosen = [key for key, value in said.items() if key.startswith("pooling_mode_") and value is True]
    words = [key.removeprefix("pooling_mode_").removesuffix("_tokens").removesuffix("_token") for key in chosen]
    if len(words) != 1 or words[0] not in POOLINGS:
        raise Unreadable(bad_encoder(name, f"it pools by {', '.join(words) or 'nothing'}, which is not supported"))
    return cast("Pooling", words[0])


def _prompt(files: ModelFiles) -> str:
    said = _json(files, "config_sentence_transformers.json")
    prompts = said.get("prompts") if isinstance(said, dict) else None
    if not isinstance(prompts, dict):
        return ""
    found = prompts.get(said.get("default_prompt_name") or "query", "")
    return found if isinstance(found, str) else ""


def _longest(files: ModelFiles, config: dict[str, Any]) -> int:
    """Tokens that an encoder reads at once, special ones counted: what it has positions for, what it was trained on."""
    positions = int(config.get("max_position_embeddings") or 1 << 20)
    if "roberta" in str(config.get("model_type", "")) or config.get("model_type") == "camembert":
        positions -= int(config.get("pad_token_id") or 0) + 1  # positions are counted from behind the padding's
    said = _json(files, "sentence_bert_config.json")
    trained = said.get("max_seq_length") if isinstance(said, dict) else None
    return min(positions, trained) if isinstance(trained, int) else positions
