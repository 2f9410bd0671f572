"""Where files lie: paths with `${param}` in them, filled in on one machine, the same text on every other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Final

PARAM: Final = re.compile(r"\$\{([^}]*)\}")


def is_absolute(path: str) -> bool:
    """Whether a path leads from the top of one machine's file system; an address such as `s3://` does not."""
    return PurePath(path).is_absolute() or path.startswith("file://")


def params_in(templates: Iterable[str]) -> list[str]:
    """Names of the params that templates use, in order, each once."""
    return list(dict.fromkeys(match[1] for template in templates for match in PARAM.finditer(template)))


def filled(template: str, values: Mapping[str, str]) -> str:
    """A path with the values of its params; where they are joined, an absolute one drops what stands before it.

    Raises `KeyError` with the name of a param that has no value.
    """
    text, end = "", 0
    for match in PARAM.finditer(template):
        text += template[end : match.start()]
        value = values[match[1]]
        if template.startswith("/", match.end()) and not value.endswith("://"):
            value = value.rstrip("/")
        remote = "://" in text.removeprefix("file://")
        joined = text.endswith("/") and ("://" in value or (is_absolute(value) and not remote))
        text = value if joined else text + value
        end = match.end()
    return text + template[end:]


def settled(
    defaults: Mapping[str, str | None], given: Mapping[str, str], templates: Iterable[str]
) -> tuple[dict[str, str], list[str]]:
    """The values of the params that templates need, and those of them that have none; `given` goes before defaults.

    Defaults may be templates themselves.
    """
    values: dict[str, str] = {}
    lacking: list[str] = []

    def settle(name: str) -> None:
        if name in values:
            return
        values[name] = (given[name] if name in given else defaults.get(name)) or ""
        if not values[name]:
            lacking.append(name)
        elif name not in given:
            for inner in params_in([values[name]]):
                settle(inner)
            values[name] = filled(values[name], values)

    for name in params_in(templates):
        settle(name)
    return values, lacking
