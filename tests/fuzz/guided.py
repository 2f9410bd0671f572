"""`python -m tests.fuzz.guided SECONDS [TARGET…]`: coverage-guided fuzzing of every reader, two at a time.

Prints what each target did, and whether it still found anything new in the last third of its time. An input that is a
finding is kept under `build/fuzz/TARGET/`, and makes the exit code 1. `--keep` adds the smallest inputs that reach
what the corpus in the repository does not.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Timer

from tests.fuzz.targets import CORPUS, ROOT, TARGETS, Target

BUILD = ROOT / "build" / "fuzz"
STATUS = re.compile(r"#(\d+)\s+(\w+)\s+cov: (\d+) ft: (\d+)")
LIMITS = ("-rss_limit_mb=2048", "-timeout=60", "-max_len=16384", "-verbosity=1")
SPARE = 300.0  # seconds beyond its time after which a target counts as stuck
SMALL = 400  # bytes of an input that may be kept in the repository
MOST_KEPT = 24  # inputs of a target


@dataclass
class Outcome:
    """What a target did: executions, edges when its corpus was read and at the end, when it last found an edge."""

    name: str
    seconds: float = 0.0
    runs: int = 0
    first: int = 0
    last: int = 0
    newest: float = 0.0
    began: float = 0.0
    finding: str = ""
    done: bool = False
    tail: list[str] = field(default_factory=list)

    def note(self, line: str, now: float) -> None:
        """Take in a line of libFuzzer's."""
        if not line.startswith("INFO: Instrumenting"):
            self.tail = [*self.tail[-40:], line.rstrip()]
        self.done |= line.startswith("Done ")
        if match := STATUS.search(line):
            self.runs, edges = int(match[1]), int(match[3])
            if match[2] == "INITED":
                self.first, self.began = edges, now
            elif edges > self.last:
                self.newest = now
            self.last = edges

    def row(self) -> str:
        """The line of the table; coverage grew late where a new edge was found in the last third of the time."""
        late = self.newest > self.began + 2 / 3 * (self.seconds - self.began)
        rate = self.runs / max(self.seconds - self.began, 1e-9)
        state = "FINDING" if self.finding else "clean"
        return (
            f"{self.name:<12} {self.runs:>10,} {rate:>8,.0f} {self.first:>8,} {self.last:>8,}  "
            f"{'yes' if late else 'no':<10} {state}"
        )


HEAD = f"{'target':<12} {'executions':>10} {'per s':>8} {'edges at':>8} {'at end':>8}  {'last third':<10}"


def fuzz(target: Target, seconds: int) -> Outcome:
    """Run one target for so long in a process of its own."""
    work, found = BUILD / target.name / "corpus", BUILD / target.name
    work.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (work / f"seed-{number}").write_bytes(seed)
    options = [*LIMITS, f"-max_total_time={seconds}", f"-artifact_prefix={found}/"]
    if words := target.words():
        listed = ("".join(f"\\x{byte:02x}" for byte in word) for word in words)
        (found / "words.dict").write_text("".join(f'"{word}"\n' for word in listed))
        options.append(f"-dict={found}/words.dict")
    folders = [str(work), *([str(CORPUS / target.name)] if (CORPUS / target.name).is_dir() else [])]
    command = [sys.executable, "-m", "tests.fuzz.instrumented", target.name, str(found), *options, *folders]
    outcome, start = Outcome(target.name), time.monotonic()
    with subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        watch = Timer(seconds + SPARE, process.kill)
        watch.start()
        for line in process.stdout or ():
            outcome.note(line, time.monotonic() - start)
            if outcome.done:  # Arrow's threads may keep it from ending
                process.kill()
        code = process.wait()
        watch.cancel()
    outcome.seconds = time.monotonic() - start
    if not outcome.done:
        outcome.finding = "\n".join([*outcome.tail, f"exit code {code}"])
    return outcome


def keep(target: Target) -> int:
    """Merge what was found into the repository: few inputs, small ones first; how many are kept now."""
    whole = BUILD / target.name / "merged"
    shutil.rmtree(whole, ignore_errors=True)
    whole.mkdir(parents=True)
    here = CORPUS / target.name
    here.mkdir(parents=True, exist_ok=True)
    seeds = BUILD / target.name / "seeds"
    seeds.mkdir(exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (seeds / str(number)).write_bytes(seed)
    options = ["-merge=1", "-rss_limit_mb=2048", "-timeout=60", str(whole), str(seeds), str(here)]
    command = [
        sys.executable,
        "-m",
        "tests.fuzz.instrumented",
        target.name,
        str(BUILD / target.name),
        *options,
        str(BUILD / target.name / "corpus"),
    ]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    given = set(target.seeds())
    made = sorted(
        (path for path in whole.iterdir() if path.read_bytes() not in given), key=lambda one: one.stat().st_size
    )
    for path in here.iterdir():
        path.unlink()
    small = [path for path in made if path.stat().st_size <= SMALL]
    chosen = small[:: max(1, -(-len(small) // MOST_KEPT))]
    for path in chosen:
        shutil.copy(path, here / path.name[:12])
    return len(chosen)


def main() -> int:
    """Fuzz all targets, or those named."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.guided")
    parser.add_argument("seconds", type=int)
    parser.add_argument("targets", nargs="*", default=[], metavar="TARGET")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    chosen = [TARGETS[name] for name in given.targets or TARGETS]
    try:
        import atheris  # noqa: F401
    except ImportError:
        print("NOT FUZZED: atheris is not installed; it has wheels for Linux on x86_64 and CPython 3.11 to 3.13")
        return 1 if os.environ.get("CI", "").lower() in ("1", "true") else 0
    print(HEAD, flush=True)
    with ThreadPoolExecutor(given.jobs) as pool:
        outcomes = []
        for outcome in pool.map(lambda target: fuzz(target, given.seconds), chosen):
            print(outcome.row(), flush=True)
            if outcome.finding:
                print(
                    f"{outcome.name}, kept in {(BUILD / outcome.name).relative_to(ROOT)}:\n{outcome.finding}",
                    flush=True,
                )
            outcomes.append(outcome)
    if given.keep:
        for target in chosen:
            print(f"{target.name}: {keep(target)} inputs kept")
    return 1 if any(outcome.finding for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
