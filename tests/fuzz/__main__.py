"""`python -m tests.fuzz N SEED`: compile N mutated recipes and report what became of them."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.fuzz.running import Outcome, mutated, prepare, run


def report(outcomes: list[Outcome]) -> str:
    """How many of what, and how large the gaps are."""
    lines = [f"{count:6} {kind}" for kind, count in Counter(outcome.kind for outcome in outcomes).most_common()]
    codes = Counter(outcome.detail for outcome in outcomes if outcome.kind == "refused")
    lines.append("refused: " + ", ".join(f"{code} {count}" for code, count in codes.most_common()))
    gaps = sorted(outcome.gap for outcome in outcomes if outcome.kind == "decided")
    if gaps:
        at = {f"{p}%": gaps[min(len(gaps) - 1, len(gaps) * p // 100)] for p in (50, 90, 95, 99, 100)}
        lines.append("gap: " + ", ".join(f"{p} {gap:.1e}" for p, gap in at.items()))
        small = sum(gap <= 1e-6 for gap in gaps) / len(gaps)
        lines.append(f"gap <= 1e-6: {small:.1%} of {len(gaps)}")
    return "\n".join(lines)


def main(count: int, start: int, keep: Path | None) -> int:
    """Run, report, keep the recipes that went wrong; 1 when there are any."""
    outcomes = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        for seed in range(start, start + count):
            outcome = run(seed, folder)
            outcomes.append(outcome)
            if not outcome.good or outcome.gap > 1e-4:
                print(
                    f"{seed} {outcome.kind} {outcome.strategy} gap {outcome.gap:.1e}: {outcome.detail.strip()}",
                    flush=True,
                )
                if keep:
                    keep.mkdir(exist_ok=True)
                    (keep / f"{outcome.kind}-{seed}.mix").write_bytes(mutated(seed))
    print(report(outcomes))
    return 0 if all(outcome.good for outcome in outcomes) else 1


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    wanted = [int(word) for word in sys.argv[1:3]]
    sys.exit(main(*(wanted + [300, 0][len(wanted) :]), Path(sys.argv[3]) if len(sys.argv) > 3 else None))
