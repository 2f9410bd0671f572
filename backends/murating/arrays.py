"""What is asked of Arrow arrays of ids and texts, as numpy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def among(ids: Any, known: Any) -> NDArray[np.bool_]:
    """Which ids [n] stand among those known, bool [n]."""
    there = pc.call_function("is_in", [ids], pc.SetLookupOptions(known))
    found: NDArray[np.bool_] = there.to_numpy(zero_copy_only=False)
    return found


def blank(texts: Any) -> NDArray[np.bool_]:
    """Which texts [n] are null, empty, or nothing but space, bool [n]."""
    trimmed = pc.call_function("utf8_trim_whitespace", [texts.fill_null("")])
    lengths: NDArray[np.int64] = pc.call_function("binary_length", [trimmed]).to_numpy(zero_copy_only=False)
    return np.equal(lengths, 0)


def joined(ids: Any, languages: Any, mark: str) -> Any:
    """The ids of translations, string [n]; null where the language is."""
    return pc.call_function("binary_join_element_wise", [ids, languages, pa.scalar(mark)])


def repeated(ids: Any) -> str | None:
    """The first by name of the ids that stand more than once."""
    counts = pc.call_function("value_counts", [ids])
    often = np.flatnonzero(counts.field("counts").to_numpy() > 1)
    return min((counts.field("values")[int(i)].as_py() for i in often), default=None)


def distinct(ids: Any) -> Any:
    """Every id once."""
    return pc.call_function("unique", [ids])
