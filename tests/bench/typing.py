"""Typing in a 2,000-line recipe: seconds from a keystroke to its diagnostics, by a real client of `mixc lsp`.

    python -m tests.bench.typing [LINES]

Somebody types a source, a rule and a comment in the middle of the file, letter by letter, and deletes some of it again:
200 keystrokes, each waited for. The reference is the same text checked from scratch in one process, as `mixc check`
does after its start.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from mixc.compiler.front.passes import load_recipe
from tests.bench.instances import long_recipe
from tests.lsp.editor import Editor

KEYSTROKES = 200
TYPED = """\
# Added while nobody waited for anything.
source typed { supply = { en: 12B tokens, de: 3B tokens }, domain = d7, assume = rated, epochs <= 3 }
require share(typed) + share(s1) <= 12.5%
"""


def keystrokes(text: str) -> Iterator[str]:
    """The texts after every keystroke: an editor closes the brackets that are opened."""
    place = text.index("\n", len(text) // 2) + 1
    written, closing = "", ""
    for letter in TYPED * 2:
        if closing and letter == closing[0]:
            closing = closing[1:]
        elif letter in "{(":
            closing = {"{": "}", "(": ")"}[letter] + closing
        written += letter
        yield text[:place] + written + closing + "\n" + text[place:]


def main() -> None:
    """Print the figures."""
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    text = long_recipe(lines)
    with tempfile.TemporaryDirectory() as name, Editor(Path(name)) as editor:
        path = Path(name, "long.mix")
        path.write_text(text)
        editor.open("long.mix")
        times, good = list[float](), 0
        for number, typed in enumerate(keystrokes(text)):
            if number == KEYSTROKES:
                break
            times.append(editor.type(path, typed))
            good += not editor.problems(path)
        scratch = list[float]()
        for _ in range(5):
            start = time.monotonic()
            load_recipe(path)
            scratch.append(time.monotonic() - start)
    times.sort()
    reference = statistics.median(scratch)
    for what, value in (
        ("median", times[len(times) // 2]),
        ("p95", times[int(0.95 * len(times))]),
        ("worst", times[-1]),
    ):
        print(f"{what:6} {1000 * value:6.0f} ms  {value / reference:5.2f} x checking it from scratch")
    print(
        f"{len(times)} keystrokes in {lines:,} lines, {good} of them without a mistake; "
        f"from scratch {1000 * reference:.0f} ms"
    )


if __name__ == "__main__":
    main()
