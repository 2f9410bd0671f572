"""JSON that somebody else wrote: one error for everything that can be wrong with it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

HALVED = "a string in it holds half a character (a surrogate)"
HALF = re.compile(r"\\u[dD][89a-fA-F]")  # which should come in pairs


def loads(text: str | bytes, pairs: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """The value that a text holds; `pairs` makes objects.

    ValueError, with a reason for people, where it is no JSON, is nested too deeply, has a number of thousands of digits
    or half a character in a string. NaN and infinities are numbers here; what may not hold them says so.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode(json.detect_encoding(text))
        value = json.loads(text, object_pairs_hook=pairs)
        halved = half_a_character(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start:,} is not UTF-8") from None
    except ValueError as error:
        if type(error) is not ValueError:  # of the syntax, or of `pairs`
            raise
        raise ValueError("a number in it has thousands of digits") from None
    if halved:
        raise ValueError(HALVED)
    return value


def half_a_character(text: str) -> bool:
    """Whether a string in JSON is given one half of a surrogate pair, which no text can be written with."""
    if not HALF.search(text):
        return False
    try:
        json.dumps(json.loads(text), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def as_float(number: float) -> float:
    """A number as a float: infinite where it is a whole one beyond all floats."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf
