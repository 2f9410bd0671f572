"""JSON that somebody else wrote: one error for everything that can be wrong with it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any


def loads(text: str | bytes, pairs: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """The value that a text holds; `pairs` makes objects.

    ValueError, with a reason for people, where it is no JSON, is nested too deeply, or has a number of thousands of
    digits. NaN and infinities are numbers here; what may not hold them says so.
    """
    try:
        return json.loads(text, object_pairs_hook=pairs)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start:,} is not UTF-8") from None
    except ValueError as error:
        if type(error) is not ValueError:  # of the syntax, or of `pairs`
            raise
        raise ValueError("a number in it has thousands of digits") from None


def as_float(number: float) -> float:
    """A number as a float: infinite where it is a whole one beyond all floats."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf
