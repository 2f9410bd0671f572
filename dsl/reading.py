"""Files to source text, or a diagnostic that says why not."""

from __future__ import annotations

import errno
import os
import re
import stat
import unicodedata
from itertools import pairwise
from pathlib import Path

from mixc.dsl import errors
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.text import SourceText, Span

MAX_BYTES = 1_000_000
MAX_LINE = 65_536  # characters
LARGEST = 1 << 30  # bytes of any file that is read as a whole
TEXT_END = re.compile(r'"(?:\\.|[^"\\\r\n])*"|#[^\r\n]*')
JOINERS = "\u200c\u200d"

# Controls, format characters (joiners included), line and paragraph separators, and code points that are no characters.
UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\ud800-\udfff\ufeff\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
BOMS = ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"))


def read_source(path: Path, shown: str) -> tuple[SourceText | None, list[Diagnostic]]:
    """The text of a file under the name that diagnostics show, or None and why it cannot be had."""
    try:
        data = file_bytes(path, MAX_BYTES + 1)
    except OSError as error:
        return None, [_unreadable(error, shown)]
    except ValueError:  # a NUL in the path
        return None, [errors.unreadable(f"`{shown}` cannot be the name of a file", shown, notes=("it holds a NUL",))]
    if len(data) > MAX_BYTES:
        return None, [_too_large(shown)]
    return _decode(data, shown)


def file_bytes(path: Path, most: int | None = None) -> bytes:
    """The bytes of a file, the first `most` of them; raises OSError, and ValueError for a NUL in the path.

    A named pipe is refused: opening it waits for a writer that may never come. The pipe of `<(command)` has its writer,
    and no name. So are devices, which may never end, and, without `most`, what is larger than `LARGEST`.
    """
    check_plain(path)
    with path.open("rb") as file:
        if most is not None:
            return file.read(most)
        size = os.fstat(file.fileno()).st_size
        data = file.read(size or LARGEST + 1) if size <= LARGEST else b""  # what has no size may be a pipe
        if max(size, len(data)) > LARGEST:
            raise OSError(errno.EFBIG, "it is larger than 1 GiB")
        return data


def check_plain(path: Path) -> None:
    """Raise OSError for what must not be opened: a named pipe, a socket or a device; nothing for what is not there."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if stat.S_ISFIFO(mode) and path.resolve().exists():
        raise OSError(errno.EINVAL, "it is a named pipe")
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
        raise OSError(errno.EINVAL, "it is a device or a socket, not a file")


def check_text(source: SourceText) -> list[Diagnostic]:
    """What keeps a text from being parsed at all: its size, the length of a line, characters that cannot be seen."""
    if len(source.text) > MAX_BYTES:
        return [_too_large(source.name)]
    starts = (*source.line_starts, len(source.text) + 1)
    for line, (start, after) in enumerate(pairwise(starts), 1):
        if after - start - 1 > MAX_LINE:
            message = (
                f"line {line} is {after - start - 1:,} characters long; a recipe's lines have at most {MAX_LINE:,}"
            )
            return [
                errors.too_large(message, source.name, Span(source, start, start), help="is this data, not a recipe?")
            ]
    return _unseen_characters(source)


def _unreadable(error: OSError, shown: str) -> Diagnostic:
    if isinstance(error, FileNotFoundError):
        return errors.unreadable(f"there is no file `{shown}`", shown, help="check the name and the current folder")
    if isinstance(error, IsADirectoryError):
        return errors.unreadable(f"`{shown}` is a folder", shown, help="name one recipe in it, `….mix`")
    if isinstance(error, PermissionError):
        return errors.unreadable(f"`{shown}` may not be read", shown, help="ask for the right to read it")
    reason = (error.strerror or "the system gave no reason").lower()
    return errors.unreadable(f"`{shown}` cannot be read: {reason}", shown)


def _too_large(shown: str) -> Diagnostic:
    return errors.too_large(f"`{shown}` is larger than 1 MB", shown, help="is this data, not a recipe?")


def _decode(data: bytes, shown: str) -> tuple[SourceText | None, list[Diagnostic]]:
    """The bytes as text. A byte order mark, a NUL and anything that is not UTF-8 is refused, with its place."""
    for mark, name in BOMS:
        if data.startswith(mark):
            message = f"`{shown}` is {name}, not UTF-8"
            return None, [errors.not_text(message, shown, "", help="save it as UTF-8 without a byte order mark")]
    try:
        source = SourceText(shown, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{data[error.start]:02x} at offset {error.start:,} (line {line}) is not UTF-8"
        return None, [errors.not_text(message, f"{shown}:{line}", "", help="save the file as UTF-8")]
    faults = check_text(source)
    return (None if faults else source), faults


def _unseen_characters(source: SourceText) -> list[Diagnostic]:
    """One diagnostic for each line that holds characters that cannot be seen; joiners may stand in quoted text."""
    if (nul := source.text.find("\x00")) >= 0:
        span = Span(source, nul, nul + 1)
        return [errors.not_text("a recipe holds no NUL bytes", span, "NUL", help="is this data, not a recipe?")]
    found: dict[int, Diagnostic] = {}
    quoted: list[tuple[int, int]] | None = None
    for match in UNSEEN.finditer(source.text):
        place = match.start()
        if match[0] in JOINERS:
            quoted = quoted if quoted is not None else [m.span() for m in TEXT_END.finditer(source.text)]
            if any(start < place < end for start, end in quoted):
                continue
        line, _ = source.position(place)
        if line not in found:
            found[line] = _unseen(source, place)
        if len(found) == 20:
            break
    return list(found.values())


def _unseen(source: SourceText, place: int) -> Diagnostic:
    char, span = source.text[place], Span(source, place, place + 1)
    if char == "\ufeff" and place == 0:
        message = "the file begins with a byte order mark"
        return errors.not_text(message, span, "U+FEFF", help="save it as UTF-8 without a byte order mark")
    name = unicodedata.name(char, "control character").lower()
    return errors.character(f"{name} (U+{ord(char):04X}) cannot be seen", span, "here", help="remove it")
