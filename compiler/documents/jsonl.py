"""Reading JSON lines: plain, gzip, zstd.

Blocks of whole lines go through Arrow's parser with a schema of the wanted columns. It is fast and lenient: it takes
two objects on a line or one object on two lines, passes over bytes that are not UTF-8 in columns that nobody wants,
reads `Inf`, and dies of a line `null`. So a block is only given to it when every line begins and ends like an object,
and only believed when it found as many objects as lines. All other blocks, and those it refuses, are read line by line
(`lines.py`), which alone decides what is right and which line is wrong: no result depends on where blocks end (but for
nesting deeper than about a thousand, which only Arrow takes).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.json as pj

from mixc.compiler.documents.columns import Place, checked, walk
from mixc.compiler.documents.data import BadLines, Batch, DataFile, Unreadable, Wanted, score_key
from mixc.compiler.documents.lines import Column, Layout, has_key, keys_in, layout_of, parsed
from mixc.compiler.documents.messages import bad_line, broken_compression, missing_column
from mixc.compiler.documents.storage import guarded, is_remote, opened

BLOCK = 4 << 20
LARGEST = 1 << 30  # of a block that Arrow's parser gets; it counts bytes in 32 bits
LONGEST = 256 << 20  # bytes of a line; a file of a few kB may hold a longer one
SAMPLE = 100
MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
ENDINGS = {".gz": "gzip", ".zst": "zstd"}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
INFINITY = re.compile(rb"Inf[\s,}\]]")
BRACES = (ord("{"), ord("}"))
NEWLINE, RETURN = ord("\n"), ord("\r")


@dataclass(slots=True)
class Block:
    """Whole lines of a file; `line` is the number of the first, from 1."""

    content: bytes
    line: int


@dataclass(slots=True)
class Columns:
    """The rows of a block: arrays by key, the line of every row, the bad lines left out."""

    arrays: dict[str, Any]
    lines: Sequence[int]
    skipped: int = 0


@dataclass(slots=True)
class _Unseen:
    """Columns that no line had so far."""

    file: DataFile
    columns: list[Column]
    rows: int = 0
    found: set[str] = field(default_factory=set)

    def note(self, block: Block, columns: Columns) -> None:
        """Strike off what this block has: a value, or at least the key with a null."""
        self.rows += len(columns.lines)
        self.columns = [
            column
            for column in self.columns
            if columns.arrays[column.key].null_count == len(columns.lines)
            and (f'"{column.steps[0]}"'.encode() not in block.content or not has_key(_lines(block), column.steps))
        ]
        if self.columns and len(self.found) < SAMPLE:
            self.found |= keys_in(islice(_lines(block), SAMPLE))

    def scores(self) -> tuple[str, ...]:
        """The raters among them, which are struck off."""
        found = [column for column in self.columns if column.role == "score" and self.rows]
        self.columns = [column for column in self.columns if column not in found]
        return tuple(column.key.removeprefix(score_key("")) for column in found)

    def complain(self, roles: tuple[str, ...] | None = None) -> None:
        """Raise for the first of them, of the given roles or all."""
        for column in self.columns if self.rows else ():
            if roles is None or column.role in roles:
                found = tuple(sorted(self.found))
                raise Unreadable(missing_column(self.file.name, column.name, column.role, found))


def read(
    file: DataFile, wanted: Wanted, rows: int, bad_lines: BadLines, *, fast: bool = True, unscored: bool = False
) -> Iterator[Batch]:
    """Batches of at most `rows` rows. `fast = False` reads all blocks line by line, with the same result.

    With `unscored` the last batch, which may have no rows, names the scores that no line had.
    """
    layout: Layout | None = None
    unseen: _Unseen | None = None
    first = skipped = 0
    for block in _blocks(file):
        if layout is None or unseen is None:
            layout = layout_of(file, wanted, islice(_lines(block), SAMPLE))
            unseen = _Unseen(file, list(layout.columns))
        found = _fast(block, layout) if fast else None
        if found is None:
            found = Columns(*parsed(file, layout, _lines(block), skip=bad_lines == "skip"))
        unseen.note(block, found)
        unseen.complain(("id", "tokens"))  # nulls there are an error already; this says why
        skipped += found.skipped
        for start in range(0, len(found.lines), rows):
            lines = found.lines[start : start + rows]
            arrays = {key: array.slice(start, rows) for key, array in found.arrays.items()}
            batch = checked(file, wanted, first, len(lines), arrays, _line_of(lines))
            yield _with_skipped(batch, skipped)
            first, skipped = first + len(lines), 0
    absent = unseen.scores() if unseen is not None and unscored else ()
    if unseen is not None:
        unseen.complain()
    if (skipped or absent) and layout is not None:
        yield replace(_empty(file, wanted, layout, first, skipped), absent=absent)


def columns_of(file: DataFile) -> tuple[str, ...]:
    """Dotted keys of the first lines, sorted."""
    block = next(_blocks(file), None)
    return () if block is None else tuple(sorted(keys_in(islice(_lines(block), SAMPLE))))


def _line_of(lines: Sequence[int]) -> Place:
    return lambda i: f"line {lines[i]:,}"


def _with_skipped(batch: Batch, skipped: int) -> Batch:
    return replace(batch, skipped=skipped) if skipped else batch


def _empty(file: DataFile, wanted: Wanted, layout: Layout, first: int, skipped: int) -> Batch:
    arrays = {column.key: pa.nulls(0, column.type) for column in layout.columns}
    return _with_skipped(checked(file, wanted, first, 0, arrays, str), skipped)


def _fast(block: Block, layout: Layout) -> Columns | None:
    """What Arrow's parser makes of a block; None where it may differ from reading line by line."""
    content = block.content
    schema = layout.schema
    if schema is None or len(content) > LARGEST or INFINITY.search(content):
        return None
    count = _objects(content)
    if count is None or not _is_utf8(content):
        return None
    try:
        table = pj.read_json(
            pa.BufferReader(content),
            read_options=pj.ReadOptions(use_threads=False, block_size=len(content) + 1),
            parse_options=pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
        )
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        return None
    if table.num_rows != count:
        return None
    (batch,) = table.combine_chunks().to_batches()
    arrays = {column.key: walk(batch, column.steps) for column in layout.columns}
    return Columns(arrays, range(block.line, block.line + count))


def _objects(content: bytes) -> int | None:
    """How many lines there are, if every one begins with `{` and ends with `}`."""
    codes = np.frombuffer(content, np.uint8)
    ends = np.flatnonzero(codes == NEWLINE)
    if codes[-1] != NEWLINE:
        ends = np.append(ends, len(codes))
    starts = np.concatenate(([0], ends[:-1] + 1))
    last = codes[ends - 1]  # of a blank line an earlier newline: no brace
    if (last == RETURN).any():
        last = codes[ends - 1 - (last == RETURN)]
    fine = (codes[starts] == BRACES[0]).all() and (last == BRACES[1]).all()
    return len(ends) if fine else None


def _is_utf8(content: bytes) -> bool:
    if content.isascii():
        return True
    offsets = pa.py_buffer(np.array([0, len(content)], np.int32).tobytes())
    try:
        pa.Array.from_buffers(pa.string(), 1, [None, offsets, pa.py_buffer(content)]).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _lines(block: Block) -> Iterator[tuple[int, bytes]]:
    """(number, line) of the lines that are not blank. Only a newline ends a line, whatever Unicode calls one."""
    for number, line in enumerate(block.content.split(b"\n"), block.line):
        if stripped := line.strip(b" \t\r"):
            yield number, stripped


def _blocks(file: DataFile) -> Iterator[Block]:
    """Blocks that end with a line, the byte-order mark taken off."""
    line, held, size = 1, list[bytes](), 0
    with opened(file) as source:
        for chunk in _chunks(file, source):
            cut = chunk.content.rfind(b"\n") + 1
            size += len(chunk.content)
            if cut == 0:
                held.append(chunk.content)
                if size > LONGEST:
                    raise Unreadable(bad_line(file.name, line, f"is longer than {LONGEST >> 20} MiB"))
                continue
            size = len(chunk.content) - cut
            content = b"".join((*held, chunk.content[:cut]))
            held = [chunk.content[cut:]] if cut < len(chunk.content) else []
            yield Block(content.removeprefix(BYTE_ORDER_MARK) if line == 1 else content, line)
            line += content.count(b"\n")
    content = b"".join(held)
    content = content.removeprefix(BYTE_ORDER_MARK) if line == 1 else content
    if content:
        yield Block(content, line)


def _chunks(file: DataFile, source: Any) -> Iterator[Block]:
    """The bytes of a file, decompressed. Only Arrow's decompression notices every truncated frame."""
    line = 1
    with _damage(file, line):
        head = source.read_at(4, 0)
        source.seek(0)
    name = file.name.lower()
    codec = next((codec for ending, codec in ENDINGS.items() if name.endswith(ending)), None)
    codec = codec or next((codec for magic, codec in MAGIC.items() if head.startswith(magic)), None)
    if codec is not None and not head:
        raise Unreadable(broken_compression(file.name, 0, "", truncated=True))
    # A decompressor asks for 64 KiB at a time, and each would be a request.
    packed = pa.BufferedInputStream(source, BLOCK) if codec is not None and is_remote(file.path) else source
    stream = source if codec is None else pa.CompressedInputStream(packed, codec)
    while True:
        with _damage(file, line):
            content = stream.read(BLOCK)
        if not content:
            return
        yield Block(content, line)
        line += content.count(b"\n")


def _damage(file: DataFile, line: int) -> AbstractContextManager[None]:
    """Compressed data that is cut or wrong, told with the lines that were complete before it."""
    return guarded(file, lambda reason: broken_compression(file.name, line - 1, reason, "Truncated" in reason))
