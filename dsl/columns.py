"""Which neighbouring lines share a column: the signs of attributes, the blocks of declarations, the verbs of rules."""

from __future__ import annotations

from typing import NamedTuple

from mixc.dsl.layout import Group, Item, Word

RELATIONS = frozenset({"EQUAL", "RELATION", "WITHIN"})


class Pad(NamedTuple):
    """Spaces to put behind part number `after` of an item."""

    after: int
    width: int


class _Shape(NamedTuple):
    """What an item aligns with (items of one `kind`), behind which part, and the width up to there."""

    kind: tuple[str, ...]
    after: int
    width: int


def pads(items: list[Item], single: list[bool], widths: list[int], limit: int) -> list[Pad | None]:
    """The padding of every item. `single` tells which take one line; their `widths` may grow up to `limit`.

    A run is a series of neighbouring lines: nothing stands between its items, and only the last takes several lines.
    """
    shapes = [_shape(item) for item in items]
    made: list[Pad | None] = []
    start = 0
    for end in range(1, len(items) + 1):
        if end < len(items) and single[end - 1] and _adjoins(shapes[end - 1], shapes[end], items[end]):
            continue
        made.extend(_run(shapes[start:end], single[start:end], widths[start:end], limit))
        start = end
    return made


def _run(shapes: list[_Shape | None], single: list[bool], widths: list[int], limit: int) -> list[Pad | None]:
    column = max((shape.width for shape in shapes if shape), default=0)
    made = [Pad(shape.after, column - shape.width) if shape else None for shape in shapes]
    grown = [w + pad.width for w, pad, one in zip(widths, made, single, strict=True) if pad and one]
    return made if all(width <= limit for width in grown) else [None] * len(made)


def _adjoins(above: _Shape | None, below: _Shape | None, item: Item) -> bool:
    return above is not None and below is not None and above.kind == below.kind and not item.above and not item.blank


def _shape(item: Item) -> _Shape | None:
    types = [part.type if isinstance(part, Word) else "" for part in item.parts]
    words = [part.text for part in item.parts if isinstance(part, Word)]
    if types[0] in ("REQUIRE", "PREFER"):
        return _Shape(("rule",), 0, len(words[0]))
    if len(types) > 1 and types[1] in RELATIONS:
        return _Shape(("key",), 0, len(words[0]))
    front = next((i for i, kind in enumerate(types) if not kind or kind in RELATIONS), 0)
    if front < 2 or types[0] == "IMPORT" or "COLON" in types[:front]:
        return None
    last = item.parts[front]
    if isinstance(last, Group) and last.kind != "block":
        return None
    kind = ("block" if isinstance(last, Group) else "value", *words[: front - 1])
    return _Shape(kind, front - 1, sum(len(word) + 1 for word in words[:front]) - 1)
