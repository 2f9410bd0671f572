"""The lock: one text, read back; every difference named; every bad file a diagnostic."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from review_builder import provenance

from mixc.compiler.review.lock import Lock, build_lock, drift, inputs_differ, lock_text, read_lock
from mixc.compiler.review.provenance import PinnedFile
from tests.examples import shown

GOOD = lock_text(build_lock(provenance()))


def read(text: str | bytes, folder: Path) -> tuple[Lock | None, list[str]]:
    path = folder / "x.lock"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    lock, found = read_lock(str(path))
    return lock, [d.code for d in found]


def test_golden_lock(tmp_path: Path) -> None:
    assert (Path(__file__).parents[1] / "cases" / "review" / "toy.lock").read_text() == GOOD
    assert read(GOOD, tmp_path) == (build_lock(provenance()), [])


@given(st.dictionaries(st.text(min_size=1), st.text(), max_size=3))
def test_any_name_survives(params: dict[str, str]) -> None:
    import tomllib

    assert tomllib.loads(lock_text(Lock(param=params))).get("param", {}) == params


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "M461"),
        ("{}", "M461"),
        (GOOD[: GOOD.index("sha256") + 30], "M461"),
        (GOOD.replace("version = 1", "version = 2"), "M454"),
        (GOOD.replace("version = 1\n", ""), "M461"),
        (GOOD.replace("planning = true", 'planning = "yes"'), "M461"),
        (GOOD + "\n[sources]\n", "M461"),
        (GOOD.replace("\n[", "\n<<<<<<< HEAD\n[", 1), "M452"),
        (b"\xff", "M461"),
    ],
)
def test_bad_locks(text: str | bytes, code: str, tmp_path: Path) -> None:
    assert read(text, tmp_path) == (None, [code])
    if text == GOOD[: GOOD.index("sha256") + 30]:
        _, found = read_lock(str(tmp_path / "x.lock"))
        shown(code, found, about="The lock was cut inside a hash.", command="mixc compile x.mix --locked", at=tmp_path)


def test_a_missing_lock(tmp_path: Path) -> None:
    assert [d.code for d in read_lock(str(tmp_path / "none.lock"))[1]] == ["M450"]


def test_every_difference_is_named() -> None:
    base = provenance()
    now = replace(
        base,
        params=(("size", "7B params"),),
        files=(replace(base.files[0], sha256="ff" * 32, size=900), PinnedFile("calibration", "fit.json", "aa" * 32, 1)),
        sources=(replace(base.sources[0], tokens=5),),
    )
    drifts = drift(build_lock(base), build_lock(now))
    message = inputs_differ("x.lock", drifts)
    shown("M462", message, about="A param, two files and two sources changed.", command="mixc compile x.mix --locked")
    assert message.message == (
        "5 inputs differ from what `x.lock` pins: param `size`, file `fit.json`, file `toy.mix`, source `web`, "
        "source `wiki`"
    )
    assert message.notes == (
        "param `size`: `1.2B params` is pinned, `7B params` is given",
        "file `fit.json`: used, but not pinned",
        "file `toy.mix`: bytes 812 -> 900, sha256 abababababab -> ffffffffffff",
        "source `web`: tokens 962,000,000,000 -> 5",
        "source `wiki`: pinned, but no longer used",
    )


def test_the_same_inputs_do_not_drift() -> None:
    assert drift(build_lock(provenance()), build_lock(provenance())) == ()
