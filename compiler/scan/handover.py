"""What pass 1 hands to pass 2: groups, tokens and levels of the documents it read, so that files are decoded once.

A file of Arrow's IPC format per part of a file, 6 bytes per document and 4 more per rater, not compressed, for the time
of one scan. Nothing depends on it: where there is none, as on another machine, pass 2 reads the documents again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mixc.compiler.documents.data import Part
from mixc.compiler.scan.labels import Key
from mixc.compiler.scan.ordered import LEVELS
from mixc.compiler.scan.scoring import Rated

FOLDER = "handover"
ROOM = 8 << 30  # bytes that stay free on the disk
ABSENT = np.uint32(LEVELS)  # the level of a document without a score
MOST_GROUPS, MOST_TOKENS = 1 << 16, 1 << 32
NEW = b"keys"


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Documents that count: `group` [n] among `keys`, `tokens` [n], and what every rater says of them."""

    keys: list[Key]
    group: NDArray[Any]
    tokens: NDArray[np.int64]
    scored: tuple[Rated | None, ...]


@dataclass(frozen=True, slots=True)
class Handover:
    """Where the files of one scan lie; `name` is in the name of each. Their names are those of temporary files."""

    folder: str
    name: str

    def path(self, part: Part) -> Path:
        """The file of a part."""
        place = f"{part.file.source}\n{part.file.name}\n{part.start}"
        return Path(self.folder) / f".{self.name}-{hashlib.sha256(place.encode()).hexdigest()[:32]}.tmp"

    def remove(self) -> None:
        """Remove all files."""
        for path in Path(self.folder).glob(f".{self.name}-*"):
            path.unlink(missing_ok=True)


class Writer:
    """Writes the file of one part, unless there is no room or something in it does not fit."""

    def __init__(self, path: Path) -> None:
        self._path, self._temporary = path, path.with_name(f"{path.name[:-4]}-{uuid4().hex}.tmp")
        self._known = 0
        self._file: Any = None
        self._stream: Any = None
        with contextlib.suppress(OSError):
            if shutil.disk_usage(path.parent).free > ROOM:
                self._file = pa.OSFile(str(self._temporary), "wb")

    def add(self, block: Block) -> None:
        """Documents that follow; keys only ever grow at their end."""
        if self._file is None:
            return
        if len(block.keys) > MOST_GROUPS or int(block.tokens.max(initial=0)) >= MOST_TOKENS:
            self.abandon()
            return
        levels = {f"{i}": _marked(one) for i, one in enumerate(block.scored) if one is not None}
        columns = {"group": block.group.astype(np.uint16), "tokens": block.tokens.astype(np.uint32)} | levels
        batch = pa.RecordBatch.from_arrays([pa.array(column) for column in columns.values()], list(columns))
        new = json.dumps(block.keys[self._known :]) if len(block.keys) > self._known else None
        self._known = len(block.keys)
        try:
            if self._stream is None:
                self._stream = pa.ipc.new_stream(self._file, batch.schema)
            self._stream.write_batch(batch, custom_metadata=None if new is None else {NEW: new})
        except OSError:  # no room after all
            self.abandon()

    def abandon(self) -> None:
        """Leave nothing."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._temporary.unlink(missing_ok=True)
        self._file = None

    def close(self) -> None:
        """Put the file in its place; one without documents is none."""
        if self._file is None or self._stream is None:
            self.abandon()
            return
        try:
            self._stream.close()
            self._file.close()
            self._temporary.replace(self._path)
        except OSError:
            self.abandon()


@contextlib.contextmanager
def writing(handover: Handover | None, part: Part) -> Iterator[Writer | None]:
    """A writer for a part, whose file is there in the end, or not at all."""
    writer = None if handover is None else Writer(handover.path(part))
    try:
        yield writer
    except BaseException:
        if writer is not None:
            writer.abandon()
        raise
    if writer is not None:
        writer.close()


def blocks(handover: Handover | None, part: Part, raters: int) -> Iterator[Block] | None:
    """What pass 1 wrote of a part; None where it did not."""
    if handover is None:
        return None
    try:
        file = pa.OSFile(str(handover.path(part)), "rb")
    except OSError:
        return None
    return _read(file, raters)


def _read(file: Any, raters: int) -> Iterator[Block]:
    keys: list[Key] = []
    with file, pa.ipc.open_stream(file) as stream:
        columns = {name: i for i, name in enumerate(stream.schema.names)}
        while True:
            try:
                batch, metadata = stream.read_next_batch_with_custom_metadata()
            except StopIteration:
                return
            if metadata is not None:
                keys.extend((language, domain) for language, domain in json.loads(metadata[NEW]))
            arrays = [column.to_numpy() for column in batch.columns]
            scored = (arrays[columns[f"{i}"]] if f"{i}" in columns else None for i in range(raters))
            yield Block(keys, arrays[0], arrays[1].astype(np.int64), tuple(map(_unmarked, scored)))


def _marked(one: Rated) -> NDArray[np.uint32]:
    return one.level if one.present is None else np.where(one.present, one.level, ABSENT)


def _unmarked(level: NDArray[np.uint32] | None) -> Rated | None:
    if level is None:
        return None
    return Rated(level, level < ABSENT if level.max(initial=0) >= ABSENT else None)


def new_handover(folder: Path) -> Handover:
    """A handover for one scan."""
    return Handover(str(folder), uuid4().hex)
