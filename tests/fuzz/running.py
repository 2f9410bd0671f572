"""One mutated recipe through the whole compiler, in process, and what may be wrong with the outcome."""

from __future__ import annotations

import json
import random
import re
import shutil
import signal
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from mixc.compiler.pages import all_pages
from mixc.compiler.pipeline import COMPILE, Artefacts, run_passes
from mixc.compiler.review.lock import lock_text
from mixc.compiler.review.manifest import manifest_text
from mixc.compiler.review.reading import parse_manifest
from mixc.compiler.review.summary import language_table, proof
from mixc.dsl.diagnostics import Diagnostic, has_errors
from mixc.dsl.render import render
from tests.fuzz.arithmetic import faults
from tests.fuzz.texts import mutate_bytes
from tests.fuzz.trees import mutate_tree, read

ROOT = Path(__file__).parents[2]
SEEDS = tuple(path.read_bytes() for path in sorted((ROOT / "tests" / "cases" / "fuzz").glob("*.mix")))
TREES = tuple(read(data.decode()) for data in SEEDS)
DEADLINE = 120  # seconds after which a compile counts as hanging, however busy the machine
FOREIGN = re.compile(r"Traceback|<class|object at 0x|\bNone\b|\bnan\b|\bfloat\b|NoneType|KeyError|\\x00")
FAILED = ("M304",)  # the solver gave up: no wrong manifest, yet no answer either


@dataclass(frozen=True)
class Outcome:
    """What became of a recipe: crash, hang, fault, refused, failed (by the solver), or decided with its gap."""

    seed: int
    kind: str
    detail: str = ""
    gap: float = 0.0
    strategy: str = ""

    @property
    def good(self) -> bool:
        """Whether this may happen."""
        return self.kind in ("refused", "decided")


class Hang(BaseException):
    """A compile did not end; no handler of errors may catch this."""


def mutated(seed: int) -> bytes:
    """The recipe of a number: odd ones from bytes, even ones from trees."""
    chance = random.Random(seed)
    return mutate_bytes(chance, SEEDS) if seed % 2 else mutate_tree(chance, TREES).encode()


def prepare(folder: Path) -> None:
    """What the recipes read: one catalog, and a manifest to compare with."""
    (folder / "catalogs").mkdir()
    shutil.copy(ROOT / "recipes" / "catalogs" / "wikipedia-2020.csv", folder / "catalogs")
    shares = [{"code": "de", "share": 0.2}, {"code": "en", "share": 0.75}, {"code": "no", "share": 0.05}]
    (folder / "old.manifest.json").write_text(json.dumps({"languages": shares}))


def run(seed: int, folder: Path) -> Outcome:
    """Compile the recipe of a number in a prepared folder."""
    path = folder / "recipe.mix"
    path.write_bytes(mutated(seed))
    try:
        with deadline(), warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            outcome = _compiled(seed, path)
    except Hang:
        return Outcome(seed, "hang")
    except Exception:
        return Outcome(seed, "crash", traceback.format_exc())
    if said and outcome.good:
        return Outcome(seed, "fault", f"a warning of Python: {said[0].filename}:{said[0].lineno} {said[0].message}")
    return outcome


@contextmanager
def deadline() -> Iterator[None]:
    """Raise `Hang` after DEADLINE seconds."""

    def stop(_: int, __: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(DEADLINE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _compiled(seed: int, path: Path) -> Outcome:
    made, found = run_passes(COMPILE, Artefacts(path))
    if wrong := _wrong_words(found):
        return Outcome(seed, "fault", wrong)
    if made.manifest is None:
        if not has_errors(found):
            return Outcome(seed, "fault", "no manifest, and no error says why")
        failed = [d.message for d in found if d.code in FAILED]
        return Outcome(seed, "failed" if failed else "refused", failed[0] if failed else found[-1].code)
    if has_errors(found):
        return Outcome(seed, "fault", "a manifest in spite of errors")
    assert made.lock is not None
    assert made.decision is not None
    text = manifest_text(made.manifest)
    if not (lock_text(made.lock) and language_table(made.decision) and proof(made.decision)):
        return Outcome(seed, "fault", "nothing to show")
    again, problems = parse_manifest("recipe.manifest.json", text.encode())
    if again != made.manifest or problems:
        return Outcome(seed, "fault", f"the manifest does not read back: {[d.message for d in problems]}")
    data = json.loads(text)
    wrong = faults(data)
    gap, strategy = data["certificate"]["gap"], data["strategy"]["name"]
    if wrong:
        return Outcome(seed, "fault", "; ".join(wrong[:3]), gap, strategy)
    return Outcome(seed, "decided", "", gap, strategy)


def _wrong_words(found: list[Diagnostic]) -> str:
    """What is wrong with how diagnostics are put."""
    for diagnostic in found:
        if diagnostic.code not in all_pages():
            return f"{diagnostic.code} has no page"
        if strange := FOREIGN.search(render([diagnostic], "concise")):
            return f"`{strange.group()}` in a diagnostic: {diagnostic.message}"
    for form in ("full", "concise", "json", "github"):
        render(found, form)  # type: ignore[arg-type]
    return ""
