"""What is around a run and must not matter: locale, threads, features of the processor, folders, versions."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.determinism.corpus import ROOT, SHARDS, pool, recipes

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
SHUFFLED = """import os, random
def shuffled(plain):
    def listed(*args, **options):
        found = list(plain(*args, **options))
        random.Random(len(found)).shuffle(found)
        return found
    return listed
class Entries:
    def __init__(self, found): self.found = iter(found)
    def __iter__(self): return self
    def __next__(self): return next(self.found)
    def __enter__(self): return self
    def __exit__(self, *_): pass
    def close(self): pass
os.listdir = shuffled(os.listdir)
scanned = shuffled(os.scandir)
os.scandir = lambda *args: Entries(scanned(*args))
"""
# Kernels of OpenBLAS by the feature of the processor that they need.
KERNELS = {"Prescott": "pni", "Nehalem": "sse4_2", "Haswell": "avx2", "Zen": "avx2", "SkylakeX": "avx512bw"}


@dataclass(frozen=True)
class Surrounding:
    """A name, variables, and what else differs; `missing` says what it needs and this machine lacks."""

    name: str
    variables: Mapping[str, str] = field(default_factory=dict)
    python: Path = Path(sys.executable)
    workers: int = 1
    umask: int = 0o022
    below: Path | None = None
    deep: bool = False
    missing: str = ""


def plain() -> Surrounding:
    """Nothing in particular."""
    return Surrounding("plain", {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0"})


def cheap(work: Path) -> list[Surrounding]:
    """Two in which all that costs nothing differs at once: for `make test`."""
    threads = dict.fromkeys(THREADS, "8")
    screen = {"TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "40", "PYTHONUTF8": "0"}
    clock = {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "77"}
    first = locale("tr_TR", work)
    here = {**first.variables, **threads, **screen, **clock, **shuffled(work)}
    every = Surrounding("all at once", here, workers=2, umask=0o077, deep=True, missing=first.missing)
    old = {"OPENBLAS_CORETYPE": "Nehalem", "NPY_DISABLE_CPU_FEATURES": disabled("x86_64_v2")}
    return [every, Surrounding("an old processor", old, missing=lacks("Nehalem"))]


def surroundings(work: Path) -> Iterator[Surrounding]:
    """One thing at a time."""
    yield plain()
    yield Surrounding("LC_ALL=C, PYTHONUTF8=0", {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})
    for name in ("de_DE", "tr_TR"):
        yield locale(name, work)
    yield Surrounding("TZ, hash seed", {"TZ": "Pacific/Apia", "PYTHONHASHSEED": "4242"})
    for count in ("2", "8"):
        yield Surrounding(f"{count} threads of BLAS", dict.fromkeys(THREADS, count))
    yield Surrounding("3 workers", workers=3)
    for kernel in KERNELS:
        yield Surrounding(f"OpenBLAS for {kernel}", {"OPENBLAS_CORETYPE": kernel}, missing=lacks(kernel))
    for level in ("x86_64_v2", "x86_64_v3"):
        yield Surrounding(f"numpy up to {level}", {"NPY_DISABLE_CPU_FEATURES": disabled(level)})
    yield Surrounding("umask 077, a deep folder", umask=0o077, deep=True)
    yield Surrounding("umask 000", umask=0)
    shared = Path("/dev/shm")
    yield Surrounding("tmpfs", below=shared, missing="" if shared.is_dir() else "there is no /dev/shm")
    yield Surrounding("folders listed in any order", shuffled(work))
    yield Surrounding("no colour, 40 columns", {"TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "40"})


def locale(name: str, work: Path) -> Surrounding:
    """A locale, compiled into the folder where the machine has only its source."""
    made = work / "locales" / f"{name}.UTF-8"
    missing = ""
    if not made.exists():
        made.parent.mkdir(parents=True, exist_ok=True)
        command = ["localedef", "-i", name, "-f", "UTF-8", str(made)]
        if shutil.which("localedef") is None or subprocess.run(command, capture_output=True).returncode > 1:
            missing = f"no source of the locale {name}: install the package `locales`"
    variables = {"LOCPATH": str(made.parent), "LC_ALL": f"{name}.UTF-8", "LANG": f"{name}.UTF-8", "PYTHONUTF8": "0"}
    return Surrounding(name, variables, missing=missing)


def shuffled(work: Path) -> dict[str, str]:
    """Variables under which Python lists folders in another order than the file system does."""
    folder = work / "shuffled"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(SHUFFLED)
    return {"PYTHONPATH": str(folder)}


def disabled(level: str) -> str:
    """Features above a level of the architecture, of those that this numpy picks at run time."""
    from numpy._core._multiarray_umath import __cpu_dispatch__ as dispatched

    new = [name for name in dispatched if name in ("X86_V3", "X86_V4", "AVX512_ICL", "AVX512_SPR")]
    old = [name for name in dispatched if name.startswith(("AVX", "FMA", "F16C"))]
    kept = ("X86_V3", "AVX", "AVX2", "FMA3", "FMA4", "F16C") if level == "x86_64_v3" else ()
    return " ".join(name for name in dict.fromkeys(new + old) if name not in kept)


def lacks(kernel: str) -> str:
    """What the processor lacks for a kernel of OpenBLAS; nothing where it has it."""
    cpu = Path("/proc/cpuinfo")
    flags = cpu.read_text().split() if cpu.exists() else []
    return "" if KERNELS[kernel] in flags else f"the processor has no {KERNELS[kernel]}"


def digests(one: Surrounding, work: Path, names: list[str]) -> str:
    """What `tests.determinism.made` prints in a surrounding, in a folder of its own that is removed again."""
    base = (one.below or work) / f"mixc-determinism-{os.getpid()}"
    folder = base / "x y" / "ü" if one.deep else base
    before = os.umask(one.umask)
    try:
        folder.mkdir(parents=True)
        recipes(folder, [name for name in names if name != "pool"])
        order = list(range(SHARDS))
        random.Random(one.name).shuffle(order)
        pool(folder, order)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHON", "OPENBLAS", "OMP_"))}
        path = os.pathsep.join(filter(None, (str(ROOT), one.variables.get("PYTHONPATH"))))
        ran = subprocess.run(
            [str(one.python), "-m", "tests.determinism.made", str(folder), str(one.workers), *names],
            cwd=folder if one.deep else ROOT,
            env={**kept, **one.variables, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
    finally:
        os.umask(before)
        shutil.rmtree(base, ignore_errors=True)
    if ran.returncode:
        raise RuntimeError(f"{one.name}: {ran.stderr[-2000:]}")
    return ran.stdout
