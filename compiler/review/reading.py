"""Reading a manifest: from a path or a git revision, with a diagnostic for everything that can be wrong with it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mixc.compiler.plain_json import HALVED, half_a_character
from mixc.compiler.review import errors
from mixc.compiler.review.canonical import digest
from mixc.compiler.review.consistency import contradiction
from mixc.compiler.review.manifest import content
from mixc.compiler.review.schema import SCHEMA_NAME, SCHEMA_VERSION, Manifest
from mixc.dsl.diagnostics import Diagnostic, Severity
from mixc.dsl.reading import file_bytes
from mixc.dsl.wording import plain

MAX_BYTES = 256 * 1024 * 1024
GIT_SECONDS = 60
CONFLICT = re.compile(rb"^(<<<<<<<|>>>>>>>)( |$)", re.MULTILINE)
REVISION = re.compile(r"^(?P<revision>[^:]+):(?P<path>.+)$")


def read_manifest(name: str, *, force: bool = False) -> tuple[Manifest | None, list[Diagnostic]]:
    """The manifest at a path, or at `REVISION:PATH` in git. `force` reads one that was edited by hand."""
    data, found = fetch(name)
    return (None, found) if data is None else parse_manifest(name, data, force=force)


def fetch(name: str) -> tuple[bytes | None, list[Diagnostic]]:
    """The bytes of a path, or of `REVISION:PATH` when no file is called that."""
    path, revision = Path(name), REVISION.match(name)
    try:
        if revision and not path.exists():
            return show(name)
        size = path.stat().st_size
        if size > MAX_BYTES:
            return None, [errors.too_large(name, size, MAX_BYTES)]
        return file_bytes(path, MAX_BYTES), []
    except OSError as error:
        return None, [errors.file_unreadable(name, reason(error))]
    except ValueError:  # a NUL in the name
        return None, [errors.file_unreadable(name, "no file can have this name")]


def show(revision: str) -> tuple[bytes | None, list[Diagnostic]]:
    """`git show REVISION:PATH`, in the repository of the current folder."""
    command = ["git", "--no-pager", "show", "--end-of-options", revision]
    try:
        result = subprocess.run(command, capture_output=True, timeout=GIT_SECONDS, check=False)
    except FileNotFoundError:
        return None, [errors.git_failed(revision, "git is not installed")]
    except (OSError, ValueError):
        return None, [errors.git_failed(revision, "git could not be started")]
    except subprocess.TimeoutExpired:
        return None, [errors.git_failed(revision, f"it gave no answer within {GIT_SECONDS} s")]
    if result.returncode != 0:
        said = result.stderr.decode(errors="replace").strip().splitlines()
        return None, [errors.git_failed(revision, said[0].removeprefix("fatal: ") if said else "it failed silently")]
    return result.stdout, []


def parse_manifest(name: str, data: bytes, *, force: bool = False) -> tuple[Manifest | None, list[Diagnostic]]:
    """The manifest in `data`; `name` is how diagnostics call it."""
    raw, found = parse_json(name, data)
    if found:
        return None, found
    problem = _wrong_schema(name, raw)
    if problem:
        return None, [problem]
    try:
        manifest = Manifest.model_validate(raw)
    except ValidationError as error:
        return None, [errors.off_schema(name, *mistake_in(error))]
    clash = contradiction(manifest)
    if clash:
        return None, [errors.off_schema(name, *clash)]
    if digest(content(manifest)) == manifest.integrity:
        return manifest, []
    if force:
        return manifest, [errors.edited(name, Severity.WARNING)]
    return None, [errors.edited(name)]


def parse_json(name: str, data: bytes) -> tuple[Any, list[Diagnostic]]:
    """JSON without duplicate keys, NaN or infinity."""
    marker = CONFLICT.search(data)
    if marker:
        return None, [errors.conflict_markers(name, data.count(b"\n", 0, marker.start()) + 1)]
    if not data.strip():
        return None, [errors.not_json(name, "it is empty")]
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        return None, [errors.not_json(name, f"byte {error.start} is not UTF-8")]
    try:
        raw = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
        return (None, [errors.not_json(name, HALVED)]) if half_a_character(text) else (raw, [])
    except json.JSONDecodeError as error:
        place = f"{name}:{error.lineno}:{error.colno}"
        whole = text.rstrip()
        cut = error.pos >= len(whole) or error.msg.startswith("Unterminated") or (error.pos > 0 and whole[-1:] != "}")
        found = "it ends in the middle" if cut else "it is not JSON from here on"
        return None, [errors.not_json(name, found, place)]
    except _OffSchema as error:
        return None, [errors.off_schema(name, "JSON", str(error))]
    except RecursionError:
        return None, [errors.not_json(name, "it is nested deeper than any manifest")]
    except ValueError:  # an integer of more digits than Python converts
        return None, [errors.not_json(name, "a number in it has thousands of digits")]


def reason(error: OSError) -> str:
    """The system's words for an error, lower case."""
    words = (error.strerror or "the system gave no reason").strip()
    return words[0].lower() + words[1:]


class _OffSchema(ValueError):
    """JSON that no manifest may hold; leaves the JSON reader, never this module."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _OffSchema(f"the key `{plain(twice)}` is given twice in one object")
    return result


def _no_constant(word: str) -> None:
    raise _OffSchema(f"`{word}` is not a number")


def _wrong_schema(name: str, raw: Any) -> Diagnostic | None:
    if not isinstance(raw, dict):
        return errors.not_json(name, "it holds no JSON object")
    schema = raw.get("schema")
    found = schema if isinstance(schema, dict) else {}
    if found.get("name") != SCHEMA_NAME:
        shown = f"`{plain(found['name'])}`" if isinstance(found.get("name"), str) else "of no name"
        return errors.other_schema(name, shown, SCHEMA_NAME)
    version = found.get("version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        return errors.newer_schema(name, version, SCHEMA_VERSION)
    return None


def mistake_in(error: ValidationError) -> tuple[str, str]:
    """Where the first mistake is, and what it is, in words of the file."""
    mistake = error.errors(include_url=False)[0]
    steps = mistake["loc"]
    where = plain("".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip("."), 120)
    match mistake["type"]:
        case "missing":
            return where, f"`{where}` is missing"
        case "extra_forbidden":
            return where, f"`{where}` is not a key of the schema"
        case "literal_error":
            return where, f"`{where}` must be {mistake.get('ctx', {}).get('expected')}"
        case _:
            shown = json.dumps(mistake["input"], ensure_ascii=False, default=str)
            return where, f"`{where}` holds {shown if len(shown) <= 60 else shown[:57] + '…'}"
