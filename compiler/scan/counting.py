"""Tokens of documents: from a column, by a tokenizer, or from bytes at a rate per script.

`tokens` is what a trainer sees: one end-of-text token is added to every document unless the source says `eos = false`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mixc.compiler.documents.data import Batch, Unreadable
from mixc.compiler.scan import messages
from mixc.compiler.scan.plan import SourcePlan
from mixc.compiler.supply.languages import rates, script

if TYPE_CHECKING:
    from collections.abc import Sequence


def count_tokens(
    plan: SourcePlan, batch: Batch, languages: Sequence[str], group: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(tokens [n], counts [n]): tokens of every document, and whether it is one at all (its text is not empty).

    `languages` [groups] and `group` [n] say which script a rate is for.
    """
    eos = int(plan.eos)
    if batch.text is None:
        assert batch.tokens is not None
        return batch.tokens + eos, np.ones(batch.rows, dtype=bool)
    length = (
        pc.fill_null(pc.call_function("binary_length", [batch.text]), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    )
    there = length > 0
    if batch.tokens is not None:  # the text is the document's identity
        return np.where(there, batch.tokens + eos, 0), there
    if plan.counting.way == "tokenizer":
        counted = _tokenized(plan.counting.name, batch.text)
    else:
        rate = np.array([rate_of(plan, language) for language in languages])[group]
        counted = np.floor(length * rate + 0.5).astype(np.int64)
    return np.where(there, np.maximum(counted, 1) + eos, 0), there


def rate_of(plan: SourcePlan, language: str) -> float:
    """Tokens per UTF-8 byte of a language: as the source states, else assumed for its script."""
    return plan.counting.rate if plan.counting.rate is not None else rates(script(language) or "other").tokens_per_byte


def _tokenized(name: str, texts: pa.Array) -> NDArray[np.int64]:
    encoded = tokenizer(name).encode_batch_fast([text or "" for text in texts.to_pylist()], add_special_tokens=False)
    return np.array([len(one.ids) for one in encoded], dtype=np.int64)


@cache
def tokenizer(name: str) -> Any:
    """A Hugging Face tokenizer from a `tokenizer.json`, a folder that holds one, or a name on the hub."""
    from pathlib import Path

    try:
        from tokenizers import Tokenizer
    except ModuleNotFoundError:
        raise Unreadable(messages.no_tokenizers(name)) from None
    path = Path(name)
    if path.is_dir():
        path = path / "tokenizer.json"
    try:
        return Tokenizer.from_file(str(path)) if path.is_file() else Tokenizer.from_pretrained(name)
    except Exception as error:  # the library raises bare exceptions of its own
        raise Unreadable(messages.bad_tokenizer(name, str(error))) from error
