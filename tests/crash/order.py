"""What a loss of power may undo: whether files reach the disk before they get their names, and then the names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.crash.shim import Call

CHANGING = ("write", "writev", "truncate", "copy", "truncating open")
CACHES = ".mixc"  # what can be made again need not wait for the disk; see `power`


def disorder(calls: Sequence[Call], root: Path) -> list[str]:
    """Files that got a final name before their bytes were on the disk, or whose folder was not synced afterwards."""
    synced: set[str] = set()
    found: list[str] = []
    for i, call in enumerate(calls):
        if call.name == "fsync":
            synced.add(call.path)
        elif call.name.endswith(CHANGING):
            synced.discard(call.path)
        elif call.name in ("rename", "link"):
            found += _named(call, synced, calls[i + 1 :], root)
        elif call.name == "mkdir":
            name = Path(call.path).relative_to(root)
            if CACHES not in name.parts and not _later(calls[i + 1 :], str(Path(call.path).parent)):
                found.append(f"folder {name} is not synced where it lies")
    return found


def unsynced(calls: Sequence[Call], root: Path) -> list[str]:
    """Names, below a folder, of files that were given them without their bytes being on the disk for sure."""
    synced: set[str] = set()
    found = set()
    for call in calls:
        if call.name == "fsync":
            synced.add(call.path)
        elif call.name.endswith(CHANGING):
            synced.discard(call.path)
        elif call.name in ("rename", "link") and call.bytes > 0 and call.path not in synced:
            found.add(Path(call.other).relative_to(root).as_posix())
    return sorted(found)


def _named(call: Call, synced: set[str], later: Sequence[Call], root: Path) -> list[str]:
    name = Path(call.other).relative_to(root)
    if CACHES in name.parts or any(part.endswith(".tmp") for part in name.parts[:-1]):  # of a folder yet unfinished
        return []
    found = []
    if call.bytes >= 0 and call.path not in synced:  # a folder has no bytes of its own
        found.append(f"{name} gets its name before its bytes are on the disk")
    if not _later(later, str(Path(call.other).parent)):
        found.append(f"{name} gets its name, and its folder is not synced")
    return found


def _later(calls: Sequence[Call], folder: str) -> bool:
    return any(call.name == "fsync" and call.path == folder for call in calls)
