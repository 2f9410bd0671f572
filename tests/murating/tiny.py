"""A small encoder with random weights and MiniLM's tokenizer, and rated documents of plain words in three languages."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mixc.backends.murating.backend import PairSettings, Trained, TrainSettings, make_pairs, train
from mixc.compiler.executor import run_on
from mixc.compiler.progress import Quiet
from mixc.dsl.diagnostics import Diagnostic

WIDTH = 24
GOOD = ["theorem", "evidence", "measure", "because", "experiment", "history", "reason", "water", "energy", "language"]
BAD = ["click", "buy", "free", "cookie", "login", "subscribe", "menu", "share", "offer", "now"]
LANGUAGES = ("de", "en", "fr")
RATERS = "edu,dclm,askllm"


def encoder(folder: Path, minilm: Path) -> Path:
    """The folder of an encoder."""
    import torch
    import transformers

    torch.manual_seed(1)
    common = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = transformers.BertConfig(vocab_size=30522, max_position_embeddings=64, **common)
    transformers.BertModel(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        shutil.copy(minilm / name, folder / name)
    return folder


def documents(count: int, languages: Sequence[str] = LANGUAGES, seed: int = 1) -> list[dict[str, Any]]:
    """Documents of good and bad words, rated by the share of good ones, by three raters that differ a little."""
    draw = random.Random(seed)
    found = []
    for i in range(count):
        language, share = languages[i % len(languages)], draw.random()
        words = [draw.choice(GOOD if draw.random() < share else BAD) for _ in range(draw.randrange(8, 24))]
        good = sum(word in GOOD for word in words) / len(words)
        scores = {"edu": round(good * 5), "dclm": good, "askllm": good + 0.1 * draw.random()}
        found.append({"id": f"d{i:04d}", "text": f"{language} " + " ".join(words), "language": language} | scores)
    return found


def translated(rows: Sequence[dict[str, Any]], languages: Sequence[str] = LANGUAGES) -> list[dict[str, str]]:
    """Every document in the other languages: the same words."""
    return [
        {"key": row["id"], "language": language, "text": f"{language} " + row["text"].partition(" ")[2]}
        for row in rows
        for language in languages
        if language != row["language"]
    ]


def lines(path: Path, rows: Sequence[dict[str, Any]]) -> str:
    """Rows as JSON lines; the path as text."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def paired(folder: Path, rows: Sequence[dict[str, Any]], parallel: Sequence[dict[str, Any]] = (), **more: Any) -> Path:
    """The pairs of documents, made without complaint."""
    paths = (lines(folder / "parallel.jsonl", parallel),) if parallel else ()
    settings = PairSettings((lines(folder / "docs.jsonl", rows),), RATERS, paths, **({"pairs": 600} | more))
    made, found = make_pairs(settings, folder / "pairs.jsonl", Quiet())
    assert made is not None, found
    return folder / "pairs.jsonl"


def trained(
    pairs: Path, output: Path, encoder: Path | str, test: Path | None = None, **settings: Any
) -> tuple[Trained | None, list[Diagnostic]]:
    """What training does here."""
    asked = TrainSettings(str(encoder), **({"held_out": 0.2} | settings))
    return run_on("local", 1, lambda executor: train(pairs, output, asked, executor, Quiet(), test=test))


def codes(found: Sequence[Diagnostic]) -> list[str]:
    """The codes of diagnostics."""
    return [one.code for one in found]
