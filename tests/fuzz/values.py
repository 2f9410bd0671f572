"""Mutations of JSON: another value, key or shape somewhere in a tree, which flips of bytes seldom find."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

DEEP = "[" * 2000 + "]" * 2000
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63, -(2**63), 10**400, 0.1, -0.0, 1e308, 5e-324, float("nan"),
    float("inf"), "", "x", "NaN", "0", "\x00", "\x1b[31m", "\u202e", "\ud800", "\U0001f600", "../..", "/dev/zero",
    "${x}", "x" * 5000, [], {}, [[]], {"": ""}, [None], ["x", "x"], {"x": {"x": []}},
)  # fmt: skip


def mutate_json(chance: random.Random, data: bytes, others: list[bytes]) -> bytes:
    """JSON in which one to three values, keys or containers are changed; the same bytes where it is no JSON.

    A first byte that is no JSON stays in front, and of JSON lines one line is changed.
    """
    front = data[:1] if data[:1] and data[0] < 16 and data[:1] not in b"\t\n\r" else b""
    lines = data[len(front) :].split(b"\n")
    at = chance.randrange(len(lines)) if front or len(lines) < 4 else None
    text = lines[at] if at is not None else data[len(front) :]
    try:
        tree = [json.loads(text)]
    except (ValueError, RecursionError):
        return data
    for _ in range(chance.randint(1, 3)):
        _change(chance, tree, others)
    made = json.dumps(tree[0], ensure_ascii=chance.random() < 0.7, indent=None)
    if chance.random() < 0.02:
        made = made.replace("null", DEEP, 1).replace("0.5", "9" * 5000, 1)
    written = made.encode("utf-8", "surrogatepass")
    if at is None:
        return front + written
    return front + b"\n".join([*lines[:at], written, *lines[at + 1 :]])


def _change(chance: random.Random, tree: list[Any], others: list[bytes]) -> None:
    places = list(_places(tree))
    holder, key = chance.choice(places)
    match chance.randrange(6):
        case 0:
            del holder[key]
            if not tree:
                tree.append({})
        case 1:
            other, name = chance.choice(places)
            holder[key] = json.loads(json.dumps(other[name]))
        case 2 if isinstance(holder, dict):
            value = holder.pop(key)
            holder[chance.choice([*(name for _, name in places if isinstance(name, str)), "", "x", "\x1b"])] = value
        case 3 if isinstance(holder, list):
            holder.insert(key, json.loads(json.dumps(holder[key])))
        case 4 if isinstance(holder[key], int | float) and not isinstance(holder[key], bool):
            holder[key] = chance.choice([-holder[key], holder[key] + 1, str(holder[key])])
        case _:
            holder[key] = copy.deepcopy(chance.choice(ODD))


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of every value below."""
    keys = node.keys() if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in list(keys):
        yield node, key
        yield from _places(node[key])
